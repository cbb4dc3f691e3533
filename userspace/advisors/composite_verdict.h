// SPDX-License-Identifier: GPL-2.0-only
// What the results of several checks make together. Pure.
#pragma once

#include "model/advisor_config.h"
#include "model/check_result.h"

#include <string>
#include <vector>

namespace xdplb {

struct CompositePart {
  std::string name{};  // "http 8080"
  CheckResult result{};
};

// The code is the decisive part's, which the text names: of a success the first that asks for a drain, else the first
// that succeeded; of a failure the first that failed. kSocketError when parts that could not be asked would decide. The
// latency is the longest; of the agents' words the most severe hold, of loads the highest, of certificates the one that
// ends first.
//
// parts     1..kMaxChecks, in the order of the configuration
// at_least  for Combine::kAtLeast
CheckResult combine_results(const std::vector<CompositePart>& parts, Combine combine, unsigned at_least);

}  // namespace xdplb
