// SPDX-License-Identifier: GPL-2.0-only
#include "host/address_probe.h"

#include "host/packet_socket.h"
#include "host/pause.h"
#include "net/arp_packet.h"
#include "net/nd_packet.h"

#include <map>
#include <memory>
#include <random>
#include <span>
#include <utility>

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

class Asker {
 public:
  explicit Asker(asio::io_context& io) : io_(io) {}

  asio::awaitable<Result<std::vector<std::set<MacAddress>>>> ask(std::vector<AddressQuestion> questions,
                                                                 std::chrono::milliseconds wait) {
    for (const auto& question : questions) heard_[{question.ifindex, question.address}];
    if (auto sent = co_await send_all(questions, true); !sent) co_return sent.error();
    co_await pause(wait / 2);
    if (auto sent = co_await send_all(questions, false); !sent) co_return sent.error();
    co_await pause(wait - wait / 2);
    std::vector<std::set<MacAddress>> answers;
    answers.reserve(questions.size());
    for (const auto& question : questions) answers.push_back(heard_[{question.ifindex, question.address}]);
    co_return std::move(answers);
  }

 private:
  asio::awaitable<Result<void>> send_all(const std::vector<AddressQuestion>& questions, bool is_first) {
    std::size_t sent = 0;
    for (const auto& question : questions) {
      if (question.is_asked_once && !is_first) continue;
      if (auto result = send(question); !result) co_return result;
      if (++sent % kBurst == 0) co_await pause(kBurstPause);
    }
    co_return Result<void>();
  }

  Result<void> send(const AddressQuestion& question) {
    const auto socket = socket_for(question);
    if (!socket) return socket.error();
    if (question.address.is_v4())
      return (*socket)->send(encode_arp(question.asker ? arp_question(question.mac, *question.asker, question.address)
                                                       : arp_probe(question.mac, question.address)));
    const auto asked = question.link_local ? nd_question(question.mac, *question.link_local, question.address)
                                           : nd_probe(question.mac, question.address, draw_nonce());
    return (*socket)->send(encode_solicitation(asked));
  }

  Result<PacketSocket*> socket_for(const AddressQuestion& question) {
    const auto kind = question.address.is_v4() ? PacketKind::kArp : PacketKind::kNeighborDiscovery;
    auto& socket = sockets_[{question.ifindex, kind}];
    if (socket) return socket.get();
    auto opened = PacketSocket::open(io_, question.ifindex, question.interface, kind);
    if (!opened) return opened.error();
    socket = std::move(*opened);
    socket->on_frame([this, ifindex = question.ifindex, kind](std::span<const std::uint8_t> frame, bool tagged) {
      if (!tagged) hear(ifindex, kind, frame);
    });
    return socket.get();
  }

  void hear(std::uint32_t ifindex, PacketKind kind, std::span<const std::uint8_t> frame) {
    if (kind == PacketKind::kArp) {
      if (const auto arp = decode_arp(frame)) note(ifindex, arp->packet.sender_ip, arp->packet.sender_mac);
      return;
    }
    if (const auto answer = decode_advertisement(frame))
      note(ifindex, answer->target, answer->target_mac.value_or(answer->ethernet.source));
  }

  void note(std::uint32_t ifindex, const IpAddress& address, const MacAddress& mac) {
    const auto asked = heard_.find({ifindex, address});
    if (asked != heard_.end() && asked->second.size() < kMostAnswerers) asked->second.insert(mac);
  }

  asio::io_context& io_;
  std::map<std::pair<std::uint32_t, PacketKind>, std::unique_ptr<PacketSocket>> sockets_{};
  std::map<std::pair<std::uint32_t, IpAddress>, std::set<MacAddress>> heard_{};
};

}  // namespace

asio::awaitable<Result<std::vector<std::set<MacAddress>>>> probe_addresses(asio::io_context& io,
                                                                           std::vector<AddressQuestion> questions,
                                                                           std::chrono::milliseconds wait) {
  Asker asker(io);
  co_return co_await asker.ask(std::move(questions), wait);
}

}  // namespace xdplb
