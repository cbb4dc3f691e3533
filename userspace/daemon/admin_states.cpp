// SPDX-License-Identifier: GPL-2.0-only
#include "daemon/admin_states.h"

#include <algorithm>
#include <ctime>

namespace xdplb {

AdminState AdminStates::of(const ServerPath& server, AdminSource source) const {
  const auto found = states_.find(server);
  if (found == states_.end()) return {};
  const auto word = found->second.find(source);
  return word == found->second.end() ? AdminState{} : word->second;
}

void AdminStates::set(const ServerPath& server, AdminSource source, const AdminState& state) {
  if (state.admin != Admin::kReady) {
    states_[server][source] = state;
    return;
  }
  const auto found = states_.find(server);
  if (found == states_.end()) return;
  found->second.erase(source);
  if (found->second.empty()) states_.erase(found);
}

void AdminStates::prune(const Config& config) {
  std::erase_if(states_, [&config](const auto& entry) { return find_server(config, entry.first) == nullptr; });
}

AdminWords AdminStates::words(const ServerPath& server, const ServerConfig& config, unsigned hour) const {
  AdminWords words;
  words.set(AdminSource::kConfig, config.admin);
  const auto found = states_.find(server);
  if (found == states_.end()) return words;
  for (const auto& [source, state] : found->second)
    if (!state.daily || state.daily->contains(hour)) words.set(source, state.admin);
  return words;
}

std::map<ServerPath, Admin> AdminStates::admins(const Config& config, unsigned hour) const {
  std::map<ServerPath, Admin> admins;
  for (const auto& cluster : config.clusters) {
    for (const auto& port : cluster.ports) {
      for (const auto& server : port.servers) {
        if (server.admin == Admin::kReady && states_.empty()) continue;
        const ServerPath path{.port = {.cluster = cluster.name, .port = port.port, .protocol = port.protocol},
                              .server = server.name};
        if (const auto admin = words(path, server, hour).admin(); admin != Admin::kReady) admins.emplace(path, admin);
      }
    }
  }
  return admins;
}

std::vector<ServerPath> AdminStates::take_expired(Clock::time_point now) {
  std::vector<ServerPath> expired;
  for (auto& [server, words] : states_) {
    for (auto& [source, state] : words) {
      if (!state.deadline || *state.deadline > now) continue;
      state.deadline.reset();
      if (expired.empty() || expired.back() != server) expired.push_back(server);
    }
  }
  return expired;
}

bool AdminStates::has_daily() const {
  return std::any_of(states_.begin(), states_.end(), [](const auto& entry) {
    return std::any_of(entry.second.begin(), entry.second.end(),
                       [](const auto& word) { return word.second.daily.has_value(); });
  });
}

std::optional<std::int64_t> seconds_left(const AdminState& state, AdminStates::Clock::time_point now) {
  if (!state.deadline) return std::nullopt;
  const auto left = std::chrono::ceil<std::chrono::seconds>(*state.deadline - now).count();
  return std::max<std::int64_t>(left, 0);
}

unsigned local_hour(AdminStates::Clock::time_point now) {
  const std::time_t seconds = AdminStates::Clock::to_time_t(now);
  std::tm parts{};
  ::localtime_r(&seconds, &parts);
  return static_cast<unsigned>(parts.tm_hour);
}

}  // namespace xdplb
