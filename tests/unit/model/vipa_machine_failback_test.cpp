// SPDX-License-Identifier: GPL-2.0-only
// When a better entry takes over again.
#include "vipa_machine_fixture.h"

namespace xdplb {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::StartsWith;

TEST_F(VipaMachineTest, DelayedFailbackWaitsForTheHold) {
  own();
  fail_entry(0);
  pass(seconds(5));
  done();
  heal(0);
  const auto due = now + seconds(30);
  EXPECT_THAT(done(), IsEmpty());
  EXPECT_EQ(machine.report().failback_to, "eth0");
  EXPECT_EQ(machine.report().failback_at, due);
  EXPECT_EQ(machine.report().reason,
            "eth1 answers; eth0 is healthy again and takes over after its hold (delayed failback)");
  EXPECT_EQ(last_event(), "vipa_failback_pending: eth0 is healthy again; takes over from eth1 in 30 s if it stays so");
  pass(milliseconds(29999));
  EXPECT_EQ(machine.answering(), 2u);
  done();
  pass(milliseconds(1));
  EXPECT_THAT(done(), ElementsAre("stop 2", "start 1", "series 1", "tell 1"));
  EXPECT_EQ(machine.report().failback_to, "");
  EXPECT_FALSE(machine.report().failback_at);
  EXPECT_EQ(machine.report().last_move->cause, "failback");
  EXPECT_EQ(last_event(), "vipa_moved: eth1 -> eth0: failback: eth0 was healthy for 30 s");
}

TEST_F(VipaMachineTest, FailbackIsCancelledWhenTheBetterOneDrops) {
  for (EntryState state : {EntryState::kFailed, EntryState::kSuspect, EntryState::kSettling}) {
    machine = VipaMachine(address, rules, 1);
    timers.clear();
    entries[0].state = EntryState::kUp;
    own();
    fail_entry(0);
    heal(0);
    pass(seconds(29));
    done();
    set(0, state);
    EXPECT_EQ(machine.report().failback_to, "");
    heal(0);
    pass(milliseconds(29999));
    EXPECT_EQ(machine.answering(), 2u) << "the hold begins anew";
    pass(milliseconds(1));
    EXPECT_EQ(machine.answering(), 1u);
  }
}

TEST_F(VipaMachineTest, HoldIsVoidWhenTheOwnerFails) {
  own();
  fail_entry(0);
  heal(0);
  pass(seconds(1));
  done();
  fail_entry(1);
  EXPECT_THAT(done(), ElementsAre("stop 2", "start 1", "series 1", "tell 1"));
  EXPECT_FALSE(machine.report().failback_at);
  pass(seconds(120));
  EXPECT_EQ(machine.report().moves, 2u) << "the old hold is stale";
}

TEST_F(VipaMachineTest, FlapsMakeTheHoldLonger) {
  own();
  fail_entry(0);
  entries[0].hold_factor = 4;
  heal(0);
  EXPECT_EQ(machine.report().failback_at, now + seconds(120));
  entries[0].hold_factor = 16;
  update();
  EXPECT_EQ(machine.report().failback_at, now + kMaxHold);
}

TEST_F(VipaMachineTest, HoldLongerThanTheLimitIsTheOperatorsWish) {
  rules.hold = seconds(600);
  own();
  fail_entry(0);
  entries[0].hold_factor = 2;
  heal(0);
  EXPECT_EQ(machine.report().failback_at, now + seconds(600));
}

TEST_F(VipaMachineTest, WithoutHoldItFailsBackAtOnce) {
  rules.hold = seconds(0);
  own();
  fail_entry(0);
  done();
  heal(0);
  EXPECT_THAT(done(), ElementsAre("stop 2", "start 1", "series 1", "tell 1"));
}

TEST_F(VipaMachineTest, ImmediateFailbackDoesNotWait) {
  rules.failback = Failback::kImmediate;
  own();
  fail_entry(0);
  done();
  set(0, EntryState::kSettling);
  EXPECT_THAT(done(), IsEmpty()) << "settling is not healthy";
  heal(0);
  EXPECT_THAT(done(), ElementsAre("stop 2", "start 1", "series 1", "tell 1"));
}

TEST_F(VipaMachineTest, ManualFailbackWaitsForTheOperator) {
  rules.failback = Failback::kManual;
  own();
  fail_entry(0);
  done();
  heal(0);
  pass(seconds(10));
  EXPECT_THAT(done(), IsEmpty());
  EXPECT_EQ(machine.report().failback_to, "eth0");
  EXPECT_FALSE(machine.report().failback_at);
  EXPECT_THAT(last_event(), StartsWith("vipa_failback_pending: eth0 is healthy again; eth1 answers until"));
  pass(seconds(3600));
  EXPECT_EQ(machine.answering(), 2u);
  take(machine.move_to("eth0", now).value());
  EXPECT_EQ(machine.answering(), 1u);
}

TEST_F(VipaMachineTest, WorseEntryNeverTakesOver) {
  rules.failback = Failback::kImmediate;
  fail_entry(0);
  fail_entry(2);
  pass(seconds(2));
  ASSERT_EQ(machine.answering(), 2u);
  done();
  heal(2);
  EXPECT_THAT(done(), IsEmpty());
  EXPECT_EQ(machine.report().failback_to, "");
}

TEST_F(VipaMachineTest, AnotherOrderMovesItAfterTheHoldOnlyHoweverLongTheNewFirstOneWasHealthy) {
  own();
  pass(std::chrono::hours(1));
  std::swap(entries[0], entries[1]);
  update();
  done();
  EXPECT_EQ(machine.report().failback_to, "eth1");
  pass(rules.hold - std::chrono::milliseconds(1));
  EXPECT_EQ(machine.report().owner, 1U);
  pass(std::chrono::milliseconds(1));
  EXPECT_EQ(machine.report().owner, 2U);
}

TEST_F(VipaMachineTest, WorseEntryNeverTakesOverFromASuspectOwner) {
  rules.failback = Failback::kImmediate;
  own();
  set(0, EntryState::kSuspect);
  EXPECT_THAT(done(), IsEmpty());
  EXPECT_EQ(machine.report().failback_to, "");
}

TEST_F(VipaMachineTest, OnlyTheBestOfTheBetterOnesIsWaitedFor) {
  own();
  fail_entry(0);
  fail_entry(1);
  heal(1);
  pass(seconds(20));
  heal(0);
  EXPECT_EQ(machine.report().failback_to, "eth0");
  pass(seconds(20));
  EXPECT_EQ(machine.answering(), 3u) << "one move, not two";
  fail_entry(0);
  EXPECT_EQ(machine.answering(), 2u) << "eth1 was healthy for 40 s by now";
}

TEST_F(VipaMachineTest, ShorterHoldTakesEffectAtOnce) {
  own();
  fail_entry(0);
  heal(0);
  pass(seconds(8));
  rules.hold = seconds(10);
  update();
  EXPECT_EQ(machine.report().failback_at, now + seconds(2));
  rules.hold = seconds(5);
  update();
  EXPECT_EQ(machine.answering(), 1u);
}

TEST_F(VipaMachineTest, ChangedPolicyTakesEffectOnWhatIsPending) {
  own();
  fail_entry(0);
  heal(0);
  rules.failback = Failback::kManual;
  update();
  EXPECT_FALSE(machine.report().failback_at);
  pass(seconds(60));
  EXPECT_EQ(machine.answering(), 2u) << "the hold of before is stale";
  rules.failback = Failback::kDelayed;
  update();
  EXPECT_EQ(machine.answering(), 1u) << "healthy for a minute";
}

}  // namespace
}  // namespace xdplb
