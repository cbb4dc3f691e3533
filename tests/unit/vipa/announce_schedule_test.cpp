// SPDX-License-Identifier: GPL-2.0-only
#include "vipa/announce_schedule.h"

#include <gmock/gmock.h>

#include <numeric>
#include <set>

namespace xdplb {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::IsEmpty;

const IpAddress kOne = *IpAddress::parse("192.0.2.10");
const IpAddress kTwo = *IpAddress::parse("192.0.2.11");
const IpAddress kV6 = *IpAddress::parse("2001:db8::10");
const auto kStart = AnnounceSchedule::Clock::time_point() + 1h;

using Form = AnnouncementForm;

DueAnnouncement frame(const IpAddress& vipa, Form form = Form::kFirst) { return {.vipa = vipa, .form = form}; }

AnnounceTarget target(unsigned i) {
  auto last = static_cast<std::uint8_t>(i);
  return {.address = IpAddress::v4({192, 0, 2, last}), .mac = {{2, 0, 0, 0, 0, last}}};
}
AnnounceTargets targets(const std::vector<unsigned>& numbers) {
  std::vector<AnnounceTarget> list;
  for (unsigned number : numbers) list.push_back(target(number));
  return std::make_shared<const std::vector<AnnounceTarget>>(list);
}
DueAnnouncement directed(const IpAddress& vipa, unsigned i) {
  return {.vipa = vipa, .form = Form::kDirected, .target = target(i)};
}

auto is_pair_of(const IpAddress& vipa) { return ElementsAre(frame(vipa), frame(vipa, Form::kReply)); }

IpAddress numbered(unsigned i) {
  return IpAddress::v4({198, 18, static_cast<std::uint8_t>(i / 256), static_cast<std::uint8_t>(i % 256)});
}

// A frame and when it left, after kStart.
struct Sent {
  DueAnnouncement frame;
  std::chrono::nanoseconds at;
};

// All that is left to send, each frame as early as it may go.
std::vector<Sent> drain(AnnounceSchedule& schedule, AnnounceSchedule::Clock::time_point now = kStart) {
  std::vector<Sent> sent;
  for (auto wake = std::optional(now); wake; wake = schedule.next_wake(now)) {
    now = *wake;
    for (const auto& due : schedule.take_due(now)) sent.push_back({.frame = due, .at = now - kStart});
  }
  return sent;
}

std::vector<std::chrono::nanoseconds> times_of(const std::vector<Sent>& sent, Form form) {
  std::vector<std::chrono::nanoseconds> times;
  for (const auto& each : sent) {
    if (each.frame.form == form) times.push_back(each.at);
  }
  return times;
}

TEST(AnnounceSchedule, SeriesIsFiveQuickPairsAndTwoLateOnes) {
  AnnounceSchedule schedule;
  schedule.start(kOne, kStart);
  auto sent = drain(schedule);
  EXPECT_THAT(times_of(sent, Form::kFirst), ElementsAre(0ms, 1100ms, 2200ms, 3300ms, 4400ms, 10000ms, 30000ms));
  EXPECT_EQ(times_of(sent, Form::kReply), times_of(sent, Form::kFirst));
}

TEST(AnnounceSchedule, SeriesOfIpv6IsThreeASecondApartAndTwoLateOnes) {
  AnnounceSchedule schedule;
  schedule.start(kV6, kStart);
  auto sent = drain(schedule);
  EXPECT_THAT(times_of(sent, Form::kFirst), ElementsAre(0ms, 1000ms, 2000ms, 10000ms, 30000ms));
  EXPECT_EQ(sent.size(), 5u) << "an advertisement has no second form";
}

TEST(AnnounceSchedule, FamiliesKeepTheirOwnTimes) {
  AnnounceSchedule schedule;
  schedule.start(kOne, kStart);
  schedule.start(kV6, kStart);
  EXPECT_EQ(schedule.take_due(kStart).size(), 3u);
  EXPECT_THAT(schedule.take_due(kStart + 1000ms), ElementsAre(frame(kV6)));
  EXPECT_THAT(schedule.take_due(kStart + 1100ms), is_pair_of(kOne));
}

TEST(AnnounceSchedule, NothingBeforeItsTime) {
  AnnounceSchedule schedule;
  EXPECT_EQ(schedule.next_wake(kStart), std::nullopt);
  schedule.start(kOne, kStart);
  EXPECT_THAT(schedule.take_due(kStart), is_pair_of(kOne));
  EXPECT_THAT(schedule.take_due(kStart + 1100ms - 1ns), IsEmpty());
  EXPECT_THAT(schedule.take_due(kStart + 1100ms), is_pair_of(kOne));
}

TEST(AnnounceSchedule, CancelEndsAllOfTheVipa) {
  AnnounceSchedule schedule;
  for (const auto& vipa : {kOne, kTwo}) {
    schedule.start(vipa, kStart);
    schedule.add_once(vipa, kStart);
    schedule.tell(vipa, targets({1}));
  }
  schedule.cancel(kOne);
  for (const auto& due : schedule.take_due(kStart)) EXPECT_EQ(due.vipa, kTwo);
  schedule.cancel(kTwo);
  EXPECT_EQ(schedule.next_wake(kStart), std::nullopt);
  EXPECT_THAT(schedule.take_due(kStart + 60s), IsEmpty());
}

TEST(AnnounceSchedule, CancelledVipaMayStartAgain) {
  AnnounceSchedule schedule;
  schedule.tell(kOne, targets({1, 2}));
  schedule.cancel(kOne);
  schedule.start(kOne, kStart);
  schedule.tell(kOne, targets({3}));
  EXPECT_THAT(schedule.take_due(kStart), ElementsAre(frame(kOne), frame(kOne, Form::kReply), directed(kOne, 3)));
}

TEST(AnnounceSchedule, ClearEndsAll) {
  AnnounceSchedule schedule;
  schedule.start(kOne, kStart);
  schedule.add_once(kTwo, kStart);
  schedule.tell(kOne, targets({1}));
  schedule.clear();
  EXPECT_EQ(schedule.next_wake(kStart), std::nullopt);
  EXPECT_THAT(schedule.take_due(kStart), IsEmpty());
}

TEST(AnnounceSchedule, StartedAgainItStartsOverOnce) {
  AnnounceSchedule schedule;
  schedule.start(kOne, kStart);
  schedule.start(kOne, kStart);
  EXPECT_THAT(schedule.take_due(kStart), is_pair_of(kOne));
  schedule.start(kOne, kStart + 1s);
  EXPECT_THAT(schedule.take_due(kStart + 1s), is_pair_of(kOne));
  EXPECT_THAT(schedule.take_due(kStart + 1100ms), IsEmpty()) << "the first series is over";
  EXPECT_THAT(schedule.take_due(kStart + 2100ms), is_pair_of(kOne));
}

TEST(AnnounceSchedule, LateAnnouncementsAreNotSentTogether) {
  AnnounceSchedule schedule;
  schedule.start(kOne, kStart);
  EXPECT_THAT(schedule.take_due(kStart + 60s), is_pair_of(kOne));
  EXPECT_THAT(schedule.take_due(kStart + 61s), IsEmpty());
  EXPECT_THAT(schedule.take_due(kStart + 62s), is_pair_of(kOne));
}

TEST(AnnounceSchedule, OnceIsOncePerCallBesideTheSeries) {
  AnnounceSchedule schedule;
  schedule.start(kOne, kStart);
  EXPECT_THAT(schedule.take_due(kStart), is_pair_of(kOne));
  schedule.add_once(kOne, kStart + 500ms);
  schedule.add_once(kOne, kStart + 500ms);
  EXPECT_THAT(schedule.take_due(kStart + 500ms), is_pair_of(kOne));
  EXPECT_THAT(schedule.take_due(kStart + 1100ms), is_pair_of(kOne)) << "the series goes on";
  schedule.add_once(kV6, kStart + 1200ms);
  EXPECT_THAT(schedule.take_due(kStart + 1200ms), ElementsAre(frame(kV6)));
}

TEST(AnnounceSchedule, DefenceLeavesAtOnceThoughSeriesWait) {
  AnnounceSchedule schedule;
  for (unsigned i = 0; i < 500; ++i) schedule.start(numbered(i), kStart);
  schedule.tell(kTwo, targets({1}));
  EXPECT_EQ(schedule.take_due(kStart).size(), 50u);
  schedule.add_once(kOne, kStart);
  auto sent = drain(schedule);
  EXPECT_EQ(sent[0].frame, frame(kOne));
  EXPECT_EQ(sent[1].frame, frame(kOne, Form::kReply));
  EXPECT_LE(sent[1].at, 11ms);
}

TEST(AnnounceSchedule, FiveHundredVipasAreAllAnnouncedWithinThreeSeconds) {
  AnnounceSchedule schedule;
  constexpr unsigned kCount = 500;
  for (unsigned i = 0; i < kCount; ++i) schedule.start(numbered(i), kStart);
  auto sent = drain(schedule);
  std::set<IpAddress> first({});
  for (unsigned i = 0; i < kCount; ++i) first.insert(sent[i].frame.vipa);
  EXPECT_EQ(first.size(), kCount);
  EXPECT_LE(sent[kCount - 1].at, 3s);
}

TEST(AnnounceSchedule, ThousandVipasGoBreadthFirstWithinTheRate) {
  AnnounceSchedule schedule;
  constexpr unsigned kCount = 1000;
  for (unsigned i = 0; i < kCount; ++i) schedule.start(numbered(i), kStart);
  auto sent = drain(schedule);
  ASSERT_EQ(sent.size(), 14 * kCount);
  EXPECT_EQ(sent[49].at, 0ms) << "50 frames at once";
  EXPECT_GT(sent[50].at, 0ms);
  for (std::size_t i = 0; i < sent.size(); ++i) {
    double seconds = std::chrono::duration<double>(sent[i].at).count();
    ASSERT_LE(i + 1, 50 + 200 * seconds + 1);
  }
  std::set<IpAddress> requests({});
  std::set<IpAddress> replies({});
  for (unsigned i = 0; i < 2 * kCount; ++i) {
    (sent[i].frame.form == Form::kFirst ? requests : replies).insert(sent[i].frame.vipa);
  }
  EXPECT_EQ(requests.size(), kCount);
  EXPECT_EQ(replies.size(), kCount) << "a second pair came before the first of another VIPA";
}

TEST(AnnounceSchedule, NeighboursAreToldInTurnAfterEverythingElse) {
  AnnounceSchedule schedule;
  schedule.tell(kOne, targets({1, 2, 3}));
  schedule.tell(kTwo, targets({4}));
  schedule.start(kOne, kStart);
  EXPECT_THAT(schedule.take_due(kStart), ElementsAre(frame(kOne), frame(kOne, Form::kReply), directed(kOne, 1),
                                                     directed(kTwo, 4), directed(kOne, 2), directed(kOne, 3)));
}

TEST(AnnounceSchedule, NeighboursShareTheRate) {
  AnnounceSchedule schedule;
  std::vector<unsigned> numbers(60);
  std::iota(numbers.begin(), numbers.end(), 1);
  schedule.tell(kOne, targets(numbers));
  EXPECT_EQ(schedule.take_due(kStart).size(), 50u);
  schedule.start(kTwo, kStart);
  auto sent = drain(schedule);
  EXPECT_THAT((std::vector{sent[0].frame, sent[1].frame, sent[2].frame}),
              ElementsAre(frame(kTwo), frame(kTwo, Form::kReply), directed(kOne, 51)));
  EXPECT_EQ(times_of(sent, Form::kDirected).size(), 10u);
  EXPECT_NEAR(std::chrono::duration<double>(sent[11].at).count(), 12 / 200.0, 0.001);
}

TEST(AnnounceSchedule, ToldAnewForgetsWhoWasToBeToldBefore) {
  AnnounceSchedule schedule;
  schedule.tell(kOne, targets({1, 2}));
  schedule.tell(kOne, targets({3}));
  EXPECT_THAT(schedule.take_due(kStart), ElementsAre(directed(kOne, 3)));
  EXPECT_EQ(schedule.next_wake(kStart), std::nullopt);
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
