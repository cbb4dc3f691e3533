// SPDX-License-Identifier: GPL-2.0-only
// When a flow that is written down may be forgotten. Pure. Ticks are those of the program's stamps, about a second.
#pragma once

#include <cstdint>

namespace xdplb {

inline constexpr std::uint32_t kHalfOpenTicks = 10;  // nothing but SYN came: entries of a SYN flood leave soon
inline constexpr std::uint32_t kClosingTicks = 60;   // FIN or RST came last; the maximum segment lifetime, twice

inline constexpr std::uint32_t kQuietTicks = 3;  // after FIN or RST: a server is not waited for because of it

enum class FlowPhase : std::uint8_t { kOpen, kHalfOpen, kClosing };

// Limits of one port's entries.
struct FlowLimits {
  std::uint32_t stale_ticks = 0;   // of a connection
  std::uint32_t sticky_ticks = 0;  // of a client's affinity; 0: none
};

// Ticks since a stamp. A stamp ahead of `now` (a packet came after the clock was read) is of now: ages are never taken
// for more than they are.
std::uint32_t age_of(std::uint32_t now, std::uint32_t stamp);

// As age_of for the low half of a stamp, which is all that a row's touch keeps: right for ages up to kMaxTouchAge, less
// than the truth beyond.
inline constexpr std::uint32_t kMaxTouchAge = 0xffbf;
std::uint32_t touch_age(std::uint32_t now, std::uint16_t touch);

// An entry that was silent for `idle` ticks is to be given up.
bool is_expired(FlowPhase phase, std::uint32_t idle, const FlowLimits& limits);
bool is_client_expired(std::uint32_t idle, const FlowLimits& limits);

}  // namespace xdplb
