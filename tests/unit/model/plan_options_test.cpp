// SPDX-License-Identifier: GPL-2.0-only
// What a plan makes of the options of ports and clusters, and of what the operator says of servers.
#include "model/plan.h"

#include "plan_fixture.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

namespace xdplb {
namespace {

class PlanOptionsTest : public PlanTest {
 protected:
  PortConfig& port() { return config.clusters[0].ports[0]; }
  void say(const std::string& name, Admin admin) { host.admins[{.port = kWeb, .server = name}] = admin; }
  std::vector<std::uint32_t> words(Family family = Family::kV4) const {
    const auto& members = web().members[static_cast<std::size_t>(family)];
    return members ? members->words : std::vector<std::uint32_t>{};
  }
  // A second port, 443, that shares the affinity of 80.
  void add_follower() {
    port().sticky_s = 60;
    auto follower = port();
    follower.port = 443;
    follower.crossport = 80;
    config.clusters[0].ports.push_back(follower);
  }
  static std::vector<std::string> owners(const PlannedPort& planned) {
    std::vector<std::string> names;
    for (const auto owner : planned.rows_of(Family::kV4)->table.owners) {
      const auto* server = planned.server_at(owner);
      names.push_back(server != nullptr ? server->config.name : "");
    }
    return names;
  }

