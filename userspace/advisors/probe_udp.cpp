// SPDX-License-Identifier: GPL-2.0-only
// Probes of a service over UDP.
#include "advisors/probe_datagrams.h"
#include "advisors/probe_kinds.h"
#include "advisors/reply_match.h"

#include <fmt/format.h>

#include <optional>
#include <utility>

namespace xdplb {
namespace asio = boost::asio;

asio::awaitable<CheckResult> probe_udp(ProbeTools& tools, const AdvisorConfig& advisor, const ProbeTarget& target,
                                       ProbeLog* log) {
  ProbeDatagrams datagrams(tools, target, log);
  std::optional<ReplyMatcher> matcher;
  if (advisor.udp.answer) {
    auto made = ReplyMatcher::make(*advisor.udp.answer);
    if (!made) co_return datagrams.result(CheckCode::kSocketError, made.error().message);
    matcher = std::move(*made);
  }
  auto failed = datagrams.send(advisor.udp.payload, std::chrono::milliseconds(advisor.receive_timeout_ms));
  if (failed) co_return std::move(*failed);
  std::string bytes;
  const DatagramStatus status = co_await datagrams.receive(bytes);
  if (status == DatagramStatus::kTimedOut) {
    const bool is_fine = advisor.udp.silence == OnSilence::kUp;
    co_return datagrams.result(is_fine ? CheckCode::kL4Ok : CheckCode::kL4Timeout,
                               fmt::format("no answer in {} ms", advisor.receive_timeout_ms));
  }
  if (status != DatagramStatus::kDone) co_return datagrams.failure(status);
  const std::string seen = fmt::format("{} bytes: {}", bytes.size(), quote_bytes(bytes));
  datagrams.add_step("got " + seen);
  if (matcher && !matcher->is_in(bytes)) {
    co_return datagrams.result(CheckCode::kL7Response, matcher->name() + " is not in the answer of " + seen);
  }
  co_return datagrams.result(CheckCode::kL7Ok, seen);
}

}  // namespace xdplb
