// SPDX-License-Identifier: GPL-2.0-only
#include "vipa/machine_timers.h"

#include <gmock/gmock.h>

namespace xdplb {
namespace {

using namespace std::chrono_literals;

const auto kStart = MachineTimers::Clock::time_point() + 1h;
const IpAddress kOne = *IpAddress::parse("192.0.2.10");
const IpAddress kTwo = *IpAddress::parse("192.0.2.11");

ArmTimer timer(VipaTimer kind, std::uint64_t epoch, MachineTimers::Clock::duration after) {
  return {.timer = kind, .epoch = epoch, .due = kStart + after};
}

std::vector<std::uint64_t> epochs(const std::vector<MachineTimers::Due>& due) {
  std::vector<std::uint64_t> list;
  for (const auto& each : due) list.push_back(each.epoch);
  return list;
}

using testing::ElementsAre;
using testing::IsEmpty;

TEST(MachineTimers, AreDueInOrderAndOnce) {
  MachineTimers timers;
  EXPECT_EQ(timers.next(), std::nullopt);
  timers.arm(kOne, timer(VipaTimer::kHold, 1, 3s));
  timers.arm(kOne, timer(VipaTimer::kRefresh, 2, 1s));
  timers.arm(kTwo, timer(VipaTimer::kHold, 3, 2s));
  EXPECT_EQ(timers.next(), kStart + 1s);
  EXPECT_THAT(timers.take_due(kStart + 1s - 1ns), IsEmpty());
  auto due = timers.take_due(kStart + 2s);
  EXPECT_THAT(epochs(due), ElementsAre(2, 3));
  EXPECT_EQ(due[0].vipa, kOne);
  EXPECT_EQ(due[0].timer, VipaTimer::kRefresh);
  EXPECT_EQ(due[0].due, kStart + 1s);
  EXPECT_THAT(timers.take_due(kStart + 2s), IsEmpty());
  EXPECT_EQ(timers.next(), kStart + 3s);
}

TEST(MachineTimers, LaterOneOfTheSameKindReplacesIt) {
  MachineTimers timers;
  timers.arm(kOne, timer(VipaTimer::kProbe, 1, 1s));
  timers.arm(kOne, timer(VipaTimer::kProbe, 2, 5s));
  timers.arm(kTwo, timer(VipaTimer::kProbe, 3, 9s));
  timers.arm(kTwo, timer(VipaTimer::kProbe, 4, 2s));
  EXPECT_THAT(epochs(timers.take_due(kStart + 10s)), ElementsAre(4, 2));
}

TEST(MachineTimers, DroppedVipaHasNone) {
  MachineTimers timers;
  for (auto kind : {VipaTimer::kProbe, VipaTimer::kWatch}) {
    timers.arm(kOne, timer(kind, 1, 1s));
    timers.arm(kTwo, timer(kind, 2, 1s));
  }
  timers.drop(kOne);
  timers.drop(kOne);
  EXPECT_THAT(epochs(timers.take_due(kStart + 1s)), ElementsAre(2, 2));
  EXPECT_EQ(timers.next(), std::nullopt);
}

}  // namespace
}  // namespace xdplb
