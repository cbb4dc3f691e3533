// SPDX-License-Identifier: GPL-2.0-only
#include "control/request.h"

#include <fmt/format.h>

#include <array>

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

}  // namespace xdplb
