// SPDX-License-Identifier: GPL-2.0-only
#include "model/manager.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <random>

namespace xdplb {
namespace {

using std::chrono::seconds;
using TimePoint = std::chrono::steady_clock::time_point;

constexpr seconds kStale{300};

TimePoint at(int second) { return TimePoint{} + seconds(second); }

TEST(ActiveEstimate, IsNewLessClosed) {
  ActiveEstimate estimate;
  EXPECT_EQ(estimate.value(), 0);
  EXPECT_EQ(estimate.update(100, 40, kStale, at(0)), 60);
  EXPECT_EQ(estimate.update(110, 45, kStale, at(0)), 65);
  EXPECT_EQ(estimate.value(), 65);
}

TEST(ActiveEstimate, IsNeverBelowNothing) {
  ActiveEstimate estimate;
  EXPECT_EQ(estimate.update(5, 9, kStale, at(0)), 0);
  EXPECT_EQ(estimate.update(6, 20, kStale, at(0)), 0);
  EXPECT_EQ(estimate.update(8, 20, kStale, at(0)), 2) << "what was closed too often is not owed";
}

TEST(ActiveEstimate, ForgetsFlowsWhoseEndWasNotSeenOverTheStaleTimeout) {
  ActiveEstimate estimate;
  estimate.update(1000, 0, kStale, at(0));
  EXPECT_NEAR(estimate.update(1000, 0, kStale, at(300)), 1000 / std::exp(1), 0.001);
  EXPECT_NEAR(estimate.update(1000, 0, kStale, at(3000)), 0, 0.1);
}

TEST(ActiveEstimate, TheRateOfReadingDoesNotMatterToForgetting) {
  ActiveEstimate often;
  ActiveEstimate once;
  often.update(1000, 0, kStale, at(0));
  once.update(1000, 0, kStale, at(0));
  for (int second = 1; second <= 100; ++second) often.update(1000, 0, kStale, at(second));
  EXPECT_NEAR(often.value(), once.update(1000, 0, kStale, at(100)), 0.001);
}

TEST(ActiveEstimate, CountersThatGoBackStartAnew) {
  ActiveEstimate estimate;
  estimate.update(1000, 900, kStale, at(0));
  EXPECT_EQ(estimate.update(30, 10, kStale, at(0)), 120) << "the flows of before are still there";
  EXPECT_EQ(estimate.update(40, 5, kStale, at(0)), 155) << "one counter alone is a reload, too";
}

// 50 a second, each open for 4 s: rates alone do not tell 200 from any other steady level, so it fades. What changed
// lately stays visible.
TEST(ActiveEstimate, ASteadyLevelFadesAndAPileUpShows) {
  ActiveEstimate estimate;
  const auto opened = [](int second) { return static_cast<std::uint64_t>(50 * second); };
  const auto closed = [](int second) { return static_cast<std::uint64_t>(50 * std::max(0, second - 4)); };
  for (int second = 0; second <= 20; ++second) estimate.update(opened(second), closed(second), kStale, at(second));
  EXPECT_NEAR(estimate.value(), 200, 12);
  for (int second = 21; second <= 2000; ++second) estimate.update(opened(second), closed(second), kStale, at(second));
  EXPECT_NEAR(estimate.value(), 0, 1);
  for (int second = 2001; second <= 2010; ++second) estimate.update(opened(second), closed(2000), kStale, at(second));
  EXPECT_NEAR(estimate.value(), 500, 15);
}

TEST(ActiveEstimate, RandomCountersNeverMakeItNegativeOrMoreThanAllFlows) {
  std::mt19937_64 random(1);
  ActiveEstimate estimate;
  std::uint64_t opened = 0;
  std::uint64_t closed = 0;
  double all = 0;
  for (int step = 0; step < 100'000; ++step) {
    if (random() % 1000 == 0) opened = closed = 0;
    const std::uint64_t more = random() % 50;
    opened += more;
    closed += random() % 50;
    all += static_cast<double>(more);
    const double value = estimate.update(opened, closed, seconds(1 + random() % 1000), at(step));
    ASSERT_TRUE(std::isfinite(value));
    ASSERT_GE(value, 0);
    ASSERT_LE(value, all);
  }
}

}  // namespace
}  // namespace xdplb
