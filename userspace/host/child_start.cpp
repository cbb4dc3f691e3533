// SPDX-License-Identifier: GPL-2.0-only
#include "host/child_start.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <grp.h>
#include <pwd.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>

namespace xdplb {
namespace {

constexpr const char* kPath = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
constexpr std::size_t kMaxValue = 32 * 1024;  // the kernel takes 128 KiB
constexpr rlim_t kMaxFiles = 64;
constexpr rlim_t kMaxCpuSeconds = 60;
constexpr int kNice = 19;
constexpr int kFirstFreeDescriptor = 10;  // out of the way of 0 to 3 in the child
constexpr unsigned kMemfdNoExec = 8;      // MFD_NOEXEC_SEAL, kernel 6.3

enum Stage : int { kDescriptors, kLimits, kUser, kExec };

struct Identity {
  bool is_changed = false;
  uid_t uid = 0;
  gid_t gid = 0;
  std::vector<gid_t> groups{};
};

// All that the child needs, made before the fork: after it only async-signal-safe calls are allowed.
struct Plan {
  std::vector<char*> argv{};
  std::vector<std::string> environment_text{};
  std::vector<char*> environment{};
  Identity identity{};
  pid_t parent = 0;
  FileDescriptor input{};
  FileDescriptor output{};
  FileDescriptor errors{};
  FileDescriptor status{};
};

struct Pipe {
  FileDescriptor read{};
  FileDescriptor write{};
};

Result<FileDescriptor> move_up(FileDescriptor fd, const std::string& what) {
  FileDescriptor high(::fcntl(fd.get(), F_DUPFD_CLOEXEC, kFirstFreeDescriptor));
  if (!high.is_open()) return os_error(what + ": duplicate a descriptor", errno);
  return high;
}

Result<Pipe> make_pipe(const std::string& what) {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) return os_error(what + ": make a pipe", errno);
  Pipe made{.read = FileDescriptor(ends[0]), .write = {}};
  auto write = move_up(FileDescriptor(ends[1]), what);
  if (!write) return write.error();
  made.write = std::move(*write);
  ::fcntl(made.read.get(), F_SETFL, O_NONBLOCK);
  return made;
}

// A file, not a pipe: nobody waits for the other, and a program that does not read it is no error.
Result<FileDescriptor> make_input(const std::string& text, const std::string& what) {
  if (text.empty()) return move_up(FileDescriptor(::open("/dev/null", O_RDONLY | O_CLOEXEC)), what);
  FileDescriptor file(::memfd_create("xdplb-input", MFD_CLOEXEC | kMemfdNoExec));
  if (!file.is_open() && errno == EINVAL) file = FileDescriptor(::memfd_create("xdplb-input", MFD_CLOEXEC));
  if (!file.is_open()) return os_error(what + ": make its input", errno);
  for (std::size_t done = 0; done < text.size();) {
    const ssize_t written = ::write(file.get(), text.data() + done, text.size() - done);
    if (written < 0) return os_error(what + ": write its input", errno);
    done += static_cast<std::size_t>(written);
  }
  ::lseek(file.get(), 0, SEEK_SET);
  ::fchmod(file.get(), 0444);  // another user may open /dev/stdin
  return move_up(std::move(file), what);
}

Result<Identity> find_user(const std::string& name, const std::string& what) {
  Identity identity;
  if (name.empty() || ::geteuid() != 0) return identity;
  passwd entry{};
  passwd* found = nullptr;
  std::vector<char> room(16384);
  const int number = ::getpwnam_r(name.c_str(), &entry, room.data(), room.size(), &found);
  if (found == nullptr) {
    if (number != 0 && number != ENOENT && number != ESRCH) return os_error(what + ": user " + name, number);
    return fail(ErrorCode::kNotFound, fmt::format("{}: there is no user '{}'; make it, or name another", what, name));
  }
  identity.is_changed = true;
  identity.uid = entry.pw_uid;
  identity.gid = entry.pw_gid;
  int count = 64;
  identity.groups.resize(static_cast<std::size_t>(count));
  while (::getgrouplist(name.c_str(), entry.pw_gid, identity.groups.data(), &count) < 0) {
    identity.groups.resize(static_cast<std::size_t>(count));
  }
  identity.groups.resize(static_cast<std::size_t>(count));
  return identity;
}

bool is_name(const std::string& name) {
  auto is_allowed = [](char letter) {
    return letter == '_' || (letter >= 'A' && letter <= 'Z') || (letter >= 'a' && letter <= 'z') ||
           (letter >= '0' && letter <= '9');
  };
  return !name.empty() && std::all_of(name.begin(), name.end(), is_allowed);
}

Result<void> fill_environment(const ChildCommand& command, const std::string& what, Plan& plan) {
  plan.environment_text.emplace_back(kPath);
  for (const auto& [name, value] : command.environment) {
    if (!is_name(name)) {
      return fail(ErrorCode::kUsage, fmt::format("{}: '{}' is no name for the environment", what, name));
    }
    std::string text = value.substr(0, kMaxValue);
    std::replace(text.begin(), text.end(), '\0', ' ');
    plan.environment_text.push_back(fmt::format("{}={}", name, text));
  }
  for (std::string& text : plan.environment_text) plan.environment.push_back(text.data());
  plan.environment.push_back(nullptr);
  return {};
}

// ---- In the child. Raw system calls for the identity: the C library's would signal threads that are not there.

int set_limits() {
  // Ours protects from the out-of-memory killer. Fails without consequence where there is no /proc.
  const int oom = ::open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
  if (oom >= 0 && ::write(oom, "0", 1) != 1) errno = 0;
  if (oom >= 0) ::close(oom);
  ::umask(022);
  ::setpriority(PRIO_PROCESS, 0, kNice);
  for (const auto& [resource, limit] : {std::pair(RLIMIT_CORE, rlim_t{0}), std::pair(RLIMIT_NOFILE, kMaxFiles),
                                        std::pair(RLIMIT_CPU, kMaxCpuSeconds)}) {
    rlimit present{};
    ::getrlimit(resource, &present);
    const rlim_t bounded = std::min(limit, present.rlim_max);
    const rlimit wanted{.rlim_cur = bounded, .rlim_max = bounded};
    if (::setrlimit(resource, &wanted) != 0) return errno;
  }
  return ::chdir("/") == 0 ? 0 : errno;
}

int change_user(const Identity& identity) {
  ::prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
  if (!identity.is_changed) return 0;
  if (::syscall(SYS_setgroups, identity.groups.size(), identity.groups.data()) != 0) return errno;
  if (::syscall(SYS_setresgid, identity.gid, identity.gid, identity.gid) != 0) return errno;
  return ::syscall(SYS_setresuid, identity.uid, identity.uid, identity.uid) == 0 ? 0 : errno;
}

int arrange_descriptors(const Plan& plan) {
  if (::dup2(plan.input.get(), 0) < 0 || ::dup2(plan.output.get(), 1) < 0 || ::dup2(plan.errors.get(), 2) < 0 ||
      ::dup3(plan.status.get(), 3, O_CLOEXEC) < 0) {
    return errno;
  }
  return ::close_range(4, ~0U, 0) == 0 ? 0 : errno;
}

[[noreturn]] void give_up(int status, Stage stage, int number) {
  const ChildFailure failure{.stage = stage, .number = number};
  if (::write(status, &failure, sizeof(failure)) < 0) ::_exit(126);
  ::_exit(127);
}

[[noreturn]] void become(const Plan& plan) {
  ::setsid();
  struct sigaction plain {};
  plain.sa_handler = SIG_DFL;
  for (int number = 1; number < NSIG; ++number) ::sigaction(number, &plain, nullptr);
  if (const int number = arrange_descriptors(plan); number != 0) give_up(plan.status.get(), kDescriptors, number);
  if (const int number = set_limits(); number != 0) give_up(3, kLimits, number);
  if (const int number = change_user(plan.identity); number != 0) give_up(3, kUser, number);
  // Behind the change of user, which takes it back. Nobody would keep its deadline without us.
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != plan.parent) ::_exit(127);
  sigset_t none;
  ::sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  ::execve(plan.argv[0], plan.argv.data(), plan.environment.data());
  give_up(3, kExec, errno);
}

}  // namespace

