// SPDX-License-Identifier: GPL-2.0-only
#include "verify/lan_asker.h"

#include "net/arp_packet.h"
#include "net/nd_packet.h"
#include "verify/pause.h"

#include <fmt/format.h>

#include <random>

namespace xdplb {
namespace {

// Who answers may be hostile and have a new MAC each time.
constexpr std::size_t kMostAnswerers = 16;

namespace asio = boost::asio;

// A burst, then a pause: neither a switch's queue nor our own socket's shall lose any.
constexpr std::size_t kBurst = 32;
constexpr auto kBurstPause = std::chrono::milliseconds(5);

NdNonce draw_nonce() {
  std::random_device random;
  NdNonce nonce{};
  for (auto& byte : nonce) byte = static_cast<std::uint8_t>(random() & 0xffU);
  return nonce;
}

}  // namespace

Result<PacketSocket*> LanAsker::socket_for(const LanQuestion& question) {
  const auto kind = question.address.is_v4() ? PacketKind::kArp : PacketKind::kNeighborDiscovery;
  auto& socket = sockets_[{question.ifindex, kind}];
  if (socket) return socket.get();
  const auto* link = host_.find_link(question.ifindex);
  auto opened = PacketSocket::open(io_, question.ifindex, link != nullptr ? link->name : "?", kind);
  if (!opened) return opened.error();
  socket = std::move(*opened);
  socket->on_frame([this, ifindex = question.ifindex, kind](std::span<const std::uint8_t> frame, bool tagged) {
    if (!tagged) hear(ifindex, kind, frame);
  });
  return socket.get();
}

Result<void> LanAsker::send(const LanQuestion& question) {
  const auto socket = socket_for(question);
  if (!socket) return socket.error();
  const auto* link = host_.find_link(question.ifindex);
  if (link == nullptr) return fail(ErrorCode::kNotFound, fmt::format("interface {}: it is gone", question.ifindex));
  if (question.address.is_v4()) {
    const auto own = question.is_in_own_name ? host_.source_for(question.ifindex, question.address) : std::nullopt;
    return (*socket)->send(
        encode_arp(own ? arp_question(link->mac, *own, question.address) : arp_probe(link->mac, question.address)));
  }
  const auto source = host_.link_local_of(question.ifindex);
  const auto asked =
      source ? nd_question(link->mac, *source, question.address) : nd_probe(link->mac, question.address, draw_nonce());
  return (*socket)->send(encode_solicitation(asked));
}

asio::awaitable<Result<void>> LanAsker::send_all(std::vector<LanQuestion> questions) {
  std::size_t sent = 0;
  for (const auto& question : questions) {
    if (auto result = send(question); !result) co_return result;
    if (++sent % kBurst == 0) co_await pause(kBurstPause);
  }
  co_return Result<void>();
}

asio::awaitable<Result<LanAnswers>> LanAsker::ask(std::vector<LanQuestion> questions, std::chrono::milliseconds wait) {
  answers_.clear();
  for (const auto& question : questions) answers_[{question.ifindex, question.address}];
  if (auto sent = co_await send_all(questions); !sent) co_return sent.error();
  co_await pause(wait / 2);
  std::erase_if(questions, [](const LanQuestion& question) { return question.is_asked_once; });
  if (auto sent = co_await send_all(questions); !sent) co_return sent.error();
  co_await pause(wait - wait / 2);
  co_return std::move(answers_);
}

void LanAsker::hear(std::uint32_t ifindex, PacketKind kind, std::span<const std::uint8_t> frame) {
  if (kind == PacketKind::kArp) {
    if (const auto arp = decode_arp(frame)) note(ifindex, arp->packet.sender_ip, arp->packet.sender_mac);
    return;
  }
  if (const auto answer = decode_advertisement(frame))
    note(ifindex, answer->target, answer->target_mac.value_or(answer->ethernet.source));
}

void LanAsker::note(std::uint32_t ifindex, const IpAddress& address, const MacAddress& mac) {
  const auto asked = answers_.find({ifindex, address});
  if (asked != answers_.end() && asked->second.size() < kMostAnswerers) asked->second.insert(mac);
}

}  // namespace xdplb
