// SPDX-License-Identifier: GPL-2.0-only
// Asks a LAN who has an address, without being a neighbour of anybody.
#pragma once

#include "base/result.h"
#include "host/host_snapshot.h"
#include "net/address.h"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>

#include <chrono>
#include <compare>
#include <cstdint>
#include <map>
#include <set>
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

// As probe_addresses. ARP is asked from 0.0.0.0 (RFC 5227 2.1.1): nobody learns anything by such a question, and its
// answer comes to us alone; or in this host's own name, by which the asked machine may learn this host's MAC, as by any
// packet: a proxy answers that only, and a server that takes this host's address for its own does not. IPv6 is asked
// from the interface's link-local address: the answer to a probe from :: would go to every host of the link, and where
// a server leaks they would believe it. An interface without such an address has no choice. Errors: kNotFound for an
// interface that `host` does not have, too.
boost::asio::awaitable<Result<LanAnswers>> ask_lan(boost::asio::io_context& io, const HostSnapshot& host,
                                                   std::vector<LanQuestion> questions, std::chrono::milliseconds wait);

}  // namespace xdplb
