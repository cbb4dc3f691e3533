// SPDX-License-Identifier: GPL-2.0-only
#include "model/round_robin.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

namespace xdplb {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

RowServer server(const char* name, std::uint16_t index, unsigned weight) {
  return {.name = name, .index = index, .weight = weight};
}

TEST(RoundRobin, NobodyGivesNothing) {
  EXPECT_THAT(round_robin({}), IsEmpty());
  const std::vector<RowServer> idle = {server("a", 1, 0)};
  EXPECT_THAT(round_robin(idle), IsEmpty());
}

TEST(RoundRobin, EqualWeightsTakeTurnsInTheOrderOfTheirNames) {
  const std::vector<RowServer> servers = {server("c", 3, 20), server("a", 1, 20), server("b", 2, 20)};
  EXPECT_THAT(round_robin(servers), ElementsAre(1, 2, 3));
}

TEST(RoundRobin, AHeavyServersTurnsAreSpread) {
  // The published example of nginx: weights 5, 1, 1.
  const std::vector<RowServer> servers = {server("a", 1, 5), server("b", 2, 1), server("c", 3, 1)};
  EXPECT_THAT(round_robin(servers), ElementsAre(1, 1, 2, 1, 3, 1, 1));
}

TEST(RoundRobin, APeriodIsTheSumOfTheWeightsByTheirGreatestDivisor) {
  const std::vector<RowServer> servers = {server("a", 1, 30), server("b", 2, 20), server("z", 9, 0)};
  const auto order = round_robin(servers);
  EXPECT_EQ(order.size(), 5U);
  EXPECT_EQ(std::count(order.begin(), order.end(), 1), 3);
  EXPECT_EQ(std::count(order.begin(), order.end(), 2), 2);
}

TEST(RoundRobin, APeriodThatIsTooLongIsCut) {
  std::vector<RowServer> servers;
  for (std::uint16_t i = 1; i <= 700; ++i)
    servers.push_back({.name = "s" + std::to_string(i), .index = i, .weight = i % 2 == 0 ? 100U : 99U});
  EXPECT_EQ(round_robin(servers).size(), kMaxRows);
}

}  // namespace
}  // namespace xdplb
