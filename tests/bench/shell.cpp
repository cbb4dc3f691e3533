// SPDX-License-Identifier: GPL-2.0-only
#include "shell.h"

#include "base/file_descriptor.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <sched.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <string_view>

namespace xdplb::bench {
namespace {

// A memory file with `text`, read from its start.
FileDescriptor memory_file(std::string_view text) {
  FileDescriptor file(::memfd_create("xdplb-bench", MFD_CLOEXEC));
  if (!file.is_open() || ::write(file.get(), text.data(), text.size()) < 0) return {};
  ::lseek(file.get(), 0, SEEK_SET);
  return file;
}

std::string first_line(const FileDescriptor& file) {
  std::string text(4096, '\0');
  const ssize_t bytes = ::pread(file.get(), text.data(), text.size(), 0);
  text.resize(bytes < 0 ? 0 : static_cast<std::size_t>(bytes));
  return text.substr(0, text.find('\n'));
}

}  // namespace

Result<void> run_tool(std::vector<std::string> words, const std::string& input) {
  const FileDescriptor in = memory_file(input);
  const FileDescriptor errors = memory_file("");
  if (!in.is_open() || !errors.is_open()) return os_error("bench: make a memory file", errno);
  posix_spawn_file_actions_t actions;
  ::posix_spawn_file_actions_init(&actions);
  ::posix_spawn_file_actions_adddup2(&actions, in.get(), STDIN_FILENO);
  ::posix_spawn_file_actions_adddup2(&actions, errors.get(), STDOUT_FILENO);
  ::posix_spawn_file_actions_adddup2(&actions, errors.get(), STDERR_FILENO);
  std::vector<char*> arguments;
  arguments.reserve(words.size() + 1);
  for (std::string& word : words) arguments.push_back(word.data());
  arguments.push_back(nullptr);
  pid_t child = 0;
  const int failed = ::posix_spawnp(&child, arguments[0], &actions, nullptr, arguments.data(), environ);
  ::posix_spawn_file_actions_destroy(&actions);
  if (failed) return os_error(fmt::format("bench: run {}", arguments[0]), failed);
  int status = 0;
  if (::waitpid(child, &status, 0) < 0) return os_error(fmt::format("bench: wait for {}", arguments[0]), errno);
  if (status == 0) return {};
  return fail(ErrorCode::kFailed, fmt::format("{}: {}", arguments[0], first_line(errors)));
}

Result<void> enter_own_namespace() {
  if (::unshare(CLONE_NEWNET)) return os_error("bench: make a network namespace (run as root)", errno);
  return run_ip("link set lo up\n");
}

Result<void> run_ip(const std::string& input) { return run_tool({"ip", "-batch", "-"}, input); }

Result<void> run_nft(const std::string& input) { return run_tool({"nft", "-f", "-"}, input); }

Result<void> write_setting(const std::string& name, const std::string& value) {
  const std::string path = "/proc/sys/net/" + name;
  const FileDescriptor file(::open(path.c_str(), O_WRONLY | O_CLOEXEC));
  if (!file.is_open() || ::write(file.get(), value.data(), value.size()) < 0) return os_error(path, errno);
  return {};
}

}  // namespace xdplb::bench
