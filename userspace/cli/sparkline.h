// SPDX-License-Identifier: GPL-2.0-only
// Latencies as a line of little bars.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace xdplb {

struct Sample {
  std::uint64_t latency_us = 0;
  bool is_failure = false;
};

// A character a sample, failures as 'x', red where there is colour. Heights are logarithms, from the least latency of a
// success to the largest, but to kMinSpan times the least at any rate: noise stays flat. Without UTF-8: "_.:-=+*#".
inline constexpr double kMinSpan = 8;
std::string sparkline(const std::vector<Sample>& samples, bool has_utf8, bool has_colour);

// "min 0.71 ms, median 0.81 ms, max 12.3 ms, 1 of 64 failed"; latencies are those of the successes.
std::string latency_summary(const std::vector<Sample>& samples);

// "0.81 ms", "12.3 ms", "2000 ms".
std::string latency_text(std::uint64_t microseconds);

}  // namespace xdplb
