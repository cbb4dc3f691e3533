// SPDX-License-Identifier: GPL-2.0-only
#include "vipa/askers.h"

#include <gmock/gmock.h>

#include "vipa/asker_limit.h"

namespace xdplb {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::IsEmpty;

const auto kStart = Askers::Clock::time_point() + 1h;
constexpr std::uint32_t kEth0 = 2;
constexpr std::uint32_t kEth1 = 3;

IpAddress host(unsigned i) { return IpAddress::v4({192, 0, 2, static_cast<std::uint8_t>(i)}); }
MacAddress station(unsigned i) {
  return {{2, 0, 0, 0, static_cast<std::uint8_t>(i / 256), static_cast<std::uint8_t>(i)}};
}
AnnounceTarget target(unsigned i) { return {.address = host(i), .mac = station(i)}; }

TEST(Askers, LatestComeFirstFromAllInterfaces) {
  Askers askers;
  askers.note(kEth0, host(1), station(1), kStart);
  askers.note(kEth1, host(2), station(2), kStart + 1s);
  askers.note(kEth0, host(3), station(3), kStart + 2s);
  EXPECT_THAT(askers.recent(Family::kV4, kStart + 3s), ElementsAre(target(3), target(2), target(1)));
  EXPECT_THAT(askers.recent(Family::kV6, kStart + 3s), IsEmpty());
}

TEST(Askers, OneWhoAsksAgainIsListedOnceWithItsLatestMac) {
  Askers askers;
  askers.note(kEth0, host(1), station(1), kStart);
  askers.note(kEth0, host(2), station(2), kStart + 1s);
  askers.note(kEth0, host(1), station(9), kStart + 2s);
  askers.note(kEth1, host(2), station(8), kStart + 3s);
  EXPECT_THAT(askers.recent(Family::kV4, kStart + 3s),
              ElementsAre(AnnounceTarget{.address = host(2), .mac = station(8)},
                          AnnounceTarget{.address = host(1), .mac = station(9)}));
}

TEST(Askers, OlderThanAMinuteAreLeftOut) {
  Askers askers;
  askers.note(kEth0, host(1), station(1), kStart);
  EXPECT_THAT(askers.recent(Family::kV4, kStart + 60s), ElementsAre(target(1)));
  EXPECT_THAT(askers.recent(Family::kV4, kStart + 60s + 1ns), IsEmpty());
}

TEST(Askers, SixtyFourOfAnInterfaceAreKept) {
  Askers askers;
  for (unsigned i = 0; i < 65; ++i) askers.note(kEth0, host(i), station(i), kStart + i * 100ms);
  auto recent = askers.recent(Family::kV4, kStart + 7s);
  ASSERT_EQ(recent.size(), 64u);
  EXPECT_EQ(recent.front(), target(64));
  EXPECT_EQ(recent.back(), target(1)) << "the oldest made room";
}

TEST(Askers, OfAnInterfaceThatIsGoneAreKeptForAMinute) {
  Askers askers;
  askers.note(kEth0, host(1), station(1), kStart);
  auto is_gone = [](std::uint32_t ifindex) { return ifindex == kEth0; };
  askers.forget(is_gone, kStart + 60s);
  EXPECT_THAT(askers.recent(Family::kV4, kStart + 60s), ElementsAre(target(1)));
  askers.forget(is_gone, kStart + 61s);
  EXPECT_THAT(askers.recent(Family::kV4, kStart + 60s), IsEmpty());
}

TEST(AskerLimit, FiftyASecondForEachAsker) {
  AskerLimit limit;
  for (unsigned i = 0; i < 50; ++i) ASSERT_TRUE(limit.take(station(1), kStart));
  EXPECT_FALSE(limit.take(station(1), kStart));
  EXPECT_TRUE(limit.take(station(2), kStart)) << "another asker";
  EXPECT_FALSE(limit.take(station(1), kStart + 19ms));
  EXPECT_TRUE(limit.take(station(1), kStart + 20ms));
}

TEST(AskerLimit, RemembersNoMoreThanALanHas) {
  AskerLimit limit;
  for (unsigned i = 0; i < 50; ++i) ASSERT_TRUE(limit.take(station(1), kStart));
  for (unsigned i = 2; i <= AskerLimit::kMaxAskers; ++i) ASSERT_TRUE(limit.take(station(i), kStart + 500ms));
  EXPECT_TRUE(limit.take(station(0), kStart + 1100ms)) << "room was made of the one that is full again";
  EXPECT_TRUE(limit.take(station(2), kStart + 1100ms));
}

}  // namespace
}  // namespace xdplb
