// SPDX-License-Identifier: GPL-2.0-only
// RowWriter: the rows of a plan -> row words that move no flow (model/row_state.h).
#pragma once

#include "dataplane/kernel_tables.h"
#include "model/plan.h"
#include "model/row_state.h"

#include <cstdint>
#include <set>
#include <utility>
#include <vector>

namespace xdplb {

RowState decode_row(std::uint32_t word);
std::uint32_t encode_row(const RowState& row);

// Both plans send a client to the same row, modulo the number of rows: words may be taken over.
bool has_same_rows(const PlannedPort& before, const PlannedPort& after, Family family);

class RowWriter {
 public:
  // The tables must outlive the writer.
  explicit RowWriter(const KernelTables& tables) : tables_(&tables) {}

  // Gives the rows to the servers of `after`.
  //
  // before  whose words are in the map; nullptr: what is there means nothing
  // now     stamp
  void store(const PlannedPort* before, const PlannedPort& after, Family family, std::uint32_t now);

  // Ports that share affinity change one after the other. Rows that store() will let change are looked up first: an
  // entry of a client that one port has written is obeyed by the others at once.
  void announce(const PlannedPort& before, const PlannedPort& after, Family family);

  // Lets packets look for entries on every row: for a port that was tracked and is not any more.
  void look_everywhere(const PlannedRows& rows);

  // What was stored since the last call: first rows of slices with unsettled rows, and rows that changed and are not
  // settled.
  std::set<std::uint32_t> take_unsettled() { return std::exchange(unsettled_, {}); }
  std::vector<std::uint32_t> take_changed() { return std::exchange(changed_, {}); }

 private:
  void put(std::uint32_t row, const RowState& state);

  const KernelTables* tables_;
  std::set<std::uint32_t> unsettled_;
  std::vector<std::uint32_t> changed_;
};

}  // namespace xdplb
