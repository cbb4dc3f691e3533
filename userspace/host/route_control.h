// SPDX-License-Identifier: GPL-2.0-only
// RouteControl: routes, policy rules and addresses of this network namespace, read and changed through rtnetlink.
#pragma once

#include "base/result.h"
#include "host/netlink_socket.h"
#include "net/address.h"

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace xdplb {

// Marks what we made (rtm_protocol, FRA_PROTOCOL), so that a later run finds it again. Not in rt_protos of iproute2.
inline constexpr std::uint8_t kRouteProtocol = 88;
inline constexpr std::uint32_t kMainTable = 254;

struct Route {
  IpPrefix destination{};              // length 0: default
  std::optional<IpAddress> gateway{};  // of the same family
  std::uint32_t ifindex = 0;           // 0: several next hops, or none
  std::optional<IpAddress> source{};   // preferred source address
  std::uint32_t table = kMainTable;
  std::uint32_t priority = 0;  // metric
  std::uint8_t protocol = kRouteProtocol;
  std::uint8_t scope = 0;               // RT_SCOPE_*
  std::uint8_t type = 1;                // RTN_*
  bool is_onlink = false;               // the gateway is reached though no network of the interface contains it
  bool is_dead = false;                 // RTNH_F_DEAD or RTNH_F_LINKDOWN; only read
  std::vector<std::uint8_t> metrics{};  // payload of RTA_METRICS (MTU, windows) to carry over, as the kernel wrote it
  auto operator<=>(const Route&) const = default;
};

struct Rule {
  Family family = Family::kV4;
  std::uint32_t priority = 0;
  std::optional<IpPrefix> from{};
  std::uint32_t mark = 0;  // 0: any
  std::uint32_t table = kMainTable;
  std::uint8_t protocol = kRouteProtocol;
  auto operator<=>(const Rule&) const = default;
};

// An address of an interface, and who put it there.
struct TaggedAddress {
  std::uint32_t ifindex = 0;
  IpPrefix prefix{};
  std::uint8_t protocol = 0;  // IFA_PROTO: kRouteProtocol when add_address() made it, 0 when an operator did
  auto operator<=>(const TaggedAddress&) const = default;
};

// Every call is one or more round trips to the kernel and returns when it is done. Errors: os_error naming the object;
// kNotFound for something to remove that is not there.
class RouteControl {
 public:
  static Result<RouteControl> open();

  // Unicast routes and others of one table; routes with several next hops come as one Route a hop. One with a gateway
  // of the other family is left out.
  Result<std::vector<Route>> routes(Family family, std::uint32_t table);
  // Those of every table that are tagged kRouteProtocol.
  Result<std::vector<Route>> own_routes(Family family);
  Result<void> replace(const Route& route);  // makes it, or replaces the one of equal destination, table and priority
  Result<void> remove(const Route& route);   // the one with all that is set in `route`

  // Only what a Rule can express: one with other conditions (interface, destination, port, user, inverted) or another
  // action than a lookup is left out.
  Result<std::vector<Rule>> rules(Family family);
  Result<void> add(const Rule& rule);  // an equal one is success
  Result<void> remove(const Rule& rule);

  Result<std::vector<TaggedAddress>> addresses(Family family);
  // True: it was made; false: it was there. IPv6 ones without duplicate address detection; a host address (/32, /128)
  // makes no route besides the local one.
  Result<bool> add_address(std::uint32_t ifindex, const IpPrefix& address);
  Result<void> remove_address(std::uint32_t ifindex, const IpPrefix& address);

 private:
  explicit RouteControl(NetlinkSocket socket) : socket_(std::move(socket)) {}
  Result<std::vector<Route>> dump_routes(std::vector<std::uint8_t> request, const std::string& object);
  // `missing`  the errno that says that there is nothing to remove, 0: none
  Result<void> change(std::vector<std::uint8_t> request, const std::string& object, int missing);

  NetlinkSocket socket_;
};

}  // namespace xdplb
