// SPDX-License-Identifier: GPL-2.0-only
#include "model/pools.h"

#include "model/rows.h"

#include <algorithm>
#include <bit>

namespace xdplb {

IndexPool::IndexPool(std::uint32_t limit, const std::set<std::uint16_t>& used) {
  for (std::uint32_t index = 1; index < limit; ++index)
    if (!used.contains(static_cast<std::uint16_t>(index))) free_.push_back(static_cast<std::uint16_t>(index));
}

std::optional<std::uint16_t> IndexPool::take() {
  if (free_.empty()) return std::nullopt;
  const auto index = free_.front();
  free_.pop_front();
  return index;
}

RowPool::RowPool(std::uint32_t limit) {
  for (std::uint32_t first = 0; first + kMaxRows <= limit; first += kMaxRows) free_of(kMaxOrder).insert(first);
  claim(0, kMinRows);
}

std::optional<std::uint32_t> RowPool::take(std::uint32_t count) {
  const auto order = static_cast<unsigned>(std::countr_zero(count));
  unsigned from = order;
  while (from <= kMaxOrder && free_of(from).empty()) ++from;
  if (from > kMaxOrder) return std::nullopt;
  const std::uint32_t first = *free_of(from).begin();
  claim(first, count);
  return first;
}

bool RowPool::claim(std::uint32_t first, std::uint32_t count) {
  if (!std::has_single_bit(count) || count < kMinRows || count > kMaxRows || first % count != 0) return false;
  const auto order = static_cast<unsigned>(std::countr_zero(count));
  for (unsigned from = order; from <= kMaxOrder; ++from) {
    std::uint32_t start = first & ~((1U << from) - 1);
    const auto found = free_of(from).find(start);
    if (found == free_of(from).end()) continue;
    free_of(from).erase(found);
    // Split down to the slice wanted; the other halves stay free.
    for (unsigned half = from; half > order; --half) {
      const std::uint32_t middle = start + (1U << (half - 1));
      const bool in_upper = first >= middle;
      free_of(half - 1).insert(in_upper ? start : middle);
      if (in_upper) start = middle;
    }
    return true;
  }
  return false;
}

void RowPool::give_back(std::uint32_t first, std::uint32_t count) {
  auto order = static_cast<unsigned>(std::countr_zero(count));
  while (order < kMaxOrder && free_of(order).erase(first ^ (1U << order)) == 1) {
    first &= ~(1U << order);
    ++order;
  }
  free_of(order).insert(first);
}

std::uint64_t RowPool::free_count() const {
  std::uint64_t rows = 0;
  for (unsigned order = kMinOrder; order <= kMaxOrder; ++order)
    rows += static_cast<std::uint64_t>(free_[order - kMinOrder].size()) << order;
  return rows;
}

}  // namespace xdplb
