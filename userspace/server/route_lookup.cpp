// SPDX-License-Identifier: GPL-2.0-only
#include "server/route_lookup.h"

#include <linux/fib_rules.h>
#include <linux/rtnetlink.h>

#include <algorithm>
#include <tuple>

namespace xdplb {
namespace {

// Routes for "everywhere": the default, and the halves of it that some VPN clients make instead.
constexpr std::uint8_t kWideV4 = 1;
constexpr std::uint8_t kWideV6 = 3;

Match match_prefix(const std::optional<IpPrefix>& prefix, const std::optional<IpAddress>& address) {
  if (!prefix || prefix->length == 0) return Match::kYes;
  if (!address) return Match::kMaybe;
  return prefix->contains(*address) ? Match::kYes : Match::kNo;
}

Match match_conditions(const ServerRule& rule, const RoutedPacket& packet) {
  // Sockets of a service are not bound to an interface; packets on the way in have none yet.
  if (!rule.outgoing.empty()) return Match::kNo;
  if (!rule.incoming.empty() && rule.incoming != packet.incoming) return Match::kNo;
  if ((rule.mark & rule.mark_mask) != 0) return Match::kNo;
  const Match other = rule.has_other_conditions ? Match::kMaybe : Match::kYes;
  return std::min({match_prefix(rule.from, packet.source), match_prefix(rule.to, packet.destination), other});
}

bool is_for(const ServerRoute& route, const RoutedPacket& packet) {
  if (route.destination.address.family() != packet.family) return false;
  if (packet.destination) return route.destination.contains(*packet.destination);
  return route.destination.length <= (packet.family == Family::kV4 ? kWideV4 : kWideV6);
}

auto rank(const ServerRoute& route) { return std::tuple(-static_cast<int>(route.destination.length), route.priority); }

// In the kernel's order; those of equal priority as they were listed.
std::vector<const ServerRule*> rules_of(const ServerFacts& facts, Family family) {
  std::vector<const ServerRule*> rules;
  for (const ServerRule& rule : facts.rules) {
    if (rule.family == family) rules.push_back(&rule);
  }
  std::stable_sort(rules.begin(), rules.end(), [](auto* a, auto* b) { return a->priority < b->priority; });
  return rules;
}

}  // namespace

Match match_rule(const ServerRule& rule, const RoutedPacket& packet) {
  if (rule.family != packet.family) return Match::kNo;
  const Match match = match_conditions(rule, packet);
  if (!rule.is_inverted || match == Match::kMaybe) return match;
  return match == Match::kYes ? Match::kNo : Match::kYes;
}

std::vector<const ServerRoute*> find_in_table(const ServerFacts& facts, std::uint32_t table,
                                              const RoutedPacket& packet) {
  std::vector<const ServerRoute*> best;
  for (const ServerRoute& route : facts.routes) {
    if (route.table != table || !is_for(route, packet)) continue;
    if (!best.empty() && rank(*best.front()) < rank(route)) continue;
    if (!best.empty() && rank(route) < rank(*best.front())) best.clear();
    // Hops of one route come one after the other with the same type.
    if (best.empty() || best.front()->type == route.type) best.push_back(&route);
  }
  if (!best.empty() && best.front()->type == RTN_THROW) best.clear();
  return best;
}

bool RouteVerdict::is_local() const { return !hops.empty() && hops.front()->type == RTN_LOCAL; }
bool RouteVerdict::has_way() const { return !hops.empty() && hops.front()->type == RTN_UNICAST; }

std::optional<RouteVerdict> ask_rule(const ServerFacts& facts, const ServerRule& rule, const RoutedPacket& packet) {
  if (rule.action == FR_ACT_BLACKHOLE || rule.action == FR_ACT_UNREACHABLE || rule.action == FR_ACT_PROHIBIT) {
    return RouteVerdict{.rule = &rule, .hops = {}};
  }
  if (rule.action != FR_ACT_TO_TBL) return std::nullopt;
  auto hops = find_in_table(facts, rule.table, packet);
  const bool is_suppressed =
      !hops.empty() && rule.suppress_length && hops.front()->destination.length <= *rule.suppress_length;
  if (hops.empty() || is_suppressed) return std::nullopt;
  return RouteVerdict{.rule = &rule, .hops = std::move(hops)};
}

RouteVerdict look_up(const ServerFacts& facts, const RoutedPacket& packet,
                     const std::function<void(const ServerRule&)>& before) {
  std::uint32_t go_on_at = 0;
  for (const ServerRule* rule : rules_of(facts, packet.family)) {
    if (rule->priority < go_on_at) continue;
    const Match match = match_rule(*rule, packet);
    if (match == Match::kMaybe && before) before(*rule);
    if (match != Match::kYes) continue;
    if (rule->action == FR_ACT_GOTO) go_on_at = rule->goto_priority;
    if (auto verdict = ask_rule(facts, *rule, packet)) return *verdict;
  }
  return {};
}

}  // namespace xdplb
