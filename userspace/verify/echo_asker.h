// SPDX-License-Identifier: GPL-2.0-only
// EchoAsker: echo requests in frames to a MAC of our choice, whatever address they are for: the way a dispatcher's
// packets take, without a neighbour entry.
#pragma once

#include "base/result.h"
#include "host/packet_socket.h"
#include "net/address.h"
#include "verify/verify_plan.h"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <utility>
#include <vector>

namespace xdplb {

struct EchoQuestion {
  std::uint32_t ifindex = 0;
  MacAddress mac{};
  IpAddress source{};       // of the interface
  IpAddress destination{};  // a VIPA, or the server's own address; the same family
};

// Not thread-safe; the io_context outlives it.
class EchoAsker {
 public:
  EchoAsker(boost::asio::io_context& io, const HostSnapshot& host);

  // Returns when all have answered, after `wait` at the latest. Of each question, in their order: the address that the
  // answer came from, nullopt for silence. Errors: os_error naming the interface.
  boost::asio::awaitable<Result<std::vector<std::optional<IpAddress>>>> ask(std::vector<EchoQuestion> questions,
                                                                            std::chrono::milliseconds wait);

 private:
  using Answers = std::span<std::optional<IpAddress>>;
  boost::asio::awaitable<Result<void>> ask_some(std::span<const EchoQuestion> questions, Answers answers,
                                                std::chrono::milliseconds wait);
  boost::asio::awaitable<Result<void>> send_unanswered(std::span<const EchoQuestion> questions);
  boost::asio::awaitable<void> wait_for_answers(std::chrono::milliseconds wait);
  Result<void> send(const EchoQuestion& question, std::uint16_t sequence);
  void hear(std::span<const std::uint8_t> frame);

  boost::asio::io_context& io_;
  const HostSnapshot& host_;
  boost::asio::steady_timer timer_;
  std::uint16_t identifier_;
  std::uint16_t next_ = 0;                        // sequence number
  std::map<std::uint16_t, std::size_t> asked_{};  // sequence number -> question of the part under way
  Answers answers_{};                             // of that part
  std::size_t missing_ = 0;
  std::map<std::pair<std::uint32_t, PacketKind>, std::unique_ptr<PacketSocket>> sockets_{};
};

}  // namespace xdplb
