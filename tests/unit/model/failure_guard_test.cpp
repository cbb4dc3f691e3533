// SPDX-License-Identifier: GPL-2.0-only
#include "model/failure_guard.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <map>
#include <random>
#include <set>
#include <string>
#include <utility>

namespace xdplb {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using TimePoint = HealthClock::time_point;
using Servers = std::map<std::string, std::set<std::string>>;

constexpr seconds kInterval{2};

// s0 .. in each cluster.
Servers servers(const std::map<std::string, int>& counts) {
  Servers made;
  for (const auto& [cluster, count] : counts) {
    for (int i = 0; i < count; ++i) made[cluster].insert(fmt::format("s{}", i));
  }
  return made;
}

class FailureGuardTest : public testing::Test {
 protected:
  void configure(const std::map<std::string, int>& counts) { guard_.set_servers(servers(counts), kInterval); }
  // The first `count` of a cluster, all now.
  void fail_some(const std::string& cluster, int count) {
    for (int i = 0; i < count; ++i) guard_.failed(cluster, fmt::format("s{}", i), now_);
  }
  void answer_some(const std::string& cluster, int count) {
    for (int i = 0; i < count; ++i) guard_.answered(cluster, fmt::format("s{}", i));
  }
  bool is_frozen() {
    const bool is_frozen = !guard_.can_fall(now_);
    EXPECT_EQ(is_frozen, !guard_.reason(now_).empty());
    return is_frozen;
  }

