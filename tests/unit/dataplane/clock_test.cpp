// SPDX-License-Identifier: GPL-2.0-only
#include "dataplane/clock.h"

#include <gtest/gtest.h>

namespace xdplb {
namespace {

TEST(TickLength, IsThePowerOfTwoNearestToASecond) {
  EXPECT_EQ(TickLength::for_hz(1).shift, 0U);
  EXPECT_EQ(TickLength::for_hz(100).shift, 7U);  // 1.28 s, 0.64 s is farther
  EXPECT_EQ(TickLength::for_hz(250).shift, 8U);
  EXPECT_EQ(TickLength::for_hz(256).shift, 8U);
  EXPECT_EQ(TickLength::for_hz(300).shift, 8U);
  EXPECT_EQ(TickLength::for_hz(1000).shift, 10U);
}

TEST(TickLength, SecondsAreNeverFewerTicksThanAskedFor) {
  const auto tick = TickLength::for_hz(250);  // 1.024 s
  EXPECT_EQ(tick.tick_ns(), 1'024'000'000U);
  EXPECT_EQ(tick.ticks(0), 0U);
  EXPECT_EQ(tick.ticks(1), 1U);
  EXPECT_EQ(tick.ticks(300), 293U);
  EXPECT_EQ(tick.ticks(43200), 42188U);
  EXPECT_EQ(TickLength::for_hz(256).ticks(300), 300U);
  EXPECT_EQ(tick.seconds(293), 300U);
}

TEST(TickLength, IsThatOfTheRunningKernel) {
  const auto tick = TickLength::measure();
  EXPECT_GE(tick.tick_ns(), 640'000'000U);
  EXPECT_LE(tick.tick_ns(), 1'500'000'000U);
}

}  // namespace
}  // namespace xdplb
