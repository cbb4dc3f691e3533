// SPDX-License-Identifier: GPL-2.0-only
// StateStore: what is changed at run time, kept in one file that is always whole.
#pragma once

#include "base/result.h"
#include "model/attach_mode.h"
#include "model/config.h"
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

// What the operator said of a server at run time.
struct AdminState {
  Admin admin = Admin::kReady;
  // Drain: when what the server still has goes to others. Wall-clock time, so that it holds over a restart.
  std::optional<std::chrono::system_clock::time_point> deadline{};
  bool operator==(const AdminState&) const = default;
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
  std::map<ServerPath, AdminState> admins{};  // absent: ready
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