Error to_error(const ChildFailure& failure, const ChildCommand& command, const std::string& what) {
  switch (failure.stage) {
    case kUser:
      return os_error(what + ": become user " + command.user, failure.number);
    case kExec:
      if (failure.number == ENOEXEC) {
        return fail(ErrorCode::kFailed,
                    fmt::format("{}: {} is no program; begin a script with #!/bin/sh", what, command.argv[0]));
      }
      return os_error(what + ": run " + command.argv[0], failure.number);
    default:
      return os_error(what + ": prepare its process", failure.number);
  }
}

Result<StartedChild> start_child(const ChildCommand& command, const std::string& what) {
  Plan plan;
  auto identity = find_user(command.user, what);
  if (!identity) return identity.error();
  plan.identity = std::move(*identity);
  if (auto filled = fill_environment(command, what, plan); !filled) return filled.error();
  for (const std::string& argument : command.argv) plan.argv.push_back(const_cast<char*>(argument.c_str()));
  plan.argv.push_back(nullptr);
  auto input = make_input(command.input, what);
  if (!input) return input.error();
  plan.input = std::move(*input);
  StartedChild child;
  for (const auto& [ours, its] : {std::pair(&child.output, &plan.output), std::pair(&child.errors, &plan.errors),
                                  std::pair(&child.status, &plan.status)}) {
    auto pipe = make_pipe(what);
    if (!pipe) return pipe.error();
    *ours = std::move(pipe->read);
    *its = std::move(pipe->write);
  }
  plan.parent = ::getpid();
  // Our handlers must not run in the child: one would write to a pipe that we share.
  sigset_t all;
  sigset_t before;
  ::sigfillset(&all);
  ::pthread_sigmask(SIG_SETMASK, &all, &before);
  child.pid = ::fork();
  const int number = errno;
  if (child.pid == 0) become(plan);
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
  if (child.pid < 0) return os_error(what + ": make a process", number);
  child.process = FileDescriptor(static_cast<int>(::syscall(SYS_pidfd_open, child.pid, 0)));
  return child;
}

}  // namespace xdplb
