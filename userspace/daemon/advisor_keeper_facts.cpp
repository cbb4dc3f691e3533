// SPDX-License-Identifier: GPL-2.0-only
// What the AdvisorKeeper knows of servers, for the StandingBook, the managers and the views.
#include "daemon/advisor_keeper.h"

#include <fmt/format.h>

#include <algorithm>

namespace xdplb {
namespace {

const std::vector<ServerPath> kNobody;

}  // namespace

const std::vector<ServerPath>& AdvisorKeeper::users_of(const std::string& key) const {
  const auto found = users_.find(key);
  return found == users_.end() ? kNobody : found->second;
}

std::string AdvisorKeeper::frozen() const { return has_guard_ ? guard_.reason(HealthClock::now()) : std::string(); }

// The worst of its checks.
Health AdvisorKeeper::health_of(const Server& server, Family family) const {
  const auto checks = server.checks.find(family);
  if (checks == server.checks.end()) return Health::kUnknown;
  auto worst = Health::kUp;
  for (const auto& check : checks->second) {
    const auto* health = scheduler_->find(check.key);
    const auto state = health != nullptr ? health->health() : Health::kUnknown;
    if (state == Health::kDown) return Health::kDown;
    if (state == Health::kUnknown) worst = state;
  }
  return worst;
}

// Up in any family is up.
Health AdvisorKeeper::overall(const Server& server) const {
  auto best = Health::kUnknown;
  bool is_down = !server.checks.empty();
  for (const auto& [family, checks] : server.checks) {
    const auto state = health_of(server, family);
    if (state == Health::kUp) best = Health::kUp;
    is_down = is_down && state == Health::kDown;
  }
  return is_down ? Health::kDown : best;
}

std::string AdvisorKeeper::reason_of(const Server& server, Family family) const {
  const auto checks = server.checks.find(family);
  if (checks == server.checks.end()) return {};
  std::string reason;
  for (const auto& check : checks->second) {
    const auto* health = scheduler_->find(check.key);
    if (health == nullptr || health->health() != Health::kDown) continue;
    const auto& last = health->last();
    reason = fmt::format("{} {}", check_code_name(last.code),
                         last.text.empty() ? std::string(check_code_text(last.code)) : last.text);
    if (checks->second.size() > 1) reason += fmt::format(" ({})", check.destination.to_string());
    break;
  }
  return reason;
}

ServerFacts AdvisorKeeper::facts(const ClusterConfig& cluster, const PortConfig& port,
                                 const ServerConfig& config) const {
  ServerFacts facts;
  const ServerPath path{.port = {.cluster = cluster.name, .port = port.port, .protocol = port.protocol},
                        .server = config.name};
  const auto found = servers_.find(path);
  if (found == servers_.end()) {
    const auto kept = kept_.find(path);
    for (const Family family : kFamilies) {
      if (!serves_family(cluster, config, family)) continue;
      const auto place = static_cast<std::size_t>(family);
      facts.is_checked[place] = true;
      facts.trusts_unknown[place] = is_first_ || known_.contains(path);
      if (kept != kept_.end()) facts.health[place] = kept->second[place];
      if (facts.health[place] == Health::kDown) facts.health_reason[place] = "it was down before the daemon started";
    }
    return facts;
  }
  const auto& server = found->second;
  for (const auto& [family, checks] : server.checks) {
    const auto place = static_cast<std::size_t>(family);
    facts.is_checked[place] = !checks.empty();
    facts.health[place] = health_of(server, family);
    facts.trusts_unknown[place] = server.trusts_unknown;
    facts.health_reason[place] = reason_of(server, family);
  }
  facts.agent_percent = server.agent_percent;
  facts.up_since = server.up_since;
  return facts;
}

Admin AdvisorKeeper::agent_admin(const ServerPath& path) const {
  const auto found = servers_.find(path);
  return found == servers_.end() ? Admin::kReady : found->second.agent_admin;
}

std::optional<double> AdvisorKeeper::load_ms(const ServerPath& path) const {
  const auto found = servers_.find(path);
  if (found == servers_.end() || found->second.type == AdvisorType::kAgent) return std::nullopt;
  std::optional<double> load;
  for (const auto& [family, checks] : found->second.checks) {
    for (const auto& check : checks) {
      const auto* health = scheduler_->find(check.key);
      if (health == nullptr || health->last().code == CheckCode::kNone || health->health() == Health::kDown) continue;
      const auto& last = health->last();
      const bool is_told = found->second.type == AdvisorType::kExec && last.load;
      const double one = is_told ? static_cast<double>(*last.load) : static_cast<double>(last.latency.count()) / 1000;
      load = std::max(load.value_or(0), one);
    }
  }
  return load;
}

std::optional<double> AdvisorKeeper::system_load(const ServerPath& path) const {
  const auto found = servers_.find(path);
  return found == servers_.end() ? std::nullopt : found->second.system_load;
}

std::optional<std::chrono::system_clock::time_point> AdvisorKeeper::certificate_end(const ServerPath& path) const {
  std::optional<std::chrono::system_clock::time_point> first;
  const auto found = servers_.find(path);
  if (found == servers_.end()) return first;
  for (const auto& [family, checks] : found->second.checks) {
    for (const auto& check : checks) {
      const auto* health = scheduler_->find(check.key);
      const auto end = health != nullptr ? health->last().certificate_end : std::nullopt;
      if (end) first = first ? std::min(*first, *end) : *end;
    }
  }
  return first;
}

std::uint64_t AdvisorKeeper::results(const ServerPath& path) const {
  const auto found = servers_.find(path);
  return found == servers_.end() ? 0 : found->second.results;
}

const std::map<Family, std::vector<ServerCheck>>* AdvisorKeeper::checks_of(const ServerPath& path) const {
  const auto found = servers_.find(path);
  return found == servers_.end() ? nullptr : &found->second.checks;
}

}  // namespace xdplb
