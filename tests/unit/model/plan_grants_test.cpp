// SPDX-License-Identifier: GPL-2.0-only
// What health, tiers and load grant a server, as the rows show it: by family, at once, and only that.
#include "model/plan.h"

#include "plan_fixture.h"

#include <gtest/gtest.h>

namespace xdplb {
namespace {

class GrantTest : public PlanTest {
 protected:
  GrantTest() {
    for (int number = 1; number <= 3; ++number) add(number);
    replan();
  }
  static ServerPath path(const std::string& name, std::uint16_t port = 80) {
    return {.port = {.cluster = "web", .port = port, .protocol = Protocol::kTcp}, .server = name};
  }
  void grant(const std::string& name, bool in_v4, bool in_v6, unsigned weight = 10) {
    host.grants[path(name)] = {.is_in = {in_v4, in_v6}, .weight = {weight, weight}};
  }
  long rows(const std::string& name, Family family = Family::kV4) {
    return rows_of(web(), index_of(web(), name), family);
  }
};

TEST_F(GrantTest, WithoutAGrantTheConfigurationDecides) {
  EXPECT_GT(rows("s1"), 0);
  EXPECT_EQ(web().server_named("s1")->weight(Family::kV4), 10U);
  EXPECT_TRUE(web().server_named("s1")->is_in(Family::kV6));
}

TEST_F(GrantTest, AServerThatIsOutInOneFamilyKeepsTheOther) {
  const auto v6 = rows("s1", Family::kV6);
  grant("s1", false, true);
  replan();
  EXPECT_EQ(rows("s1"), 0);
  EXPECT_EQ(rows("s1", Family::kV6), v6);
  EXPECT_TRUE(web().server_named("s1")->target);
}

TEST_F(GrantTest, OutInBothFamiliesIsNowhereToBeSentTo) {
  grant("s1", false, false);
  replan();
  EXPECT_FALSE(web().server_named("s1")->target);
  EXPECT_EQ(rows("s1") + rows("s1", Family::kV6), 0);
}

TEST_F(GrantTest, OutInTheOnlyFamilyOfItsClusterIsNowhereToBeSentTo) {
  config.clusters[0].addresses.pop_back();
  replan();
  grant("s1", false, true);
  replan();
  EXPECT_FALSE(web().server_named("s1")->target);
}

TEST_F(GrantTest, OneThatIsBackHasExactlyItsRowsAgain) {
  const auto before = web().rows_of(Family::kV4)->table.owners;
  grant("s1", false, false);
  replan();
  host.grants.clear();
  replan();
  EXPECT_EQ(web().rows_of(Family::kV4)->table.owners, before);
}

TEST_F(GrantTest, AWeightMovesTheFewestRows) {
  const auto before = web().rows_of(Family::kV4)->table.owners;
  grant("s1", true, true, 20);
  replan();
  const auto& after = web().rows_of(Family::kV4)->table.owners;
  const auto index = index_of(web(), "s1");
  for (std::size_t row = 0; row < after.size(); ++row) {
    if (after[row] == before[row]) continue;
    EXPECT_EQ(after[row], index);
  }
  EXPECT_NEAR(static_cast<double>(rows("s1")) / static_cast<double>(after.size()), 0.5, 0.01);
}

TEST_F(GrantTest, ADrainIsADrainWhateverIsGranted) {
  grant("s1", true, true, 20);
  host.admins[path("s1")] = Admin::kDrain;
  replan();
  EXPECT_EQ(rows("s1"), 0);
  EXPECT_TRUE(web().server_named("s1")->is_in(Family::kV4));
}

TEST_F(GrantTest, WhenNobodyIsGrantedAnythingTheLastTargetsAreNotKept) {
  for (const char* name : {"s1", "s2", "s3"}) grant(name, false, false);
  host.all_down[kWeb] = {NoServer::kReset, std::nullopt};
  replan();
  for (const auto& server : web().servers) EXPECT_FALSE(server.target) << server.config.name;
  EXPECT_EQ(rows_of(web(), 0), static_cast<long>(web().rows_of(Family::kV4)->count()));
  EXPECT_EQ(web().no_server, (ByFamily<NoServer>{NoServer::kReset, NoServer::kDrop}));
}

TEST_F(GrantTest, WhatAllDownSaidIsTakenBack) {
  host.all_down[kWeb] = {NoServer::kReset, NoServer::kReset};
  replan();
  host.all_down.clear();
  replan();
  EXPECT_EQ(web().no_server, (ByFamily<NoServer>{NoServer::kDrop, NoServer::kDrop}));
}

TEST_F(GrantTest, APortOfWhichNothingChangedIsThePortBefore) {
  grant("s1", true, true, 20);
  replan();
  const auto before = plan.find(kWeb);
  replan();
  EXPECT_EQ(plan.find(kWeb), before);
}

TEST_F(GrantTest, PortsThatShareTheirAffinityGrantTheLeastOfAny) {
  auto& ports = config.clusters[0].ports;
  ports[0].sticky_s = 60;
  ports.push_back(ports[0]);
  ports[1].port = 443;
  ports[1].crossport = 80;
  host.grants[path("s1")] = {.is_in = {true, true}, .weight = {20, 20}};
  host.grants[path("s1", 443)] = {.is_in = {false, true}, .weight = {5, 5}};
  host.grants[path("s2")] = host.grants[path("s2", 443)] = {.is_in = {true, true}, .weight = {10, 10}};
  replan();
  for (const std::uint16_t number : {std::uint16_t{80}, std::uint16_t{443}}) {
    const auto port = plan.find({.cluster = "web", .port = number, .protocol = Protocol::kTcp});
    EXPECT_FALSE(port->server_named("s1")->is_in(Family::kV4)) << number;
    EXPECT_EQ(port->server_named("s1")->weight(Family::kV6), 5U) << number;
  }
}

TEST_F(GrantTest, WhereNobodyServesAllOfThePortsThoseThatServeSomeAreIn) {
  auto& ports = config.clusters[0].ports;
  ports[0].sticky_s = 60;
  ports.push_back(ports[0]);
  ports[1].port = 443;
  ports[1].crossport = 80;
  host.grants[path("s3")] = host.grants[path("s3", 443)] = {.is_in = {false, false}, .weight = {0, 0}};
  host.grants[path("s1")] = host.grants[path("s2", 443)] = {.is_in = {false, false}, .weight = {0, 0}};
  host.grants[path("s2")] = host.grants[path("s1", 443)] = {.is_in = {true, true}, .weight = {10, 10}};
  replan();
  EXPECT_TRUE(web().server_named("s1")->is_in(Family::kV4));
  EXPECT_TRUE(web().server_named("s2")->is_in(Family::kV4));
  EXPECT_FALSE(web().server_named("s3")->is_in(Family::kV4));
}

TEST_F(GrantTest, RoundRobinGoesByFamilyToo) {
  config.clusters[0].ports[0].pick = Pick::kRoundRobin;
  grant("s1", false, true);
  replan();
  const auto index = index_of(web(), "s1");
  const auto has = [&](Family family) {
    const auto& words = web().members[static_cast<std::size_t>(family)]->words;
    return std::count(words.begin(), words.end(), index) > 0;
  };
  EXPECT_FALSE(has(Family::kV4));
  EXPECT_TRUE(has(Family::kV6));
}

}  // namespace
}  // namespace xdplb
