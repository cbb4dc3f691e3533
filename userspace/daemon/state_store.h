// SPDX-License-Identifier: GPL-2.0-only
// StateStore: what is changed at run time, kept in one file that is always whole.
#pragma once

#include "base/result.h"
#include "model/admin_words.h"
#include "model/attach_mode.h"
#include "model/config.h"
#include "model/health.h"
#include "model/plan_restore.h"

#include <chrono>
#include <filesystem>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace xdplb {

// An interface as `xdplb load` asked for it.
struct InterfaceState {
  std::string name;
  AttachMode mode = AttachMode::kAuto;
  bool chain = false;
  bool operator==(const InterfaceState&) const = default;
};

// What one source said of a server at run time.
struct AdminState {
  Admin admin = Admin::kReady;
  std::optional<DailyHours> daily{};  // holds in these hours of every day only
  // Drain: when what the server still has goes to others. Wall-clock time, so that it holds over a restart.
  std::optional<std::chrono::system_clock::time_point> deadline{};
  bool operator==(const AdminState&) const = default;
};

using AdminWordStates = std::map<AdminSource, AdminState>;

// What a new daemon needs to know of a server's health and weight, to go on where the last one ended.
struct ServerStanding {
  ByFamily<Health> health{};         // kUnknown: nothing is known
  std::optional<unsigned> weight{};  // of the manager
  bool operator==(const ServerStanding&) const = default;
};

// What the operator said of VIPAs and their interfaces at run time.
struct VipaWords {
  std::set<IpAddress> disabled{};
  std::map<IpAddress, std::string> pins{};  // VIPA -> the entry of its list that it was moved to
  std::set<std::string> disabled_interfaces{};
  bool operator==(const VipaWords&) const = default;
};

struct State {
  std::vector<InterfaceState> interfaces;  // in the operator's order
  std::string generated_secret;            // made by the daemon; config.secret wins when it is set
  Config config;                           // without interfaces
  Assignments assignments;
  std::map<ServerPath, AdminWordStates> admins{};  // absent: ready
  std::map<ServerPath, ServerStanding> standings{};
  // Set by load(): when the daemon that wrote it was alive last.
  std::chrono::system_clock::time_point alive_at{};
  VipaWords vipas{};
};

class StateStore {
 public:
  explicit StateStore(std::filesystem::path folder) : folder_(std::move(folder)) {}

  // nullopt when nothing was kept yet. Errors: kInvalidConfig when the file cannot be understood: it is left as it is.
  Result<std::optional<State>> load() const;

  // Two steps, so that the kernel is written in between: prepare() makes the new file beside the old one and fails
  // before anything was changed; commit() puts it in its place. Errors: os_error.
  Result<void> prepare(const State& state);
  Result<void> commit() const;
  // The daemon is alive, and what is kept is true: State::alive_at of the next one. Costs no write of the file.
  void touch() const;

 private:
  std::filesystem::path path() const { return folder_ / "state.json"; }
  std::filesystem::path next_path() const { return folder_ / "state.json.next"; }

  struct ClusterText {
    ClusterConfig config;
    Assignments assignments;  // of this cluster
    std::string text;
  };
  std::string encode(const State& state);

  std::filesystem::path folder_;
  std::map<std::string, ClusterText> written_;  // by cluster name
};

}  // namespace xdplb
