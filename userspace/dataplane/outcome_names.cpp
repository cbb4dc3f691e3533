// SPDX-License-Identifier: GPL-2.0-only
#include "dataplane/outcome_names.h"

namespace xdplb {
namespace {

constexpr std::string_view kTX = "tx";
constexpr std::string_view kREDIRECT = "redirect";
constexpr std::string_view kPASS = "pass";
constexpr std::string_view kDROP = "drop";

}  // namespace

const std::array<OutcomeName, XDPLB_OUTCOME_COUNT - 1>& outcome_names() {
#define XDPLB_OUTCOME_ROW(NAME, name, VERDICT, meaning) OutcomeName{XDPLB_OUTCOME_##NAME, #name, k##VERDICT, meaning},
  static constexpr std::array<OutcomeName, XDPLB_OUTCOME_COUNT - 1> kNames = {XDPLB_OUTCOMES(XDPLB_OUTCOME_ROW)};
#undef XDPLB_OUTCOME_ROW
  return kNames;
}

}  // namespace xdplb
