// SPDX-License-Identifier: GPL-2.0-only
#include "server/setup_settings.h"

#include "server/scene.h"

#include <algorithm>
#include <array>
#include <optional>
#include <sstream>
#include <string_view>

namespace xdplb {
namespace {

constexpr std::array<std::string_view, 4> kSilenceCodes = {"arp_ignore", "arp_ignore_all", "arp_ignore_scope",
                                                           "arp_announce"};
constexpr std::array<std::string_view, 4> kOtherCodes = {"proxy_arp", "proxy_ndp", "rp_filter", "ipv6_disabled"};
constexpr std::string_view kCommand = "sysctl -w ";

template <std::size_t kCount>
bool is_one_of(const std::array<std::string_view, kCount>& codes, const std::string& code) {
  return std::find(codes.begin(), codes.end(), code) != codes.end();
}

// "net.ipv4.conf.all.arp_ignore=1", or with slashes.
std::optional<SetSysctl> read_assignment(const ServerFacts& facts, const std::string& word) {
  const auto equals = word.find('=');
  if (equals == std::string::npos) return std::nullopt;
  SetSysctl set{.name = word.substr(0, equals)};
  if (set.name.find('/') == std::string::npos) std::replace(set.name.begin(), set.name.end(), '.', '/');
  const auto value = parse_number(word.substr(equals + 1), 0xffff, word);
  const auto found = facts.sysctls.find(set.name);
  if (!value || found == facts.sysctls.end()) return std::nullopt;
  set.before = found->second;
  set.after = static_cast<int>(*value);
  return set;
}

void add_once(std::vector<SetSysctl>& all, const SetSysctl& set) {
  const bool is_known =
      std::any_of(all.begin(), all.end(), [&](const SetSysctl& known) { return known.name == set.name; });
  if (!is_known && set.before != set.after) all.push_back(set);
}

template <std::size_t kCount>
void take_remedies(const ServerFacts& facts, const Faults& faults, const std::array<std::string_view, kCount>& codes,
                   std::vector<SetSysctl>& out) {
  for (const Fault& fault : faults) {
    const bool is_setting = fault.is_curable && fault.remedy.starts_with(kCommand);
    if (!is_setting || !is_one_of(codes, fault.code)) continue;
    std::istringstream words(fault.remedy.substr(kCommand.size()));
    for (std::string word; words >> word;) {
      if (auto set = read_assignment(facts, word)) add_once(out, *set);
    }
  }
}

ServerFacts with_links_up(ServerFacts facts) {
  for (ServerLink& link : facts.links) link.is_up = link.is_up || !link.is_loopback;
  return facts;
}

// What depends on the alias' scope becomes what does not.
void lower_scoped_silence(const ServerFacts& facts, std::vector<SetSysctl>& out) {
  std::vector<std::string> scopes = {"all"};
  for (const ServerLink& link : facts.links) {
    if (!link.is_loopback) scopes.push_back(link.name);
  }
  for (const std::string& scope : scopes) {
    const std::string name = "net/ipv4/conf/" + scope + "/arp_ignore";
    const auto found = facts.sysctls.find(name);
    if (found != facts.sysctls.end() && found->second == kIgnoreScope) {
      add_once(out, {.name = name, .before = kIgnoreScope, .after = 1});
    }
  }
}

bool hears_arp(const ServerFacts& facts) {
  return std::any_of(facts.links.begin(), facts.links.end(),
                     [](const ServerLink& link) { return link.has_arp && !link.is_slave; });
}

void silence_links_to_come(const ServerFacts& facts, std::vector<SetSysctl>& out) {
  for (const auto& [name, least, most] :
       {std::tuple("net/ipv4/conf/all/arp_ignore", 1, 2), std::tuple("net/ipv4/conf/all/arp_announce", 2, 2)}) {
    const auto found = facts.sysctls.find(name);
    if (found == facts.sysctls.end() || (found->second >= least && found->second <= most)) continue;
    add_once(out, {.name = name, .before = found->second, .after = least});
  }
}

}  // namespace

std::vector<SetSysctl> plan_settings(const ServerFacts& facts, const ServerWish& wish, const IpAddress& vipa,
                                     ServerMethod method, bool is_lasting) {
  const ServerWish one{.vipas = {vipa}, .ports = wish.ports};
  std::vector<SetSysctl> settings;
  if (method == ServerMethod::kLoopback) {
    take_remedies(facts, judge_server(with_links_up(facts), one), kSilenceCodes, settings);
    if (vipa.is_v4() && is_lasting) lower_scoped_silence(facts, settings);
    if (vipa.is_v4() && !hears_arp(facts)) silence_links_to_come(facts, settings);
  }
  take_remedies(facts, judge_server(facts, one), kOtherCodes, settings);
  return settings;
}

}  // namespace xdplb
