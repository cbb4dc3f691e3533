// SPDX-License-Identifier: GPL-2.0-only
// LocalVipas: VIPAs that are this host's own: on its loopback, and what is sent from them leaves by the interface that
// owns them.
#pragma once

#include "base/result.h"
#include "host/route_control.h"

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace xdplb {

struct LocalVipa {
  IpAddress address;
  std::uint32_t owner = 0;                  // answers for it now; 0: none, then its routes stay as they were
  std::vector<std::uint32_t> interfaces{};  // of its list, present ones
  bool operator==(const LocalVipa&) const = default;
};

// For each VIPA: the address (/32, /128 without duplicate address detection) on lo, a rule "from VIPA lookup T", and in
// T the main table's routes through any interface of the list, each through the owner: connected networks that the
// owner has an address in, and gateways in such a network. What the list's interfaces do not lead to is left to the
// main table, by a "throw" route where a wider one of T would catch it. While an interface of the list is down, its
// last known routes count, for the kernel takes them out of the main table. A change of the owner replaces routes in
// place: running connections follow, for their cached routes are void. All is tagged kRouteProtocol; addresses that
// were there before are left there at the end.
class LocalVipas {
 public:
  // first_table  tables used: first_table, first_table + 1, ... up to first_table + 65535, which nobody else may use;
  //              each table's rule has the priority `rule_priority`
  static Result<LocalVipas> open(std::uint32_t first_table = 0x58440000, std::uint32_t rule_priority = 1088);

  // The whole list; makes, moves and removes what is needed. Also what an earlier run left: adopts what is right,
  // removes what nothing needs any more. To be called again when interfaces, addresses or routes change. Errors: of the
  // first VIPA that failed, the others are done.
  Result<void> set(const std::vector<LocalVipa>& vipas);

 private:
  LocalVipas(RouteControl routes, NetlinkSocket links, std::uint32_t first_table, std::uint32_t rule_priority)
      : control_(std::move(routes)),
        links_(std::move(links)),
        first_table_(first_table),
        rule_priority_(rule_priority) {}

  struct Present;  // what the kernel has of one family
  Result<void> read_links();
  Result<Present> read(Family family);
  void recall_routes(const std::vector<LocalVipa>& vipas, Family family, std::vector<Route>& main);
  Result<void> set_family(const std::vector<LocalVipa>& vipas, Family family);
  Result<void> put(const LocalVipa& vipa, std::uint32_t table, const Present& present);
  Result<void> put_routes(const std::vector<Route>& wanted, const std::vector<Route>& present);
  Result<void> clean_up(const std::vector<IpAddress>& wanted, const Present& present);

  RouteControl control_;
  NetlinkSocket links_;
  std::uint32_t first_table_;
  std::uint32_t rule_priority_;
  std::uint32_t loopback_ = 0;
  std::set<std::uint32_t> up_{};  // indexes
  // Main routes of each listed interface when it was last up.
  std::map<std::pair<std::uint32_t, Family>, std::vector<Route>> known_{};
};

}  // namespace xdplb
