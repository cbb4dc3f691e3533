// SPDX-License-Identifier: GPL-2.0-only
// What was measured, as a table for people or as JSON.
#pragma once

#include "flood.h"
#include "programs.h"

#include <nlohmann/json.hpp>

#include <optional>
#include <string>
#include <vector>

namespace xdplb::bench {

// A program against what it is measured by, in the same run.
struct CostResult {
  std::string name;
  std::string against;  // in words, for the table
  std::uint32_t flows = 1;
  double ns = 0;        // medians
  double floor_ns = 0;  // of what it is measured by
  double ratio = 0;     // median of the ratios of adjacent slices, not the ratio of the medians
  std::optional<double> bound;
};

// Packets that came back over veth against those a bare reflector sent back.
struct RateResult {
  std::string name;
  std::uint32_t flows = 1;
  double mpps = 0;
  double reflector_mpps = 0;
  double ratio = 0;
  std::optional<double> bound;  // the least ratio
};

// The real program against a rival that does the same work on the same line, in adjacent slices.
struct RivalResult {
  std::string name;  // of the program
  std::string rival;
  std::string load;
  std::uint32_t flows = 1;
  double mpps = 0;  // medians
  double rival_mpps = 0;
  double reflector_mpps = 0;
  double ratio = 0;  // median of program / rival
  // Time of a packet above that of the reflector's, in packets of the reflector's; medians: without what the line
  // costs.
  double cost = 0;
  double rival_cost = 0;
  std::optional<double> bound;  // the least ratio
};

struct Skipped {
  std::string name;
  std::string reason;
};

struct Report {
  std::optional<ProgramSize> program;
  std::optional<MemoryUse> memory;
  std::vector<CostResult> costs;
  std::vector<RateResult> rates;
  std::vector<RivalResult> rivals;
  std::vector<FloodResult> floods;
  std::vector<Skipped> skipped;
};

// The median; `values` must not be empty.
double median_of(std::vector<double> values);

std::string to_table(const Report& report);

// [{"name", "flows", "ns", "floor_ns", "ratio"}..., {"name", "flows", "mpps", "reflector_mpps", "ratio"}...,
// {"name", "rival", "load", "flows", "mpps", "rival_mpps", "reflector_mpps", "ratio", "cost", "rival_cost"}...,
// {"name": "flood", "design", "broken", ...}..., {"name": "program", ...}, {"name": "memory", ...}]. What was skipped
// is not in it.
nlohmann::ordered_json to_json(const Report& report);

}  // namespace xdplb::bench
