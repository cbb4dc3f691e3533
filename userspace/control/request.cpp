// SPDX-License-Identifier: GPL-2.0-only
#include "control/request.h"

#include <fmt/format.h>

#include <array>
#include <utility>

namespace xdplb {
namespace {

constexpr std::array<AttachMode, 3> kModes = {AttachMode::kAuto, AttachMode::kNative, AttachMode::kGeneric};

}  // namespace

Result<AttachMode> parse_attach_mode(std::string_view text) {
  for (const AttachMode mode : kModes) {
    if (text == attach_mode_name(mode)) return mode;
  }
  return fail(ErrorCode::kUsage, fmt::format("mode \"{}\": it is one of auto, native, generic", text));
}

HealthChanges SettingsSetRequest::health() const {
  return {.reach_targets = reach_targets,
          .needs_all_targets = needs_all_targets,
          .reach_interval_s = reach_interval_s,
          .reach_missed = reach_missed,
          .up_delay_s = up_delay_s,
          .down_delay_s = down_delay_s};
}

void SettingsSetRequest::set_health(HealthChanges changes) {
  reach_targets = std::move(changes.reach_targets);
  needs_all_targets = changes.needs_all_targets;
  reach_interval_s = changes.reach_interval_s;
  reach_missed = changes.reach_missed;
  up_delay_s = changes.up_delay_s;
  down_delay_s = changes.down_delay_s;
}

}  // namespace xdplb
