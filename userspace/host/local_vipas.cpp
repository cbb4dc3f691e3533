// SPDX-License-Identifier: GPL-2.0-only
#include "host/local_vipas.h"

#include "host/vipa_routes.h"

#include <linux/rtnetlink.h>

#include <algorithm>
#include <optional>

namespace xdplb {
namespace {

constexpr std::uint32_t kTables = 0x10000;

Error naming(const IpAddress& vipa, const Error& error) {
  return fail(error.code, "local VIPA " + vipa.to_string() + ": " + error.message);
}

// Keeps the first failure of a row of attempts.
void note(Result<void>& first, const Result<void>& attempt) {
  if (first && !attempt) first = attempt.error();
}

// What is gone already is as good as removed.
Result<void> unless_missing(Result<void> removal) {
  if (!removal && removal.error().code == ErrorCode::kNotFound) return {};
  return removal;
}

IpPrefix host_prefix(const IpAddress& address) {
  return {.address = address, .length = static_cast<std::uint8_t>(8 * address.bytes().size())};
}

// "from VIPA lookup T" without other conditions, of whatever instance.
bool is_source_rule(const Rule& rule) {
  const Rule plain{.family = rule.family, .priority = rule.priority, .from = rule.from, .table = rule.table};
  return rule.from && rule.from->is_host() && rule == plain;
}

// As the kernel tells it back: what only it says and what it adds is left out.
Route plain(Route route) {
  route.destination = route.destination.network();
  route.is_dead = false;
  route.source.reset();
  if (route.type == RTN_THROW) route.ifindex = 0;  // IPv6 shows such a route on lo
  return route;
}

}  // namespace

struct LocalVipas::Present {
  std::vector<Rule> rules{};                             // all
  std::map<std::uint32_t, std::vector<Route>> tables{};  // our routes in tables of ours
  std::map<IpAddress, Rule> ours{};                      // our rules by VIPA
  std::vector<Rule> surplus{};                           // a second rule for a VIPA
  RoutingState state{};
};

Result<LocalVipas> LocalVipas::open(std::uint32_t first_table, std::uint32_t rule_priority) {
  auto control = RouteControl::open();
  if (!control) return control.error();
  auto links = NetlinkSocket::open({});
  if (!links) return links.error();
  return LocalVipas(std::move(*control), std::move(*links), first_table, rule_priority);
}

Result<void> LocalVipas::read_links() {
  auto messages = links_.dump(RTM_GETLINK);
  if (!messages) return messages.error();
  up_.clear();
  loopback_ = 0;
  for (const auto& message : *messages) {
    const auto* link = std::get_if<LinkMessage>(&message);
    if (link == nullptr) continue;
    if (link->link.is_up) up_.insert(link->link.index);
    if (link->link.is_loopback) loopback_ = link->link.index;
  }
  if (loopback_ == 0) return fail(ErrorCode::kFailed, "local VIPAs: there is no loopback interface to put them on");
  return {};
}

Result<LocalVipas::Present> LocalVipas::read(Family family) {
  Present present;
  auto rules = control_.rules(family);
  if (!rules) return rules.error();
  present.rules = std::move(*rules);
  auto is_our_table = [&](std::uint32_t table) { return table - first_table_ < kTables; };
  for (const Rule& rule : present.rules) {
    const bool is_ours = rule.priority == rule_priority_ && is_source_rule(rule) && is_our_table(rule.table);
    if (is_ours && !present.ours.emplace(rule.from->address, rule).second) present.surplus.push_back(rule);
  }
  auto own = control_.own_routes(family);
  if (!own) return own.error();
  for (Route& route : *own) {
    if (is_our_table(route.table)) present.tables[route.table].push_back(std::move(route));
  }
  auto addresses = control_.addresses(family);
  if (!addresses) return addresses.error();
  auto main = control_.routes(family, kMainTable);
  if (!main) return main.error();
  present.state = {.main = std::move(*main), .addresses = std::move(*addresses), .loopback = loopback_};
  return present;
}

void LocalVipas::recall_routes(const std::vector<LocalVipa>& vipas, Family family, std::vector<Route>& main) {
  std::set<std::uint32_t> listed;
  for (const LocalVipa& vipa : vipas) listed.insert(vipa.interfaces.begin(), vipa.interfaces.end());
  std::erase_if(known_, [&](const auto& entry) {
    return entry.first.second == family && (!listed.contains(entry.first.first) || up_.contains(entry.first.first));
  });
  for (const Route& route : main) {
    if (listed.contains(route.ifindex) && up_.contains(route.ifindex)) known_[{route.ifindex, family}].push_back(route);
  }
  for (const auto& [key, routes] : known_) {
    if (key.second != family || up_.contains(key.first)) continue;
    for (Route route : routes) {
      route.is_dead = true;
      main.push_back(std::move(route));
    }
  }
}

Result<void> LocalVipas::set(const std::vector<LocalVipa>& vipas) {
  if (auto links = read_links(); !links) return links;
  auto first = set_family(vipas, Family::kV4);
  note(first, set_family(vipas, Family::kV6));
  return first;
}

Result<void> LocalVipas::set_family(const std::vector<LocalVipa>& vipas, Family family) {
  std::vector<IpAddress> wanted;
  for (const LocalVipa& vipa : vipas) {
    if (vipa.address.family() == family) wanted.push_back(vipa.address);
  }
  auto present = read(family);
  if (!present && wanted.empty()) return {};  // a kernel without IPv6
  if (!present) return present.error();
  recall_routes(vipas, family, present->state.main);
  std::uint32_t next_table = first_table_;
  std::set<std::uint32_t> used;
  for (const auto& [address, rule] : present->ours) used.insert(rule.table);
  for (const auto& [table, routes] : present->tables) used.insert(table);
  Result<void> first;
  for (const LocalVipa& vipa : vipas) {
    if (vipa.address.family() != family) continue;
    auto rule = present->ours.find(vipa.address);
    while (rule == present->ours.end() && used.contains(next_table)) ++next_table;
    const std::uint32_t table = rule == present->ours.end() ? next_table++ : rule->second.table;
    auto done = put(vipa, table, *present);
    if (!done) note(first, naming(vipa.address, done.error()));
  }
  note(first, clean_up(wanted, *present));
  return first;
}

// The address last: nothing is sent from it before its routes are there.
Result<void> LocalVipas::put(const LocalVipa& vipa, std::uint32_t table, const Present& present) {
  Result<void> first;
  if (vipa.owner != 0) {
    auto routes = present.tables.find(table);
    note(first, put_routes(vipa_routes(vipa, present.state, table),
                           routes == present.tables.end() ? std::vector<Route>{} : routes->second));
    if (!present.ours.contains(vipa.address)) {
      note(first, control_.add(Rule{.family = vipa.address.family(),
                                    .priority = rule_priority_,
                                    .from = host_prefix(vipa.address),
                                    .table = table}));
    }
  }
  const auto& addresses = present.state.addresses;
  const bool is_there = std::any_of(addresses.begin(), addresses.end(), [&](const TaggedAddress& address) {
    return address.ifindex == loopback_ && address.prefix.address == vipa.address;
  });
  if (is_there) return first;
  auto added = control_.add_address(loopback_, host_prefix(vipa.address));
  if (!added) note(first, added.error());
  return first;
}

Result<void> LocalVipas::put_routes(const std::vector<Route>& wanted, const std::vector<Route>& present) {
  Result<void> first;
  std::set<std::pair<IpPrefix, std::uint32_t>> kept;
  for (const Route& route : wanted) {
    kept.emplace(route.destination.network(), route.priority);
    const bool is_there =
        std::any_of(present.begin(), present.end(), [&](const Route& other) { return plain(other) == plain(route); });
    if (!is_there) note(first, control_.replace(route));
  }
  for (const Route& route : present) {
    if (!kept.contains({route.destination.network(), route.priority})) {
      note(first, unless_missing(control_.remove(route)));
    }
  }
  return first;
}

Result<void> LocalVipas::clean_up(const std::vector<IpAddress>& wanted, const Present& present) {
  auto is_wanted = [&](const IpAddress& address) {
    return std::find(wanted.begin(), wanted.end(), address) != wanted.end();
  };
  Result<void> first;
  std::set<std::uint32_t> kept;
  for (const Rule& rule : present.surplus) note(first, unless_missing(control_.remove(rule)));
  for (const auto& [address, rule] : present.ours) {
    if (is_wanted(address)) {
      kept.insert(rule.table);
    } else {
      note(first, unless_missing(control_.remove(rule)));
    }
  }
  for (const auto& [table, routes] : present.tables) {
    if (kept.contains(table)) continue;
    for (const Route& route : routes) note(first, unless_missing(control_.remove(route)));
  }
  for (const TaggedAddress& address : present.state.addresses) {
    const bool is_ours = address.ifindex == loopback_ && address.protocol == kRouteProtocol && address.prefix.is_host();
    if (!is_ours || is_wanted(address.prefix.address)) continue;
    // Another instance has rules of its own tables for its VIPAs.
    const bool is_anothers = std::any_of(present.rules.begin(), present.rules.end(), [&](const Rule& rule) {
      return is_source_rule(rule) && rule.from == address.prefix && !present.ours.contains(address.prefix.address);
    });
    if (!is_anothers) note(first, unless_missing(control_.remove_address(loopback_, address.prefix)));
  }
  return first;
}

}  // namespace xdplb
