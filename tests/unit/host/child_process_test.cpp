// SPDX-License-Identifier: GPL-2.0-only
#include "host/child_process.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <thread>

namespace xdplb {
namespace {

using namespace std::chrono_literals;
namespace fs = std::filesystem;
using testing::HasSubstr;

ChildCommand shell(const std::string& script) { return {.argv = {"/bin/sh", "-c", script}}; }

Result<ChildOutcome> run(ChildCommand command) {
  boost::asio::io_context io;
  std::optional<Result<ChildOutcome>> outcome;
  boost::asio::co_spawn(
      io,
      [&]() -> boost::asio::awaitable<void> { outcome.emplace(co_await run_child(std::move(command), "exit test")); },
      boost::asio::detached);
  io.run();
  return std::move(*outcome);
}

// What a command that works prints.
std::string output_of(const ChildCommand& command) {
  const auto outcome = run(command);
  if (!outcome) return "error: " + outcome.error().message;
  EXPECT_EQ(outcome->exit_code, 0) << outcome->errors;
  return outcome->output;
}

bool has_no_children() {
  siginfo_t info{};
  return ::waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) != 0 && errno == ECHILD;
}

// True when the process is gone or waits for its new parent to take note.
bool is_dead(pid_t pid) {
  std::ifstream file("/proc/" + std::to_string(pid) + "/stat");
  std::string text;
  std::getline(file, text);
  return text.empty() || text.find(") Z") != std::string::npos || text.find(") X") != std::string::npos;
}

bool dies(pid_t pid) {
  for (const auto end = std::chrono::steady_clock::now() + 5s; std::chrono::steady_clock::now() < end;) {
    if (is_dead(pid)) return true;
    std::this_thread::yield();
  }
  return false;
}

TEST(ChildProcess, TellsExitCodeOutputAndErrors) {
  const auto outcome = run(shell("echo out; echo err >&2; exit 3"));
  ASSERT_TRUE(outcome) << outcome.error().message;
  EXPECT_EQ(outcome->exit_code, 3);
  EXPECT_EQ(outcome->output, "out\n");
  EXPECT_EQ(outcome->errors, "err\n");
  EXPECT_FALSE(outcome->timed_out);
  EXPECT_GT(outcome->duration.count(), 0);
  EXPECT_TRUE(has_no_children());
}

TEST(ChildProcess, TellsTheSignalThatEndedIt) {
  const auto outcome = run(shell("kill -TERM $$"));
  ASSERT_TRUE(outcome);
  EXPECT_EQ(outcome->exit_code, std::nullopt);
  EXPECT_EQ(outcome->signal, SIGTERM);
  EXPECT_FALSE(outcome->timed_out);
}

TEST(ChildProcess, TimeoutKillsGrandchildrenThatHoldThePipe) {
  auto command = shell("sleep 1000 & echo $!; trap '' TERM; sleep 1000");
  command.timeout = 300ms;
  const auto outcome = run(command);
  ASSERT_TRUE(outcome);
  EXPECT_TRUE(outcome->timed_out);
  EXPECT_EQ(outcome->exit_code, std::nullopt);
  EXPECT_EQ(outcome->signal, SIGKILL);
  EXPECT_LT(outcome->duration, 5s);
  EXPECT_TRUE(dies(std::atoi(outcome->output.c_str()))) << outcome->output;
  EXPECT_TRUE(has_no_children());
}

TEST(ChildProcess, WhatItLeavesBehindEndsWithIt) {
  auto command = shell("sleep 1000 & echo $!");
  command.timeout = 20s;
  const auto outcome = run(command);
  ASSERT_TRUE(outcome);
  EXPECT_EQ(outcome->exit_code, 0);
  EXPECT_LT(outcome->duration, 10s);
  EXPECT_TRUE(dies(std::atoi(outcome->output.c_str()))) << outcome->output;
}

TEST(ChildProcess, OfMuchOutputTheFirstPartIsKept) {
  const auto outcome = run(shell("head -c 100000000 /dev/zero | tr '\\0' a; head -c 100000 /dev/zero >&2"));
  ASSERT_TRUE(outcome);
  EXPECT_EQ(outcome->exit_code, 0);
  EXPECT_EQ(outcome->output, std::string(4096, 'a'));
  EXPECT_EQ(outcome->errors.size(), 4096U);
}

TEST(ChildProcess, InputIsReadAtItsOwnPaceOrNotAtAll) {
  auto command = shell("wc -c; cat < /dev/stdin | wc -c");
  command.input = std::string(3000000, 'x');
  EXPECT_EQ(output_of(command), "3000000\n3000000\n");
  command = shell("exit 0");
  command.input = std::string(3000000, 'x');
  EXPECT_EQ(output_of(command), "");
  EXPECT_EQ(output_of(shell("wc -c")), "0\n");
}

TEST(ChildProcess, InheritsNothingOfOurEnvironment) {
  ::setenv("LD_LIBRARY_PATH", "/tmp/hostile", 1);
  ::setenv("BASH_ENV", "/tmp/hostile", 1);
  ChildCommand command{.argv = {"/usr/bin/env", "-0"},
                       .environment = {{"XDPLB_TEXT", "a 'b' \"c\" $(touch /tmp/hostile)\nLD_PRELOAD=x"},
                                       {"XDPLB_NUL", std::string("a\0b", 3)},
                                       {"XDPLB_LONG", std::string(100000, 'l')}}};
  command.max_output = 100000;
  EXPECT_EQ(output_of(command), std::string("PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin") +
                                    '\0' + "XDPLB_TEXT=a 'b' \"c\" $(touch /tmp/hostile)\nLD_PRELOAD=x" + '\0' +
                                    "XDPLB_NUL=a b" + '\0' + "XDPLB_LONG=" + std::string(32768, 'l') + '\0');
  ::unsetenv("LD_LIBRARY_PATH");
  ::unsetenv("BASH_ENV");
  command.environment = {{"A=B", "c"}};
  const auto refused = run(command);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::kUsage);
}

