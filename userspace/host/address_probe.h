// SPDX-License-Identifier: GPL-2.0-only
// Who answers ARP or ND for an address on an interface, within a time.
#pragma once

#include "base/result.h"
#include "net/address.h"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>

#include <chrono>
#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace xdplb {

// One address to ask for through one interface. The same question twice is answered twice, and questions for one
// address through one interface have one answer.
struct AddressQuestion {
  std::uint32_t ifindex = 0;
  std::string interface {};               // its name, for messages
  MacAddress mac{};                       // of the interface
  std::optional<IpAddress> link_local{};  // of the interface; absent: IPv6 is asked for as RFC 4862 probes, from ::
  IpAddress address{};
  std::optional<IpAddress> asker{};  // of this host, IPv4: ARP in its name; absent: from 0.0.0.0
  bool is_asked_once = false;        // else once more after half the time: a frame may be lost
};

// Of each question, in their order, every MAC that answered, after `wait`; what another machine says of the address
// unasked in that time counts, too. No more than 16 MACs are kept for an address. ARP from 0.0.0.0 (RFC 5227 2.1.1):
// no neighbour table learns anything, this host's neither. What this host itself sends on that interface is not heard;
// its other interfaces on the same LAN are. Needs CAP_NET_RAW; the io_context outlives the coroutine. Errors: os_error
// naming the interface.
boost::asio::awaitable<Result<std::vector<std::set<MacAddress>>>> probe_addresses(
    boost::asio::io_context& io, std::vector<AddressQuestion> questions, std::chrono::milliseconds wait);

}  // namespace xdplb
