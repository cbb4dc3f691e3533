// SPDX-License-Identifier: GPL-2.0-only
// ChildProcess: a program of the operator's runs once: no shell, its own user, limits, a deadline.
#pragma once

#include "base/result.h"

#include <boost/asio/awaitable.hpp>

#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace xdplb {

struct ChildCommand {
  std::vector<std::string> argv{};  // [0] is an absolute path
  std::string user{};               // runs as this user and its groups; empty: as we do. Ignored when we are not root
  // Beside PATH; nothing of ours is inherited. Names of letters, digits and '_'; a NUL in a value becomes a space, and
  // one is cut at 32 KiB.
  std::vector<std::pair<std::string, std::string>> environment{};
  std::string input{};                       // on standard input, a file that it may read at its own pace
  std::chrono::milliseconds timeout{10000};  // then it and its process group are killed
  std::size_t max_output = 4096;             // of standard output and error each; the rest is read and forgotten
};

struct ChildOutcome {
  std::optional<int> exit_code{};  // none: killed by a signal, or by us
  int signal = 0;
  bool timed_out = false;
  std::string output{};
  std::string errors{};
  std::chrono::microseconds duration{};
};

// Whether it may run as `root` starts it: an absolute path, a regular file that can be executed; neither it nor any
// folder or symbolic link on the way can be changed by others than root (or, when we are not root, than us). Errors:
// kUsage for a relative path, kNotFound, kPermission:
// "exit server_down: /usr/local/bin/x can be written by group staff; chmod g-w it".
Result<void> check_program(const std::string& path, const std::string& what);

// Runs it to its end. It gets its own session, closed descriptors, umask 022, "/" as folder, no core, at most 64 files
// and 60 s of CPU, the lowest priority of ours, and no capabilities of ours unless we are root and it stays root. When
// it ends, what it left in its process group is killed; so is all of it when the coroutine is destroyed. Errors:
// check_program's, kNotFound for the user, kUsage for an environment name, os_error when it cannot be started.
boost::asio::awaitable<Result<ChildOutcome>> run_child(ChildCommand command, std::string what);

}  // namespace xdplb
