// SPDX-License-Identifier: GPL-2.0-only
// Which routes the table of one local VIPA holds. Pure.
#pragma once

#include "host/local_vipas.h"
#include "host/route_control.h"

#include <cstdint>
#include <span>
#include <vector>

namespace xdplb {

// What this host's routing looks like.
struct RoutingState {
  std::vector<Route> main{};               // of one family, every next hop
  std::vector<TaggedAddress> addresses{};  // of that family
  std::uint32_t loopback = 0;              // index of lo
};

// The routes of `table` for a VIPA with an owner, in the order to make them in: a gateway after the network it is in.
// For each destination of the main table at most one:
// - the copy of its best route through an interface of the list, now through the owner, where the owner can stand in:
//   it has an address in that network; it has one in the gateway's network; a link-local gateway is of an interface
//   that shares a network with the owner; or the route is the owner's own;
// - else, where a wider copy would catch the destination, a "throw" route: the lookup goes on with the next rule, the
//   main table's.
std::vector<Route> vipa_routes(const LocalVipa& vipa, const RoutingState& state, std::uint32_t table);

}  // namespace xdplb
