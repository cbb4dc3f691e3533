// SPDX-License-Identifier: GPL-2.0-only
#include "model/rows.h"

#include "row_counts.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <set>
#include <string>
#include <vector>

namespace xdplb {
namespace {

using ::testing::ElementsAre;

TEST(RowsFor, IsAPowerOfTwoWithinItsLimits) {
  EXPECT_EQ(rows_for(0), 1024U);
  EXPECT_EQ(rows_for(8), 1024U);
  EXPECT_EQ(rows_for(9), 2048U);
  EXPECT_EQ(rows_for(16), 2048U);
  EXPECT_EQ(rows_for(17), 4096U);
  EXPECT_EQ(rows_for(256), 32768U);
  EXPECT_EQ(rows_for(257), 65536U);
  EXPECT_EQ(rows_for(512), 65536U);
  EXPECT_EQ(rows_for(513), 65536U);
  EXPECT_EQ(rows_for(32767), 65536U);
}

TEST(RowsFor, KeepsWorstLoadWithinOnePercentOfFairShare) {
  for (unsigned count = 1; count <= 512; ++count) {
    const auto quotas = row_quotas(equal_servers(count), rows_for(count));
    const double fair = static_cast<double>(rows_for(count)) / count;
    EXPECT_LE(*std::max_element(quotas.begin(), quotas.end()), 1.01 * fair) << count;
  }
}

TEST(NameHash, IsTheSameOnEveryMachine) {
  EXPECT_EQ(name_hash("s1"), 5587161986507088899U);
  EXPECT_EQ(name_hash("2001:db8::21"), 15501686511645255238U);
}

TEST(NameHash, DiffersByName) {
  std::set<std::uint64_t> hashes{0};
  for (unsigned i = 0; i < 10000; ++i) EXPECT_TRUE(hashes.insert(name_hash(std::to_string(i))).second) << i;
}

TEST(RowQuotas, FollowWeights) {
  EXPECT_THAT(row_quotas(Servers{server(1, 10), server(2, 5), server(3, 1)}, 1024), ElementsAre(640, 320, 64));
  EXPECT_THAT(row_quotas(Servers{server(3, 1), server(1, 10), server(2, 5)}, 1024), ElementsAre(64, 640, 320));
}

TEST(RowQuotas, GiveTheRestToLargestRemainders) {
  // 1024 x 5/7 = 731.43 and 1024 x 1/7 = 146.29: one row is left and the largest remainder is the first's.
  EXPECT_THAT(row_quotas(Servers{server(1, 1), server(2, 1), server(3, 5)}, 1024), ElementsAre(146, 146, 732));
}

TEST(RowQuotas, BreakTiesByName) {
  EXPECT_THAT(row_quotas(Servers{server(3), server(2), server(1)}, 1024), ElementsAre(341, 341, 342));
}

TEST(RowQuotas, AreZeroForWeightZero) {
  EXPECT_THAT(row_quotas(Servers{server(1, 0), server(2, 7)}, 1024), ElementsAre(0, 1024));
  EXPECT_THAT(row_quotas(Servers{server(1, 0), server(2, 0)}, 1024), ElementsAre(0, 0));
  EXPECT_TRUE(row_quotas(Servers{}, 1024).empty());
}

TEST(FillRows, MeetsEveryQuotaExactly) {
  for (const unsigned weight : {1U, 7U, 100U}) {
    const Servers servers{server(1, weight), server(2, 5), server(3, 1), server(4, 0)};
    const RowTable table = fill_rows(servers, 2048);
    EXPECT_EQ(table.owners.size(), 2048U);
    EXPECT_EQ(table.homes, std::vector<std::uint64_t>(2048, 0));
    expect_exact_quotas(table, servers);
  }
}

TEST(FillRows, IsTheSameOnEveryMachine) {
  const RowTable table = fill_rows(equal_servers(5), 1024);
  std::uint64_t digest = 0;
  for (const std::uint16_t owner : table.owners) digest = digest * 0x100000001b3 + owner;
  EXPECT_EQ(digest, 15455147618879006976U);
}

TEST(FillRows, DoesNotDependOnOrderOrIndexes) {
  Servers servers = equal_servers(9);
  const RowTable table = fill_rows(servers, 2048);
  std::mt19937 random(7);
  std::shuffle(servers.begin(), servers.end(), random);
  EXPECT_EQ(fill_rows(servers, 2048), table);
  for (RowServer& each : servers) each.index = static_cast<std::uint16_t>(each.index + 100);
  const RowTable shifted = fill_rows(servers, 2048);
  for (std::size_t row = 0; row < 2048; ++row) EXPECT_EQ(shifted.owners[row], table.owners[row] + 100);
}

TEST(FillRows, WithoutWeightOwnsNothing) {
  const std::vector<std::uint16_t> nobody(1024, 0);
  EXPECT_EQ(fill_rows(Servers{}, 1024).owners, nobody);
  EXPECT_EQ(fill_rows(Servers{server(1, 0)}, 1024).owners, nobody);
}

TEST(FillRows, SpreadsAServerOverTheTable) {
  // Neighbouring rows meet neighbouring values of the hash: each sixteenth of the table must mix all servers.
  const RowTable table = fill_rows(equal_servers(4), 1024);
  for (std::size_t begin = 0; begin < 1024; begin += 64) {
    for (std::uint16_t index = 1; index <= 4; ++index) {
      const auto at = table.owners.begin() + static_cast<std::ptrdiff_t>(begin);
      EXPECT_GE(std::count(at, at + 64, index), 4) << "rows from " << begin;
    }
  }
}

TEST(FillRows, MovesLittleMoreThanNeededWhenAServerComes) {
  // The point of Maglev's permutations: two dispatchers with unequal histories still agree on most flows.
  const RowTable before = fill_rows(equal_servers(9), 2048);
  EXPECT_LT(moves(before, fill_rows(equal_servers(10), 2048)), 2048 / 10 * 3U);
}

}  // namespace
}  // namespace xdplb
