// SPDX-License-Identifier: GPL-2.0-only
// How the owners of a row change without moving a flow: a pure state machine, one row at a time.
//
// Invariant: for each live flow of a row, either it is written down with its server, or that server is the row's base.
#pragma once

#include <cstdint>
#include <optional>

namespace xdplb {

struct RowState {
  std::uint16_t base = 0;  // server of flows that are not written down; 0: nobody
  std::uint16_t cur = 0;   // server of new flows
  bool lookup = false;     // flows of this row may be written down with another server than base
  bool operator==(const RowState&) const = default;

  // Packets need no look at the flows that are written down.
  bool is_settled() const { return base == cur && !lookup; }
};

// The row after its new flows are given to `cur`. Its base stays, however often cur changes, as long as it serves:
// earlier owners live on in the flows written down. A base that does not is replaced at once.
//
// base_serves  base still is a server that frames can be sent to
// keeps_flows  false: nobody's flows are protected (UDP without tracking), so base follows cur at once
RowState retarget(const RowState& before, std::uint16_t cur, bool base_serves, bool keeps_flows = true);

// What a sweep has seen of one row. Ticks are those of the program's stamps, about a second.
struct RowFacts {
  std::uint32_t idle_ticks = 0;      // since the last packet that base got as base of a changing row
  std::uint32_t foreign_flows = 0;   // entries of this row whose server is not its base
  std::uint32_t promoted_ticks = 0;  // since its base changed last, as far as known
  bool is_forced = false;            // the operator's deadline has passed: base goes now
};

// Time a program under way on another CPU may go on with the row word it has read.
inline constexpr std::uint32_t kStragglerTicks = 2;

// The next state of a row that is not settled, nullopt when it stays as it is: base is replaced by cur when it has been
// silent for longer than stale_ticks (promotion), and lookup ends when no foreign flow is left and stragglers have come
// home.
std::optional<RowState> sweep_row(const RowState& row, const RowFacts& facts, std::uint32_t stale_ticks);

}  // namespace xdplb
