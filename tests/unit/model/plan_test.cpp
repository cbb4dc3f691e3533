// SPDX-License-Identifier: GPL-2.0-only
#include "model/plan.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <set>

namespace xdplb {
namespace {

constexpr Capacity kCapacity{.servers = 4096, .rows = 16 * kMaxRows};
constexpr std::string_view kSecret = "not so secret";
constexpr std::uint32_t kEth0 = 3;
constexpr std::uint32_t kEth1 = 4;

IpAddress server_address(int number) { return IpAddress::v4({192, 0, 2, static_cast<std::uint8_t>(number)}); }

ServerConfig server(int number, unsigned weight = 10) {
  return {.name = fmt::format("s{}", number), .address = server_address(number), .weight = weight, .family = {}};
}

const PortPath kWeb{.cluster = "web", .port = 80, .protocol = Protocol::kTcp};

class PlanTest : public testing::Test {
 protected:
  PlanTest() {
    config.clusters.push_back(
        {.name = "web",
         .addresses = {IpAddress::v4({198, 51, 100, 10}), IpAddress::parse("2001:db8::10").value()},
         .ports = {{.port = 80, .protocol = Protocol::kTcp, .servers = {}}}});
    host.interfaces = {kEth0, kEth1};
  }

  std::vector<ServerConfig>& servers() { return config.clusters[0].ports[0].servers; }
  void resolve(int number, std::uint32_t ifindex = kEth0) {
    host.targets[server_address(number)] = {.mac = {{2, 0, 0, 0, 0, static_cast<std::uint8_t>(number)}},
                                            .ifindex = ifindex};
  }
  void add(int number, unsigned weight = 10) {
    servers().push_back(server(number, weight));
    resolve(number);
  }
  const PlannedPort& replan() {
    auto next = make_plan(plan, config, host, kSecret);
    EXPECT_TRUE(next) << (next ? "" : next.error().message);
    plan = std::move(*next);
    return web();
  }
  const PlannedPort& web() const { return *plan.find(kWeb); }
  static std::uint16_t index_of(const PlannedPort& port, const std::string& name) {
    for (const auto& one : port.servers)
      if (one.config.name == name) return one.index;
    return 0;
  }
  static long rows_of(const PlannedPort& port, std::uint16_t index, Family family = Family::kV4) {
    const auto& owners = port.rows_of(family)->table.owners;
    return std::count(owners.begin(), owners.end(), index);
  }

  Config config;
  Surroundings host;
  Plan plan{kCapacity};
};

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

// The maps as a daemon leaves them.
MapReader maps_of(const Plan& plan) {
  return {.rows =
              [&plan](std::uint32_t first, std::uint32_t count) {
                for (const auto& [name, cluster] : plan.clusters)
                  for (const auto& [path, port] : cluster.ports)
                    for (const auto& rows : port->rows)
                      if (rows && rows->first_row == first) return rows->table.owners;
                return std::vector<std::uint16_t>(count);
              },
          .target = [&plan](std::uint16_t index) -> std::optional<ServerTarget> {
            for (const auto& [name, cluster] : plan.clusters)
              for (const auto& [path, port] : cluster.ports)
                if (const auto* found = port->server_at(index)) return found->target;
            return std::nullopt;
          }};
}

TEST_F(PlanTest, RestoringGivesThePlanThatWasThere) {
  for (int number = 1; number <= 9; ++number) add(number, static_cast<unsigned>(number));
  replan();
  const auto restored = restore_plan(config, assignments_of(plan), maps_of(plan), kSecret, kCapacity);
  const auto port = restored.find(kWeb);
  ASSERT_TRUE(port);
  EXPECT_EQ(port->servers, web().servers);
  EXPECT_EQ(port->seeds, web().seeds);
  EXPECT_EQ(port->rows_of(Family::kV4)->table.owners, web().rows_of(Family::kV4)->table.owners);
  EXPECT_EQ(restored.indexes.free_count(), plan.indexes.free_count());
  EXPECT_EQ(restored.rows.free_count(), plan.rows.free_count());
  auto next = make_plan(restored, config, host, kSecret);
  ASSERT_TRUE(next);
  EXPECT_EQ(next->find(kWeb), port);
}

TEST_F(PlanTest, RestoringHandsRowsOfStrangersToTheServersThatAreThere) {
  add(1);
  add(2);
  replan();
  const auto kept = assignments_of(plan);
  const auto config_kept = config;
  add(3);
  replan();
  const auto restored = restore_plan(config_kept, kept, maps_of(plan), kSecret, kCapacity);
  const auto port = restored.find(kWeb);
  ASSERT_TRUE(port);
  const auto& owners = port->rows_of(Family::kV4)->table.owners;
  EXPECT_EQ(std::set<std::uint16_t>(owners.begin(), owners.end()),
            (std::set<std::uint16_t>{index_of(*port, "s1"), index_of(*port, "s2")}));
}

TEST_F(PlanTest, RestoringLeavesOutNumbersThatContradictEachOther) {
  add(1);
  add(2);
  replan();
  auto assignments = assignments_of(plan);
  assignments[kWeb].servers["s2"] = assignments[kWeb].servers["s1"];
  EXPECT_FALSE(restore_plan(config, assignments, maps_of(plan), kSecret, kCapacity).find(kWeb));
  assignments = assignments_of(plan);
  assignments[kWeb].rows[1] = assignments[kWeb].rows[0];
  EXPECT_FALSE(restore_plan(config, assignments, maps_of(plan), kSecret, kCapacity).find(kWeb));
  assignments.clear();
  EXPECT_FALSE(restore_plan(config, assignments, maps_of(plan), kSecret, kCapacity).find(kWeb));
}

}  // namespace
}  // namespace xdplb
