// SPDX-License-Identifier: GPL-2.0-only
#include "model/flow_age.h"

#include <gtest/gtest.h>

namespace xdplb {
namespace {

constexpr FlowLimits kLimits{.stale_ticks = 300, .sticky_ticks = 900};

TEST(FlowAge, CountsTicksAndTakesAStampAheadForNow) {
  EXPECT_EQ(age_of(100, 40), 60U);
  EXPECT_EQ(age_of(100, 101), 0U);
  EXPECT_EQ(age_of(5, 0xfffffffb), 10U);  // the clock wrapped
}

TEST(FlowAge, ATouchIsNeverOlderThanItIs) {
  EXPECT_EQ(touch_age(0x12345, 0x2300), 0x45U);
  EXPECT_EQ(touch_age(0x10002, 0xfff0), 0x12U);  // its half of the clock wrapped
  EXPECT_EQ(touch_age(0x12345, 0x2346), 0U);     // a packet came after the clock was read
  EXPECT_EQ(touch_age(kMaxTouchAge, 0), kMaxTouchAge);
  EXPECT_EQ(touch_age(kMaxTouchAge + 1, 0), 0U);
}

TEST(FlowAge, AFlowExpiresAfterTheTimeOfItsPhase) {
  EXPECT_FALSE(is_expired(FlowPhase::kHalfOpen, 10, kLimits));
  EXPECT_TRUE(is_expired(FlowPhase::kHalfOpen, 11, kLimits));
  EXPECT_FALSE(is_expired(FlowPhase::kClosing, 60, kLimits));
  EXPECT_TRUE(is_expired(FlowPhase::kClosing, 61, kLimits));
  EXPECT_FALSE(is_expired(FlowPhase::kOpen, 300, kLimits));
  EXPECT_TRUE(is_expired(FlowPhase::kOpen, 301, kLimits));
}

TEST(FlowAge, AClientIsForgottenAfterItsStickyTime) {
  EXPECT_FALSE(is_client_expired(900, kLimits));
  EXPECT_TRUE(is_client_expired(901, kLimits));
  EXPECT_TRUE(is_client_expired(1, {.stale_ticks = 300}));
}

}  // namespace
}  // namespace xdplb
