// SPDX-License-Identifier: GPL-2.0-only
// Nanoseconds a packet, by BPF_PROG_RUN.
#pragma once

#include "base/result.h"
#include "report.h"

#include <functional>
#include <string_view>
#include <vector>

namespace xdplb::bench {

struct CostEffort {
  int loads = 5;  // where the JIT puts a short program changes its time by 10 %; long ones have a third
  int pairs = 3;  // of adjacent slices, per load
  std::uint32_t repeat = 200'000;  // runs per slice
};

// Whether the measurement of this name was asked for.
using Wanted = std::function<bool(std::string_view)>;

// Measures every wanted comparison. Slices of the program and of what it is measured by alternate.
Result<std::vector<CostResult>> measure_costs(const CostEffort& effort, const Wanted& wanted);

}  // namespace xdplb::bench
