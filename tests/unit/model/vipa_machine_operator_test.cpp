// SPDX-License-Identifier: GPL-2.0-only
// What the operator says: move, resume, deactivate, reactivate.
#include "vipa_machine_fixture.h"

namespace xdplb {
namespace {

using std::chrono::seconds;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::StartsWith;

const Words kFailover01{"stop 1", "start 2", "series 2", "tell 2"};

TEST_F(VipaMachineTest, OperatorMovesItAndThePinLasts) {
  own();
  auto steps = machine.move_to("eth1", now);
  ASSERT_TRUE(steps);
  take(*steps);
  EXPECT_EQ(done(), kFailover01);
  EXPECT_EQ(machine.report().pinned, "eth1");
  EXPECT_EQ(machine.report().last_move->cause, "operator");
  EXPECT_EQ(last_event(), "vipa_moved: eth0 -> eth1: moved by the operator");
  EXPECT_EQ(machine.report().reason, "eth1 answers: the operator moved it there");
  pass(seconds(3600));
  EXPECT_EQ(machine.answering(), 2u);
}

TEST_F(VipaMachineTest, ResumeForgetsThePin) {
  own();
  pass(seconds(60));
  take(machine.move_to("eth1", now).value());
  done();
  take(machine.resume(now));
  EXPECT_EQ(machine.report().pinned, "");
  EXPECT_THAT(done(), ElementsAre("stop 2", "start 1", "series 1", "tell 1")) << "healthy for longer than the hold";
}

TEST_F(VipaMachineTest, ResumeFollowsTheFailbackPolicy) {
  rules.failback = Failback::kManual;
  own();
  take(machine.move_to("eth1", now).value());
  done();
  take(machine.resume(now));
  EXPECT_THAT(done(), IsEmpty());
  EXPECT_EQ(machine.report().failback_to, "eth0");
}

TEST_F(VipaMachineTest, PinEndsWithTheFailureOfItsEntry) {
  own();
  take(machine.move_to("eth1", now).value());
  set(1, EntryState::kSuspect);
  EXPECT_EQ(machine.report().pinned, "eth1");
  fail_entry(1);
  EXPECT_EQ(machine.report().pinned, "");
  EXPECT_EQ(machine.answering(), 1u);
  heal(1);
  pass(seconds(3600));
  EXPECT_EQ(machine.answering(), 1u);
}

TEST_F(VipaMachineTest, MoveToWhereItIsPinsOnly) {
  own();
  set(0, EntryState::kSuspect);
  take(machine.move_to("eth0", now).value());
  EXPECT_THAT(done(), IsEmpty());
  EXPECT_EQ(machine.report().pinned, "eth0");
}

TEST_F(VipaMachineTest, MoveDuringTheProbesStartsThemAnew) {
  update();
  done();
  take(machine.move_to("eth2", now).value());
  EXPECT_THAT(done(), ElementsAre("probe 3"));
  pass(seconds(1));
  EXPECT_EQ(machine.answering(), 3u);
  EXPECT_EQ(machine.report().pinned, "eth2");
}

TEST_F(VipaMachineTest, ResumeDuringTheProbesIsHeededAfterThem) {
  rules.failback = Failback::kImmediate;
  update();
  take(machine.move_to("eth2", now).value());
  take(machine.resume(now));
  pass(seconds(1));
  EXPECT_EQ(machine.answering(), 1u);
}

TEST_F(VipaMachineTest, MoveIsRefusedWithItsReason) {
  own();
  auto unknown = machine.move_to("eth9", now);
  ASSERT_FALSE(unknown);
  EXPECT_EQ(unknown.error().code, ErrorCode::kNotFound);
  EXPECT_THAT(unknown.error().message, HasSubstr("vipa 192.0.2.10: eth9 is not in its list"));

  for (EntryState bad : {EntryState::kFailed, EntryState::kSettling, EntryState::kSuspect}) {
    set(1, bad, "no_carrier", "no carrier");
    auto failed = machine.move_to("eth1", now);
    ASSERT_FALSE(failed);
    EXPECT_EQ(failed.error().code, ErrorCode::kConflict);
    EXPECT_THAT(failed.error().message,
                HasSubstr("vipa 192.0.2.10: not moved to eth1: it is not healthy (no carrier)"));
  }
  take(machine.set_disabled(true, now));
  auto disabled = machine.move_to("eth2", now);
  ASSERT_FALSE(disabled);
  EXPECT_EQ(disabled.error().code, ErrorCode::kConflict);
  EXPECT_THAT(disabled.error().message, HasSubstr("deactivated"));
  EXPECT_EQ(machine.report().pinned, "");
}

TEST_F(VipaMachineTest, DisabledIsSilentWhateverHappens) {
  own();
  take(machine.set_disabled(true, now));
  EXPECT_THAT(done(), ElementsAre("stop 1"));
  EXPECT_EQ(state(), VipaState::kDisabled);
  EXPECT_THAT(last_event(), StartsWith("vipa_disabled: "));
  EXPECT_EQ(machine.report().reason, "silent: the operator deactivated it");
  EXPECT_EQ(machine.report().last_move->cause, "operator");
  fail_entry(0);
  heal(0);
  hear(claim());
  take(machine.announce_again(1, now));
  pass(seconds(3600));
  EXPECT_THAT(machine.set_disabled(true, now), IsEmpty());
  EXPECT_THAT(done(), IsEmpty());
}

TEST_F(VipaMachineTest, EnabledProbesAnew) {
  own();
  take(machine.set_disabled(true, now));
  done();
  take(machine.set_disabled(false, now));
  EXPECT_THAT(done(), ElementsAre("probe 1"));
  EXPECT_THAT(last_event(), StartsWith("vipa_enabled: "));
  EXPECT_THAT(machine.set_disabled(false, now), IsEmpty());
}

TEST_F(VipaMachineTest, RestoreBringsBackWhatTheOperatorSaid) {
  machine.restore(true, "eth1");
  update();
  EXPECT_THAT(done(), IsEmpty());
  EXPECT_EQ(state(), VipaState::kDisabled);
  take(machine.set_disabled(false, now));
  EXPECT_THAT(done(), ElementsAre("probe 2"));
  pass(seconds(120));
  EXPECT_EQ(machine.answering(), 2u);
  EXPECT_EQ(machine.report().pinned, "eth1");
}

TEST_F(VipaMachineTest, RestoredPinOfAFailedEntryIsForgotten) {
  machine.restore(false, "eth1");
  fail_entry(1);
  EXPECT_THAT(done(), ElementsAre("probe 1"));
  EXPECT_EQ(machine.report().pinned, "");
}

}  // namespace
}  // namespace xdplb
