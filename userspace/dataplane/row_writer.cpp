// SPDX-License-Identifier: GPL-2.0-only
#include "dataplane/row_writer.h"

namespace xdplb {
namespace {

// By index: servers of a port that frames of the family can be sent to.
std::vector<bool> serving(const PlannedPort& port, Family family) {
  std::vector<bool> serves(XDPLB_MAX_SERVERS, false);
  for (const auto& server : port.servers)
    if (server.is_in(family)) serves[server.index] = true;
  return serves;
}

const PlannedRows* rows_before(const PlannedPort* before, const PlannedPort& after, Family family) {
  if (before == nullptr || !before->rows_of(family) || !has_same_rows(*before, after, family)) return nullptr;
  return &*before->rows_of(family);
}

}  // namespace

RowState decode_row(std::uint32_t word) {
  return {.base = static_cast<std::uint16_t>(word >> XDPLB_ROW_BASE_SHIFT & XDPLB_ROW_SERVER_MASK),
          .cur = static_cast<std::uint16_t>(word & XDPLB_ROW_SERVER_MASK),
          .lookup = (word & XDPLB_ROW_LOOKUP) != 0};
}

std::uint32_t encode_row(const RowState& row) {
  return static_cast<std::uint32_t>(row.base) << XDPLB_ROW_BASE_SHIFT | row.cur | (row.lookup ? XDPLB_ROW_LOOKUP : 0U);
}

bool has_same_rows(const PlannedPort& before, const PlannedPort& after, Family family) {
  return before.seeds == after.seeds && before.shape_of(family) == after.shape_of(family);
}

void RowWriter::put(std::uint32_t row, const RowState& state) {
  const auto word = encode_row(state);
  if (tables_->row(row) == word) return;
  tables_->store_row(row, word);
  if (!state.is_settled()) changed_.push_back(row);
}

void RowWriter::store(const PlannedPort* before, const PlannedPort& after, Family family, std::uint32_t now) {
  const auto& rows = after.rows_of(family);
  if (!rows) return;
  const auto* old = rows_before(before, after, family);
  const bool has_moved = old != nullptr && old->first_row != rows->first_row;
  const auto serves = serving(after, family);
  const bool keeps_flows = after.keeps_flows();
  bool is_settled = true;
  for (std::uint32_t i = 0; i < rows->count(); ++i) {
    const auto cur = rows->table.owners[i];
    RowState next{.base = cur, .cur = cur};
    if (old != nullptr) {
      const auto state = decode_row(tables_->row(old->first_row + (i & (old->count() - 1))));
      next = retarget(state, cur, serves[state.base], keeps_flows);
      // First the touch, then the word: a row is never seen changing with the touch of an earlier change. Rows that
      // move begin their silence anew: a touch of the old slice may come until packets read the new one.
      if (next.base != next.cur && (has_moved || state.base == state.cur))
        tables_->store_touch(rows->first_row + i, now);
    }
    put(rows->first_row + i, next);
    is_settled = is_settled && next.is_settled();
  }
  if (!is_settled) unsettled_.insert(rows->first_row);
}

void RowWriter::announce(const PlannedPort& before, const PlannedPort& after, Family family) {
  const auto& rows = after.rows_of(family);
  const auto* old = rows_before(&before, after, family);
  if (old == nullptr || old->first_row != rows->first_row) return;
  for (std::uint32_t i = 0; i < rows->count(); ++i) {
    auto state = decode_row(tables_->row(rows->first_row + i));
    if (state.cur == rows->table.owners[i] || state.lookup) continue;
    state.lookup = true;
    put(rows->first_row + i, state);
  }
  unsettled_.insert(rows->first_row);
}

void RowWriter::look_everywhere(const PlannedRows& rows) {
  for (std::uint32_t i = 0; i < rows.count(); ++i) {
    auto state = decode_row(tables_->row(rows.first_row + i));
    state.lookup = true;
    put(rows.first_row + i, state);
  }
  unsettled_.insert(rows.first_row);
}

}  // namespace xdplb
