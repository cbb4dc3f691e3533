// SPDX-License-Identifier: GPL-2.0-only
#include "daemon/claimants.h"

#include <gmock/gmock.h>

namespace xdplb {
namespace {

using std::chrono::seconds;
using testing::ElementsAre;
using testing::IsEmpty;

const IpAddress kVipa = *IpAddress::parse("192.0.2.10");
const IpAddress kOther = *IpAddress::parse("192.0.2.11");
const ServerPath kServer{.port = {.cluster = "web", .port = 80}, .server = "s1"};
const Claimants::Stranger kStranger{.mac = *MacAddress::parse("02:00:00:00:00:99"), .vipa = kVipa, .interface = "eth0"};

Claimants::Clock::time_point at(int second) {
  return Claimants::Clock::time_point(std::chrono::hours(1)) + seconds(second);
}

TEST(Claimants, AskAMinuteAfterOwnershipAndEveryMinute) {
  Claimants claimants;
  EXPECT_FALSE(claimants.is_due(kVipa, at(0), {}, at(59)));
  EXPECT_TRUE(claimants.is_due(kVipa, at(0), {}, at(60)));
  EXPECT_FALSE(claimants.is_due(kVipa, at(0), {}, at(61)));
  EXPECT_TRUE(claimants.is_due(kOther, at(0), {}, at(61))) << "each VIPA has its own time";
  EXPECT_FALSE(claimants.is_due(kVipa, at(0), {}, at(119)));
  EXPECT_TRUE(claimants.is_due(kVipa, at(0), {}, at(120)));
}

TEST(Claimants, AMoveBeginsAnew) {
  Claimants claimants;
  EXPECT_TRUE(claimants.is_due(kVipa, at(0), {}, at(60)));
  EXPECT_FALSE(claimants.is_due(kVipa, at(100), {}, at(159)));
  EXPECT_TRUE(claimants.is_due(kVipa, at(100), {}, at(160)));
}

TEST(Claimants, ADisputeIsLeftAlone) {
  Claimants claimants;
  EXPECT_FALSE(claimants.is_due(kVipa, at(0), at(50), at(79)));
  EXPECT_TRUE(claimants.is_due(kVipa, at(0), at(50), at(80)));
  // The answer to our own question is a claim, too, and must not delay the next one.
  EXPECT_TRUE(claimants.is_due(kVipa, at(0), at(80), at(140)));
}

TEST(Claimants, WhatIsNotSeenAgainIsOver) {
  Claimants claimants;
  claimants.note_server(kServer, kVipa, at(0));
  claimants.note_stranger(kStranger, at(0));
  EXPECT_THAT(claimants.leaks(at(129)), ElementsAre(Claimants::Leak{.server = kServer, .vipa = kVipa}));
  EXPECT_THAT(claimants.strangers(at(129)), ElementsAre(kStranger));
  claimants.note_stranger(kStranger, at(100));
  EXPECT_THAT(claimants.leaks(at(130)), IsEmpty());
  EXPECT_THAT(claimants.strangers(at(229)), ElementsAre(kStranger));
  EXPECT_THAT(claimants.strangers(at(230)), IsEmpty());
}

TEST(Claimants, AFloodOfMacsIsBounded) {
  Claimants claimants;
  auto stranger = kStranger;
  for (int i = 0; i < 1000; ++i) {
    stranger.mac.bytes[4] = static_cast<std::uint8_t>(i / 256);
    stranger.mac.bytes[5] = static_cast<std::uint8_t>(i % 256);
    claimants.note_stranger(stranger, at(0));
  }
  EXPECT_LE(claimants.strangers(at(1)).size(), 256U);
}

}  // namespace
}  // namespace xdplb
