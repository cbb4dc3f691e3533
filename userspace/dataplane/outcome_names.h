// SPDX-License-Identifier: GPL-2.0-only
// The outcomes of include/xdplb/outcomes.h as text.
#pragma once

#include "xdplb/outcomes.h"

#include <array>
#include <string_view>

namespace xdplb {

struct OutcomeName {
  xdplb_outcome outcome;
  std::string_view name;
  std::string_view verdict;  // "tx", "redirect", "pass" or "drop"
  std::string_view meaning;
};

// In the order of the list, without XDPLB_CONTINUE.
const std::array<OutcomeName, XDPLB_OUTCOME_COUNT - 1>& outcome_names();

inline const OutcomeName& name_of(xdplb_outcome outcome) { return outcome_names()[outcome - 1]; }

}  // namespace xdplb
