// SPDX-License-Identifier: GPL-2.0-only
// The rows of one port: which server owns which slot. First fill by weighted Maglev, then minimal-move repair. Pure.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace xdplb {

inline constexpr std::uint32_t kMinRows = 1024;
inline constexpr std::uint32_t kMaxRows = 65536;
inline constexpr std::uint32_t kRowsPerServer = 128;

// Names feed the hash, so that two dispatchers with equal configuration agree.
struct RowServer {
  std::string name;         // unique in `servers`; not empty
  std::uint16_t index = 0;  // 1..32767: the value written into the rows
  unsigned weight = 0;      // 0 gets no rows
};

// Whose name stands behind a server index of a RowTable.
struct RowName {
  std::uint16_t index = 0;
  std::uint64_t name = 0;  // name_hash
  bool operator==(const RowName&) const = default;
};

// Rows of one port and family. Sizes are powers of two.
//
// A row remembers two servers that left while they owned it, the first (its home) and the last: so the one that left
// last always gets exactly its rows back, and all get theirs back when several return, whatever the order in most
// cases.
struct RowTable {
  std::vector<std::uint16_t> owners;  // one server index per row; 0 = nobody
  std::vector<std::uint64_t> homes;   // per row: name_hash of the server that gave the row up when it left, 0 = none
  // Per row: name_hash of the last server that left after the one in `homes`, 0 = none. Empty when no row has one.
  std::vector<std::uint64_t> last_homes = {};
  // Of every server in `owners`, by index: tells repair_rows who left when a server is absent and whether an index has
  // passed to another name. May be empty (rows adopted from the kernel): then an index belongs to the server that has
  // it now.
  std::vector<RowName> names = {};
  bool operator==(const RowTable&) const = default;
};

// Smallest power of two >= kRowsPerServer x servers, within kMinRows..kMaxRows.
std::uint32_t rows_for(std::size_t server_count);

// Keyed by nothing but the text: equal on every machine and build. Never 0.
std::uint64_t name_hash(std::string_view name);

// How many of `row_count` rows each server gets: proportional to weight, largest remainder, ties to the name that sorts
// first. Same order as `servers`; sums to row_count unless all weights are 0 (then all zero).
std::vector<std::uint32_t> row_quotas(std::span<const RowServer> servers, std::uint32_t row_count);

// First fill: each server claims rows in the order of its own permutation (offset, odd skip from its name) in turns
// weighted by quota until every quota is met exactly. Independent of the order of `servers`.
RowTable fill_rows(std::span<const RowServer> servers, std::uint32_t row_count);

// Next table after a change of servers or weights: moves exactly the rows that must move (sum over servers of
// max(0, old rows - new quota), rows of absent servers included), never more. A row given up goes back to its home
// server when that one returns, else prefers its owner in fill_rows' table, else a deterministic pseudo-random choice,
// so equal histories give equal tables and a server that is removed and comes back with its weight gets its own rows
// again.
//
// before     the present table; an empty one gives fill_rows
// servers    any order; a name keeps its index as long as it is in the table
// row_count  >= before.owners.size(); a larger one duplicates the table first (row r+n starts as row r), which moves no
// flow because
//            the client hash is masked; a smaller one is ignored: the table keeps its size
// Servers all of weight 0 or none at all: every owner becomes 0 and homes are kept.
RowTable repair_rows(const RowTable& before, std::span<const RowServer> servers, std::uint32_t row_count);

}  // namespace xdplb
