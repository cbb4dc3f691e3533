// SPDX-License-Identifier: GPL-2.0-only
// User exits: programs of the operator that run when something happens.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace xdplb {

enum class ExitEvent : std::uint8_t {
  kServerDown,
  kServerUp,
  kAllDown,
  kSomeUp,
  kVipaMoved,
  kHalfOpenHigh,
  kHalfOpenOk,
};
inline constexpr std::array kExitEvents = {ExitEvent::kServerDown, ExitEvent::kServerUp,  ExitEvent::kAllDown,
                                           ExitEvent::kSomeUp,     ExitEvent::kVipaMoved, ExitEvent::kHalfOpenHigh,
                                           ExitEvent::kHalfOpenOk};
std::string_view exit_event_name(ExitEvent event);  // "server_down", ...

struct ExitConfig {
  ExitEvent event = ExitEvent::kServerDown;
  std::vector<std::string> command{};  // argv; [0] is an absolute path; no shell
  std::string user = "nobody";
  unsigned timeout_s = 10;  // 1..300; then it is killed
  bool operator==(const ExitConfig&) const = default;
};

}  // namespace xdplb
