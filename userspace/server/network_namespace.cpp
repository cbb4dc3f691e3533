// SPDX-License-Identifier: GPL-2.0-only
#include "server/network_namespace.h"

#include "base/file_descriptor.h"
#include "net/address.h"

#include <fcntl.h>
#include <sched.h>
#include <sys/stat.h>

#include <cerrno>
#include <filesystem>
#include <limits>

namespace xdplb {
namespace {

const char* const kFolder = "/run/netns";

struct stat status_of(int fd) {
  struct stat status {};
  ::fstat(fd, &status);
  return status;
}

std::string name_of(const struct stat& wanted) {
  std::error_code failure;
  for (const auto& entry : std::filesystem::directory_iterator(kFolder, failure)) {
    struct stat status {};
    if (::stat(entry.path().c_str(), &status) != 0) continue;
    if (status.st_ino == wanted.st_ino && status.st_dev == wanted.st_dev) return entry.path().filename();
  }
  return {};
}

bool is_process_number(const std::string& what) {
  return parse_number(what, std::numeric_limits<std::int32_t>::max(), "process").has_value();
}

Result<FileDescriptor> open_namespace(const std::string& what) {
  const std::string object = "network namespace " + what;
  if (what.empty() || what == "." || what == ".." || what.find('/') != std::string::npos) {
    return fail(ErrorCode::kNotFound, object + ": neither a name of `ip netns` nor a process number");
  }
  FileDescriptor named(::open((std::string(kFolder) + "/" + what).c_str(), O_RDONLY | O_CLOEXEC));
  if (named.is_open()) return named;
  if (errno != ENOENT) return os_error(object + ": open", errno);
  if (!is_process_number(what)) {
    return fail(ErrorCode::kNotFound, object + ": there is none of this name; see `ip netns`");
  }
  FileDescriptor of_process(::open(("/proc/" + what + "/ns/net").c_str(), O_RDONLY | O_CLOEXEC));
  if (of_process.is_open()) return of_process;
  if (errno == ENOENT) return fail(ErrorCode::kNotFound, object + ": no process has this number");
  return os_error(object + ": open", errno);
}

}  // namespace

Result<EnteredNamespace> enter_network_namespace(const std::string& what) {
  auto wanted = open_namespace(what);
  if (!wanted) return wanted.error();
  const FileDescriptor own(::open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC));
  if (!own.is_open()) return os_error("network namespace of this program: open", errno);
  const auto there = status_of(wanted->get());
  const auto here = status_of(own.get());
  if (::setns(wanted->get(), CLONE_NEWNET) != 0) return os_error("network namespace " + what + ": enter", errno);
  return EnteredNamespace{.is_own = there.st_ino == here.st_ino && there.st_dev == here.st_dev,
                          .inode = there.st_ino,
                          .name = name_of(there)};
}

std::string network_namespace_file(const std::string& what) {
  std::error_code failure;
  auto named = std::filesystem::path(kFolder) / what;
  return std::filesystem::exists(named, failure) ? named.string() : "/proc/" + what + "/ns/net";
}

std::optional<EnteredNamespace> find_foreign_start() {
  struct stat host {};
  struct stat here {};
  if (::stat("/proc/1/ns/net", &host) != 0 || ::stat("/proc/thread-self/ns/net", &here) != 0) return std::nullopt;
  if (host.st_ino == here.st_ino && host.st_dev == here.st_dev) return std::nullopt;
  return EnteredNamespace{.inode = here.st_ino, .name = name_of(here)};
}

}  // namespace xdplb
