// SPDX-License-Identifier: GPL-2.0-only
// InstanceLock: one daemon an instance; the kernel lets go of it however the daemon ends.
#pragma once

#include "base/file_descriptor.h"
#include "base/result.h"
#include "control/instance.h"

namespace xdplb {

class InstanceLock {
 public:
  // Errors: kConflict naming the other daemon's pid; os_error.
  static Result<InstanceLock> take(const Instance& instance);

 private:
  explicit InstanceLock(FileDescriptor file) : file_(std::move(file)) {}
  FileDescriptor file_;
};

}  // namespace xdplb
