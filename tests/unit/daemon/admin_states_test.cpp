// SPDX-License-Identifier: GPL-2.0-only
#include "daemon/admin_states.h"

#include <gtest/gtest.h>

namespace xdplb {
namespace {

using namespace std::chrono_literals;

const ServerPath kFirst{.port = {.cluster = "web", .port = 80}, .server = "s1"};
const ServerPath kSecond{.port = {.cluster = "web", .port = 80}, .server = "s2"};
const AdminStates::Clock::time_point kNow{1000s};

TEST(AdminStates, ReadyIsWhatNobodySpokeOf) {
  AdminStates states;
  EXPECT_EQ(states.of(kFirst), AdminState{});
  states.set(kFirst, {.admin = Admin::kDrain});
  EXPECT_EQ(states.of(kFirst).admin, Admin::kDrain);
  EXPECT_EQ(states.admins(), (std::map<ServerPath, Admin>{{kFirst, Admin::kDrain}}));
  states.set(kFirst, {});
  EXPECT_TRUE(states.all().empty());
}

TEST(AdminStates, ServersThatWentAreForgotten) {
  AdminStates states;
  states.set(kFirst, {.admin = Admin::kDown});
  states.set(kSecond, {.admin = Admin::kDrain});
  Config config{.clusters = {{.name = "web", .ports = {{.port = 80, .servers = {{.name = "s2"}}}}}}};
  states.prune(config);
  EXPECT_EQ(states.admins(), (std::map<ServerPath, Admin>{{kSecond, Admin::kDrain}}));
}

TEST(AdminStates, ADeadlineIsToldOnceAndTheDrainGoesOn) {
  AdminStates states;
  states.set(kFirst, {.admin = Admin::kDrain, .deadline = kNow});
  states.set(kSecond, {.admin = Admin::kDrain, .deadline = kNow + 1s});
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
