// SPDX-License-Identifier: GPL-2.0-only
// AdminStates: what is said of servers at run time, by whom, and until when. What the configuration says is not here.
#pragma once

#include "daemon/state_store.h"
#include "model/admin_words.h"
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
  explicit AdminStates(std::map<ServerPath, AdminWordStates> states) : states_(std::move(states)) {}

  // Ready when nothing was said.
  AdminState of(const ServerPath& server, AdminSource source = AdminSource::kOperator) const;
  // Ready forgets the word. Each source has its own.
  void set(const ServerPath& server, AdminSource source, const AdminState& state);
  // Forgets servers that `config` does not have.
  void prune(const Config& config);

  // The words of all sources now.
  //
  // hour  of local time, for words that hold in some hours only
  AdminWords words(const ServerPath& server, const ServerConfig& config, unsigned hour) const;
  // As plans need it: the most severe word of each server that is not ready.
  std::map<ServerPath, Admin> admins(const Config& config, unsigned hour) const;
  const std::map<ServerPath, AdminWordStates>& all() const { return states_; }
  // Drained servers whose deadline has passed; each is named once.
  std::vector<ServerPath> take_expired(Clock::time_point now);
  // Any word holds in some hours only.
  bool has_daily() const;

 private:
  std::map<ServerPath, AdminWordStates> states_;
};

// Whole seconds until the deadline, 0 when it has passed; nullopt when there is none.
std::optional<std::int64_t> seconds_left(const AdminState& state, AdminStates::Clock::time_point now);

// The hour of local time, 0..23.
unsigned local_hour(AdminStates::Clock::time_point now);

}  // namespace xdplb