  const PortPath follower_path{.cluster = "web", .port = 443, .protocol = Protocol::kTcp};
};

TEST_F(PlanOptionsTest, EveryPortAndClusterHasNumbersOfItsOwnForEachFamily) {
  add(1);
  config.clusters[0].ports.push_back({.port = 443, .protocol = Protocol::kTcp});
  replan();
  std::set<std::uint16_t> numbers;
  for (const auto& options : {web().options, plan.find(follower_path)->options, plan.clusters.at("web").options})
    for (const auto number : options) EXPECT_TRUE(number != 0 && numbers.insert(number).second) << number;
  const auto kept = web().options;
  add(2);
  EXPECT_EQ(replan().options, kept);
  config.clusters[0].addresses.pop_back();
  EXPECT_EQ(replan().options, (ByFamily<std::uint16_t>{kept[0], 0}));
}

TEST_F(PlanOptionsTest, AnOptionThatChangesIsAChangeOfThePort) {
  add(1);
  replan();
  const auto before = plan.find(kWeb);
  port().stale_timeout_s = 60;
  replan();
  EXPECT_NE(plan.find(kWeb), before);
  EXPECT_EQ(web().rows, before->rows);
}

TEST_F(PlanOptionsTest, ADrainedServerKeepsItsTargetAndGetsNoRows) {
  add(1);
  add(2);
  replan();
  for (const auto admin : {Admin::kDrain, Admin::kDrainNow}) {
    say("s1", admin);
    const auto& planned = replan();
    EXPECT_EQ(rows_of(planned, index_of(planned, "s1")), 0);
    EXPECT_TRUE(planned.servers[0].target);
    EXPECT_EQ(planned.servers[0].admin, admin);
  }
}

TEST_F(PlanOptionsTest, AServerThatIsDownHasNoTargetEvenAsTheLastOne) {
  add(1);
  replan();
  say("s1", Admin::kDown);
  const auto& planned = replan();
  EXPECT_FALSE(planned.servers[0].target);
  EXPECT_EQ(rows_of(planned, index_of(planned, "s1")), 0);
  host.admins.clear();
  EXPECT_EQ(rows_of(replan(), planned.servers[0].index), 1024);
}

TEST_F(PlanOptionsTest, AServerOnThisHostNeedsNoMac) {
  add(1);
  add(2);
  host.targets.erase(server_address(2));
  host.own = {server_address(2)};
  const auto& planned = replan();
  EXPECT_EQ(planned.servers[1].target, (ServerTarget{.mac = {}, .ifindex = 0, .is_local = true}));
  EXPECT_EQ(rows_of(planned, index_of(planned, "s2")), 512);
}

TEST_F(PlanOptionsTest, PortsThatPickByTheRowHaveNoMembers) {
  add(1);
  port().sticky_s = 60;
  const auto rows = plan.rows.free_count();
  replan();
  EXPECT_THAT(words(), testing::IsEmpty());
  EXPECT_EQ(plan.rows.free_count(), rows - 2048);
}

TEST_F(PlanOptionsTest, RoundRobinListsServersInTheirTurns) {
  add(1, 20);
  add(2, 10);
  add(3, 10);
  port().pick = Pick::kRoundRobin;
  say("s3", Admin::kDrain);
  const auto& planned = replan();
  EXPECT_THAT(words(),
              testing::UnorderedElementsAre(index_of(planned, "s1"), index_of(planned, "s1"), index_of(planned, "s2")));
}

TEST_F(PlanOptionsTest, LeastConnectionsListsEachServerOfTheFamilyWithItsWeight) {
  add(1, 20);
  add(2, 10);
  add(3, 30);
  servers()[1].family = Family::kV6;
  port().pick = Pick::kLeastConnections;
  say("s3", Admin::kDrain);
  const auto& planned = replan();
  const std::uint32_t first = index_of(planned, "s1") | 20U << 16;
  const std::uint32_t second = index_of(planned, "s2") | 10U << 16;
  const std::uint32_t third = index_of(planned, "s3");
  EXPECT_THAT(words(Family::kV4), testing::ElementsAre(first, third));
  EXPECT_THAT(words(Family::kV6), testing::ElementsAre(first, second, third));
}

TEST_F(PlanOptionsTest, MembersKeepTheirSliceAndGiveItBack) {
  add(1);
  const auto rows = plan.rows.free_count();
  port().pick = Pick::kLeastConnections;
  replan();
  const auto kept = web().members[0]->first_row;
  EXPECT_EQ(plan.rows.free_count(), rows - 4 * 1024);
  add(2);
  EXPECT_EQ(replan().members[0]->first_row, kept);
  port().pick = Pick::kHash;
  replan();
  EXPECT_EQ(plan.rows.free_count(), rows - 2 * 1024);
}

TEST_F(PlanOptionsTest, TooManyMembersAreRefused) {
  for (int i = 0; i <= static_cast<int>(kMaxMembers); ++i) {
    auto one = server(1);
    one.name = fmt::format("m{}", i);
    one.address = IpAddress::v4({192, 0, static_cast<std::uint8_t>(3 + i / 256), static_cast<std::uint8_t>(i)});
    host.targets[one.address] = {.mac = {{2, 0, 0, 0, 0, 1}}, .ifindex = kEth0};
    servers().push_back(one);
  }
  port().pick = Pick::kLeastConnections;
  const auto refused = make_plan(plan, config, host, kSecret);
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().message, testing::HasSubstr("257 servers are too many"));
  servers().pop_back();
  EXPECT_TRUE(make_plan(plan, config, host, kSecret));
}

TEST_F(PlanOptionsTest, AffinityIsNumberedByThePortsOptions) {
  add(1);
  EXPECT_EQ(replan().affinity, (ByFamily<std::uint16_t>{0, 0}));
  EXPECT_EQ(web().shape_of(Family::kV4), HashShape{});
  port().sticky_s = 60;
  port().sticky_mask_v4 = 24;
  replan();
  EXPECT_EQ(web().affinity, web().options);
  EXPECT_EQ(web().shape_of(Family::kV4), affinity_shape(Family::kV4, 24));
}

TEST_F(PlanOptionsTest, PortsThatShareAffinityHaveTheSameRowsOfTheSameServers) {
  for (int number = 1; number <= 3; ++number) add(number);
  add_follower();
  replan();
  for (int step = 0; step < 4; ++step) {
    const auto follower = plan.find(follower_path);
    EXPECT_EQ(follower->seeds, web().seeds);
    EXPECT_EQ(follower->affinity, web().affinity);
    EXPECT_TRUE(follower->is_shared && web().is_shared);
    EXPECT_NE(follower->servers[0].index, web().servers[0].index);
    EXPECT_EQ(owners(*follower), owners(web()));
    EXPECT_EQ(follower->members[0]->words.size(), step < 2 ? 3U : 2U);  // s1 is not resolved later on
    if (step == 0) say("s2", Admin::kDrain);
    if (step == 1) host.targets.erase(server_address(1));
    if (step == 2) host.admins.clear();
    replan();
  }
}

TEST_F(PlanOptionsTest, AWordOnAServerHoldsForAllPortsThatShareAffinity) {
  add(1);
  add(2);
  add_follower();
  host.admins[{.port = follower_path, .server = "s1"}] = Admin::kDrainNow;
  say("s1", Admin::kDrain);
  replan();
  EXPECT_EQ(web().servers[0].admin, Admin::kDrainNow);
  EXPECT_EQ(plan.find(follower_path)->servers[0].admin, Admin::kDrainNow);
}

TEST_F(PlanOptionsTest, ASharedSliceGrowsWithItsLead) {
  for (int number = 1; number <= 8; ++number) add(number);
  add_follower();
  replan();
  add(9);
  config.clusters[0].ports[1].servers = servers();
  replan();
  EXPECT_EQ(owners(*plan.find(follower_path)), owners(web()));
  EXPECT_EQ(web().rows_of(Family::kV4)->count(), 2048U);
}

TEST_F(PlanOptionsTest, APrefixMakesAFamily) {
  config.clusters[0].addresses = {IpAddress::v4({198, 51, 100, 10})};
  config.clusters[0].prefixes = {{.address = IpAddress::parse("2001:db8::").value(), .length = 32}};
  add(1);
  EXPECT_TRUE(replan().rows_of(Family::kV6));
  config.clusters[0].prefixes.clear();
  EXPECT_FALSE(replan().rows_of(Family::kV6));
}

TEST_F(PlanOptionsTest, RunningOutOfNumbersNamesThePort) {
  plan = Plan({.servers = 64, .rows = 16 * kMaxRows, .options = 5});
  config.clusters[0].ports.push_back({.port = 443, .protocol = Protocol::kTcp});
  const auto refused = make_plan(plan, config, host, kSecret);
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().message, testing::HasSubstr("port web/443"));
}

}  // namespace
}  // namespace xdplb
