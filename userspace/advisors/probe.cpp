// SPDX-License-Identifier: GPL-2.0-only
#include "advisors/probe.h"

#include "advisors/probe_kinds.h"

#include <exception>

namespace xdplb {
namespace {

boost::asio::awaitable<CheckResult> probe_of_kind(ProbeTools& tools, const AdvisorConfig& advisor,
                                                  const ProbeTarget& target, ProbeLog* log) {
  switch (advisor.type) {
    case AdvisorType::kConnect:
      return probe_connect(tools, advisor, target, log);
    case AdvisorType::kHttp:
    case AdvisorType::kHttps:
      return probe_http(tools, advisor, target, log);
    case AdvisorType::kPing:
      return probe_ping(tools, advisor, target, log);
    case AdvisorType::kDns:
      return probe_dns(tools, advisor, target, log);
    case AdvisorType::kUdp:
      return probe_udp(tools, advisor, target, log);
    case AdvisorType::kAgent:
      return probe_agent(tools, advisor, target, log);
    case AdvisorType::kExec:
      return probe_exec(tools, advisor, target, log);
    case AdvisorType::kComposite:
      return probe_composite(tools, advisor, target, log);
    default:
      return probe_tcp_steps(tools, advisor, target, log);  // kTcp and the presets
  }
}

}  // namespace

void add_step(ProbeLog* log, ProbeClock::time_point began, const std::string& text) {
  if (log == nullptr) return;
  log->push_back({std::chrono::duration_cast<std::chrono::microseconds>(ProbeClock::now() - began), clean_text(text)});
}

CheckResult make_result(CheckCode code, ProbeClock::time_point began, const std::string& text) {
  CheckResult result;
  result.code = code;
  result.latency = std::chrono::duration_cast<std::chrono::microseconds>(ProbeClock::now() - began);
  result.text = clean_text(text);
  return result;
}

boost::asio::awaitable<CheckResult> probe(ProbeTools& tools, const AdvisorConfig& advisor, const ProbeTarget& target,
                                          ProbeLog* log) {
  // Read behind the catch: the analyzer of clang 14 does not follow a coroutine there.
  const auto began = ProbeClock::now();  // NOLINT(clang-analyzer-deadcode.DeadStores)
  std::string why;
  try {
    co_return co_await probe_of_kind(tools, advisor, target, log);
  } catch (const std::exception& error) {  // out of memory, or the coroutine is cancelled
    why = error.what();
  }
  co_return make_result(CheckCode::kSocketError, began, why);
}

}  // namespace xdplb