TEST(ChildProcess, GetsNoDescriptorSignalFolderOrMaskOfOurs) {
  const int leak = ::open("/dev/null", O_RDONLY);
  const int high = ::fcntl(leak, F_DUPFD, 500);
  ::signal(SIGPIPE, SIG_IGN);
  const mode_t before = ::umask(0077);
  const auto script =
      "i=3; while [ $i -lt 600 ]; do [ -e /proc/$$/fd/$i ] && echo $i; i=$((i+1)); done; pwd; umask; ulimit -c;"
      "ulimit -n; ulimit -t; nice; grep -E 'Sig(Blk|Ign)' /proc/$$/status | cut -f2; cat /proc/self/oom_score_adj";
  EXPECT_EQ(output_of(shell(script)), "/\n0022\n0\n64\n60\n19\n0000000000000000\n0000000000000000\n0\n");
  ::umask(before);
  ::signal(SIGPIPE, SIG_DFL);
  ::close(high);
  ::close(leak);
}

TEST(ChildProcess, HasASessionOfItsOwn) {
  EXPECT_EQ(output_of(shell("[ $(cut -d' ' -f6 /proc/$$/stat) = $$ ] && echo own")), "own\n");
}

TEST(ChildProcess, RunsAsItsUserWithItsGroups) {
  if (::geteuid() != 0) GTEST_SKIP() << "only root changes users";
  auto command = shell("id -un; id -G; grep -E 'Cap(Prm|Eff|Amb)' /proc/self/status | cut -f2");
  command.user = "nobody";
  const std::string none = "0000000000000000\n";
  EXPECT_EQ(output_of(command), "nobody\n65534\n" + none + none + none);
  command = shell("cat /dev/stdin");
  command.user = "nobody";
  command.input = "document";
  EXPECT_EQ(output_of(command), "document");
  command.user = "no-such-user";
  const auto refused = run(command);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::kNotFound);
  EXPECT_EQ(refused.error().message, "exit test: there is no user 'no-such-user'; make it, or name another");
}

TEST(ChildProcess, ManyAtOnceLeaveNoZombieAndNoDescriptor) {
  const auto count = [] { return std::distance(fs::directory_iterator("/proc/self/fd"), {}); };
  run(shell("exit 0")).value();
  const auto before = count();
  {
    boost::asio::io_context io;
    int done = 0;
    for (int i = 0; i < 30; ++i) {
      boost::asio::co_spawn(
          io,
          [&done, i]() -> boost::asio::awaitable<void> {
            const auto outcome = co_await run_child(shell("exit " + std::to_string(i)), "exit test");
            if (outcome && outcome->exit_code == i) ++done;
          },
          boost::asio::detached);
    }
    io.run();
    EXPECT_EQ(done, 30);
  }
  EXPECT_EQ(count(), before);
  EXPECT_TRUE(has_no_children());
}

TEST(ChildProcess, EndsWithTheLoop) {
  {
    boost::asio::io_context io;
    boost::asio::co_spawn(
        io,
        []() -> boost::asio::awaitable<void> {
          const auto outcome = co_await run_child(shell("sleep 1000"), "exit test");
          ADD_FAILURE() << outcome.has_value();
        },
        boost::asio::detached);
    io.poll();
    EXPECT_FALSE(has_no_children());
  }
  EXPECT_TRUE(has_no_children());
}

