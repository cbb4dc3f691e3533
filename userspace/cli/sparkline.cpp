// SPDX-License-Identifier: GPL-2.0-only
#include "cli/sparkline.h"

#include "cli/table.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

namespace xdplb {
namespace {

constexpr std::array<std::string_view, 8> kBlocks = {"\u2581", "\u2582", "\u2583", "\u2584",
                                                     "\u2585", "\u2586", "\u2587", "\u2588"};
constexpr std::array<std::string_view, 8> kPlain = {"_", ".", ":", "-", "=", "+", "*", "#"};

// Of the successes, in order of size.
std::vector<std::uint64_t> sorted_latencies(const std::vector<Sample>& samples) {
  std::vector<std::uint64_t> latencies;
  for (const Sample& sample : samples) {
    if (!sample.is_failure) latencies.push_back(sample.latency_us);
  }
  std::sort(latencies.begin(), latencies.end());
  return latencies;
}

}  // namespace

std::string sparkline(const std::vector<Sample>& samples, bool has_utf8, bool has_colour) {
  const auto latencies = sorted_latencies(samples);
  const auto& bars = has_utf8 ? kBlocks : kPlain;
  const auto positive = [](std::uint64_t latency) { return static_cast<double>(std::max<std::uint64_t>(latency, 1)); };
  const double least = latencies.empty() ? 1 : positive(latencies.front());
  const double span = latencies.empty() ? kMinSpan : std::max(positive(latencies.back()) / least, kMinSpan);
  std::string line;
  for (const Sample& sample : samples) {
    if (sample.is_failure) {
      line += paint("x", Colour::kRed, has_colour);
      continue;
    }
    const double height = std::log(positive(sample.latency_us) / least) / std::log(span);
    const auto step = static_cast<std::size_t>(height * static_cast<double>(bars.size()));
    line += bars[std::min(step, bars.size() - 1)];
  }
  return line;
}

std::string latency_summary(const std::vector<Sample>& samples) {
  const auto latencies = sorted_latencies(samples);
  const std::size_t failures = samples.size() - latencies.size();
  std::string text;
  if (!latencies.empty()) {
    text = fmt::format("min {}, median {}, max {}", latency_text(latencies.front()),
                       latency_text(latencies[(latencies.size() - 1) / 2]), latency_text(latencies.back()));
  }
  if (failures == 0) return text;
  return fmt::format("{}{}{} of {} failed", text, text.empty() ? "" : ", ", failures, samples.size());
}

std::string latency_text(std::uint64_t microseconds) {
  const auto milliseconds = static_cast<double>(microseconds) / 1000;
  // The next form begins where this one would be as long.
  if (microseconds < 9'995) return fmt::format("{:.2f} ms", milliseconds);
  if (microseconds < 99'950) return fmt::format("{:.1f} ms", milliseconds);
  return fmt::format("{:.0f} ms", milliseconds);
}

}  // namespace xdplb
