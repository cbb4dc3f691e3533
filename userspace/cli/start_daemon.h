// SPDX-License-Identifier: GPL-2.0-only
// Starting xdplbd for an instance that has none, and seeing it end.
#pragma once

#include "base/file_descriptor.h"
#include "base/result.h"
#include "control/instance.h"

#include <sys/types.h>

#include <chrono>
#include <filesystem>
#include <optional>

namespace xdplb {

// xdplbd beside this program, else on $PATH. Errors: kNotFound.
Result<std::filesystem::path> find_daemon(const std::filesystem::path& program_dir);

// A daemon that this process started.
class StartedDaemon {
 public:
  StartedDaemon(pid_t pid, FileDescriptor handle) : pid_(pid), handle_(std::move(handle)) {}
  pid_t pid() const { return pid_; }
  // Waits for its end; nullopt when it still runs after `timeout`, else the status of waitpid().
  std::optional<int> wait(std::chrono::milliseconds timeout);
  // SIGTERM, and waits for the end.
  void terminate(std::chrono::milliseconds timeout);

 private:
  pid_t pid_;
  FileDescriptor handle_;  // pidfd
};

// Runs `program --instance NAME --started-by-load` in a session of its own, its output appended to the log file, and
// waits until it answers.
//
// Returns the daemon; nullopt when one that somebody else started at the same time answers instead.
// Errors: the daemon's own, with the last line of its output, when it ends; kTimedOut, and it is ended, when it does
// not answer in time; kPermission, kFailed as the system says.
Result<std::optional<StartedDaemon>> start_daemon(const Instance& instance, const std::filesystem::path& program,
                                                  std::chrono::milliseconds timeout);

// A handle on a process that is not ours, to see its end. Errors: as the system says.
Result<FileDescriptor> watch_process(pid_t pid);
// False when it still runs after `timeout`.
bool wait_for_end(const FileDescriptor& handle, std::chrono::milliseconds timeout);

}  // namespace xdplb
