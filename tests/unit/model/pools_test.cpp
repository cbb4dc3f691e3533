// SPDX-License-Identifier: GPL-2.0-only
#include "model/pools.h"

#include "model/rows.h"

#include <gtest/gtest.h>

#include <map>
#include <random>

namespace xdplb {
namespace {

TEST(IndexPool, GivesEveryIndexButZeroOnce) {
  IndexPool pool(5);
  std::set<std::uint16_t> taken;
  while (const auto index = pool.take()) EXPECT_TRUE(taken.insert(*index).second);
  EXPECT_EQ(taken, (std::set<std::uint16_t>{1, 2, 3, 4}));
}

TEST(IndexPool, ReusesWhatRestedLongest) {
  IndexPool pool(4);
  const auto first = pool.take().value();
  const auto second = pool.take().value();
  pool.give_back(second);
  pool.give_back(first);
  EXPECT_EQ(pool.take(), 3);
  EXPECT_EQ(pool.take(), second);
  EXPECT_EQ(pool.take(), first);
}

TEST(IndexPool, LeavesOutWhatIsUsedFromTheStart) {
  IndexPool pool(4, {2});
  EXPECT_EQ(pool.take(), 1);
  EXPECT_EQ(pool.take(), 3);
  EXPECT_EQ(pool.take(), std::nullopt);
}

TEST(RowPool, NeverGivesRowZero) {
  RowPool pool(kMaxRows);
  std::uint64_t rows = 0;
  while (const auto first = pool.take(kMinRows)) {
    EXPECT_GE(*first, kMinRows);
    rows += kMinRows;
  }
  EXPECT_EQ(rows, kMaxRows - kMinRows);
}

TEST(RowPool, RefusesSlicesThatAreMisalignedTakenOrOutside) {
  RowPool pool(2 * kMaxRows);
  EXPECT_FALSE(pool.claim(kMinRows, 2 * kMinRows));
  EXPECT_FALSE(pool.claim(0, kMinRows));
  EXPECT_FALSE(pool.claim(2 * kMaxRows, kMinRows));
  EXPECT_FALSE(pool.claim(kMaxRows, 3 * kMinRows));
  EXPECT_TRUE(pool.claim(kMaxRows, kMaxRows));
  EXPECT_FALSE(pool.claim(kMaxRows, kMinRows));
}

TEST(RowPool, JoinsWhatIsGivenBack) {
  RowPool pool(2 * kMaxRows);
  const auto before = pool.free_count();
  std::vector<std::uint32_t> slices;
  while (const auto first = pool.take(kMinRows)) slices.push_back(*first);
  EXPECT_EQ(pool.take(kMaxRows), std::nullopt);
  for (const auto first : slices) pool.give_back(first, kMinRows);
  EXPECT_EQ(pool.free_count(), before);
  EXPECT_EQ(pool.take(kMaxRows), kMaxRows);
}

TEST(RowPool, SlicesNeverOverlapInAnyOrderOfTakingAndGivingBack) {
  std::mt19937 random(7);
  RowPool pool(8 * kMaxRows);
  const auto whole = pool.free_count();
  std::map<std::uint32_t, std::uint32_t> held;
  for (int step = 0; step < 5000; ++step) {
    if (random() % 3 != 0) {
      const std::uint32_t count = kMinRows << (random() % 7);
      const auto first = pool.take(count);
      if (!first) continue;
      ASSERT_EQ(*first % count, 0U);
      const auto next = held.lower_bound(*first);
      ASSERT_TRUE(next == held.end() || *first + count <= next->first);
      ASSERT_TRUE(next == held.begin() || std::prev(next)->first + std::prev(next)->second <= *first);
      held.emplace(*first, count);
    } else if (!held.empty()) {
      const auto one = std::next(held.begin(), static_cast<long>(random() % held.size()));
      pool.give_back(one->first, one->second);
      held.erase(one);
    }
  }
  for (const auto& [first, count] : held) pool.give_back(first, count);
  EXPECT_EQ(pool.free_count(), whole);
}

}  // namespace
}  // namespace xdplb
