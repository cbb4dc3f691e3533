// SPDX-License-Identifier: GPL-2.0-only
#include "model/flow_age.h"

#include <limits>

namespace xdplb {

std::uint32_t age_of(std::uint32_t now, std::uint32_t stamp) {
  const std::uint32_t age = now - stamp;
  // The clock wraps after 136 years: what seems older than half of that is ahead.
  return age > std::numeric_limits<std::uint32_t>::max() / 2 ? 0 : age;
}

std::uint32_t touch_age(std::uint32_t now, std::uint16_t touch) {
  const std::uint32_t age = static_cast<std::uint16_t>(now - touch);
  return age > kMaxTouchAge ? 0 : age;
}

bool is_expired(FlowPhase phase, std::uint32_t idle, const FlowLimits& limits) {
  switch (phase) {
    case FlowPhase::kHalfOpen:
      return idle > kHalfOpenTicks;
    case FlowPhase::kClosing:
      return idle > kClosingTicks;
    case FlowPhase::kOpen:
      break;
  }
  return idle > limits.stale_ticks;
}

bool is_client_expired(std::uint32_t idle, const FlowLimits& limits) { return idle > limits.sticky_ticks; }

}  // namespace xdplb
