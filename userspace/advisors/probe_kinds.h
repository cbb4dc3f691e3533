// SPDX-License-Identifier: GPL-2.0-only
// The kinds of probes behind probe(). Each holds the time limits of its advisor and never throws but for lack of
// memory.
#pragma once

#include "advisors/probe.h"

#include <boost/asio/awaitable.hpp>

#include <chrono>
#include <string>

namespace xdplb {

using ProbeClock = std::chrono::steady_clock;

// Adds a step at its time since `began`, cleaned. Nothing when `log` is nullptr.
void add_step(ProbeLog* log, ProbeClock::time_point began, const std::string& text);
// A result of a probe that began at `began` and is known now. The text is cleaned.
CheckResult make_result(CheckCode code, ProbeClock::time_point began, const std::string& text = {});

boost::asio::awaitable<CheckResult> probe_connect(ProbeTools& tools, const AdvisorConfig& advisor,
                                                  const ProbeTarget& target, ProbeLog* log);
// kTcp and the presets.
boost::asio::awaitable<CheckResult> probe_tcp_steps(ProbeTools& tools, const AdvisorConfig& advisor,
                                                    const ProbeTarget& target, ProbeLog* log);
// kHttp and kHttps.
boost::asio::awaitable<CheckResult> probe_http(ProbeTools& tools, const AdvisorConfig& advisor,
                                               const ProbeTarget& target, ProbeLog* log);
boost::asio::awaitable<CheckResult> probe_dns(ProbeTools& tools, const AdvisorConfig& advisor,
                                              const ProbeTarget& target, ProbeLog* log);
boost::asio::awaitable<CheckResult> probe_udp(ProbeTools& tools, const AdvisorConfig& advisor,
                                              const ProbeTarget& target, ProbeLog* log);
boost::asio::awaitable<CheckResult> probe_ping(ProbeTools& tools, const AdvisorConfig& advisor,
                                               const ProbeTarget& target, ProbeLog* log);
boost::asio::awaitable<CheckResult> probe_agent(ProbeTools& tools, const AdvisorConfig& advisor,
                                                const ProbeTarget& target, ProbeLog* log);
boost::asio::awaitable<CheckResult> probe_exec(ProbeTools& tools, const AdvisorConfig& advisor,
                                               const ProbeTarget& target, ProbeLog* log);
boost::asio::awaitable<CheckResult> probe_composite(ProbeTools& tools, const AdvisorConfig& advisor,
                                                    const ProbeTarget& target, ProbeLog* log);

}  // namespace xdplb
