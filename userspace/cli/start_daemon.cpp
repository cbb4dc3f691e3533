// SPDX-License-Identifier: GPL-2.0-only
#include "cli/start_daemon.h"

#include "control/http_client.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

// glibc 2.36 declares these without the linkage of C.
extern "C" {
#include <sys/pidfd.h>
}

namespace xdplb {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;
// How often the socket of a daemon that starts is tried; its end wakes us at once.
constexpr milliseconds kRetry{20};
// The end of a log that is searched for the last line.
constexpr off_t kLogTail = 8192;
constexpr int kExecFailed = 127;

milliseconds until(Clock::time_point deadline) {
  return std::max(std::chrono::duration_cast<milliseconds>(deadline - Clock::now()), milliseconds(0));
}

// Runs in the child; only async-signal-safe calls.
[[noreturn]] void become_daemon(const char* program, char* const* argv, int log) {
  ::setsid();
  const int null = ::open("/dev/null", O_RDONLY);
  const bool is_ready = null >= 0 && ::dup2(null, STDIN_FILENO) >= 0 && ::dup2(log, STDOUT_FILENO) >= 0 &&
                        ::dup2(log, STDERR_FILENO) >= 0 && ::chdir("/") == 0;
  // What the shell left open, a pipe's end for example, would keep its reader waiting for as long as the daemon runs.
  if (is_ready && ::close_range(STDERR_FILENO + 1, ~0U, 0) == 0) ::execv(program, argv);
  constexpr char kText[] = "xdplbd could not be executed\n";
  [[maybe_unused]] const auto written = ::write(STDERR_FILENO, kText, sizeof(kText) - 1);
  ::_exit(kExecFailed);
}

Result<StartedDaemon> spawn(const Instance& instance, const std::filesystem::path& program, int log) {
  std::vector<std::string> words = {program.string(), "--instance", instance.name, "--started-by-load"};
  std::vector<char*> argv;
  argv.reserve(words.size() + 1);
  for (std::string& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);
  const pid_t pid = ::fork();
  if (pid < 0) return os_error("fork for " + program.string(), errno);
  if (pid == 0) become_daemon(argv[0], argv.data(), log);
  FileDescriptor handle(::pidfd_open(pid, 0));
  if (handle.is_open()) return StartedDaemon(pid, std::move(handle));
  const Error error = os_error("watch " + program.string(), errno);
  ::kill(pid, SIGTERM);
  ::waitpid(pid, nullptr, 0);
  return error;
}

// The last line of the log after `begin`, without the time and level in front of it.
std::string last_line(int log, off_t begin) {
  const off_t end = ::lseek(log, 0, SEEK_END);
  begin = std::max(begin, end - kLogTail);
  std::string text(static_cast<std::size_t>(std::max<off_t>(end - begin, 0)), '\0');
  const ssize_t size = ::pread(log, text.data(), text.size(), begin);
  text.resize(static_cast<std::size_t>(std::max<ssize_t>(size, 0)));
  text.erase(text.find_last_not_of(" \n") + 1);
  std::string line = text.substr(text.rfind('\n') + 1);
  for (const std::string_view mark : {" error ", "xdplbd: "}) {
    const auto at = line.find(mark);
    const bool is_in_front = at != std::string::npos && line.find(' ') >= at;
    if (is_in_front) line.erase(0, at + mark.size());
  }
  return line;
}

Error death(int status, const Instance& instance, int log, off_t begin) {
  const std::string line = last_line(log, begin);
  const std::string see = "see " + instance.log_file.string();
  if (WIFSIGNALED(status)) {
    return fail(ErrorCode::kFailed,
                fmt::format("xdplbd was killed by signal {} as it started: {}", WTERMSIG(status), see));
  }
  const int code = WEXITSTATUS(status);
  const bool is_known = code >= static_cast<int>(ErrorCode::kFailed) && code <= static_cast<int>(ErrorCode::kTimedOut);
  if (line.empty())
    return fail(ErrorCode::kFailed, fmt::format("xdplbd ended with exit code {} as it started: {}", code, see));
  return fail(is_known ? static_cast<ErrorCode>(code) : ErrorCode::kFailed, line);
}

Error silence(const Instance& instance, milliseconds timeout) {
  return fail(ErrorCode::kTimedOut,
              fmt::format("xdplbd of instance {} did not answer within {} s: see {}", instance.name,
                          static_cast<double>(timeout.count()) / 1000, instance.log_file.string()));
}

}  // namespace

