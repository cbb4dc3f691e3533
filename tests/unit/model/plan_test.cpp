// SPDX-License-Identifier: GPL-2.0-only
#include "model/plan.h"

#include "plan_fixture.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace xdplb {
namespace {

TEST_F(PlanTest, GivesRowsByWeightInBothFamilies) {
  add(1, 10);
  add(2, 30);
  const auto& port = replan();
  for (const auto family : {Family::kV4, Family::kV6}) {
    EXPECT_EQ(rows_of(port, index_of(port, "s1"), family), 256);
    EXPECT_EQ(rows_of(port, index_of(port, "s2"), family), 768);
  }
  EXPECT_NE(port.rows_of(Family::kV4)->first_row, port.rows_of(Family::kV6)->first_row);
}

TEST_F(PlanTest, AServerLimitedToAFamilyGetsRowsOfItOnly) {
  add(1);
  add(2);
  servers()[1].family = Family::kV4;
  const auto& port = replan();
  EXPECT_EQ(rows_of(port, index_of(port, "s2"), Family::kV4), 512);
  EXPECT_EQ(rows_of(port, index_of(port, "s2"), Family::kV6), 0);
}

TEST_F(PlanTest, AnUnresolvedServerGetsNoRowsAndTheSameOnesBackWhenItAnswers) {
  for (int number = 1; number <= 4; ++number) add(number);
  replan();
  const auto before = web().rows_of(Family::kV4)->table.owners;
  host.targets.erase(server_address(2));
  const auto& without = replan();
  EXPECT_EQ(rows_of(without, index_of(without, "s2")), 0);
  resolve(2);
  EXPECT_EQ(replan().rows_of(Family::kV4)->table.owners, before);
}

TEST_F(PlanTest, WhenNobodyAnswersTheLastTargetsStay) {
  add(1);
  add(2);
  replan();
  host.targets.erase(server_address(1));
  replan();
  host.targets.clear();
  const auto& port = replan();
  EXPECT_EQ(rows_of(port, index_of(port, "s2")), 1024);
  EXPECT_TRUE(port.servers[1].target);
  EXPECT_FALSE(port.servers[0].target);
}

TEST_F(PlanTest, TheLastTargetIsForgottenWithItsInterface) {
  add(1);
  resolve(1, kEth1);
  replan();
  host.targets.clear();
  host.interfaces = {kEth0};
  const auto& port = replan();
  EXPECT_FALSE(port.servers[0].target);
  EXPECT_EQ(rows_of(port, index_of(port, "s1")), 0);
}

TEST_F(PlanTest, AServersIndexStaysWhileItIsThereAndRestsAPlanAfterwards) {
  add(1);
  add(2);
  replan();
  const auto first = index_of(web(), "s1");
  const auto second = index_of(web(), "s2");
  servers().erase(servers().begin());
  add(3);
  const auto& port = replan();
  EXPECT_EQ(index_of(port, "s2"), second);
  EXPECT_NE(index_of(port, "s3"), first);
}

TEST_F(PlanTest, GrowingDoublesTheRowsAndMovesOnlyTheNewServersShare) {
  for (int number = 1; number <= 8; ++number) add(number);
  replan();
  const auto before = web().rows_of(Family::kV4)->table.owners;
  const auto first_row = web().rows_of(Family::kV4)->first_row;
  ASSERT_EQ(before.size(), 1024U);
  add(9);
  const auto& port = replan();
  const auto& after = port.rows_of(Family::kV4)->table.owners;
  ASSERT_EQ(after.size(), 2048U);
  EXPECT_NE(port.rows_of(Family::kV4)->first_row, first_row);
  for (std::size_t row = 0; row < after.size(); ++row) {
    if (after[row] == index_of(port, "s9")) continue;
    EXPECT_EQ(after[row], before[row % 1024]);
  }
}

TEST_F(PlanTest, WhatDidNotChangeIsTheSameObject) {
  add(1);
  config.clusters.push_back({.name = "dns",
                             .addresses = {IpAddress::v4({198, 51, 100, 53})},
                             .ports = {{.port = 53, .protocol = Protocol::kUdp, .servers = {server(9)}}}});
  resolve(9);
  replan();
  const PortPath dns{.cluster = "dns", .port = 53, .protocol = Protocol::kUdp};
  const auto kept = plan.find(dns);
  servers()[0].weight = 20;
  replan();
  EXPECT_EQ(plan.find(dns), kept);
}

TEST_F(PlanTest, ANewSecretGivesNewSeeds) {
  add(1);
  const auto seeds = replan().seeds;
  auto next = make_plan(plan, config, host, "another secret");
  ASSERT_TRUE(next);
  EXPECT_NE(next->find(kWeb)->seeds, seeds);
}

TEST_F(PlanTest, RemovingAllGivesAllBack) {
  const auto indexes = plan.indexes.free_count();
  const auto rows = plan.rows.free_count();
  for (int number = 1; number <= 9; ++number) add(number);
  replan();
  EXPECT_EQ(plan.indexes.free_count(), indexes - 9);
  EXPECT_EQ(plan.rows.free_count(), rows - 2 * 2048);
  config.clusters.clear();
  auto next = make_plan(plan, config, host, kSecret);
  ASSERT_TRUE(next);
  EXPECT_EQ(next->indexes.free_count(), indexes);
  EXPECT_EQ(next->rows.free_count(), rows);
}

TEST_F(PlanTest, RunningOutOfRowsOrIndexesNamesTheWayOut) {
  add(1);
  add(2);
  plan = Plan({.servers = 2, .rows = kMaxRows});
  auto refused = make_plan(plan, config, host, kSecret);
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().message, testing::HasSubstr("remove a server"));
  plan = Plan({.servers = 64, .rows = kMaxRows});
  for (int number = 1; number <= 40; ++number) {
    config.clusters[0].ports.push_back(
        {.port = static_cast<std::uint16_t>(1000 + number), .protocol = Protocol::kTcp, .servers = {server(1)}});
  }
  refused = make_plan(plan, config, host, kSecret);
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().message, testing::HasSubstr("no room for 1024 more rows"));
}

}  // namespace
}  // namespace xdplb
