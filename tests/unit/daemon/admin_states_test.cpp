// SPDX-License-Identifier: GPL-2.0-only
#include "daemon/admin_states.h"

#include <gtest/gtest.h>

namespace xdplb {
namespace {

using namespace std::chrono_literals;

const ServerPath kFirst{.port = {.cluster = "web", .port = 80}, .server = "s1"};
const ServerPath kSecond{.port = {.cluster = "web", .port = 80}, .server = "s2"};
const AdminStates::Clock::time_point kNow{1000s};

const Config kConfig{
    .clusters = {{.name = "web", .ports = {{.port = 80, .servers = {{.name = "s1"}, {.name = "s2"}}}}}}};

TEST(AdminStates, ReadyIsWhatNobodySpokeOf) {
  AdminStates states;
  EXPECT_EQ(states.of(kFirst), AdminState{});
  states.set(kFirst, AdminSource::kOperator, {.admin = Admin::kDrain});
  EXPECT_EQ(states.of(kFirst).admin, Admin::kDrain);
  EXPECT_EQ(states.admins(kConfig, 0), (std::map<ServerPath, Admin>{{kFirst, Admin::kDrain}}));
  states.set(kFirst, AdminSource::kOperator, {});
  EXPECT_TRUE(states.all().empty());
}

TEST(AdminStates, EachSourceTakesBackItsOwnWordOnly) {
  AdminStates states;
  states.set(kFirst, AdminSource::kOperator, {.admin = Admin::kDrain});
  states.set(kFirst, AdminSource::kHook, {.admin = Admin::kDown});
  EXPECT_EQ(states.admins(kConfig, 0).at(kFirst), Admin::kDown);
  states.set(kFirst, AdminSource::kHook, {});
  EXPECT_EQ(states.admins(kConfig, 0).at(kFirst), Admin::kDrain);
  states.set(kFirst, AdminSource::kOperator, {});
  EXPECT_TRUE(states.admins(kConfig, 0).empty());
}

TEST(AdminStates, TheConfigurationHasAWordToo) {
  Config config = kConfig;
  config.clusters[0].ports[0].servers[1].admin = Admin::kDrain;
  AdminStates states;
  EXPECT_EQ(states.admins(config, 0), (std::map<ServerPath, Admin>{{kSecond, Admin::kDrain}}));
  states.set(kSecond, AdminSource::kOperator, {});
  EXPECT_EQ(states.admins(config, 0).at(kSecond), Admin::kDrain);
}

TEST(AdminStates, AWordForSomeHoursHoldsInThem) {
  AdminStates states;
  states.set(kFirst, AdminSource::kOperator, {.admin = Admin::kDrain, .daily = DailyHours{.first = 2, .last = 5}});
  EXPECT_TRUE(states.has_daily());
  EXPECT_TRUE(states.admins(kConfig, 1).empty());
  EXPECT_EQ(states.admins(kConfig, 2).at(kFirst), Admin::kDrain);
  EXPECT_EQ(states.admins(kConfig, 5).at(kFirst), Admin::kDrain);
  EXPECT_TRUE(states.admins(kConfig, 6).empty());
}

TEST(AdminStates, ServersThatWentAreForgotten) {
  AdminStates states;
  states.set(kFirst, AdminSource::kOperator, {.admin = Admin::kDown});
  states.set(kSecond, AdminSource::kOperator, {.admin = Admin::kDrain});
  Config config{.clusters = {{.name = "web", .ports = {{.port = 80, .servers = {{.name = "s2"}}}}}}};
  states.prune(config);
  EXPECT_EQ(states.all().size(), 1U);
  EXPECT_EQ(states.admins(config, 0), (std::map<ServerPath, Admin>{{kSecond, Admin::kDrain}}));
}

TEST(AdminStates, ADeadlineIsToldOnceAndTheDrainGoesOn) {
  AdminStates states;
  states.set(kFirst, AdminSource::kOperator, {.admin = Admin::kDrain, .deadline = kNow});
  states.set(kSecond, AdminSource::kOperator, {.admin = Admin::kDrain, .deadline = kNow + 1s});
  EXPECT_EQ(states.take_expired(kNow), std::vector<ServerPath>{kFirst});
  EXPECT_TRUE(states.take_expired(kNow).empty());
  EXPECT_EQ(states.of(kFirst).admin, Admin::kDrain);
  EXPECT_EQ(states.take_expired(kNow + 1s), std::vector<ServerPath>{kSecond});
}

TEST(AdminStates, SecondsLeftAreRoundedUpAndNeverNegative) {
  EXPECT_EQ(seconds_left({}, kNow), std::nullopt);
  EXPECT_EQ(seconds_left({.admin = Admin::kDrain, .deadline = kNow + 1500ms}, kNow), 2);
  EXPECT_EQ(seconds_left({.admin = Admin::kDrain, .deadline = kNow}, kNow), 0);
  EXPECT_EQ(seconds_left({.admin = Admin::kDrain, .deadline = kNow - 5s}, kNow), 0);
}

}  // namespace
}  // namespace xdplb
