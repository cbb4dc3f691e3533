// SPDX-License-Identifier: GPL-2.0-only
#include "verify/echo_asker.h"

#include "host/pause.h"
#include "net/echo_packet.h"

#include <fmt/format.h>

#include <algorithm>
#include <random>

namespace xdplb {
namespace {

namespace asio = boost::asio;

constexpr std::size_t kPart = 1024;  // questions under way at a time
constexpr std::size_t kBurst = 32;
constexpr auto kBurstPause = std::chrono::milliseconds(2);

}  // namespace

EchoAsker::EchoAsker(asio::io_context& io, const HostSnapshot& host)
    : io_(io), host_(host), timer_(io), identifier_(static_cast<std::uint16_t>(std::random_device{}() & 0xffffU)) {}

asio::awaitable<Result<std::vector<std::optional<IpAddress>>>> EchoAsker::ask(std::vector<EchoQuestion> questions,
                                                                              std::chrono::milliseconds wait) {
  std::vector<std::optional<IpAddress>> answers(questions.size());
  const std::span<const EchoQuestion> all(questions);
  for (std::size_t at = 0; at < all.size(); at += kPart) {
    const std::size_t count = std::min(kPart, all.size() - at);
    auto asked = co_await ask_some(all.subspan(at, count), Answers(answers).subspan(at, count), wait);
    if (!asked) co_return asked.error();
  }
  co_return std::move(answers);
}

// Asked once more after half the time: a frame may be lost, and a server that does not know us yet may drop the first.
asio::awaitable<Result<void>> EchoAsker::ask_some(std::span<const EchoQuestion> questions, Answers answers,
                                                  std::chrono::milliseconds wait) {
  asked_.clear();
  answers_ = answers;
  missing_ = questions.size();
  for (const auto part : {wait / 2, wait - wait / 2}) {
    if (auto sent = co_await send_unanswered(questions); !sent) co_return sent;
    co_await wait_for_answers(part);
    if (missing_ == 0) break;
  }
  asked_.clear();
  answers_ = {};
  co_return Result<void>();
}

asio::awaitable<Result<void>> EchoAsker::send_unanswered(std::span<const EchoQuestion> questions) {
  std::size_t sent = 0;
  for (std::size_t i = 0; i < questions.size(); ++i) {
    if (answers_[i]) continue;
    const std::uint16_t sequence = next_++;
    asked_[sequence] = i;
    if (auto result = send(questions[i], sequence); !result) co_return result;
    if (++sent % kBurst == 0) co_await pause(kBurstPause);
  }
  co_return Result<void>();
}

asio::awaitable<void> EchoAsker::wait_for_answers(std::chrono::milliseconds wait) {
  if (missing_ == 0) co_return;
  timer_.expires_after(wait);
  co_await timer_.async_wait(asio::as_tuple(asio::use_awaitable));
}

Result<void> EchoAsker::send(const EchoQuestion& question, std::uint16_t sequence) {
  const auto* link = host_.find_link(question.ifindex);
  if (link == nullptr) return fail(ErrorCode::kNotFound, fmt::format("interface {}: it is gone", question.ifindex));
  const auto kind = question.destination.is_v4() ? PacketKind::kEchoReplyV4 : PacketKind::kEchoReplyV6;
  auto& socket = sockets_[{question.ifindex, kind}];
  if (!socket) {
    auto opened = PacketSocket::open(io_, question.ifindex, link->name, kind);
    if (!opened) return opened.error();
    socket = std::move(*opened);
    socket->on_frame([this](std::span<const std::uint8_t> frame, bool tagged) {
      if (!tagged) hear(frame);
    });
  }
  return socket->send(encode_echo_request({.ethernet = {.destination = question.mac, .source = link->mac},
                                           .source = question.source,
                                           .destination = question.destination,
                                           .identifier = identifier_,
                                           .sequence = sequence}));
}

void EchoAsker::hear(std::span<const std::uint8_t> frame) {
  const auto reply = decode_echo_reply(frame);
  if (!reply || reply->identifier != identifier_) return;
  const auto asked = asked_.find(reply->sequence);
  if (asked == asked_.end() || answers_[asked->second]) return;
  answers_[asked->second] = reply->source;
  if (--missing_ == 0) timer_.cancel();
}

}  // namespace xdplb
