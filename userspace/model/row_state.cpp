// SPDX-License-Identifier: GPL-2.0-only
#include "model/row_state.h"

namespace xdplb {

RowState retarget(const RowState& before, std::uint16_t cur, bool base_serves, bool keeps_flows) {
  RowState after = before;
  after.cur = cur;
  // Without a successor a base that serves stays: its flows are better off there than nowhere.
  if (before.base == 0 || !base_serves || !keeps_flows) after.base = cur;
  // A row that has left the settled state may have flows of an earlier cur; only a sweep can know that there are none.
  after.lookup = before.lookup || after.base != after.cur;
  if (!keeps_flows && !before.lookup) after.lookup = false;
  return after;
}

std::optional<RowState> sweep_row(const RowState& row, const RowFacts& facts, std::uint32_t stale_ticks) {
  if (row.is_settled()) return std::nullopt;
  if (row.base != row.cur) {
    // Nobody takes new flows: base keeps what it has.
    if (row.cur == 0 && !facts.is_forced) return std::nullopt;
    if (facts.idle_ticks <= stale_ticks && !facts.is_forced) return std::nullopt;
    return RowState{.base = row.cur, .cur = row.cur, .lookup = true};
  }
  if (facts.foreign_flows != 0 || facts.promoted_ticks < kStragglerTicks) return std::nullopt;
  return RowState{.base = row.base, .cur = row.cur, .lookup = false};
}

}  // namespace xdplb
