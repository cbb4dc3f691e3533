// SPDX-License-Identifier: GPL-2.0-only
// RouteControl: routes, policy rules, addresses and fixed neighbours of this network namespace, read and changed
// through rtnetlink.
#pragma once

#include "base/result.h"
#include "host/netlink_socket.h"
#include "net/address.h"

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace xdplb {

// Marks what we made (rtm_protocol, FRA_PROTOCOL, NDA_PROTOCOL), so that a later run finds it again. Not in rt_protos
// of iproute2.
inline constexpr std::uint8_t kRouteProtocol = 88;
inline constexpr std::uint32_t kMainTable = 254;

struct Route {
  IpPrefix destination{};              // length 0: default
  std::optional<IpAddress> gateway{};  // IPv6 for an IPv4 destination: RTA_VIA, kernel 5.2
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

enum class RuleAction : std::uint8_t { kLookup, kGoto, kNop, kUnreachable };

struct Rule {
  Family family = Family::kV4;
  std::uint32_t priority = 0;
  std::optional<IpPrefix> from{};
  std::uint32_t mark = 0;
  std::uint32_t mark_mask = 0;  // bits of a packet's mark that must be as in `mark`; 0: any mark
  std::string incoming{};       // interface it came in by, which need not be there; empty: any
  bool is_inverted = false;     // for what does not meet the conditions
  RuleAction action = RuleAction::kLookup;
  std::uint32_t table = 0;          // for kLookup
  std::uint32_t goto_priority = 0;  // for kGoto; larger than `priority`
  std::uint8_t protocol = kRouteProtocol;
  auto operator<=>(const Rule&) const = default;
};

// A neighbour that the kernel neither asks for nor forgets (NUD_PERMANENT), until its interface goes down.
struct FixedNeighbor {
  std::uint32_t ifindex = 0;
  IpAddress address{};
  MacAddress mac{};
  auto operator<=>(const FixedNeighbor&) const = default;
};

// An address of an interface, and who put it there.
struct TaggedAddress {
  std::uint32_t ifindex = 0;
  IpPrefix prefix{};
  std::uint8_t protocol = 0;  // IFA_PROTO: kRouteProtocol when add_address() made it, 0 when an operator did
  auto operator<=>(const TaggedAddress&) const = default;
};

// One step of RouteControl::apply().
struct RouteChange {
  enum class Kind : std::uint8_t {
    kPut,     // makes it; an equal rule that is there is success, a route or neighbour of the same key is replaced
    kRemove,  // one that is not there is success
  };
  using Object = std::variant<FixedNeighbor, Route, Rule>;
  Kind kind = Kind::kPut;
  Object object{};
};

// Every call is one or more round trips to the kernel and returns when it is done. Errors: os_error naming the object;
// kNotFound for something to remove that is not there.
class RouteControl {
 public:
  static Result<RouteControl> open();

  // Unicast routes and others of one table; routes with several next hops come as one Route a hop. One with a gateway
  // of the other family is left out.
  Result<std::vector<Route>> routes(Family family, std::uint32_t table);
  // Those of every table that are tagged kRouteProtocol, and those with a gateway of the other family, too.
  Result<std::vector<Route>> own_routes(Family family);
  Result<void> replace(const Route& route);  // makes it, or replaces the one of equal destination, table and priority
  Result<void> remove(const Route& route);   // the one with all that is set in `route`

  // Only what a Rule can express: one with other conditions (outgoing interface, destination, port, user) or another
  // action is left out.
  Result<std::vector<Rule>> rules(Family family);
  Result<void> add(const Rule& rule);  // an equal one is success
  Result<void> remove(const Rule& rule);

  // Fixed ones that are tagged kRouteProtocol.
  Result<std::vector<FixedNeighbor>> own_neighbors(Family family);

  // Many changes in their order and few round trips; what the kernel says to each. A refused one does not stop the
  // others. Errors: os_error of the socket; then it is not known how far it came.
  Result<std::vector<Result<void>>> apply(const std::vector<RouteChange>& changes);

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