Result<std::filesystem::path> find_daemon(const std::filesystem::path& program_dir) {
  std::vector<std::filesystem::path> folders;
  if (!program_dir.empty()) folders.push_back(program_dir);
  const char* path = std::getenv("PATH");
  std::string_view rest = path == nullptr ? "" : path;
  while (!rest.empty()) {
    const std::size_t end = std::min(rest.find(':'), rest.size());
    // An empty part means the current folder: nothing from there is run as root.
    if (end != 0) folders.emplace_back(rest.substr(0, end));
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  for (const auto& folder : folders) {
    const auto program = folder / "xdplbd";
    if (::access(program.c_str(), X_OK) == 0) return program;
  }
  return fail(ErrorCode::kNotFound, "xdplbd is neither beside xdplb nor on PATH: install it, or start it yourself");
}

std::optional<int> StartedDaemon::wait(milliseconds timeout) {
  if (!wait_for_end(handle_, timeout)) return std::nullopt;
  int status = 0;
  while (::waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
  }
  return status;
}

void StartedDaemon::terminate(milliseconds timeout) {
  ::pidfd_send_signal(handle_.get(), SIGTERM, nullptr, 0);
  wait(timeout);
}

Result<std::optional<StartedDaemon>> start_daemon(const Instance& instance, const std::filesystem::path& program,
                                                  milliseconds timeout) {
  const auto deadline = Clock::now() + timeout;
  if (const auto made = make_run_dir(instance); !made) return made.error();
  const FileDescriptor log(::open(instance.log_file.c_str(), O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0640));
  if (!log.is_open()) return os_error("open " + instance.log_file.string(), errno);
  const off_t begin = ::lseek(log.get(), 0, SEEK_END);
  auto spawned = spawn(instance, program, log.get());
  if (!spawned) return spawned.error();

  std::optional<StartedDaemon> daemon(std::move(*spawned));
  std::optional<Error> ended;
  while (true) {
    const Reply reply = call(instance.socket, StatusRequest{}, std::max(until(deadline), kRetry));
    if (reply) return daemon;
    const bool may_come = reply.error().code == ErrorCode::kUnreachable;
    if (!may_come || until(deadline) == milliseconds(0)) {
      if (daemon) daemon->terminate(timeout);
      return ended ? *ended : may_come ? silence(instance, timeout) : reply.error();
    }
    if (!daemon) {
      ::poll(nullptr, 0, static_cast<int>(kRetry.count()));
      continue;
    }
    const auto status = daemon->wait(std::min(kRetry, until(deadline)));
    if (!status) continue;
    ended = death(*status, instance, log.get(), begin);
    // Somebody else's daemon was faster: it will answer, or this was the error after all.
    if (ended->code != ErrorCode::kConflict) return *ended;
    daemon.reset();
  }
}

Result<FileDescriptor> watch_process(pid_t pid) {
  FileDescriptor handle(::pidfd_open(pid, 0));
  if (!handle.is_open()) return os_error(fmt::format("watch process {}", pid), errno);
  return handle;
}

bool wait_for_end(const FileDescriptor& handle, milliseconds timeout) {
  const auto deadline = Clock::now() + timeout;
  pollfd event{.fd = handle.get(), .events = POLLIN, .revents = 0};
  while (true) {
    const int ready = ::poll(&event, 1, static_cast<int>(until(deadline).count()));
    if (ready > 0) return true;
    if (ready == 0 || errno != EINTR) return false;
  }
}

}  // namespace xdplb
