// SPDX-License-Identifier: GPL-2.0-only
// What the data plane has a fixed number of: server indexes and slices of rows. Plain values, copied with a plan.
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <optional>
#include <set>

namespace xdplb {

// Indexes 1..limit-1: of (port, server) pairs, of option records. The one that was given back first is taken first, so
// that an index rests as long as possible before somebody else gets it.
class IndexPool {
 public:
  // limit  exclusive, at most 65536
  // used   indexes that are taken from the start
  explicit IndexPool(std::uint32_t limit, const std::set<std::uint16_t>& used = {});

  // nullopt when none is left.
  std::optional<std::uint16_t> take();
  void give_back(std::uint16_t index) { free_.push_back(index); }
  std::size_t free_count() const { return free_.size(); }

 private:
  std::deque<std::uint16_t> free_;
};

// Slices of the `rows` map: powers of two from kMinRows to kMaxRows, aligned to their size (a buddy allocator). The
// first kMinRows rows are never given out: row 0 belongs to nobody.
class RowPool {
 public:
  // limit  rows of the map, a multiple of kMaxRows
  explicit RowPool(std::uint32_t limit);

  // First row of a free slice of `count` rows (a power of two in range), nullopt when none is left.
  std::optional<std::uint32_t> take(std::uint32_t count);
  // Takes this very slice; false when any of it is in use, or it is misaligned or out of range.
  bool claim(std::uint32_t first, std::uint32_t count);
  void give_back(std::uint32_t first, std::uint32_t count);
  std::uint64_t free_count() const;  // rows

 private:
  static constexpr unsigned kMinOrder = 10;
  static constexpr unsigned kMaxOrder = 16;
  std::set<std::uint32_t>& free_of(unsigned order) { return free_[order - kMinOrder]; }

  std::array<std::set<std::uint32_t>, kMaxOrder - kMinOrder + 1> free_;
};

}  // namespace xdplb
