// SPDX-License-Identifier: GPL-2.0-only
// What a configuration needs of this host, and sets of its addresses. Pure.
#pragma once

#include "host/host_state.h"
#include "model/config.h"

#include <cstdint>
#include <map>
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

// Refuses interfaces of which one stands on another: a VLAN and its trunk, a bond or bridge and its member. The lower
// one's program takes the frames and cannot send them on through the upper one, so the kernel drops them.
//
// links   all of this host, by index
// loaded  indexes of the interfaces that have our program or are to get it
//
// Errors: kConflict, naming both.
Result<void> check_apart(const std::map<std::uint32_t, Link>& links, const std::vector<std::uint32_t>& loaded);

}  // namespace xdplb
