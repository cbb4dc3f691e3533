// SPDX-License-Identifier: GPL-2.0-only
#include "host/child_process.h"

#include "host/child_start.h"

#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <cerrno>
#include <csignal>
#include <memory>
#include <tuple>

namespace xdplb {
namespace {

namespace asio = boost::asio;
using Descriptor = asio::posix::stream_descriptor;
using Clock = std::chrono::steady_clock;
constexpr auto kAsTuple = asio::as_tuple(asio::use_awaitable);
constexpr std::size_t kTurnBytes = 64 * 1024;    // read at once, then others have their turn
constexpr std::size_t kRestBytes = 1024 * 1024;  // read after its end, of one who escaped from the group
constexpr int kReapMilliseconds = 100;

// What comes out of one pipe, as far as it is wanted.
class Reader : public std::enable_shared_from_this<Reader> {
 public:
  Reader(const asio::any_io_executor& executor, FileDescriptor pipe, std::size_t limit)
      : pipe_(executor, pipe.release()), limit_(limit) {}

  void start() {
    pipe_.async_wait(Descriptor::wait_read, [self = shared_from_this()](const boost::system::error_code& error) {
      if (!error && self->read(kTurnBytes)) self->start();
    });
  }

  std::string finish() {
    read(kRestBytes);
    boost::system::error_code ignored;
    pipe_.close(ignored);
    return std::move(text_);
  }

 private:
  // False at the end of the file.
  bool read(std::size_t most) {
    std::array<char, 8192> part;
    for (std::size_t done = 0; done < most && pipe_.is_open();) {
      const ssize_t length = ::read(pipe_.native_handle(), part.data(), part.size());
      if (length < 0) return errno == EAGAIN || errno == EINTR;
      if (length == 0) return false;
      text_.append(part.data(), std::min(static_cast<std::size_t>(length), limit_ - text_.size()));
      done += static_cast<std::size_t>(length);
    }
    return pipe_.is_open();
  }

  Descriptor pipe_;
  std::size_t limit_;
  std::string text_;
};

// The process until it is reaped. Its process group keeps its number until then.
class Process {
 public:
  explicit Process(pid_t pid) : pid_(pid) {}

  void kill() const {
    if (is_over_) return;
    ::kill(-pid_, SIGKILL);
    ::kill(pid_, SIGKILL);  // it may not have its group yet
  }

  // It must have ended. Errors: os_error.
  Result<siginfo_t> reap() {
    kill();
    siginfo_t end{};
    const int done = ::waitid(P_PID, static_cast<id_t>(pid_), &end, WEXITED);
    is_over_ = true;
    if (done != 0) return os_error("wait for process " + std::to_string(pid_), errno);
    return end;
  }

  // Whatever it does: kills and waits a moment for it.
  void end(int process) {
    if (is_over_) return;
    kill();
    pollfd waiting{.fd = process, .events = POLLIN, .revents = 0};
    ::poll(&waiting, 1, kReapMilliseconds);
    siginfo_t ignored{};
    ::waitid(P_PID, static_cast<id_t>(pid_), &ignored, WEXITED | WNOHANG);
    is_over_ = true;
  }

 private:
  pid_t pid_;
  bool is_over_ = false;
};

// In the frame of the coroutine: when that is destroyed, the process ends.
class ProcessEnd {
 public:
  ProcessEnd(std::shared_ptr<Process> process, Descriptor& descriptor)
      : process_(std::move(process)), descriptor_(descriptor) {}
  ~ProcessEnd() { process_->end(descriptor_.native_handle()); }
  ProcessEnd(const ProcessEnd&) = delete;
  ProcessEnd& operator=(const ProcessEnd&) = delete;

 private:
  std::shared_ptr<Process> process_;
  Descriptor& descriptor_;
};

// Why the program could not be started; none when it was. Not in the coroutine: there g++ 12 takes the variable for
// smaller than it is.
bool has_ended(int process) {
  pollfd poll{.fd = process, .events = POLLIN, .revents = 0};
  return ::poll(&poll, 1, 0) != 0;
}

std::optional<ChildFailure> read_failure(int status) {
  ChildFailure failure;
  if (::read(status, &failure, sizeof(failure)) != sizeof(failure)) return std::nullopt;
  return failure;
}

}  // namespace

asio::awaitable<Result<ChildOutcome>> run_child(ChildCommand command, std::string what) {
  if (command.argv.empty()) co_return fail(ErrorCode::kUsage, what + ": there is no command");
  if (auto checked = check_program(command.argv[0], what); !checked) co_return checked.error();
  const auto start = Clock::now();
  auto started = start_child(command, what);
  if (!started) co_return started.error();
  const auto executor = co_await asio::this_coro::executor;
  const auto process = std::make_shared<Process>(started->pid);
  Descriptor ended(executor);
  const ProcessEnd at_end(process, ended);
  if (!started->process.is_open()) co_return os_error(what + ": watch its process", EMFILE);
  ended.assign(started->process.release());
  const auto output = std::make_shared<Reader>(executor, std::move(started->output), command.max_output);
  const auto errors = std::make_shared<Reader>(executor, std::move(started->errors), command.max_output);
  output->start();
  errors->start();
  const auto timed_out = std::make_shared<bool>(false);
  asio::steady_timer deadline(executor, start + command.timeout);
  deadline.async_wait([process, timed_out](const boost::system::error_code& error) {
    if (error) return;
    *timed_out = true;
    process->kill();
  });
  boost::system::error_code failed;
  // Asio may say that a descriptor is ready when it is not, one that has the place of another just closed above all:
  // the program would be killed.
  do {
    std::tie(failed) = co_await ended.async_wait(Descriptor::wait_read, kAsTuple);
  } while (!failed && !has_ended(ended.native_handle()));
  deadline.cancel();
  if (failed) co_return fail(ErrorCode::kFailed, what + ": cancelled");
  process->kill();
  ChildOutcome outcome;
  outcome.output = output->finish();
  outcome.errors = errors->finish();
  const auto end = process->reap();
  if (!end) co_return fail(end.error().code, what + ": " + end.error().message);
  if (const auto failure = read_failure(started->status.get())) co_return to_error(*failure, command, what);
  outcome.duration = std::chrono::duration_cast<std::chrono::microseconds>(Clock::now() - start);
  if (end->si_code == CLD_EXITED) {
    outcome.exit_code = end->si_status;
  } else {
    outcome.signal = end->si_status;
    outcome.timed_out = *timed_out;
  }
  co_return outcome;
}

}  // namespace xdplb
