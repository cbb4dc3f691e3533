// SPDX-License-Identifier: GPL-2.0-only
// Policy rules: a packet for the VIPA gets as far as table local, which has it.
#include "server/scene.h"

#include <linux/fib_rules.h>
#include <linux/if_addr.h>
#include <linux/rtnetlink.h>

#include <algorithm>
#include <set>

namespace xdplb {
namespace {

std::string delete_command(const Scene& scene, const ServerRule& rule) {
  return ip_command(scene.vipa, "rule delete ") + rule_words(rule);
}

std::string fate(const RouteVerdict& verdict) {
  if (verdict.hops.empty()) return "refused";
  switch (verdict.hops.front()->type) {
    case RTN_BLACKHOLE:
    case RTN_UNREACHABLE:
    case RTN_PROHIBIT:
      return "refused";
    default:
      return "sent elsewhere";
  }
}

void add_rule_fault(const Scene& scene, const RouteVerdict& verdict, bool is_certain, Faults& faults) {
  faults.push_back({.code = "rule_in_the_way",
                    .object = "rule " + rule_words(*verdict.rule),
                    .text = std::string(is_certain ? "what is for " : "some of what is for ") + scene.name + " is " +
                            fate(verdict) + " before table local is asked",
                    .remedy = delete_command(scene, *verdict.rule),
                    .severity = Severity::kFault});
}

// Table local was asked and has no way to the VIPA, or one that refuses.
void judge_local_table(const Scene& scene, const RouteVerdict& verdict, Faults& faults) {
  const bool is_tentative = std::any_of(scene.aliases.begin(), scene.aliases.end(), [](const ServerAddress* alias) {
    return (alias->flags & (IFA_F_TENTATIVE | IFA_F_DADFAILED)) != 0;
  });
  if (is_tentative) return;  // that is why, and is told
  if (verdict.rule != nullptr && verdict.rule->table == kLocalTable) {
    const ServerRoute& route = *verdict.hops.front();
    faults.push_back({.code = "local_missing",
                      .object = route_words(scene, route, false),
                      .text = "table local refuses what is for " + scene.name,
                      .remedy = ip_command(scene.vipa, "route delete ") + route_words(scene, route, false)});
    return;
  }
  if (scene.aliases.empty()) return;  // alias_missing
  const ServerAddress& alias = *scene.aliases.front();
  std::string made_by_kernel = " proto kernel";
  if (scene.vipa.is_v4()) made_by_kernel += " scope host src " + scene.name;
  faults.push_back({.code = "local_missing",
                    .object = scene.name + " on " + scene.link_name(alias.ifindex),
                    .text = "table local has no route to it, though the address is there",
                    .remedy = ip_command(scene.vipa, "route add local ") + scene.name + " dev " +
                              scene.link_name(alias.ifindex) + " table local" + made_by_kernel});
}

void judge_decision(const Scene& scene, const RouteVerdict& verdict, Faults& faults) {
  if (verdict.is_local()) return;
  const auto& rules = scene.facts.rules;
  auto asks_local = [&](const ServerRule& rule) {
    return rule.family == scene.vipa.family() && rule.action == FR_ACT_TO_TBL && rule.table == kLocalTable;
  };
  const auto local = std::find_if(rules.begin(), rules.end(), asks_local);
  if (local == rules.end()) {
    faults.push_back({.code = "rule_in_the_way",
                      .object = std::string(family_name(scene.vipa.family())) + " rules",
                      .text = "none asks table local: nothing is taken for this host's own",
                      .remedy = ip_command(scene.vipa, "rule add priority 0 lookup local")});
    return;
  }
  const bool is_before = verdict.rule != nullptr && verdict.rule->priority < local->priority;
  if (is_before) return add_rule_fault(scene, verdict, true, faults);
  judge_local_table(scene, verdict, faults);
}

}  // namespace

void judge_rules(const Scene& scene, Faults& faults) {
  std::set<const ServerRule*> told;
  std::vector<std::string> from;
  for (const ServerLink* link : scene.arrivals) from.push_back(link->name);
  if (from.empty()) from.emplace_back();
  Faults found;
  for (const std::string& incoming : from) {
    const RoutedPacket packet{
        .family = scene.vipa.family(), .source = {}, .destination = scene.vipa, .incoming = incoming};
    const auto verdict = look_up(scene.facts, packet, [&](const ServerRule& rule) {
      const auto asked = ask_rule(scene.facts, rule, packet);
      if (asked && !asked->is_local() && told.insert(&rule).second) add_rule_fault(scene, *asked, false, found);
    });
    judge_decision(scene, verdict, found);
  }
  std::sort(found.begin(), found.end());
  found.erase(std::unique(found.begin(), found.end()), found.end());
  faults.insert(faults.end(), found.begin(), found.end());
}

}  // namespace xdplb
