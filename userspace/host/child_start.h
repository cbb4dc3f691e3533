// SPDX-License-Identifier: GPL-2.0-only
// Starts a program for run_child(): fork, change into what it may be, exec. Only for child_process.cpp.
#pragma once

#include "base/file_descriptor.h"
#include "host/child_process.h"

#include <sys/types.h>

#include <string>

namespace xdplb {

struct StartedChild {
  pid_t pid = 0;
  FileDescriptor process{};  // a pidfd: readable when it has ended
  FileDescriptor output{};   // our ends, not blocking
  FileDescriptor errors{};
  FileDescriptor status{};  // end of file: the program runs; else a ChildFailure
};

// What went wrong between fork and exec.
struct ChildFailure {
  int stage = 0;
  int number = 0;  // errno
};
Error to_error(const ChildFailure& failure, const ChildCommand& command, const std::string& what);

// Does not check the program. Errors: as run_child.
Result<StartedChild> start_child(const ChildCommand& command, const std::string& what);

}  // namespace xdplb
