// SPDX-License-Identifier: GPL-2.0-only
#include "daemon/verify_once.h"

#include "daemon/task_once.h"
#include "verify/verify_run.h"
#include "verify/verify_task.h"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>

#include <csignal>
#include <exception>
#include <optional>
#include <utility>

namespace xdplb {
namespace {

namespace asio = boost::asio;

// For the rest of this process, which ends soon.
void block_signals() {
  sigset_t all{};
  ::sigemptyset(&all);
  for (const int number : {SIGINT, SIGTERM, SIGHUP, SIGQUIT}) ::sigaddset(&all, number);
  ::pthread_sigmask(SIG_BLOCK, &all, nullptr);
}

// Whatever is under way when a signal comes is destroyed with the io_context, and takes back what it made.
Result<VerifyReport> run(VerifyTask task) {
  std::optional<Result<VerifyReport>> report;
  std::exception_ptr failure;
  {
    asio::io_context io(1);
    asio::signal_set signals(io, SIGINT, SIGTERM);
    signals.add(SIGHUP);
    signals.add(SIGQUIT);
    signals.async_wait([&io](const boost::system::error_code& error, int) {
      if (!error) io.stop();
    });
    asio::co_spawn(io, verify(io, std::move(task)), [&](std::exception_ptr thrown, Result<VerifyReport> result) {
      failure = std::move(thrown);
      report = std::move(result);
      io.stop();
    });
    io.run();
    // The terminal's signal is followed by that of the parent's end, and neither may cut the cleaning off.
    block_signals();
  }
  if (failure) std::rethrow_exception(failure);
  if (!report) return fail(ErrorCode::kFailed, "interrupted: nothing is left of it");
  return std::move(*report);
}

Reply answer(const nlohmann::json& document) {
  auto task = decode_verify_task(document);
  if (!task) return task.error();
  const auto report = run(std::move(*task));
  if (!report) return report.error();
  return make_reply(encode_verify_report(*report));
}

}  // namespace

int verify_once(std::istream& in, std::ostream& out) { return answer_task(in, out, answer); }

}  // namespace xdplb
