// SPDX-License-Identifier: GPL-2.0-only
#include "advisors/lateness.h"

#include <algorithm>

namespace xdplb {
namespace {

std::int64_t second_of(LatenessMeter::Clock::time_point time) {
  return std::chrono::duration_cast<std::chrono::seconds>(time.time_since_epoch()).count();
}

}  // namespace

void LatenessMeter::add(Clock::time_point now, Clock::duration late, Clock::duration interval) {
  ++probes_;
  const std::int64_t number = second_of(now);
  Second& second = seconds_[static_cast<std::size_t>(number) % kSeconds];
  if (second.number != number) second = {.number = number};
  second.worst = std::max(second.worst, late);
  const double part = static_cast<double>(late.count()) / static_cast<double>(interval.count());
  second.worst_of_interval = std::max(second.worst_of_interval, part);
}

Lateness LatenessMeter::read(Clock::time_point now) const {
  Lateness lateness{.probes = probes_};
  const std::int64_t oldest = second_of(now) - static_cast<std::int64_t>(kSeconds) + 1;
  for (const Second& second : seconds_) {
    if (second.number < oldest) continue;
    lateness.worst = std::max(lateness.worst, std::chrono::duration_cast<std::chrono::microseconds>(second.worst));
    lateness.worst_of_interval = std::max(lateness.worst_of_interval, second.worst_of_interval);
  }
  return lateness;
}

}  // namespace xdplb
