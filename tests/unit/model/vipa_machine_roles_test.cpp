// SPDX-License-Identifier: GPL-2.0-only
// Backups and routed VIPAs.
#include "vipa_machine_fixture.h"

namespace xdplb {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::StartsWith;

// ---- Backups.

class BackupTest : public VipaMachineTest {
 protected:
  BackupTest() { rules.role = VipaRole::kBackup; }
  void own_as_backup() {
    update();
    pass(seconds(3));
    ASSERT_EQ(machine.answering(), 1u);
    words.clear();
  }
};

TEST_F(BackupTest, AsksAndClaimsWhatNobodyAnswersFor) {
  update();
  EXPECT_EQ(state(), VipaState::kStandby);
  EXPECT_THAT(done(), ElementsAre("ask 1"));
  EXPECT_TRUE(machine.heeds_probes());
  pass(milliseconds(2249));
  EXPECT_EQ(machine.answering(), 0u);
  EXPECT_THAT(done(), ElementsAre("ask 1", "ask 1"));
  pass(milliseconds(751));
  EXPECT_THAT(done(), ElementsAre("start 1", "series 1")) << "three questions were enough";
  EXPECT_EQ(last_event(), "vipa_owned: eth0 answers from now on: nobody else does");
}

TEST_F(BackupTest, StandsByAsLongAsSomebodyAnswers) {
  update();
  ForeignClaim heard = claim();
  heard.is_answer = true;
  for (int i = 0; i < 60; ++i) {
    hear(heard);
    pass(seconds(1));
    ASSERT_EQ(state(), VipaState::kStandby);
  }
  EXPECT_EQ(machine.report().answered_by, heard.mac);
  EXPECT_EQ(machine.report().reason, "standby: 02:00:00:00:00:99 answers");
  EXPECT_GE(done().size(), 60u);
  hear(heard);
  pass(milliseconds(2249));
  EXPECT_EQ(state(), VipaState::kStandby);
  pass(milliseconds(1751));
  EXPECT_EQ(state(), VipaState::kOwned);
  EXPECT_FALSE(machine.report().answered_by);
}

TEST_F(BackupTest, QuestionsAreAlmostASecondApart) {
  update();
  ForeignClaim heard = claim();
  heard.is_answer = true;
  for (int i = 0; i < 200; ++i) {
    hear(heard);
    const auto due = timers.at(VipaTimer::kWatch).due;
    ASSERT_GE(due - now, milliseconds(750));
    ASSERT_LE(due - now, milliseconds(1000));
    pass(due - now);
  }
}

TEST_F(BackupTest, WaitsForAMachineThatIsAboutToHaveIt) {
  update();
  for (int i = 0; i < 10; ++i) {
    pass(seconds(2));
    hear(foreign_probe());
  }
  EXPECT_EQ(state(), VipaState::kStandby);
}

TEST_F(BackupTest, GivesItUpToAnyClaim) {
  own_as_backup();
  EXPECT_TRUE(machine.heeds_probes());
  hear(claim());
  EXPECT_THAT(done(), ElementsAre("stop 1", "ask 1"));
  EXPECT_EQ(state(), VipaState::kStandby);
  EXPECT_EQ(machine.report().answered_by, claim().mac);
  EXPECT_EQ(last_event(), "vipa_standby: eth0 stops answering: 02:00:00:00:00:99 has it");
}

TEST_F(BackupTest, GivesItUpToAnyProbe) {
  own_as_backup();
  hear(foreign_probe());
  EXPECT_THAT(done(), ElementsAre("stop 1", "ask 1"));
  EXPECT_FALSE(machine.report().answered_by);
}

TEST_F(BackupTest, FailsOverBetweenItsOwnInterfaces) {
  own_as_backup();
  fail_entry(0);
  EXPECT_THAT(done(), ElementsAre("stop 1", "start 2", "series 2", "tell 2"));
}

TEST_F(BackupTest, StandsByAgainAfterASilence) {
  own_as_backup();
  for (std::size_t i = 0; i < 3; ++i) fail_entry(i);
  done();
  heal(1);
  EXPECT_THAT(done(), ElementsAre("ask 2")) << "another may have it by now";
}

TEST_F(BackupTest, AsksThroughAnotherInterfaceWhenItsOwnFails) {
  update();
  pass(milliseconds(2249));
  done();
  fail_entry(0);
  EXPECT_THAT(done(), ElementsAre("ask 2"));
  pass(milliseconds(2249));
  EXPECT_EQ(state(), VipaState::kStandby) << "what was asked through the failed one counts not";
  pass(milliseconds(751));
  EXPECT_EQ(machine.answering(), 2u);
}

TEST_F(BackupTest, AsksAnewThroughABetterInterface) {
  fail_entry(0);
  pass(seconds(1));
  done();
  heal(0);
  EXPECT_THAT(done(), IsEmpty()) << "the next question is its";
  pass(milliseconds(2500));
  EXPECT_EQ(state(), VipaState::kStandby) << "two were asked through another";
  pass(milliseconds(1500));
  EXPECT_EQ(machine.answering(), 1u);
}

TEST_F(BackupTest, IsSilentWithNothingToAskThrough) {
  update();
  done();
  for (std::size_t i = 0; i < 3; ++i) fail_entry(i);
  EXPECT_EQ(state(), VipaState::kSilent);
  done();
  pass(seconds(60));
  EXPECT_THAT(done(), IsEmpty());
}

TEST_F(BackupTest, BecomesTheOwnerWithoutAWord) {
  own_as_backup();
  rules.role = VipaRole::kOwner;
  update();
  EXPECT_THAT(done(), IsEmpty());
  EXPECT_EQ(machine.answering(), 1u);
  EXPECT_FALSE(machine.heeds_probes());
  rules.role = VipaRole::kBackup;
  update();
  EXPECT_THAT(done(), IsEmpty());
  EXPECT_TRUE(machine.heeds_probes());
}

TEST_F(BackupTest, StandbyThatBecomesTheOwnerProbes) {
  update();
  done();
  rules.role = VipaRole::kOwner;
  update();
  EXPECT_THAT(done(), ElementsAre("probe 1"));
}

TEST_F(BackupTest, OwnersProbesEndWhenItBecomesABackup) {
  rules.role = VipaRole::kOwner;
  update();
  done();
  rules.role = VipaRole::kBackup;
  update();
  EXPECT_THAT(done(), ElementsAre("ask 1"));
  EXPECT_EQ(state(), VipaState::kStandby);
}

TEST_F(BackupTest, ClaimsThroughThePinnedEntry) {
  machine.restore(false, "eth2");
  update();
  pass(seconds(3));
  EXPECT_EQ(machine.answering(), 3u);
}

// ---- Routed.

class RoutedTest : public VipaMachineTest {
 protected:
  RoutedTest() { rules.role = VipaRole::kRouted; }
};

TEST_F(RoutedTest, NeverAnswersButAsksWhoDoes) {
  update();
  EXPECT_EQ(state(), VipaState::kRouted);
  EXPECT_THAT(done(), ElementsAre("ask 1"));
  EXPECT_EQ(machine.report().reason, "routed: eth0 asks who answers");
  pass(seconds(600));
  EXPECT_THAT(done(), testing::Each("ask 1"));
  EXPECT_EQ(machine.answering(), 0u);
  EXPECT_FALSE(machine.heeds_probes());
}

TEST_F(RoutedTest, AsksThreeTimesInARowThenSeldom) {
  update();
  pass(milliseconds(2249));
  EXPECT_EQ(done().size(), 3u);
  pass(milliseconds(751));
  EXPECT_EQ(machine.report().reason, "routed: nobody answers on eth0");
  pass(seconds(18));
  EXPECT_THAT(done(), IsEmpty());
  pass(seconds(12));
  EXPECT_THAT(done(), ElementsAre("ask 1")) << "once, as long as nobody answers";
}

TEST_F(RoutedTest, TellsWhoAnswers) {
  update();
  ForeignClaim heard = claim();
  heard.is_answer = true;
  hear(heard);
  EXPECT_EQ(machine.report().answered_by, heard.mac);
  EXPECT_EQ(machine.report().reason, "routed: 02:00:00:00:00:99 answers");
  EXPECT_EQ(machine.report().claims, 0u) << "it is expected to";
  done();
  pass(seconds(20));
  EXPECT_THAT(done(), IsEmpty()) << "asked again only after half a minute";
  EXPECT_EQ(machine.report().answered_by, heard.mac);
}

TEST_F(RoutedTest, AbsenceIsThreeUnansweredQuestions) {
  update();
  hear(claim());
  done();
  pass(seconds(30));
  ASSERT_GE(done().size(), 1u);
  EXPECT_EQ(machine.report().answered_by, claim().mac);
  pass(seconds(3));
  EXPECT_FALSE(machine.report().answered_by);
  hear(claim());
  EXPECT_EQ(machine.report().answered_by, claim().mac) << "it is back";
}

TEST_F(RoutedTest, ForeignProbeIsNoAnswer) {
  update();
  hear(foreign_probe());
  EXPECT_FALSE(machine.report().answered_by);
}

TEST_F(RoutedTest, AsksThroughWhateverWorks) {
  update();
  done();
  fail_entry(0);
  EXPECT_THAT(done(), ElementsAre("ask 2"));
  fail_entry(1);
  fail_entry(2);
  done();
  EXPECT_EQ(state(), VipaState::kRouted);
  EXPECT_THAT(machine.report().reason, StartsWith("routed: no interface to ask through (eth0 has no carrier"));
  pass(seconds(120));
  EXPECT_THAT(done(), IsEmpty());
  heal(2);
  EXPECT_THAT(done(), ElementsAre("ask 3"));
}

TEST_F(RoutedTest, MoveIsRefused) {
  update();
  auto moved = machine.move_to("eth1", now);
  ASSERT_FALSE(moved);
  EXPECT_EQ(moved.error().code, ErrorCode::kConflict);
  EXPECT_THAT(moved.error().message, HasSubstr("routed"));
}

TEST_F(RoutedTest, OwnerThatBecomesRoutedStopsAnswering) {
  rules.role = VipaRole::kOwner;
  own();
  rules.role = VipaRole::kRouted;
  update();
  EXPECT_THAT(done(), ElementsAre("stop 1", "ask 1"));
  EXPECT_EQ(machine.answering(), 0u);
  EXPECT_THAT(events, testing::Contains(StartsWith("vipa_released: eth0 stops answering")));
  rules.role = VipaRole::kOwner;
  update();
  EXPECT_THAT(done(), ElementsAre("probe 1")) << "another was to answer: it may do so still";
}

TEST_F(RoutedTest, DisabledAsksNothing) {
  update();
  take(machine.set_disabled(true, now));
  done();
  pass(seconds(120));
  EXPECT_THAT(done(), IsEmpty());
  rules.role = VipaRole::kOwner;
  update();
  EXPECT_THAT(done(), IsEmpty());
  take(machine.set_disabled(false, now));
  EXPECT_THAT(done(), ElementsAre("probe 1"));
}

}  // namespace
}  // namespace xdplb
