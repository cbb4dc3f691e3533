// SPDX-License-Identifier: GPL-2.0-only
// Other machines that claim it: conflicts and defence.
#include "vipa_machine_fixture.h"

namespace xdplb {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::StartsWith;

// ---- While probing.

TEST_F(VipaMachineTest, ClaimDuringTheProbesIsAConflict) {
  update();
  pass(milliseconds(300));
  done();
  hear(claim());
  EXPECT_EQ(state(), VipaState::kConflict);
  EXPECT_EQ(machine.report().reason, "given up: 02:00:00:00:00:99 has it (heard on eth0)");
  EXPECT_EQ(machine.report().retry_at, now + seconds(10));
  EXPECT_EQ(machine.report().claims, 1u);
  EXPECT_EQ(last_event(), "vipa_conflict: 02:00:00:00:00:99 has it (heard on eth0); tried again in 10 s");
  pass(milliseconds(9999));
  EXPECT_THAT(done(), IsEmpty());
  pass(milliseconds(1));
  EXPECT_THAT(done(), ElementsAre("probe 1"));
}

TEST_F(VipaMachineTest, ForeignProbeDuringTheProbesIsAConflict) {
  update();
  hear(foreign_probe());
  EXPECT_EQ(state(), VipaState::kConflict);
  EXPECT_THAT(machine.report().reason, HasSubstr("wants it, too (heard on eth1)"));
}

TEST_F(VipaMachineTest, ClaimInTheQuietTimeIsAConflict) {
  update();
  for (int i = 0; i < 2; ++i) pass(timers.at(VipaTimer::kProbe).due - now);  // all three are sent
  done();
  pass(milliseconds(399));
  hear(claim());
  EXPECT_EQ(state(), VipaState::kConflict);
}

TEST_F(VipaMachineTest, BackoffDoublesUpToAMinute) {
  update();
  for (int wait : {10, 20, 40, 60, 60, 60}) {
    hear(claim());
    ASSERT_EQ(machine.report().retry_at, now + seconds(wait));
    pass(seconds(wait));
    ASSERT_EQ(state(), VipaState::kProbing);
  }
  pass(seconds(2));
  EXPECT_EQ(state(), VipaState::kOwned) << "it is gone at last";
}

TEST_F(VipaMachineTest, ConflictOutlastsEveryEntry) {
  update();
  hear(claim());
  done();
  for (std::size_t i = 0; i < 3; ++i) fail_entry(i);
  heal(1);
  EXPECT_THAT(done(), IsEmpty()) << "the back-off is not cut short";
  fail_entry(1);
  pass(seconds(10));
  EXPECT_EQ(state(), VipaState::kSilent);
  EXPECT_THAT(last_event(), StartsWith("vipa_silent"));
  heal(1);
  EXPECT_THAT(done(), ElementsAre("probe 2"));
}

TEST_F(VipaMachineTest, OwnKernelDuringTheProbesIsAConflictOfItsOwn) {
  update();
  ForeignClaim own_kernel = claim();
  own_kernel.is_own_kernel = true;
  hear(own_kernel);
  EXPECT_EQ(state(), VipaState::kConflict);
  EXPECT_THAT(machine.report().reason, HasSubstr("this host's kernel answers, too (heard on eth0): arp_ignore"));
}

TEST_F(VipaMachineTest, OwnKernelBesideTheOwnerIsToldOnce) {
  own();
  ForeignClaim own_kernel = claim();
  own_kernel.is_own_kernel = true;
  for (int i = 0; i < 3; ++i) hear(own_kernel);
  EXPECT_THAT(done(), IsEmpty());
  EXPECT_EQ(machine.answering(), 1u);
  EXPECT_THAT(events, ElementsAre(StartsWith("vipa_conflict: this host's kernel answers beside eth0")));
  EXPECT_EQ(machine.report().claims, 0u);
}

// ---- While owned.

TEST_F(VipaMachineTest, ForeignProbeIsNoClaimAgainstAnOwner) {
  own();
  hear(foreign_probe());
  EXPECT_THAT(done(), IsEmpty());
  EXPECT_EQ(machine.report().claims, 0u);
  EXPECT_FALSE(machine.heeds_probes()) << "it is answered";
}

TEST_F(VipaMachineTest, DefenceIsOneAnnouncementInTenSeconds) {
  own();
  hear(claim());
  EXPECT_THAT(done(), ElementsAre("once 1"));
  EXPECT_THAT(last_event(), StartsWith("vipa_defended: 02:00:00:00:00:99 claims it (heard on eth0)"));
  timers.clear();  // of refreshes
  pass(milliseconds(9999));
  hear(claim());
  EXPECT_THAT(done(), IsEmpty());
  pass(milliseconds(1));
  hear(claim());
  EXPECT_THAT(done(), ElementsAre("once 1"));
  EXPECT_EQ(machine.report().claims, 3u);
  EXPECT_EQ(machine.report().defences, 2u);
  EXPECT_EQ(state(), VipaState::kOwned);
}

TEST_F(VipaMachineTest, ContestedVipaIsAnnouncedMoreOftenForAMinute) {
  own();
  hear(claim());
  done();
  EXPECT_LE(timers.at(VipaTimer::kRefresh).due - now, seconds(10));
  EXPECT_GE(timers.at(VipaTimer::kRefresh).due - now, seconds(5));
  const auto end = now + seconds(60);
  while (timers.at(VipaTimer::kRefresh).due < end) {
    ASSERT_LE(timers.at(VipaTimer::kRefresh).due - now, seconds(10));
    pass(timers.at(VipaTimer::kRefresh).due - now);
  }
  pass(timers.at(VipaTimer::kRefresh).due - now);
  EXPECT_GE(timers.at(VipaTimer::kRefresh).due - now, seconds(30)) << "as configured again";
}

TEST_F(VipaMachineTest, ContestedVipaIsAnnouncedEvenWithoutRefresh) {
  rules.refresh = seconds(0);
  own();
  hear(claim());
  pass(seconds(59));
  EXPECT_GE(done().size(), 5u);
  pass(seconds(20));
  done();
  pass(seconds(3600));
  EXPECT_THAT(done(), IsEmpty());
}

TEST_F(VipaMachineTest, YieldingVipaIsGivenUpAtTheSecondClaim) {
  rules.on_conflict = OnConflict::kYield;
  own();
  hear(claim());
  EXPECT_THAT(done(), ElementsAre("once 1"));
  timers.clear();
  pass(seconds(5));
  hear(claim());
  EXPECT_THAT(done(), ElementsAre("stop 1"));
  EXPECT_EQ(state(), VipaState::kConflict);
  EXPECT_EQ(machine.answering(), 0u);
  EXPECT_THAT(last_event(), StartsWith("vipa_yielded: 02:00:00:00:00:99 has it"));
  EXPECT_EQ(machine.report().last_move->cause, "conflict");
  pass(seconds(10));
  EXPECT_THAT(done(), ElementsAre("probe 1"));
}

TEST_F(VipaMachineTest, YieldingVipaIsKeptWhenClaimsAreRare) {
  rules.on_conflict = OnConflict::kYield;
  own();
  hear(claim());
  pass(seconds(10));
  done();
  hear(claim());
  EXPECT_THAT(done(), ElementsAre("once 1"));
  EXPECT_EQ(state(), VipaState::kOwned);
}

TEST_F(VipaMachineTest, CopiesOfOneClaimAreOne) {
  rules.on_conflict = OnConflict::kYield;
  own();
  hear(claim());
  timers.clear();
  pass(milliseconds(199));
  hear(claim());
  EXPECT_EQ(state(), VipaState::kOwned) << "the same announcement, heard on another interface";
  pass(milliseconds(1));
  hear(claim());
  EXPECT_EQ(state(), VipaState::kConflict);
}

TEST_F(VipaMachineTest, ClaimsOfTwoMachinesAreNoCopies) {
  rules.on_conflict = OnConflict::kYield;
  own();
  hear(claim(0x99));
  hear(claim(0x97));
  EXPECT_EQ(state(), VipaState::kConflict);
}

TEST_F(VipaMachineTest, BackoffIsShortAgainAfterAMinuteOfPeace) {
  rules.on_conflict = OnConflict::kYield;
  update();
  hear(claim());
  pass(seconds(10));
  hear(claim());
  pass(seconds(25));
  ASSERT_EQ(state(), VipaState::kOwned);
  pass(seconds(60));
  hear(claim(1));
  hear(claim(2));
  EXPECT_EQ(machine.report().retry_at, now + seconds(10));
}

TEST_F(VipaMachineTest, BackoffGrowsWithoutPeace) {
  rules.on_conflict = OnConflict::kYield;
  update();
  hear(claim());
  pass(seconds(12));
  ASSERT_EQ(state(), VipaState::kOwned);
  hear(claim(1));
  hear(claim(2));
  EXPECT_EQ(machine.report().retry_at, now + seconds(20));
}

}  // namespace
}  // namespace xdplb
