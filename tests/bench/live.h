// SPDX-License-Identifier: GPL-2.0-only
// Packets per second over a veth pair whose far end carries the program under test in native mode.
#pragma once

#include "base/result.h"
#include "cost.h"
#include "report.h"

#include <cstdint>
#include <vector>

namespace xdplb::bench {

struct LiveEffort {
  int pairs = 9;                     // of adjacent slices
  std::uint32_t packets = 1U << 19;  // sent per slice; the set-up of a slice costs milliseconds
};

// Measures every wanted line against a bare reflector in the caller's network namespace, which must be its own: the
// veth pair and the rules of the competitors stay in it. A competitor that this kernel does not have goes to `skipped`.
Result<std::vector<RateResult>> measure_rates(const LiveEffort& effort, const Wanted& wanted,
                                              std::vector<Skipped>& skipped);

}  // namespace xdplb::bench
