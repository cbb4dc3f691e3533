// SPDX-License-Identifier: GPL-2.0-only
// Step 4: each port through its server's MAC, by sockets of the kernel and policy routes that are taken back at the
// end.
#pragma once

#include "base/result.h"
#include "host/probe_routes.h"
#include "model/advisor_config.h"
#include "model/check_result.h"
#include "net/address.h"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>

#include <cstdint>
#include <string>
#include <vector>

namespace xdplb {

struct PortQuestion {
  ProbeNextHop hop{};  // the server's address, MAC and interface
  IpAddress vipa{};
  std::uint16_t port = 0;  // host order; advisor.port wins
  std::string server{};    // "web/80/s1"
  AdvisorConfig advisor{};
};

// The result of each, in their order; what could not be sent is kSocketError. The routes are removed when it returns,
// and when the coroutine is destroyed. Errors: as ProbeRoutes::open.
boost::asio::awaitable<Result<std::vector<CheckResult>>> ask_ports(boost::asio::io_context& io,
                                                                   std::vector<PortQuestion> questions);

}  // namespace xdplb
