// SPDX-License-Identifier: GPL-2.0-only
// One probe of one server, as a coroutine: opens, asks, reads, judges. It reports and decides nothing.
#pragma once

#include "model/advisor_config.h"
#include "model/check_result.h"
#include "net/address.h"

#include <boost/asio/awaitable.hpp>

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

namespace xdplb {

// Where a probe goes.
struct ProbeTarget {
  IpAddress destination{};  // in the IP header: the VIPA, or the server's own address
  std::uint16_t port = 0;   // host order; 0 for ping
  std::uint32_t mark = 0;   // SO_MARK: the policy route that leads to the server (host/probe_routes.h); 0: none
  std::string server{};     // "web/80/s1", for exec's environment
  // A connect probe leaves only when the server has said goodbye, too, or its time is over. A server's word to a closed
  // socket is answered by the kernel, without the mark: it would ask the LAN who has the VIPA.
  bool waits_for_end = false;
  bool operator==(const ProbeTarget&) const = default;
};

// One step of a probe with its time since the probe began, for `advisor run`.
struct ProbeStep {
  std::chrono::microseconds at{};
  std::string text{};  // cleaned: "connected", "sent 78 bytes", "HTTP 200, 15 bytes"
};
using ProbeLog = std::vector<ProbeStep>;

// What probes share: the contexts of TLS, the sockets of ping. One for the daemon, on the io_context's thread.
class ProbeTools;

// Runs one probe. Every time limit of `advisor` holds, whatever the server does; nothing it sends makes the daemon keep
// more than 1 MiB. Connections end with RST after a polite goodbye, so that thousands leave no TIME_WAIT. Never throws.
// What it is given must outlive it.
//
// log  nullptr: nobody is interested
boost::asio::awaitable<CheckResult> probe(ProbeTools& tools, const AdvisorConfig& advisor, const ProbeTarget& target,
                                          ProbeLog* log = nullptr);

}  // namespace xdplb
