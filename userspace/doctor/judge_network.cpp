// SPDX-License-Identifier: GPL-2.0-only
#include "doctor/doctor_judge.h"

#include "host/probe_routes.h"
#include "host/route_control.h"

#include <linux/fib_rules.h>
#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <optional>
#include <utility>

namespace xdplb {
namespace {

constexpr std::uint32_t kLocalTable = 255;
constexpr std::uint32_t kDefaultTable = 253;

// "net/ipv4/conf/eth0.100/rp_filter" stays with slashes, as sysctl wants names with dots in them.
std::string set_command(std::string setting, int value) {
  if (setting.find('.') == std::string::npos) std::replace(setting.begin(), setting.end(), '/', '.');
  return fmt::format("sysctl -w {}={}", setting, value);
}

// ---- VIPAs ----

Check judge_local(const NetworkFacts& network, const DoctorVipa& vipa, const VipaFacts& facts) {
  const auto object = facts.address.to_string();
  if (facts.route.kind != RouteAnswer::Kind::kLocal && facts.holder.empty())
    return well("vipa_local", object, "no address of this host");
  if (vipa.is_local) return well("vipa_local", object, "this host's own, as configured");
  if (network.is_server) return well("vipa_local", object, "this host's own: it is one of the servers");
  if (!facts.holder.empty())
    return {
        .code = "vipa_local",
        .object = object,
        .verdict = Verdict::kFailure,
        .text = fmt::format("it is an address of {}: this host would answer itself, in place of the servers, and "
                            "probes never leave it",
                            facts.holder),
        .remedy = fmt::format("ip address del {}/{} dev {}", object, facts.address.is_v4() ? 32 : 128, facts.holder)};
  return {
      .code = "vipa_local",
      .object = object,
      .verdict = Verdict::kFailure,
      .text = fmt::format("the route \"local {}\" makes it this host's own: probes never leave it", facts.local_route),
      .remedy =
          fmt::format("ip {}route del local {} table local", facts.address.is_v4() ? "" : "-6 ", facts.local_route)};
}

// Whose MACs these are, and whether a server is among them.
struct Claimants {
  std::string text{};
  bool has_server = false;
};

Claimants name_claimants(const DoctorNeeds& needs, const NetworkFacts& facts, const std::set<MacAddress>& macs) {
  Claimants claimants;
  for (const auto& mac : macs) {
    if (!claimants.text.empty()) claimants.text += " and ";
    claimants.text += mac.to_string();
    const auto known = facts.known.find(mac);
    if (known == facts.known.end()) continue;
    const auto& first = known->second.front();
    const auto server = std::find_if(known->second.begin(), known->second.end(),
                                     [&](const IpAddress& address) { return needs.servers.contains(address); });
    const bool is_server = server != known->second.end();
    claimants.has_server = claimants.has_server || is_server;
    claimants.text +=
        is_server ? fmt::format(" (server {})", server->to_string()) : fmt::format(" ({})", first.to_string());
  }
  return claimants;
}

Check judge_duplicate(const DoctorNeeds& needs, const NetworkFacts& network, const DoctorVipa& vipa,
                      const VipaFacts& facts) {
  Check check{.code = "duplicate_vipa",
              .object = facts.address.to_string(),
              .verdict = Verdict::kWarning,
              .remedy = fmt::format("xdplb verify --vipa {}", facts.address.to_string())};
  if (!facts.answers) {
    check.text = "who answers for it on the wire could not be asked: " + facts.unasked;
    check.remedy = fmt::format("xdplb doctor IFACE --vipa {}", check.object);
    return check;
  }
  if (facts.answers->empty())
    return well(check.code, check.object,
                vipa.is_owned ? "nobody but this host answers for it" : "nobody answers for it");
  const auto claimants = name_claimants(needs, network, *facts.answers);
  if (vipa.has_proxy && facts.answers->size() == 1)
    return well(check.code, check.object, fmt::format("{} answers for it, a server by configuration", claimants.text));
  if (claimants.has_server) {
    check.verdict = Verdict::kFailure;
    check.text = fmt::format("{} answers for it: a server that is not silent", claimants.text);
    check.remedy = fmt::format("xdplb-server setup {}  # on that server", check.object);
  } else if (vipa.is_owned || facts.answers->size() > 1) {
    check.verdict = Verdict::kFailure;
    check.text = fmt::format("{} {} for it{}", claimants.text, facts.answers->size() > 1 ? "answer" : "answers",
                             vipa.is_owned ? ", too, and this host owns it" : "");
  } else {
    check.text = fmt::format(
        "{} answers for it: its owner now, if that is another dispatcher; this one claims it only "
        "when that is silent",
        claimants.text);
  }
  return check;
}

// ---- the way of probes ----

bool is_dropped(const ProbePath& path) {
  if (path.rp_filter == 0) return false;
  const bool comes_back_here =
      path.way_back.kind == RouteAnswer::Kind::kLeaves && path.way_back.ifindex == path.ifindex;
  if (comes_back_here) return false;
  return path.rp_filter == 1 || path.way_back.kind == RouteAnswer::Kind::kNone;
}

// One check an interface: its worst VIPA is told.
void judge_paths(const DoctorNeeds& needs, const std::vector<ProbePath>& paths, std::vector<Check>& checks) {
  std::map<std::string, std::optional<ProbePath>> interfaces;
  for (const auto& path : paths) {
    auto& dropped = interfaces[path.interface];
    const bool is_local = path.way_back.kind == RouteAnswer::Kind::kLocal;  // told by vipa_local
    const bool is_worse = !dropped || path.way_back.kind == RouteAnswer::Kind::kNone;
    if (!is_local && is_dropped(path) && is_worse) dropped = path;
  }
  for (const auto& [interface, dropped] : interfaces) {
    if (!dropped) {
      checks.push_back(well("rp_filter", interface, "answers of servers to probes of the VIPAs come through"));
      continue;
    }
    const bool has_way = dropped->way_back.kind == RouteAnswer::Kind::kLeaves;
    const auto setting = fmt::format("net/ipv4/conf/{}/rp_filter", interface);
    checks.push_back(
        {.code = "rp_filter",
         .object = interface,
         .verdict = needs.probes == 0 ? Verdict::kWarning : Verdict::kFailure,
         .text = fmt::format("rp_filter {} drops what servers there answer to probes of {}, which {}{}",
                             dropped->rp_filter, dropped->vipa.to_string(),
                             has_way ? "the kernel routes through another interface" : "the kernel has no route to",
                             needs.probes == 0 ? "; no port has an advisor yet" : ""),
         .remedy = has_way ? set_command(setting, 2)
                           : set_command("net/ipv4/conf/all/rp_filter", 0) + " && " + set_command(setting, 0)});
  }
}

// ---- settings ----

void judge_settings(const DoctorNeeds& needs, const std::vector<ProfileFault>& faults, std::vector<Check>& checks) {
  if (needs.interfaces.empty()) return;
  for (const auto& fault : faults) {
    const auto key = fault.setting.substr(fault.setting.rfind('/') + 1);
    const bool is_minor = key == "accept_local" || key == "ignore_routes_with_linkdown";
    checks.push_back({.code = key,
                      .object = fault.interface,
                      .verdict = is_minor ? Verdict::kWarning : Verdict::kFailure,
                      .text = fmt::format("{}: {}", fault.value, fault.why),
                      .remedy = set_command(fault.setting, fault.wanted)});
  }
  for (const char* key : {"arp_ignore", "arp_announce"}) {
    const bool is_told =
        std::any_of(checks.begin(), checks.end(), [&](const Check& check) { return check.code == key; });
    if (!is_told) checks.push_back(well(key, "", "as the VIPAs need it"));
  }
}

void judge_forwarding(std::optional<int> value, const char* family, const char* setting, std::vector<Check>& checks) {
  if (!value) return;
  if (*value == 0) return checks.push_back(well("ip_forward", family, "this host is no router"));
  checks.push_back({.code = "ip_forward",
                    .object = family,
                    .verdict = Verdict::kWarning,
                    .text =
                        "this host is a router, too: what xdplb passes on, or does not see while it is unloaded, the "
                        "kernel may forward or answer with a redirect",
                    .remedy = set_command(setting, 0)});
}

// ---- policy rules ----

bool is_ours(const PolicyRule& rule) { return rule.protocol == kRouteProtocol; }

bool has_our_place(const PolicyRule& rule) {
  return rule.priority >= ProbeRoutes::kGuardPriority && rule.priority <= ProbeRoutes::kEndPriority;
}

enum class Share : std::uint8_t { kNone, kSome, kAll };

// Which marks of ours meet the rule's mark.
Share share_of_our_marks(const PolicyRule& rule) {
  const bool can_meet = ((rule.mark ^ ProbeRoutes::kMarkBase) & rule.mark_mask & ProbeRoutes::kMarkMask) == 0;
  if (!can_meet) return Share::kNone;
  return (rule.mark_mask & ~ProbeRoutes::kMarkMask) == 0 ? Share::kAll : Share::kSome;
}

// The packets of probes that a rule with a mark takes, as far as their marks tell. kNone without a mark.
Share taken_by_mark(const PolicyRule& rule) {
  if (rule.mark_mask == 0) return Share::kNone;
  const Share share = share_of_our_marks(rule);
  if (!rule.is_inverted) return share;
  if (share == Share::kNone) return Share::kAll;
  return share == Share::kAll && rule.is_for_everything ? Share::kNone : Share::kSome;
}

std::string remove_command(const PolicyRule& rule) {
  return fmt::format("ip {}rule del pref {}", rule.family == Family::kV4 ? "" : "-6 ", rule.priority);
}

std::optional<Check> judge_rule(const PolicyRule& rule) {
  if (is_ours(rule)) return std::nullopt;
  Check check{.code = "policy_rules",
              .object = fmt::format("{} {}", family_name(rule.family), rule.priority),
              .verdict = Verdict::kFailure,
              .remedy = remove_command(rule)};
  const bool is_before = rule.priority < ProbeRoutes::kRulePriority;
  const bool leads_away = rule.action != FR_ACT_TO_TBL ||
                          (rule.table != kLocalTable && rule.table != kMainTable && rule.table != kDefaultTable);
  const bool takes_marks = taken_by_mark(rule) != Share::kNone;
  if (has_our_place(rule)) {
    check.text = "a rule of somebody else has the place of probes' rules (priority 5800 to 5802)";
  } else if (is_before && takes_marks && (rule.mark_mask & ProbeRoutes::kMarkMask) != 0) {
    check.text = fmt::format("a rule of somebody else takes packets with marks of probes ({}{:#x}/{:#x})",
                             rule.is_inverted ? "not " : "", rule.mark, rule.mark_mask);
  } else if (is_before && takes_marks) {
    check.verdict = Verdict::kWarning;
    check.text = fmt::format("a rule of somebody else takes some marks of probes, too ({}{:#x}/{:#x})",
                             rule.is_inverted ? "not " : "", rule.mark, rule.mark_mask);
  } else if (is_before && rule.is_for_everything && !rule.is_inverted && rule.mark_mask == 0 && leads_away) {
    check.verdict = Verdict::kWarning;
    check.text = "a rule for every packet stands before those of probes: where its table has a route, that is taken";
  } else {
    return std::nullopt;
  }
  return check;
}

std::optional<Check> judge_guard(const std::vector<PolicyRule>& rules, Family family) {
  const auto has = [&](std::uint32_t priority) {
    return std::any_of(rules.begin(), rules.end(), [&](const PolicyRule& rule) {
      return rule.family == family && rule.priority == priority && is_ours(rule);
    });
  };
  if (!has(ProbeRoutes::kRulePriority) || has(ProbeRoutes::kGuardPriority)) return std::nullopt;
  return Check{
      .code = "policy_rules",
      .object = std::string(family_name(family)),
      .verdict = Verdict::kWarning,
      .text = "the guard before probes' rules is missing: this host's own packets walk through all of them",
      .remedy = fmt::format("ip {}rule add pref {} not fwmark {:#x}/{:#x} goto {} protocol {}",
                            family == Family::kV4 ? "" : "-6 ", ProbeRoutes::kGuardPriority, ProbeRoutes::kMarkBase,
                            ProbeRoutes::kMarkMask, ProbeRoutes::kEndPriority, kRouteProtocol)};
}

void judge_rules(const std::vector<PolicyRule>& rules, std::vector<Check>& checks) {
  const std::size_t before = checks.size();
  for (const auto& rule : rules)
    if (auto check = judge_rule(rule)) checks.push_back(std::move(*check));
  for (const auto family : {Family::kV4, Family::kV6})
    if (auto check = judge_guard(rules, family)) checks.push_back(std::move(*check));
  if (checks.size() == before)
    checks.push_back(well("policy_rules", "", "no rule of somebody else meets packets of probes"));
}

}  // namespace

std::vector<Check> judge_network(const DoctorNeeds& needs, const NetworkFacts& facts) {
  std::vector<Check> checks;
  for (std::size_t i = 0; i < needs.vipas.size() && i < facts.vipas.size(); ++i) {
    checks.push_back(judge_local(facts, needs.vipas[i], facts.vipas[i]));
    checks.push_back(judge_duplicate(needs, facts, needs.vipas[i], facts.vipas[i]));
  }
  judge_paths(needs, facts.paths, checks);
  judge_settings(needs, facts.settings, checks);
  judge_forwarding(facts.forwards_v4, "v4", "net/ipv4/ip_forward", checks);
  judge_forwarding(facts.forwards_v6, "v6", "net/ipv6/conf/all/forwarding", checks);
  judge_rules(facts.rules, checks);
  return checks;
}

}  // namespace xdplb