  TimePoint now_{seconds(1000)};
  FailureGuard guard_;
};

TEST_F(FailureGuardTest, LetsFallWhileNothingFails) {
  EXPECT_FALSE(is_frozen());
  configure({{"web", 5}, {"mail", 5}});
  EXPECT_FALSE(is_frozen());
  EXPECT_EQ(guard_.thaws_at(), std::nullopt);
}

TEST_F(FailureGuardTest, FreezesWithHalfOfAllAndNotBelow) {
  configure({{"web", 5}, {"mail", 5}});
  fail_some("web", 2);
  fail_some("mail", 2);
  EXPECT_FALSE(is_frozen());
  fail_some("web", 3);
  EXPECT_TRUE(is_frozen());
  EXPECT_EQ(guard_.reason(now_), "5 of 10 servers in 2 clusters began to fail within 2 s");
}

TEST_F(FailureGuardTest, HalfOfAnOddNumberIsRoundedUp) {
  configure({{"web", 5}, {"mail", 4}});
  fail_some("web", 2);
  fail_some("mail", 2);
  EXPECT_FALSE(is_frozen());
  fail_some("mail", 3);
  EXPECT_TRUE(is_frozen());
}

TEST_F(FailureGuardTest, ThreeServersAreTooFew) {
  configure({{"web", 2}, {"mail", 1}});
  fail_some("web", 2);
  fail_some("mail", 1);
  EXPECT_FALSE(is_frozen());
  configure({{"web", 2}, {"mail", 2}});
  fail_some("mail", 2);
  EXPECT_TRUE(is_frozen());
}

TEST_F(FailureGuardTest, OneClusterMayFailAsAWhole) {
  configure({{"web", 6}, {"mail", 2}});
  fail_some("web", 6);
  EXPECT_FALSE(is_frozen());
  fail_some("mail", 1);
  EXPECT_TRUE(is_frozen());
}

TEST_F(FailureGuardTest, CountsOnlyWhatBeganWithinTheInterval) {
  configure({{"web", 2}, {"mail", 2}});
  fail_some("web", 2);
  now_ += kInterval + milliseconds(1);
  fail_some("mail", 2);
  EXPECT_FALSE(is_frozen());

  answer_some("web", 2);
  answer_some("mail", 2);
  fail_some("web", 2);
  now_ += kInterval;
  fail_some("mail", 2);
  EXPECT_TRUE(is_frozen());
}

TEST_F(FailureGuardTest, OneServerThatFailsOnAndOnCountsOnce) {
  configure({{"web", 2}, {"mail", 2}});
  for (int i = 0; i < 10; ++i) {
    fail_some("web", 2);
    fail_some("mail", 1);
  }
  EXPECT_FALSE(is_frozen());
  // Nor does it begin anew.
  now_ += kInterval + milliseconds(1);
  fail_some("web", 2);
  fail_some("mail", 2);
  EXPECT_FALSE(is_frozen());
}

TEST_F(FailureGuardTest, WhoAnsweredNoLongerCounts) {
  configure({{"web", 2}, {"mail", 2}});
  fail_some("web", 2);
  answer_some("web", 1);
  fail_some("mail", 2);
  EXPECT_FALSE(is_frozen());
}

TEST_F(FailureGuardTest, StrangersDoNotCount) {
  configure({{"web", 2}, {"mail", 2}});
  fail_some("web", 2);
  fail_some("mail", 1);
  guard_.failed("mail", "stranger", now_);
  guard_.failed("other", "s0", now_);
  EXPECT_FALSE(is_frozen());
}

TEST_F(FailureGuardTest, ForgetsWhoIsNoLongerChecked) {
  configure({{"web", 2}, {"mail", 3}});
  fail_some("mail", 3);
  configure({{"web", 2}, {"mail", 2}});
  configure({{"web", 2}, {"mail", 3}});
  fail_some("web", 1);
  EXPECT_FALSE(is_frozen());  // 3 of 5: s2 of mail was forgotten
  fail_some("web", 2);
  EXPECT_TRUE(is_frozen());
}

TEST_F(FailureGuardTest, ThawsAfterThreeIntervals) {
  configure({{"web", 2}, {"mail", 2}});
  fail_some("web", 2);
  fail_some("mail", 2);
  ASSERT_TRUE(is_frozen());
  EXPECT_EQ(guard_.thaws_at(), now_ + 3 * kInterval);
  now_ += 3 * kInterval - milliseconds(1);
  EXPECT_TRUE(is_frozen());
  now_ += milliseconds(1);
  EXPECT_EQ(guard_.reason(now_), "");  // before anybody asked
  EXPECT_FALSE(is_frozen());
  EXPECT_EQ(guard_.thaws_at(), std::nullopt);
}

TEST_F(FailureGuardTest, FurtherFailuresDoNotLengthenTheFreeze) {
  configure({{"web", 4}, {"mail", 4}});
  fail_some("web", 2);
  fail_some("mail", 2);
  const auto thaws_at = guard_.thaws_at();
  ASSERT_TRUE(thaws_at);
  now_ += seconds(1);
  fail_some("web", 4);
  fail_some("mail", 4);
  EXPECT_EQ(guard_.thaws_at(), thaws_at);
}

TEST_F(FailureGuardTest, TheSameFailuresDoNotFreezeAgain) {
  configure({{"web", 4}, {"mail", 4}});
  fail_some("web", 2);
  fail_some("mail", 2);
  now_ += 3 * kInterval - milliseconds(1);
  fail_some("web", 4);  // late ones of the freeze
  fail_some("mail", 3);
  now_ += milliseconds(1);
  fail_some("mail", 4);  // only one is new, though four began within the interval
  EXPECT_FALSE(is_frozen());
  EXPECT_EQ(guard_.thaws_at(), std::nullopt);
}

TEST_F(FailureGuardTest, WhoAnsweredInBetweenFreezesAgain) {
  configure({{"web", 2}, {"mail", 2}});
  fail_some("web", 2);
  fail_some("mail", 2);
  now_ += 3 * kInterval;
  ASSERT_FALSE(is_frozen());
  answer_some("web", 2);
  answer_some("mail", 2);
  fail_some("web", 2);
  fail_some("mail", 2);
  EXPECT_TRUE(is_frozen());
}

TEST_F(FailureGuardTest, LostReachFreezesForAsLongAsItLasts) {
  configure({{"web", 1}});
  guard_.set_reach(false, now_);
  EXPECT_TRUE(is_frozen());
  EXPECT_EQ(guard_.thaws_at(), std::nullopt);
  now_ += seconds(100000);
  EXPECT_TRUE(is_frozen());
  EXPECT_EQ(guard_.reason(now_), "no reach target answers on any interface");
}

// A probe sent while the network was away may time out after it came back.
TEST_F(FailureGuardTest, ReachThatCameBackFreezesForOneIntervalMore) {
  configure({{"web", 1}});
  guard_.set_reach(false, now_);
  now_ += seconds(10);
  guard_.set_reach(true, now_);
  EXPECT_TRUE(is_frozen());
  EXPECT_EQ(guard_.thaws_at(), now_ + kInterval);
  now_ += kInterval - milliseconds(1);
  guard_.set_reach(true, now_);  // said again: nothing new
  EXPECT_TRUE(is_frozen());
  now_ += milliseconds(1);
  EXPECT_FALSE(is_frozen());
}

TEST_F(FailureGuardTest, ReachThatWasNeverLostFreezesNothing) {
  guard_.set_reach(true, now_);
  EXPECT_FALSE(is_frozen());
}

TEST_F(FailureGuardTest, TheLaterOfTwoFreezesEndsIt) {
  configure({{"web", 2}, {"mail", 2}});
  fail_some("web", 2);
  fail_some("mail", 2);
  const auto mass_ends = guard_.thaws_at();
  guard_.set_reach(false, now_);
  now_ += seconds(1);
  guard_.set_reach(true, now_);
  EXPECT_EQ(guard_.thaws_at(), mass_ends);
  now_ += kInterval;
  EXPECT_TRUE(is_frozen());
  now_ = *mass_ends;
  EXPECT_FALSE(is_frozen());
}

TEST_F(FailureGuardTest, AskingWithoutServersIsHarmless) {
  guard_.set_servers({}, milliseconds(0));
  guard_.failed("web", "s0", now_);
  guard_.answered("web", "s0");
  EXPECT_FALSE(is_frozen());
}

// Whatever fails and answers: a freeze lasts no longer than it may, and while reach is there only half of all begin
// one.
TEST_F(FailureGuardTest, OfAnyHistoryFreezesAreShortAndHaveACause) {
  std::mt19937 random(22);
  const auto pick = [&random](int from, int to) { return std::uniform_int_distribution<int>(from, to)(random); };
  configure({{"web", 3}, {"mail", 3}, {"dns", 2}});
  std::map<std::pair<std::string, std::string>, TimePoint> began;
  std::optional<TimePoint> frozen_since;
  for (int i = 0; i < 100000 && !HasFailure(); ++i) {
    now_ += milliseconds(pick(0, 400));
    const bool was_frozen = is_frozen();
    const std::string cluster = std::array{"web", "mail", "dns"}.at(static_cast<std::size_t>(pick(0, 2)));
    const std::string server = fmt::format("s{}", pick(0, cluster == "dns" ? 1 : 2));
    if (pick(0, 2) == 0) {
      guard_.answered(cluster, server);
      began.erase({cluster, server});
    } else {
      guard_.failed(cluster, server, now_);
      began.try_emplace({cluster, server}, now_);
    }
    const bool has_begun = !was_frozen && is_frozen();
    if (has_begun) frozen_since = now_;
    if (is_frozen()) {
      EXPECT_LT(now_ - *frozen_since, 3 * kInterval);
    }
    const auto recent =
        std::count_if(began.begin(), began.end(), [&](const auto& item) { return now_ - item.second <= kInterval; });
    EXPECT_TRUE(!has_begun || recent >= 4) << recent;
  }
  EXPECT_TRUE(frozen_since);
}

}  // namespace
}  // namespace xdplb
