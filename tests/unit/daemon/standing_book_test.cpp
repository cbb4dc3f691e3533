// SPDX-License-Identifier: GPL-2.0-only
#include "daemon/standing_book.h"

#include <gtest/gtest.h>

namespace xdplb {
namespace {

ServerFacts facts(std::array<bool, 2> is_checked, std::array<Health, 2> health) {
  ServerFacts facts;
  facts.is_checked = is_checked;
  facts.health = health;
  return facts;
}

TEST(OverallHealth, DownIsDownInEveryFamilyThatIsChecked) {
  const auto up = Health::kUp;
  const auto down = Health::kDown;
  const auto unknown = Health::kUnknown;
  EXPECT_EQ(overall_health(facts({false, false}, {unknown, unknown})), unknown);
  EXPECT_EQ(overall_health(facts({true, false}, {down, unknown})), down);
  EXPECT_EQ(overall_health(facts({true, true}, {down, down})), down);
  EXPECT_EQ(overall_health(facts({true, true}, {down, up})), up);
  EXPECT_EQ(overall_health(facts({true, true}, {down, unknown})), unknown);
  EXPECT_EQ(overall_health(facts({true, true}, {up, unknown})), up);
}

class StandingBookTest : public testing::Test {
 protected:
  StandingBookTest() {
    config.clusters = {{.name = "web",
                        .addresses = {IpAddress::v4({192, 0, 2, 10})},
                        .ports = {{.port = 80,
                                   .servers = {{.name = "s1", .address = IpAddress::v4({192, 0, 2, 21})},
                                               {.name = "s2", .address = IpAddress::v4({192, 0, 2, 22})}}}}}};
  }
  std::vector<ServerConfig>& servers() { return config.clusters[0].ports[0].servers; }
  Surroundings fill() {
    Surroundings host;
    book.fill(config, book.stand(config, false), host);
    return host;
  }

  AdminStates admins;
  StandingBook book{{.admins = &admins}};
  Config config;
  const ServerPath s1{.port = {.cluster = "web", .port = 80}, .server = "s1"};
  const ServerPath s2{.port = {.cluster = "web", .port = 80}, .server = "s2"};
};

TEST_F(StandingBookTest, APortThatNobodySteersHasNoGrants) { EXPECT_TRUE(fill().grants.empty()); }

TEST_F(StandingBookTest, ABackupGetsNothingAndStaysIn) {
  servers()[1].tier = 1;
  const auto host = fill();
  EXPECT_EQ(host.grants.at(s1).weight[0], kDefaultWeight);
  EXPECT_EQ(host.grants.at(s2).weight[0], 0U);
  EXPECT_TRUE(host.grants.at(s2).is_in[0]);
}

TEST_F(StandingBookTest, ABackupTakesOverFromAServerThatIsDown) {
  servers()[1].tier = 1;
  admins.set(s1, AdminSource::kOperator, {.admin = Admin::kDown});
  const auto host = fill();
  EXPECT_EQ(host.grants.at(s2).weight[0], kDefaultWeight);
  EXPECT_EQ(host.admins.at(s1), Admin::kDown);
}

TEST_F(StandingBookTest, WordsOfTheConfigurationAreWordsOfThePlan) {
  servers()[0].admin = Admin::kDrain;
  EXPECT_EQ(fill().admins, (std::map<ServerPath, Admin>{{s1, Admin::kDrain}}));
}

}  // namespace
}  // namespace xdplb
