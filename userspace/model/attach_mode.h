// SPDX-License-Identifier: GPL-2.0-only
// How the program meets an interface.
#pragma once

#include <cstdint>
#include <string_view>

namespace xdplb {

enum class AttachMode : std::uint8_t {
  kAuto,     // native where the driver can, else generic
  kNative,   // in the driver
  kGeneric,  // in the stack, after the skb was made
};

constexpr std::string_view attach_mode_name(AttachMode mode) {
  if (mode == AttachMode::kAuto) return "auto";
  return mode == AttachMode::kNative ? "native" : "generic";
}

}  // namespace xdplb
