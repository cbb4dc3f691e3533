// SPDX-License-Identifier: GPL-2.0-only
// LanAsker: asks a LAN who has an address, without being a neighbour of anybody: by packet sockets, so that this host's
// own neighbour table learns nothing.
#pragma once

#include "base/result.h"
#include "host/packet_socket.h"
#include "net/address.h"
#include "verify/verify_plan.h"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>

#include <chrono>
#include <compare>
#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <span>
#include <utility>
#include <vector>

namespace xdplb {

struct LanQuestion {
  std::uint32_t ifindex = 0;
  IpAddress address{};
  bool is_asked_once = false;   // else once more after half the time: a frame may be lost
  bool is_in_own_name = false;  // ARP: from an address of this host, as a dispatcher or a client asks
  auto operator<=>(const LanQuestion&) const = default;
};

using LanAnswers = std::map<std::pair<std::uint32_t, IpAddress>, std::set<MacAddress>>;

// ARP is asked from 0.0.0.0 (RFC 5227 2.1.1): nobody learns anything by such a question, and its answer comes to us
// alone; or in this host's own name, by which the asked machine may learn this host's MAC, as by any packet: a proxy
// answers that only, and a server that takes this host's address for its own does not. IPv6 is asked from the
// interface's link-local address: the answer to a probe from :: would go to every host of the link, and where a server
// leaks they would believe it. An interface without such an address has no choice. Not thread-safe; the io_context
// outlives it.
class LanAsker {
 public:
  LanAsker(boost::asio::io_context& io, const VerifyHost& host) : io_(io), host_(host) {}

  // Returns after `wait`, with every MAC that answered. What another machine says of the address unasked in that time
  // counts, too. What this host itself sends is not heard. Errors: os_error naming the interface.
  boost::asio::awaitable<Result<LanAnswers>> ask(std::vector<LanQuestion> questions, std::chrono::milliseconds wait);

 private:
  Result<PacketSocket*> socket_for(const LanQuestion& question);
  Result<void> send(const LanQuestion& question);
  boost::asio::awaitable<Result<void>> send_all(std::vector<LanQuestion> questions);
  void hear(std::uint32_t ifindex, PacketKind kind, std::span<const std::uint8_t> frame);
  void note(std::uint32_t ifindex, const IpAddress& address, const MacAddress& mac);

  boost::asio::io_context& io_;
  const VerifyHost& host_;
  std::map<std::pair<std::uint32_t, PacketKind>, std::unique_ptr<PacketSocket>> sockets_{};
  LanAnswers answers_{};  // of the round under way; a key for each question
};

}  // namespace xdplb
