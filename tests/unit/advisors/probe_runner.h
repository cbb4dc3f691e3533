// SPDX-License-Identifier: GPL-2.0-only
// Runs one probe to its end, as `advisor run` does.
#pragma once

#include "advisors/probe.h"
#include "advisors/probe_tools.h"

#include <gtest/gtest.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <chrono>
#include <exception>
#include <ostream>
#include <string>

namespace xdplb {

inline void PrintTo(const CheckResult& result, std::ostream* out) {
  *out << check_code_name(result.code) << " \"" << result.text << "\" in " << result.latency.count() << " us";
}

inline CheckResult run_probe(const AdvisorConfig& advisor, const ProbeTarget& target, ProbeLog* log = nullptr) {
  boost::asio::io_context io;
  ProbeTools tools(io);
  CheckResult found;
  bool is_done = false;
  boost::asio::co_spawn(io, probe(tools, advisor, target, log), [&](std::exception_ptr thrown, CheckResult result) {
    EXPECT_EQ(thrown, nullptr);
    found = std::move(result);
    is_done = true;
  });
  io.run_for(std::chrono::seconds(20));
  EXPECT_TRUE(is_done);
  return found;
}

// The steps in one text, with "; " between them.
inline std::string joined(const ProbeLog& log) {
  std::string all;
  for (const ProbeStep& step : log) all += (all.empty() ? "" : "; ") + step.text;
  return all;
}

}  // namespace xdplb
