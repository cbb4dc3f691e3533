// SPDX-License-Identifier: GPL-2.0-only
#include "vipa/announce_schedule.h"

#include <gmock/gmock.h>

#include <set>

namespace xdplb {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::IsEmpty;

const IpAddress kOne = *IpAddress::parse("192.0.2.10");
const IpAddress kTwo = *IpAddress::parse("192.0.2.11");
const auto kStart = AnnounceSchedule::Clock::time_point() + 1h;

TEST(AnnounceSchedule, SeriesIsFiveQuickOnesAndTwoLate) {
  AnnounceSchedule schedule;
  schedule.start(kOne, kStart);
  std::vector<std::chrono::nanoseconds> sent;
  for (auto now = schedule.next_wake(kStart); now; now = schedule.next_wake(*now)) {
    for (const auto& address : schedule.take_due(*now)) {
      EXPECT_EQ(address, kOne);
      sent.push_back(*now - kStart);
    }
  }
  EXPECT_THAT(sent, ElementsAre(0ms, 1100ms, 2200ms, 3300ms, 4400ms, 10000ms, 30000ms));
}

TEST(AnnounceSchedule, NothingBeforeItsTime) {
  AnnounceSchedule schedule;
  EXPECT_EQ(schedule.next_wake(kStart), std::nullopt);
  schedule.start(kOne, kStart);
  EXPECT_THAT(schedule.take_due(kStart), ElementsAre(kOne));
  EXPECT_THAT(schedule.take_due(kStart + 1100ms - 1ns), IsEmpty());
  EXPECT_THAT(schedule.take_due(kStart + 1100ms), ElementsAre(kOne));
}

TEST(AnnounceSchedule, CancelEndsTheSeries) {
  AnnounceSchedule schedule;
  schedule.start(kOne, kStart);
  schedule.start(kTwo, kStart);
  schedule.cancel(kOne);
  EXPECT_THAT(schedule.take_due(kStart), ElementsAre(kTwo));
  schedule.cancel(kTwo);
  EXPECT_EQ(schedule.next_wake(kStart), std::nullopt);
  EXPECT_THAT(schedule.take_due(kStart + 60s), IsEmpty());
}

TEST(AnnounceSchedule, ClearEndsAll) {
  AnnounceSchedule schedule;
  schedule.start(kOne, kStart);
  schedule.clear();
  EXPECT_THAT(schedule.take_due(kStart), IsEmpty());
}

TEST(AnnounceSchedule, StartedAgainItStartsOverOnce) {
  AnnounceSchedule schedule;
  schedule.start(kOne, kStart);
  schedule.start(kOne, kStart);
  EXPECT_THAT(schedule.take_due(kStart), ElementsAre(kOne));
  schedule.start(kOne, kStart + 1s);
  EXPECT_THAT(schedule.take_due(kStart + 1s), ElementsAre(kOne));
  EXPECT_THAT(schedule.take_due(kStart + 1100ms), IsEmpty()) << "the first series is over";
  EXPECT_THAT(schedule.take_due(kStart + 2100ms), ElementsAre(kOne));
}

TEST(AnnounceSchedule, LateAnnouncementsAreNotSentTogether) {
  AnnounceSchedule schedule;
  schedule.start(kOne, kStart);
  EXPECT_THAT(schedule.take_due(kStart + 60s), ElementsAre(kOne));
  EXPECT_THAT(schedule.take_due(kStart + 61s), IsEmpty());
  EXPECT_THAT(schedule.take_due(kStart + 62s), ElementsAre(kOne));
}

IpAddress numbered(unsigned i) {
  return IpAddress::v4({198, 18, static_cast<std::uint8_t>(i / 256), static_cast<std::uint8_t>(i % 256)});
}

TEST(AnnounceSchedule, ThousandVipasGoBreadthFirstWithinTheRate) {
  AnnounceSchedule schedule;
  constexpr unsigned kCount = 1000;
  for (unsigned i = 0; i < kCount; ++i) schedule.start(numbered(i), kStart);
  EXPECT_EQ(schedule.take_due(kStart).size(), 25u) << "50 frames at once";
  std::set<IpAddress> first({});
  unsigned sent = 25;
  auto now = kStart;
  std::vector<IpAddress> order;
  while (auto wake = schedule.next_wake(now)) {
    now = *wake;
    auto due = schedule.take_due(now);
    sent += static_cast<unsigned>(due.size());
    order.insert(order.end(), due.begin(), due.end());
    double seconds = std::chrono::duration<double>(now - kStart).count();
    ASSERT_LE(2.0 * sent, 50 + 200 * seconds + 1);
  }
  EXPECT_EQ(sent, 7 * kCount);
  first.insert(order.begin(), order.begin() + kCount - 25);
  EXPECT_EQ(first.size(), kCount - 25) << "a second announcement came before the first of another VIPA";
}

TEST(AnnounceSchedule, AdvertisementIsOneFrame) {
  AnnounceSchedule schedule;
  for (unsigned i = 1; i <= 60; ++i) {
    auto text = "2001:db8::" + std::to_string(i);
    schedule.start(*IpAddress::parse(text), kStart);
  }
  EXPECT_EQ(schedule.take_due(kStart).size(), 50u);
}

TEST(TokenBucket, GivesBurstThenRate) {
  TokenBucket bucket(10, 3);
  EXPECT_TRUE(bucket.take(3, kStart));
  EXPECT_FALSE(bucket.take(1, kStart));
  EXPECT_FALSE(bucket.take(1, kStart + 99ms));
  EXPECT_EQ(bucket.ready_at(2, kStart + 99ms) - kStart, 200ms + 1ns);
  EXPECT_TRUE(bucket.take(2, kStart + 200ms + 1ns));
  EXPECT_FALSE(bucket.take(4, kStart + 1h)) << "never more than the burst";
}

}  // namespace
}  // namespace xdplb
