// SPDX-License-Identifier: GPL-2.0-only
#include "model/health.h"

#include <gtest/gtest.h>

#include <string>

namespace xdplb {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using WallClock = std::chrono::system_clock;

const CheckPace kPace{.interval = milliseconds(2000),
                      .fast_interval = milliseconds(500),
                      .down_interval = milliseconds(5000),
                      .fall = 3,
                      .rise = 2};

// A check whose results come once a second.
class CheckHealthTest : public testing::Test {
 protected:
  bool ok() { return take(CheckCode::kL7Ok); }
  bool fails(bool can_fall = true) { return take(CheckCode::kL4Refused, can_fall); }
  bool take(CheckCode code, bool can_fall = true) {
    now_ += seconds(1);
    return check_.take({.code = code, .text = std::string(check_code_name(code))}, now_, can_fall);
  }
  void make_up() { ASSERT_TRUE(ok()); }
  void make_down() { ASSERT_TRUE(fails()); }

  WallClock::time_point now_{seconds(1'000'000)};
  CheckHealth check_{kPace};
};

TEST_F(CheckHealthTest, KnowsNothingBeforeTheFirstResult) {
  EXPECT_EQ(check_.health(), Health::kUnknown);
  EXPECT_EQ(check_.since(), std::nullopt);
  EXPECT_EQ(check_.last().code, CheckCode::kNone);
  EXPECT_TRUE(check_.history().empty());
}

TEST_F(CheckHealthTest, FirstResultDecidesAloneForUp) {
  EXPECT_TRUE(ok());
  EXPECT_EQ(check_.health(), Health::kUp);
  EXPECT_EQ(check_.since(), now_);
}

TEST_F(CheckHealthTest, FirstResultDecidesAloneForDown) {
  EXPECT_TRUE(fails());
  EXPECT_EQ(check_.health(), Health::kDown);
  EXPECT_EQ(check_.since(), now_);
}

TEST_F(CheckHealthTest, GoesDownWithTheFallInARowAndNotBefore) {
  make_up();
  const auto since = check_.since();
  EXPECT_FALSE(fails());
  EXPECT_FALSE(fails());
  EXPECT_EQ(check_.health(), Health::kUp);
  EXPECT_EQ(check_.contradicting(), 2U);
  EXPECT_EQ(check_.needed(), 3U);
  EXPECT_EQ(check_.since(), since);
  EXPECT_TRUE(fails());
  EXPECT_EQ(check_.health(), Health::kDown);
  EXPECT_EQ(check_.since(), now_);
  EXPECT_EQ(check_.contradicting(), 0U);
}

TEST_F(CheckHealthTest, ASuccessInBetweenStartsTheCountAnew) {
  make_up();
  fails();
  fails();
  EXPECT_FALSE(ok());
  EXPECT_EQ(check_.contradicting(), 0U);
  EXPECT_FALSE(fails());
  EXPECT_FALSE(fails());
  EXPECT_TRUE(fails());
}

TEST_F(CheckHealthTest, ComesUpWithTheRiseInARowAndNotBefore) {
  make_down();
  EXPECT_FALSE(ok());
  EXPECT_EQ(check_.needed(), 2U);
  EXPECT_FALSE(fails());
  EXPECT_FALSE(ok());
  EXPECT_EQ(check_.health(), Health::kDown);
  EXPECT_TRUE(ok());
  EXPECT_EQ(check_.health(), Health::kUp);
}

TEST_F(CheckHealthTest, OneIsEnoughWhenFallAndRiseAreOne) {
  check_ = CheckHealth({.fall = 1, .rise = 1});
  make_up();
  EXPECT_TRUE(fails());
  EXPECT_TRUE(ok());
}

TEST_F(CheckHealthTest, AMissingMacIsAFailure) {
  make_up();
  take(CheckCode::kL2NoMac);
  take(CheckCode::kL2NoMac);
  EXPECT_TRUE(take(CheckCode::kL2NoMac));
}

TEST_F(CheckHealthTest, FaultOfThisHostLeavesOnlyHistory) {
  make_up();
  fails();
  fails();
  for (int i = 0; i < 10; ++i) EXPECT_FALSE(take(CheckCode::kSocketError));
  EXPECT_EQ(check_.health(), Health::kUp);
  EXPECT_EQ(check_.contradicting(), 2U);  // neither counted nor interrupted
  EXPECT_EQ(check_.last().code, CheckCode::kL4Refused);
  EXPECT_EQ(check_.history().back().code, CheckCode::kSocketError);
  EXPECT_TRUE(fails());
}

TEST_F(CheckHealthTest, FaultOfThisHostDecidesNothingForAnUnknownOne) {
  EXPECT_FALSE(take(CheckCode::kSocketError));
  EXPECT_EQ(check_.health(), Health::kUnknown);
  EXPECT_EQ(check_.last().code, CheckCode::kSocketError);  // nothing better is known
  EXPECT_TRUE(fails());
  EXPECT_EQ(check_.last().code, CheckCode::kL4Refused);
}

TEST_F(CheckHealthTest, ChangedDefinitionKeepsTheStateAndTheNextResultDecides) {
  make_up();
  const auto since = check_.since();
  fails();
  check_.set_pace({.fall = 10, .rise = 10});
  EXPECT_EQ(check_.health(), Health::kUp);
  EXPECT_EQ(check_.since(), since);
  EXPECT_EQ(check_.history().size(), 2U);
  EXPECT_EQ(check_.needed(), 1U);
  EXPECT_FALSE(take(CheckCode::kSocketError));  // decides nothing
  EXPECT_TRUE(fails());
  EXPECT_EQ(check_.health(), Health::kDown);
  EXPECT_EQ(check_.needed(), 10U);
}

TEST_F(CheckHealthTest, ChangedDefinitionThatIsConfirmedCountsAsBefore) {
  make_up();
  check_.set_pace({.fall = 2, .rise = 2});
  EXPECT_FALSE(ok());
  EXPECT_FALSE(fails());
  EXPECT_TRUE(fails());
}

TEST_F(CheckHealthTest, SeededStateHoldsUntilEnoughContradictsIt) {
  check_.seed(Health::kUp);
  EXPECT_EQ(check_.health(), Health::kUp);
  EXPECT_EQ(check_.since(), std::nullopt);
  EXPECT_FALSE(fails());
  EXPECT_FALSE(fails());
  EXPECT_TRUE(fails());

  check_ = CheckHealth(kPace);
  check_.seed(Health::kDown);
  EXPECT_FALSE(ok());
  EXPECT_TRUE(ok());

  check_ = CheckHealth(kPace);
  check_.seed(Health::kUnknown);
  EXPECT_TRUE(ok());
}

TEST_F(CheckHealthTest, FrozenStaysUpAndFallsWithTheFirstFailureAfterwards) {
  make_up();
  for (int i = 0; i < 5; ++i) EXPECT_FALSE(fails(false));
  EXPECT_EQ(check_.health(), Health::kUp);
  EXPECT_EQ(check_.contradicting(), 5U);
  EXPECT_TRUE(fails(true));
}

TEST_F(CheckHealthTest, FrozenFailuresThatAreTooFewDoNotFallAfterwards) {
  make_up();
  EXPECT_FALSE(fails(false));
  EXPECT_FALSE(fails(true));
  EXPECT_TRUE(fails(true));
}

TEST_F(CheckHealthTest, FrozenOneThatAnswersIsForgiven) {
  make_up();
  for (int i = 0; i < 5; ++i) fails(false);
  EXPECT_FALSE(ok());
  EXPECT_FALSE(fails(true));
  EXPECT_EQ(check_.contradicting(), 1U);
}

TEST_F(CheckHealthTest, FrozenUnknownOneStaysUnknown) {
  EXPECT_FALSE(fails(false));
  EXPECT_EQ(check_.health(), Health::kUnknown);
  EXPECT_TRUE(fails(true));
  EXPECT_EQ(check_.health(), Health::kDown);
}

TEST_F(CheckHealthTest, FreezeDoesNotKeepAnyoneDown) {
  make_down();
  EXPECT_FALSE(take(CheckCode::kL7Ok, false));
  EXPECT_TRUE(take(CheckCode::kL7Ok, false));
}

TEST_F(CheckHealthTest, KeepsTheLastResultsOldestFirst) {
  for (std::size_t i = 0; i < CheckHealth::kHistory; ++i) ok();
  ASSERT_EQ(check_.history().size(), CheckHealth::kHistory);
  EXPECT_EQ(check_.history().front().at, WallClock::time_point{seconds(1'000'001)});
  fails();
  ASSERT_EQ(check_.history().size(), CheckHealth::kHistory);
  EXPECT_EQ(check_.history().front().at, WallClock::time_point{seconds(1'000'002)});
  EXPECT_EQ(check_.history().back().at, now_);
  EXPECT_EQ(check_.history().back().code, CheckCode::kL4Refused);
  EXPECT_EQ(check_.history().back().text, "L4CON");
}

TEST_F(CheckHealthTest, WaitsTheIntervalThatApplies) {
  EXPECT_EQ(check_.next_wait(0), kPace.interval);  // unknown
  make_up();
  EXPECT_EQ(check_.next_wait(0), kPace.interval);
  fails();
  EXPECT_EQ(check_.next_wait(0), kPace.fast_interval);
  fails();
  EXPECT_EQ(check_.next_wait(0), kPace.fast_interval);
  fails();
  EXPECT_EQ(check_.next_wait(0), kPace.down_interval);
  ok();
  EXPECT_EQ(check_.next_wait(0), kPace.fast_interval);
  fails();
  EXPECT_EQ(check_.next_wait(0), kPace.down_interval);
  ok();
  ok();
  EXPECT_EQ(check_.next_wait(0), kPace.interval);
}

TEST_F(CheckHealthTest, WaitsTheIntervalOnceEnoughFailedInAFreeze) {
  make_up();
  fails(false);
  fails(false);
  EXPECT_EQ(check_.next_wait(0), kPace.fast_interval);
  fails(false);
  EXPECT_EQ(check_.next_wait(0), kPace.interval);
}

TEST_F(CheckHealthTest, JitterOnlyShortensTheWait) {
  EXPECT_EQ(check_.next_wait(0.0), milliseconds(2000));
  EXPECT_EQ(check_.next_wait(0.5), milliseconds(1900));
  EXPECT_EQ(check_.next_wait(1.0), milliseconds(1800));
  EXPECT_EQ(check_.next_wait(-1.0), milliseconds(2000));
  EXPECT_EQ(check_.next_wait(2.0), milliseconds(1800));
}

TEST(StartWait, SpreadsOverTheIntervalAndAtMostASecond) {
  EXPECT_EQ(start_wait({.interval = milliseconds(400)}, 0), milliseconds(0));
  EXPECT_EQ(start_wait({.interval = milliseconds(400)}, 1), milliseconds(400));
  EXPECT_EQ(start_wait({.interval = milliseconds(1000)}, 1), milliseconds(1000));
  EXPECT_EQ(start_wait({.interval = milliseconds(60000)}, 0.5), milliseconds(500));
  EXPECT_EQ(start_wait({.interval = milliseconds(60000)}, 1), milliseconds(1000));
}

TEST(CheckPaceTest, IsThatOfTheAdvisor) {
  const AdvisorConfig advisor{
      .interval_ms = 3000, .fast_interval_ms = 100, .down_interval_ms = 9000, .fall = 4, .rise = 5};
  EXPECT_EQ(pace_of(advisor), (CheckPace{.interval = milliseconds(3000),
                                         .fast_interval = milliseconds(100),
                                         .down_interval = milliseconds(9000),
                                         .fall = 4,
                                         .rise = 5}));
  EXPECT_EQ(pace_of({.interval_ms = 700}), (CheckPace{.interval = milliseconds(700),
                                                      .fast_interval = milliseconds(700),
                                                      .down_interval = milliseconds(700)}));
}

TEST(HealthName, NamesEvery) {
  EXPECT_EQ(health_name(Health::kUnknown), "unknown");
  EXPECT_EQ(health_name(Health::kUp), "up");
  EXPECT_EQ(health_name(Health::kDown), "down");
}

}  // namespace
}  // namespace xdplb
