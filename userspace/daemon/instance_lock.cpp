// SPDX-License-Identifier: GPL-2.0-only
#include "daemon/instance_lock.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <unistd.h>

#include <array>
#include <cerrno>

namespace xdplb {

Result<InstanceLock> InstanceLock::take(const Instance& instance) {
  FileDescriptor file(::open(instance.lock_file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644));
  if (!file.is_open()) return os_error("open " + instance.lock_file.string(), errno);
  if (::flock(file.get(), LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK) return os_error("lock " + instance.lock_file.string(), errno);
    std::array<char, 32> pid{};
    const auto length = ::read(file.get(), pid.data(), pid.size() - 1);
    return fail(
        ErrorCode::kConflict,
        fmt::format("instance {}: it has a daemon already{}; talk to it with `xdplb`, or choose another --instance",
                    instance.name, length > 0 ? fmt::format(" (pid {})", pid.data()) : ""));
  }
  const auto pid = std::to_string(::getpid());
  if (::ftruncate(file.get(), 0) != 0 || ::pwrite(file.get(), pid.data(), pid.size(), 0) < 0)
    return os_error("write " + instance.lock_file.string(), errno);
  return InstanceLock(std::move(file));
}

}  // namespace xdplb
