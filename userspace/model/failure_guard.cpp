// SPDX-License-Identifier: GPL-2.0-only
#include "model/failure_guard.h"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>

namespace xdplb {

void FailureGuard::failed(const std::string& cluster, const std::string& server, HealthClock::time_point now) {
  thaw(now);
  const auto found = servers_.find(cluster);
  if (found == servers_.end() || !found->second.contains(server)) return;
  if (failing_.try_emplace({cluster, server}, now).second) judge(now);
}

void FailureGuard::answered(const std::string& cluster, const std::string& server) {
  failing_.erase({cluster, server});
}

void FailureGuard::set_servers(const std::map<std::string, std::set<std::string>>& by_cluster,
                               std::chrono::milliseconds longest_interval) {
  servers_ = by_cluster;
  interval_ = longest_interval;
  std::erase_if(failing_, [&](const auto& item) {
    const auto cluster = servers_.find(item.first.first);
    return cluster == servers_.end() || !cluster->second.contains(item.first.second);
  });
}

void FailureGuard::set_reach(bool is_reachable, HealthClock::time_point now) {
  thaw(now);
  if (is_reachable && !is_reachable_) reach_until_ = now + interval_;
  is_reachable_ = is_reachable;
}

bool FailureGuard::can_fall(HealthClock::time_point now) {
  thaw(now);
  return is_reachable_ && !reach_until_ && !mass_until_;
}

std::string FailureGuard::reason(HealthClock::time_point now) const {
  if (!is_reachable_) return "no reach target answers on any interface";
  if (mass_until_ && now < *mass_until_) return why_mass_;
  if (reach_until_ && now < *reach_until_) return "a reach target answers again, but only just";
  return {};
}

std::optional<HealthClock::time_point> FailureGuard::thaws_at() const {
  if (!is_reachable_) return std::nullopt;
  return std::max(reach_until_, mass_until_);  // nullopt is the least
}

void FailureGuard::thaw(HealthClock::time_point now) {
  const auto is_over = [now](const auto& until) { return until && now >= *until; };
  if (!is_over(reach_until_) && !is_over(mass_until_)) return;
  if (is_over(reach_until_)) reach_until_.reset();
  if (is_over(mass_until_)) mass_until_.reset();
  for (auto& [name, since] : failing_) since.reset();
}

// The failure that came just now may be one too many.
void FailureGuard::judge(HealthClock::time_point now) {
  if (mass_until_) return;
  std::size_t all = 0;
  for (const auto& [cluster, servers] : servers_) all += servers.size();
  std::size_t recent = 0;
  std::set<std::string_view> clusters;
  for (const auto& [name, since] : failing_) {
    if (!since || now - *since > interval_) continue;
    ++recent;
    clusters.insert(name.first);
  }
  if (recent < kMinServers || clusters.size() < kMinClusters || recent * 2 < all) return;
  mass_until_ = now + kFrozenIntervals * interval_;
  why_mass_ = fmt::format("{} of {} servers in {} clusters began to fail within {:g} s", recent, all, clusters.size(),
                          std::chrono::duration<double>(interval_).count());
}

}  // namespace xdplb
