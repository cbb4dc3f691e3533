// SPDX-License-Identifier: GPL-2.0-only
#include "daemon/admin_states.h"

#include <algorithm>

namespace xdplb {

AdminState AdminStates::of(const ServerPath& server) const {
  const auto found = states_.find(server);
  return found == states_.end() ? AdminState{} : found->second;
}

void AdminStates::set(const ServerPath& server, const AdminState& state) {
  if (state.admin == Admin::kReady) {
    states_.erase(server);
  } else {
    states_[server] = state;
  }
}

void AdminStates::prune(const Config& config) {
  std::erase_if(states_, [&config](const auto& entry) { return find_server(config, entry.first) == nullptr; });
}

std::map<ServerPath, Admin> AdminStates::admins() const {
  std::map<ServerPath, Admin> admins;
  for (const auto& [server, state] : states_) admins.emplace(server, state.admin);
  return admins;
}

std::vector<ServerPath> AdminStates::take_expired(Clock::time_point now) {
  std::vector<ServerPath> expired;
  for (auto& [server, state] : states_) {
    if (!state.deadline || *state.deadline > now) continue;
    state.deadline.reset();
    expired.push_back(server);
  }
  return expired;
}

std::optional<std::int64_t> seconds_left(const AdminState& state, AdminStates::Clock::time_point now) {
  if (!state.deadline) return std::nullopt;
  const auto left = std::chrono::ceil<std::chrono::seconds>(*state.deadline - now).count();
  return std::max<std::int64_t>(left, 0);
}

}  // namespace xdplb
