// SPDX-License-Identifier: GPL-2.0-only
// Probes by ICMP echo.
#include "advisors/ping_sockets.h"
#include "advisors/probe_kinds.h"
#include "advisors/probe_tools.h"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <fmt/format.h>

#include <cstring>
#include <memory>
#include <optional>

namespace xdplb {
namespace {

namespace asio = boost::asio;

struct Wait {
  explicit Wait(asio::io_context& io) : timer(io) {}
  asio::steady_timer timer;  // cancelled by what ends the wait before its time
  std::optional<int> number{};
};

}  // namespace

asio::awaitable<CheckResult> probe_ping(ProbeTools& tools, const AdvisorConfig& advisor, const ProbeTarget& target,
                                        ProbeLog* log) {
  const auto began = ProbeClock::now();
  if (!tools.ping()) tools.ping() = std::make_shared<PingSockets>(tools.io());
  const std::shared_ptr<PingSockets> sockets = tools.ping();
  const auto wait = std::make_shared<Wait>(tools.io());
  wait->timer.expires_after(std::chrono::milliseconds(advisor.receive_timeout_ms));
  const auto sequence = sockets->ask(target.destination, target.mark, [wait](int number) {
    wait->number = number;
    wait->timer.cancel();
  });
  if (!sequence) co_return make_result(CheckCode::kSocketError, began, sequence.error().message);
  add_step(log, began, "sent an echo request");
  co_await wait->timer.async_wait(asio::as_tuple(asio::use_awaitable));
  sockets->forget(*sequence);
  if (!wait->number) {
    co_return make_result(CheckCode::kL3Timeout, began, fmt::format("no answer in {} ms", advisor.receive_timeout_ms));
  }
  if (*wait->number != 0) co_return make_result(CheckCode::kL3Unreachable, began, std::strerror(*wait->number));
  add_step(log, began, "got the echo reply");
  co_return make_result(CheckCode::kL3Ok, began);
}

}  // namespace xdplb
