// SPDX-License-Identifier: GPL-2.0-only
// Who owns the VIPA: the first claim, failover, silence, the list.
#include "model/vipa_machine.h"

#include "vipa_machine_fixture.h"

namespace xdplb {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::StartsWith;

const Words kFailover01{"stop 1", "start 2", "series 2", "tell 2"};

TEST(VipaState, HasNames) {
  EXPECT_EQ(vipa_state_name(VipaState::kDisabled), "disabled");
  EXPECT_EQ(vipa_state_name(VipaState::kRouted), "routed");
  EXPECT_EQ(vipa_state_name(VipaState::kStandby), "standby");
  EXPECT_EQ(vipa_state_name(VipaState::kSilent), "silent");
  EXPECT_EQ(vipa_state_name(VipaState::kProbing), "probing");
  EXPECT_EQ(vipa_state_name(VipaState::kOwned), "owned");
  EXPECT_EQ(vipa_state_name(VipaState::kConflict), "conflict");
}

// ---- The first claim.

TEST_F(VipaMachineTest, BeginsSilent) {
  EXPECT_EQ(state(), VipaState::kSilent);
  EXPECT_EQ(machine.answering(), 0u);
  EXPECT_EQ(machine.report().reason, "silent: no interface is listed");
}

TEST_F(VipaMachineTest, ProbesThreeTimesBeforeTheFirstClaim) {
  update();
  EXPECT_EQ(state(), VipaState::kProbing);
  EXPECT_THAT(done(), ElementsAre("probe 1"));
  EXPECT_TRUE(machine.heeds_probes());
  EXPECT_EQ(machine.report().reason, "eth0 asks whether another machine has it");
  pass(milliseconds(500));
  EXPECT_THAT(done(), ElementsAre("probe 1", "probe 1"));
  EXPECT_EQ(machine.answering(), 0u);
  pass(milliseconds(400));
  EXPECT_THAT(done(), ElementsAre("start 1", "series 1"));
  EXPECT_EQ(state(), VipaState::kOwned);
  EXPECT_EQ(machine.answering(), 1u);
  EXPECT_FALSE(machine.heeds_probes());
  EXPECT_THAT(last_event(), StartsWith("vipa_owned: eth0 answers"));
  EXPECT_EQ(machine.report().owner_entry, "eth0");
  EXPECT_EQ(machine.report().moves, 0u);
  EXPECT_EQ(machine.report().last_move->cause, "first_claim");
}

TEST_F(VipaMachineTest, FastProbesAreAFifthOfASecondApart) {
  for (std::uint32_t seed = 0; seed < 200; ++seed) {
    VipaMachine other(address, rules, seed);
    auto due = now;
    VipaSteps steps = other.update(rules, entries, now);
    for (int probe = 1; probe <= 3; ++probe) {
      ASSERT_EQ(step_word(steps.at(0)), "probe 1");
      const auto armed = std::get<ArmTimer>(steps.at(1));
      const auto gap = armed.due - due;
      ASSERT_GE(gap, probe == 3 ? milliseconds(400) : milliseconds(150));
      ASSERT_LE(gap, probe == 3 ? milliseconds(400) : milliseconds(250));
      due = armed.due;
      steps = other.timer(armed.timer, armed.epoch, due);
    }
    EXPECT_EQ(step_word(steps.at(0)), "start 1");
  }
}

TEST_F(VipaMachineTest, ProbesOfTheRfcTakeTheirTime) {
  rules.probe = DuplicateProbe::kRfc;
  for (std::uint32_t seed = 0; seed < 200; ++seed) {
    VipaMachine other(address, rules, seed);
    VipaSteps steps = other.update(rules, entries, now);
    auto due = now;
    ASSERT_EQ(steps.size(), 1u) << "PROBE_WAIT comes first";
    const milliseconds shortest[] = {milliseconds(0), milliseconds(1000), milliseconds(1000), milliseconds(2000)};
    const milliseconds longest[] = {milliseconds(1000), milliseconds(2000), milliseconds(2000), milliseconds(2000)};
    for (int round = 0; round < 4; ++round) {
      const auto armed = std::get<ArmTimer>(steps.back());
      ASSERT_GE(armed.due - due, shortest[round]);
      ASSERT_LE(armed.due - due, longest[round]);
      due = armed.due;
      steps = other.timer(armed.timer, armed.epoch, due);
      ASSERT_EQ(step_word(steps.at(0)), round == 3 ? "start 1" : "probe 1");
    }
  }
}

TEST_F(VipaMachineTest, SixthVersionSolicitsOnce) {
  for (const auto& [probe, quiet] :
       {std::pair(DuplicateProbe::kFast, milliseconds(400)), std::pair(DuplicateProbe::kRfc, milliseconds(1000))}) {
    rules.probe = probe;
    VipaMachine other(*IpAddress::parse("2001:db8::10"), rules, 1);
    VipaSteps steps = other.update(rules, entries, now);
    ASSERT_EQ(steps.size(), 2u);
    EXPECT_EQ(step_word(steps[0]), "probe 1");
    const auto armed = std::get<ArmTimer>(steps[1]);
    EXPECT_EQ(armed.due - now, quiet);
    EXPECT_EQ(step_word(other.timer(armed.timer, armed.epoch, armed.due).at(0)), "start 1");
  }
}

TEST_F(VipaMachineTest, WithoutProbesItClaimsAtOnce) {
  rules.probe = DuplicateProbe::kOff;
  update();
  EXPECT_THAT(done(), ElementsAre("start 1", "series 1"));
}

TEST_F(VipaMachineTest, ProbedEntryThatFailsIsProbedElsewhere) {
  update();
  pass(milliseconds(300));
  done();
  fail_entry(0);
  EXPECT_THAT(done(), ElementsAre("probe 2"));
  pass(seconds(1));
  EXPECT_THAT(done(), ElementsAre("probe 2", "probe 2", "start 2", "series 2"));
}

TEST_F(VipaMachineTest, ProbedEntryThatFailsLastMakesItSilent) {
  for (std::size_t i : {0u, 1u}) entries[i].state = EntryState::kFailed;
  update();
  done();
  set(2, EntryState::kFailed, "admin_down");
  EXPECT_THAT(done(), IsEmpty());
  EXPECT_EQ(state(), VipaState::kSilent);
  pass(seconds(60));
  EXPECT_THAT(done(), IsEmpty()) << "its probes are forgotten";
}

TEST_F(VipaMachineTest, BetterEntryDuringTheProbesWaitsForItsFailback) {
  fail_entry(0);
  done();
  heal(0);
  const auto healthy_since = now;
  pass(seconds(1));
  EXPECT_THAT(done(), ElementsAre("probe 2", "probe 2", "start 2", "series 2"));
  EXPECT_EQ(machine.report().failback_to, "eth0");
  EXPECT_EQ(machine.report().failback_at, healthy_since + rules.hold);
}

TEST_F(VipaMachineTest, BetterEntryDuringTheProbesTakesOverAfterThemWithImmediateFailback) {
  rules.failback = Failback::kImmediate;
  fail_entry(0);
  done();
  heal(0);
  pass(seconds(1));
  EXPECT_THAT(done(),
              ElementsAre("probe 2", "probe 2", "start 2", "series 2", "stop 2", "start 1", "series 1", "tell 1"));
}

TEST_F(VipaMachineTest, UpdateIsIdempotent) {
  update();
  const auto armed = timers;
  done();
  update();
  EXPECT_THAT(done(), IsEmpty());
  EXPECT_EQ(timers.at(VipaTimer::kProbe).epoch, armed.at(VipaTimer::kProbe).epoch);
  pass(seconds(2));
  done();
  EXPECT_THAT(machine.update(rules, entries, now), IsEmpty());
  fail_entry(0);
  heal(0);
  EXPECT_THAT(machine.update(rules, entries, now), IsEmpty()) << "a failback is pending";
}

TEST_F(VipaMachineTest, FirstHealthyOneIsTakenBeforeSuspectAndSettlingOnes) {
  rules.probe = DuplicateProbe::kOff;
  entries[0].state = EntryState::kSettling;
  entries[1].state = EntryState::kSuspect;
  update();
  EXPECT_EQ(machine.answering(), 3u);
}

TEST_F(VipaMachineTest, SuspectOneIsTakenBeforeASettlingOne) {
  rules.probe = DuplicateProbe::kOff;
  entries[0].state = EntryState::kSettling;
  entries[1].state = EntryState::kSuspect;
  entries[2].state = EntryState::kFailed;
  update();
  EXPECT_EQ(machine.answering(), 2u);
  EXPECT_THAT(machine.report().reason, HasSubstr("eth1 answers, though it is suspect"));
}

TEST_F(VipaMachineTest, SettlingOneIsTheLastResort) {
  rules.probe = DuplicateProbe::kOff;
  entries[0].state = EntryState::kFailed;
  entries[1].state = EntryState::kSettling;
  entries[2].state = EntryState::kFailed;
  update();
  EXPECT_EQ(machine.answering(), 2u);
  heal(2);
  EXPECT_EQ(machine.answering(), 2u) << "it is about to be healthy";
}

TEST_F(VipaMachineTest, EntryWithoutInterfaceIsNone) {
  entries[0].ifindex = 0;  // whatever its state says
  update();
  EXPECT_THAT(done(), ElementsAre("probe 2"));
}

// ---- Failover.

TEST_F(VipaMachineTest, FailoverMutesTheOldOneFirst) {
  own();
  fail_entry(0);
  EXPECT_EQ(done(), kFailover01);
  EXPECT_EQ(machine.answering(), 2u);
  EXPECT_EQ(last_event(), "vipa_moved: eth0 -> eth1: eth0 has no carrier");
  const auto report = machine.report();
  EXPECT_EQ(report.reason, "eth1 answers: eth0 has no carrier");
  EXPECT_EQ(report.moves, 1u);
  EXPECT_EQ(report.since, now);
  EXPECT_EQ(report.last_move->from, "eth0");
  EXPECT_EQ(report.last_move->to, "eth1");
  EXPECT_EQ(report.last_move->cause, "no_carrier");
  EXPECT_EQ(report.last_move->at, now);
}

TEST_F(VipaMachineTest, FailoverGoesDownTheList) {
  own();
  fail_entry(0);
  done();
  fail_entry(1);
  EXPECT_THAT(done(), ElementsAre("stop 2", "start 3", "series 3", "tell 3"));
  EXPECT_EQ(machine.report().reason, "eth2 answers: eth0 has no carrier, eth1 has no carrier");
}

TEST_F(VipaMachineTest, FailureOfAnotherEntryIsNothing) {
  own();
  fail_entry(1);
  EXPECT_THAT(done(), IsEmpty());
  EXPECT_EQ(machine.report().reason, "eth0 answers: it is the first of the list");
}

TEST_F(VipaMachineTest, SuspectAndSettlingOwnersKeepIt) {
  own();
  set(0, EntryState::kSuspect, "", "192.0.2.1 does not answer");
  set(0, EntryState::kSettling);
  EXPECT_THAT(done(), IsEmpty());
  EXPECT_EQ(machine.answering(), 1u);
}

TEST_F(VipaMachineTest, OwnerThatIsGoneIsLeft) {
  own();
  entries[0].ifindex = 0;
  set(0, EntryState::kFailed, "gone");
  EXPECT_EQ(done(), kFailover01);
  EXPECT_EQ(machine.report().last_move->cause, "gone");
  EXPECT_EQ(last_event(), "vipa_moved: eth0 -> eth1: eth0 is gone");
}

TEST_F(VipaMachineTest, OwnerWhoseDeviceIsReplacedIsClaimedAnew) {
  own();
  entries[0].ifindex = 9;
  update();
  EXPECT_THAT(done(), ElementsAre("stop 1", "start 9", "series 9", "tell 9"));
  EXPECT_EQ(machine.report().last_move->cause, "gone");
}

TEST_F(VipaMachineTest, ReasonSaysWhatAilsTheBetterOnes) {
  own();
  struct Case {
    const char* cause;
    const char* reason;
    const char* text;
  };
  const Case cases[] = {
      {.cause = "gone", .reason = "", .text = "eth0 is gone"},
      {.cause = "admin_down", .reason = "it is down", .text = "eth0 is down"},
      {.cause = "no_carrier", .reason = "no carrier", .text = "eth0 has no carrier"},
      {.cause = "enslaved", .reason = "it is enslaved to br0", .text = "eth0 is enslaved (it is enslaved to br0)"},
      {.cause = "reach_lost",
       .reason = "192.0.2.1 did not answer 3 times",
       .text = "eth0 lost its reach targets (192.0.2.1 did not answer 3 times)"},
      {.cause = "send_errors", .reason = "No buffer space", .text = "eth0 cannot send (No buffer space)"},
      {.cause = "no_program", .reason = "detached", .text = "eth0 does not forward (detached)"},
      {.cause = "disabled", .reason = "the operator disabled it", .text = "eth0 is disabled by the operator"},
      {.cause = "address_gone", .reason = "", .text = "eth0 is on no interface any more"},
      {.cause = "not_loaded", .reason = "", .text = "eth0 is not loaded"},
      {.cause = "rust", .reason = "moths", .text = "eth0 has failed (moths)"},
  };
  for (const auto& test : cases) {
    set(0, EntryState::kFailed, test.cause, test.reason);
    EXPECT_EQ(machine.report().reason, std::string("eth1 answers: ") + test.text);
  }
}

// ---- Silence.

TEST_F(VipaMachineTest, SilentWhenAllHaveFailed) {
  own();
  fail_entry(2);
  fail_entry(1);
  set(0, EntryState::kFailed, "admin_down");
  EXPECT_THAT(done(), ElementsAre("stop 1"));
  EXPECT_EQ(state(), VipaState::kSilent);
  EXPECT_EQ(machine.answering(), 0u);
  EXPECT_EQ(machine.report().reason, "silent: eth0 is down, eth1 has no carrier, eth2 has no carrier");
  EXPECT_THAT(last_event(), StartsWith("vipa_silent: eth0 stops answering"));
  EXPECT_EQ(machine.report().last_move->to, "");
  EXPECT_EQ(machine.report().last_move->cause, "admin_down");
  EXPECT_EQ(machine.report().moves, 0u);
  pass(seconds(3600));
  EXPECT_THAT(done(), IsEmpty());
}

TEST_F(VipaMachineTest, ShortSilenceEndsWithoutProbes) {
  own();
  for (std::size_t i = 0; i < 3; ++i) fail_entry(i);
  done();
  pass(seconds(10));
  heal(2);
  EXPECT_THAT(done(), ElementsAre("start 3", "series 3", "tell 3"));
}

TEST_F(VipaMachineTest, LongSilenceEndsWithProbes) {
  own();
  for (std::size_t i = 0; i < 3; ++i) fail_entry(i);
  done();
  pass(milliseconds(10001));
  heal(2);
  EXPECT_THAT(done(), ElementsAre("probe 3"));
}

TEST_F(VipaMachineTest, SettlingEntryEndsASilence) {
  own();
  for (std::size_t i = 0; i < 3; ++i) fail_entry(i);
  done();
  set(1, EntryState::kSettling);
  EXPECT_THAT(done(), ElementsAre("start 2", "series 2", "tell 2"));
}

TEST_F(VipaMachineTest, ShortSilenceInWhichAnotherClaimsItEndsWithProbes) {
  own();
  for (std::size_t i = 0; i < 3; ++i) fail_entry(i);
  done();
  hear(claim());
  heal(0);
  EXPECT_THAT(done(), ElementsAre("probe 1"));
}

// ---- The list.

TEST_F(VipaMachineTest, NewOrderMovesByTheRulesOfFailbackOnly) {
  own();
  pass(seconds(5));
  std::swap(entries[0], entries[1]);
  rules.hold = seconds(30);
  update();
  EXPECT_THAT(done(), IsEmpty());
  EXPECT_EQ(machine.report().failback_to, "eth1");
  pass(seconds(30));
  EXPECT_EQ(machine.answering(), 2u);
}

TEST_F(VipaMachineTest, OwnerThatLeavesTheListMovesAtOnce) {
  own();
  entries.erase(entries.begin());
  update();
  EXPECT_EQ(done(), kFailover01);
  EXPECT_EQ(machine.report().last_move->cause, "list_changed");
  EXPECT_EQ(last_event(), "vipa_moved: eth0 -> eth1: eth0 left the list");
}

TEST_F(VipaMachineTest, EmptyListIsSilence) {
  own();
  entries.clear();
  update();
  EXPECT_THAT(done(), ElementsAre("stop 1"));
  EXPECT_EQ(machine.report().reason, "silent: no interface is listed");
}

TEST_F(VipaMachineTest, PinEndsWhenItsEntryLeavesTheList) {
  own();
  take(machine.move_to("eth1", now).value());
  entries[1].name = "203.0.113.7";
  update();
  EXPECT_EQ(machine.report().pinned, "");
  EXPECT_EQ(machine.report().owner_entry, "203.0.113.7") << "the same interface by another name";
}

TEST_F(VipaMachineTest, TwoEntriesOfOneInterfaceAreNoMoveOnTheWire) {
  entries[1].ifindex = 1;
  entries[1].name = "192.0.2.4";
  own();
  set(0, EntryState::kFailed, "address_gone");
  EXPECT_THAT(done(), IsEmpty());
  EXPECT_EQ(machine.report().owner_entry, "192.0.2.4");
  EXPECT_EQ(machine.report().moves, 0u);
  heal(0);
  EXPECT_EQ(machine.report().failback_to, "");
  EXPECT_EQ(machine.report().owner_entry, "eth0");
  take(machine.move_to("192.0.2.4", now).value());
  EXPECT_THAT(done(), IsEmpty());
  pass(seconds(120));
  EXPECT_EQ(machine.report().pinned, "192.0.2.4");
}

// ---- Announcing again.

TEST_F(VipaMachineTest, NewMacIsAnnounced) {
  own();
  take(machine.announce_again(1, now));
  EXPECT_THAT(done(), ElementsAre("series 1", "tell 1"));
  EXPECT_THAT(machine.announce_again(2, now), IsEmpty()) << "it does not answer there";
}

TEST_F(VipaMachineTest, NewMacDuringTheProbesIsNot) {
  update();
  EXPECT_THAT(machine.announce_again(1, now), IsEmpty());
}

TEST_F(VipaMachineTest, RefreshComesInTheSecondHalfOfItsInterval) {
  rules.refresh = seconds(4);
  own();
  auto last = timers.at(VipaTimer::kRefresh).due;
  for (int i = 0; i < 200; ++i) {
    pass(last - now);
    ASSERT_THAT(done(), ElementsAre("once 1"));
    const auto due = timers.at(VipaTimer::kRefresh).due;
    ASSERT_GE(due - last, seconds(2));
    ASSERT_LE(due - last, seconds(4));
    last = due;
  }
}

TEST_F(VipaMachineTest, RefreshFollowsTheOwner) {
  own();
  fail_entry(0);
  done();
  pass(seconds(60));
  EXPECT_THAT(done(), testing::Each("once 2"));
}

TEST_F(VipaMachineTest, WithoutRefreshThereIsNone) {
  rules.refresh = seconds(0);
  own();
  pass(seconds(3600));
  EXPECT_THAT(done(), IsEmpty());
  rules.refresh = seconds(10);
  update();
  pass(seconds(10));
  EXPECT_THAT(done(), testing::Contains("once 1")) << "a new interval counts from now on";
}

TEST_F(VipaMachineTest, StaleTimerDoesNothing) {
  update();
  const ArmTimer first = timers.at(VipaTimer::kProbe);
  pass(first.due - now);
  done();
  EXPECT_THAT(machine.timer(first.timer, first.epoch, now), IsEmpty());
  const ArmTimer second = timers.at(VipaTimer::kProbe);
  EXPECT_THAT(machine.timer(VipaTimer::kHold, second.epoch, now), IsEmpty()) << "another kind";
  EXPECT_THAT(machine.timer(second.timer, second.epoch + 1, now), IsEmpty());
  take(machine.timer(second.timer, second.epoch, second.due));
  EXPECT_THAT(done(), ElementsAre("probe 1"));
  EXPECT_THAT(machine.timer(second.timer, second.epoch, second.due), IsEmpty()) << "it was due once";
}

}  // namespace
}  // namespace xdplb