class Programs : public testing::Test {
 protected:
  void SetUp() override {
    if (::geteuid() != 0) GTEST_SKIP() << "needs a folder that only root can write";
    std::string name = "/run/xdplb-programs-" + std::to_string(::getpid()) + "-XXXXXX";
    ASSERT_NE(::mkdtemp(name.data()), nullptr) << std::strerror(errno);
    folder_ = name;
    ::chmod(folder_.c_str(), 0755);
  }
  void TearDown() override {
    if (!folder_.empty()) fs::remove_all(folder_);
  }
  std::string script(const std::string& name, const std::string& text, mode_t mode = 0755) const {
    const std::string path = folder_ / name;
    std::ofstream(path) << text;
    ::chmod(path.c_str(), mode);
    return path;
  }
  static std::string refusal(const std::string& path) {
    const auto checked = check_program(path, "exit server_down");
    return checked ? "" : checked.error().message;
  }

  fs::path folder_;
};

TEST_F(Programs, OfRootAreTaken) {
  const std::string path = script("good", "#!/bin/sh\necho $1 $XDPLB_EVENT\n");
  EXPECT_EQ(refusal(path), "");
  EXPECT_EQ(output_of({.argv = {path, "a b"}, .environment = {{"XDPLB_EVENT", "down"}}}), "a b down\n");
  EXPECT_EQ(refusal("/bin/sh"), "") << "by a symbolic link";
  fs::create_symlink(path, folder_ / "link");
  fs::create_symlink("./sub/../link", folder_ / "link2");
  fs::create_directory(folder_ / "sub");
  EXPECT_EQ(refusal(folder_ / "link2"), "");
}

TEST_F(Programs, ThatOthersCanChangeAreRefused) {
  const std::string path = script("page", "#!/bin/sh\n");
  ::chmod(path.c_str(), 0757);
  EXPECT_EQ(refusal(path), "exit server_down: " + path + " can be written by everybody; chmod o-w it");
  ::chmod(path.c_str(), 0775);
  EXPECT_EQ(refusal(path), "") << "by group root";
  ASSERT_EQ(::chown(path.c_str(), 0, 50), 0);
  EXPECT_EQ(refusal(path), "exit server_down: " + path + " can be written by group staff; chmod g-w it");
  ::chmod(path.c_str(), 0755);
  ASSERT_EQ(::chown(path.c_str(), 65534, 0), 0);
  EXPECT_EQ(refusal(path), "exit server_down: " + path + " belongs to user nobody, who can change it; chown root it");
  EXPECT_FALSE(run({.argv = {path}}));
}

TEST_F(Programs, InFoldersThatOthersCanChangeAreRefused) {
  fs::create_directories(folder_ / "open" / "closed");
  const std::string path = script("open/closed/page", "#!/bin/sh\n");
  ::chmod((folder_ / "open").c_str(), 01777);
  const std::string expected =
      "exit server_down: " + (folder_ / "open").string() + " can be written by everybody; chmod o-w it";
  EXPECT_EQ(refusal(path), expected) << "the sticky bit keeps nobody from making new files";
  EXPECT_EQ(check_program(path, "x").error().code, ErrorCode::kPermission);
  // A link in a safe folder to one in an open folder to a program in a safe one.
  const std::string safe = script("safe", "#!/bin/sh\n");
  fs::create_symlink(safe, folder_ / "open" / "middle");
  fs::create_symlink(folder_ / "open" / "middle", folder_ / "start");
  EXPECT_EQ(refusal(folder_ / "start"), expected);
}

TEST_F(Programs, ThatAreNoneAreRefused) {
  EXPECT_EQ(check_program("bin/page", "x").error().code, ErrorCode::kUsage);
  EXPECT_EQ(check_program("", "x").error().code, ErrorCode::kUsage);
  EXPECT_EQ(check_program(folder_ / "missing", "x").error().code, ErrorCode::kNotFound);
  EXPECT_THAT(refusal(folder_), HasSubstr("is a folder, not a program"));
  EXPECT_THAT(refusal(script("text", "x", 0644)), HasSubstr("cannot be executed; chmod +x it"));
  EXPECT_THAT(refusal(folder_ / "text" / "x"), HasSubstr("is no regular file"));
  fs::create_symlink("circle", folder_ / "circle");
  EXPECT_THAT(refusal(folder_ / "circle"), HasSubstr("leads in a circle"));
  const auto no_program = run({.argv = {script("noshebang", "\x7f junk")}});
  ASSERT_FALSE(no_program);
  EXPECT_THAT(no_program.error().message, HasSubstr("begin a script with #!/bin/sh"));
  const auto no_interpreter = run({.argv = {script("interpreter", "#!/no/such/thing\n")}});
  ASSERT_FALSE(no_interpreter);
  EXPECT_THAT(no_interpreter.error().message, HasSubstr("exit test: run "));
  EXPECT_TRUE(has_no_children());
}

}  // namespace
}  // namespace xdplb
