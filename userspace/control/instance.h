// SPDX-License-Identifier: GPL-2.0-only
// Where one instance of the dispatcher keeps its things. Daemon and CLI agree through this file alone.
#pragma once

#include "base/result.h"

#include <filesystem>
#include <string>
#include <string_view>

namespace xdplb {

inline constexpr std::string_view kDefaultInstance = "default";

// The folders that hold one folder an instance.
struct InstanceRoots {
  std::filesystem::path run = "/run/xdplb";
  std::filesystem::path pins = "/sys/fs/bpf/xdplb";
  std::filesystem::path state = "/var/lib/xdplb";
};

struct Instance {
  std::string name;
  std::filesystem::path run_dir;    // /run/xdplb/NAME
  std::filesystem::path socket;     // run_dir/api.sock, mode 0660
  std::filesystem::path lock_file;  // run_dir/lock, held by the one daemon of the instance
  std::filesystem::path log_file;   // run_dir/xdplbd.log, of a daemon that `xdplb load` started
  std::filesystem::path pin_dir;    // /sys/fs/bpf/xdplb/NAME
  std::filesystem::path state_dir;  // /var/lib/xdplb/NAME

  // name  1 to 32 letters, digits, '_', '.' and '-', the first a letter, a digit or '_' (so "..", a path, is none)
  // Errors: kUsage, naming the text.
  static Result<Instance> make(std::string_view name, const InstanceRoots& roots = {});
};

// Creates instance.run_dir and what is above it, mode 0755; one that is there is kept as it is.
// Errors: kPermission, else kFailed, naming the folder.
Result<void> make_run_dir(const Instance& instance);

}  // namespace xdplb
