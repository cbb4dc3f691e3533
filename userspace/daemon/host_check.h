// SPDX-License-Identifier: GPL-2.0-only
// What a configuration needs of this host, and sets of its addresses. Pure.
#pragma once

#include "host/host_state.h"
#include "model/config.h"

#include <cstdint>
#include <set>
#include <vector>

namespace xdplb {

// All addresses of all servers.
std::set<IpAddress> server_addresses(const Config& config);
// Of them: those of servers with several.
std::set<IpAddress> adapter_addresses(const Config& config);

struct HostCheck {
  const Config& next;
  const Config& now;  // what it has already is not looked at again
  const std::vector<InterfaceAddress>& addresses;
  const std::vector<std::uint32_t>& interfaces;  // loaded ones, with `next`
  bool has_loaded = false;                       // any interface is
};

// Refuses VIPAs that are addresses of this host, unless it is a server or the VIPA is local, and servers that no loaded
// interface has on its network. Errors: kInvalidConfig, naming the object.
Result<void> check_host(const HostCheck& check);

}  // namespace xdplb
