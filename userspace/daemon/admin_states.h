// SPDX-License-Identifier: GPL-2.0-only
// AdminStates: what the operator said of servers at run time, and until when.
#pragma once

#include "daemon/state_store.h"
#include "model/config.h"

#include <chrono>
#include <map>
#include <optional>
#include <vector>

namespace xdplb {

class AdminStates {
 public:
  using Clock = std::chrono::system_clock;

  AdminStates() = default;
  explicit AdminStates(std::map<ServerPath, AdminState> states) : states_(std::move(states)) {}

  // Ready when nothing was said.
  AdminState of(const ServerPath& server) const;
  // Ready forgets the server.
  void set(const ServerPath& server, const AdminState& state);
  // Forgets servers that `config` does not have.
  void prune(const Config& config);

  // As plans need it.
  std::map<ServerPath, Admin> admins() const;
  const std::map<ServerPath, AdminState>& all() const { return states_; }
  // Drained servers whose deadline has passed; each is named once.
  std::vector<ServerPath> take_expired(Clock::time_point now);

 private:
  std::map<ServerPath, AdminState> states_;
};

// Whole seconds until the deadline, 0 when it has passed; nullopt when there is none.
std::optional<std::int64_t> seconds_left(const AdminState& state, AdminStates::Clock::time_point now);

}  // namespace xdplb
