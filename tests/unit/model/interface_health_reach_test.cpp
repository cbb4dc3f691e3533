// SPDX-License-Identifier: GPL-2.0-only
// Reach targets: 192.0.2.1, asked every second, 3 misses are a failure; and whose fault their silence is.
#include "interface_health_fixture.h"

namespace xdplb {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::HasSubstr;

class ReachTest : public HealthTest {
 protected:
  ReachTest() {
    config.reach_targets = {kGateway};
    configure();
  }
  // Both healthy, both answered.
  void start() {
    set();
    answer("eth0");
    answer("eth1");
    pass(seconds(10));
    ASSERT_EQ(state("eth0"), HealthState::kUp);
    ASSERT_EQ(state("eth1"), HealthState::kUp);
  }
  // Three rounds of both, eth1's 500 ms after eth0's, all unanswered.
  void lose_both() {
    for (unsigned count = 1; count <= 3; ++count) {
      miss("eth0", count);
      pass(milliseconds(500));
      miss("eth1", count);
      pass(milliseconds(500));
    }
  }
};

TEST_F(ReachTest, FirstAnswerMakesItHealthy) {
  set();
  EXPECT_EQ(state("eth0"), HealthState::kSettling);
  EXPECT_THAT(health.verdict("eth0").reason, HasSubstr("reach target"));
  pass(milliseconds(10));
  answer("eth0");
  EXPECT_EQ(state("eth0"), HealthState::kUp) << "its link was up at the start";
  EXPECT_EQ(state("eth1"), HealthState::kSettling);
}

TEST_F(ReachTest, WhereNobodyCanBeAskedNobodyNeedAnswer) {
  set();
  health.set_reach("eth0", {}, now);
  EXPECT_EQ(state("eth0"), HealthState::kUp);
  pass(milliseconds(2249));
  EXPECT_EQ(state("eth1"), HealthState::kSettling);
  pass(milliseconds(1));
  EXPECT_EQ(state("eth1"), HealthState::kUp) << "neither an answer nor a miss after two turns: it is not asked";
}

TEST_F(ReachTest, LinkThatComesBackNeedsTheDelayAndAnAnswer) {
  start();
  carrier("eth0", false);
  pass(seconds(10));
  carrier("eth0", true);
  pass(milliseconds(100));
  answer("eth0");
  EXPECT_EQ(state("eth0"), HealthState::kSettling);
  pass(milliseconds(1900));
  EXPECT_EQ(state("eth0"), HealthState::kUp);

  carrier("eth0", false);
  miss("eth0", 5);
  carrier("eth0", true);
  pass(seconds(4));
  EXPECT_EQ(state("eth0"), HealthState::kSettling) << "no answer yet";
  answer("eth0");
  EXPECT_EQ(state("eth0"), HealthState::kUp);
}

TEST_F(ReachTest, MissesOfADeadLinkCountNotWhenItIsBack) {
  start();
  carrier("eth0", false);
  miss("eth0", 30);
  carrier("eth0", true);
  miss("eth0", 32);
  EXPECT_EQ(state("eth0"), HealthState::kSettling);
  pass(seconds(2));
  miss("eth0", 33);
  EXPECT_EQ(cause("eth0"), "reach_lost") << "three since its link is back";
}

TEST_F(ReachTest, MissMakesSuspectAndAnAnswerHealthy) {
  start();
  miss("eth0", 1);
  EXPECT_EQ(state("eth0"), HealthState::kSuspect);
  EXPECT_EQ(cause("eth0"), "");
  EXPECT_EQ(health.verdict("eth0").reason, "192.0.2.1 does not answer");
  pass(seconds(1));
  miss("eth0", 2);
  EXPECT_EQ(state("eth0"), HealthState::kSuspect);
  answer("eth0");
  EXPECT_EQ(state("eth0"), HealthState::kUp);
  EXPECT_THAT(health.reach("eth0"), testing::ElementsAre(testing::Pair(kGateway, 0u)));
}

TEST_F(ReachTest, AsManyMissesAsConfiguredAreAFailure) {
  start();
  for (unsigned count = 1; count <= 2; ++count) {
    miss("eth0", count);
    pass(seconds(1));
  }
  EXPECT_EQ(state("eth0"), HealthState::kSuspect);
  miss("eth0", 3);
  EXPECT_EQ(state("eth0"), HealthState::kDown) << "eth1 has missed nothing in more than a turn";
  EXPECT_EQ(cause("eth0"), "reach_lost");
  EXPECT_EQ(health.verdict("eth0").reason, "192.0.2.1 did not answer 3 times");
  EXPECT_FALSE(health.is_reach_suspect());
}

TEST_F(ReachTest, LostTargetThatAnswersAgainLetsItSettle) {
  start();
  for (unsigned count = 1; count <= 3; ++count) {
    miss("eth0", count);
    pass(seconds(1));
  }
  ASSERT_EQ(state("eth0"), HealthState::kDown);
  answer("eth0");
  EXPECT_EQ(state("eth0"), HealthState::kSettling);
  pass(milliseconds(1999));
  EXPECT_EQ(state("eth0"), HealthState::kSettling);
  pass(milliseconds(1));
  EXPECT_EQ(state("eth0"), HealthState::kUp);
}

TEST_F(ReachTest, SilenceUntilTheFirstAnswerIsJudgedByTheMisses) {
  set();
  answer("eth1");
  for (unsigned count = 1; count <= 3; ++count) {
    EXPECT_EQ(state("eth0"), HealthState::kSettling);
    pass(seconds(1));
    miss("eth0", count);
  }
  EXPECT_EQ(cause("eth0"), "reach_lost");
}

TEST_F(ReachTest, FewerTargetsThanLostOnesEndTheFailure) {
  start();
  for (unsigned count = 1; count <= 3; ++count) {
    miss("eth0", count);
    pass(seconds(1));
  }
  ASSERT_EQ(cause("eth0"), "reach_lost");
  config.reach_targets.clear();
  configure();
  EXPECT_EQ(state("eth0"), HealthState::kSettling);
}

TEST_F(ReachTest, AnyTargetWillDo) {
  config.reach_targets = {kGateway, kRouter};
  configure();
  set();
  health.set_reach("eth1", {{kGateway, 0}, {kRouter, 0}}, now);
  pass(seconds(10));
  health.set_reach("eth0", {{kGateway, 9}, {kRouter, 0}}, now);
  EXPECT_EQ(state("eth0"), HealthState::kUp);
  health.set_reach("eth0", {{kGateway, 10}, {kRouter, 1}}, now);
  EXPECT_EQ(state("eth0"), HealthState::kSuspect);
  pass(seconds(2));
  health.set_reach("eth0", {{kGateway, 12}, {kRouter, 3}}, now);
  EXPECT_EQ(cause("eth0"), "reach_lost");
  EXPECT_THAT(health.verdict("eth0").reason, HasSubstr("192.0.2.1, 192.0.2.2"));
}

TEST_F(ReachTest, AllTargetsWhenAllAreNeeded) {
  config.reach_targets = {kGateway, kRouter};
  config.needs_all_targets = true;
  configure();
  set();
  health.set_reach("eth1", {{kGateway, 0}, {kRouter, 0}}, now);
  health.set_reach("eth0", {{kGateway, 0}, {kRouter, 0}}, now);
  pass(seconds(10));
  health.set_reach("eth0", {{kGateway, 0}, {kRouter, 1}}, now);
  EXPECT_EQ(state("eth0"), HealthState::kSuspect);
  pass(seconds(2));
  health.set_reach("eth0", {{kGateway, 0}, {kRouter, 3}}, now);
  EXPECT_EQ(cause("eth0"), "reach_lost");
  EXPECT_EQ(health.verdict("eth0").reason, "192.0.2.2 did not answer 3 times");
}

TEST_F(ReachTest, FailureOfTheLinkGoesBeforeThatOfReach) {
  start();
  for (unsigned count = 1; count <= 3; ++count) {
    miss("eth0", count);
    pass(seconds(1));
  }
  carrier("eth0", false);
  EXPECT_EQ(cause("eth0"), "no_carrier");
}

// ---- Whose fault it is.

TEST_F(ReachTest, TargetsAreBlamedWhenAllAreLostAtOnce) {
  start();
  for (unsigned count = 1; count <= 2; ++count) {
    miss("eth0", count);
    pass(milliseconds(900));
    miss("eth1", count);
    pass(milliseconds(100));
  }
  miss("eth0", 3);
  EXPECT_EQ(state("eth0"), HealthState::kSuspect) << "eth1 has missed two in the meantime: its third is waited for";
  pass(milliseconds(900));
  miss("eth1", 3);
  EXPECT_TRUE(health.is_reach_suspect());
  EXPECT_EQ(state("eth0"), HealthState::kUp);
  EXPECT_EQ(state("eth1"), HealthState::kUp);
  EXPECT_THAT(health.verdict("eth0").reason, HasSubstr("no reach target answers"));
  pass(seconds(3600));
  EXPECT_TRUE(health.is_reach_suspect()) << "until one answers";
  EXPECT_EQ(state("eth0"), HealthState::kUp);
}

TEST_F(ReachTest, AnswerOfASuspectSettlesWhoseFaultItIs) {
  start();
  for (unsigned count = 1; count <= 2; ++count) {
    miss("eth0", count);
    pass(milliseconds(500));
    miss("eth1", count);
    pass(milliseconds(500));
  }
  miss("eth0", 3);
  EXPECT_EQ(state("eth0"), HealthState::kSuspect);
  pass(milliseconds(400));
  answer("eth1");
  EXPECT_EQ(cause("eth0"), "reach_lost");
  EXPECT_EQ(state("eth1"), HealthState::kUp);
}

TEST_F(ReachTest, WaitForASuspectIsBounded) {
  start();
  miss("eth0", 1);
  pass(seconds(1));
  miss("eth0", 2);
  pass(milliseconds(500));
  miss("eth1", 1);
  pass(milliseconds(500));
  miss("eth0", 3);
  pass(milliseconds(1249));
  EXPECT_EQ(state("eth0"), HealthState::kSuspect);
  pass(milliseconds(1));
  EXPECT_EQ(cause("eth0"), "reach_lost");
  EXPECT_EQ(state("eth1"), HealthState::kSuspect);
}

TEST_F(ReachTest, OneWhoseTurnIsYetToComeIsWaitedFor) {
  config.reach_missed = 1;
  configure();
  start();
  miss("eth0", 1);
  EXPECT_EQ(state("eth0"), HealthState::kSuspect);
  pass(milliseconds(999));
  EXPECT_EQ(state("eth0"), HealthState::kSuspect);
  miss("eth1", 1);
  EXPECT_TRUE(health.is_reach_suspect());
  EXPECT_EQ(state("eth0"), HealthState::kUp);
}

TEST_F(ReachTest, OneThatMissedNothingInItsTurnIsAnswered) {
  config.reach_missed = 1;
  configure();
  start();
  miss("eth0", 1);
  pass(milliseconds(1249));
  EXPECT_EQ(state("eth0"), HealthState::kSuspect);
  pass(milliseconds(1));
  EXPECT_EQ(cause("eth0"), "reach_lost");
}

TEST_F(ReachTest, AnswerAfterTheFirstMissIsEnoughToTell) {
  config.reach_missed = 2;
  configure();
  start();
  miss("eth0", 1);  // in haste: rounds of 200 ms
  pass(milliseconds(100));
  miss("eth1", 1);
  pass(milliseconds(100));
  miss("eth0", 2);
  EXPECT_EQ(state("eth0"), HealthState::kSuspect);
  pass(milliseconds(100));
  answer("eth1");
  EXPECT_EQ(cause("eth0"), "reach_lost") << "a whole interval need not pass";
}

TEST_F(ReachTest, AnswerEndsTheBlameAndTheOthersHaveNewChances) {
  start();
  lose_both();
  ASSERT_TRUE(health.is_reach_suspect());
  miss("eth0", 7);
  miss("eth1", 7);
  answer("eth1");
  EXPECT_FALSE(health.is_reach_suspect());
  EXPECT_EQ(state("eth0"), HealthState::kUp);
  miss("eth0", 8);
  EXPECT_EQ(state("eth0"), HealthState::kSuspect);
  pass(seconds(2));
  miss("eth0", 9);
  EXPECT_EQ(state("eth0"), HealthState::kSuspect);
  miss("eth0", 10);
  EXPECT_EQ(cause("eth0"), "reach_lost") << "it alone is still silent";
  EXPECT_EQ(state("eth1"), HealthState::kUp);
}

TEST_F(ReachTest, ForgivenMissesCountAgainAfterAnAnswer) {
  start();
  lose_both();
  answer("eth1");
  pass(seconds(1));
  answer("eth0");
  pass(seconds(1));
  miss("eth0", 1);
  EXPECT_EQ(state("eth0"), HealthState::kSuspect) << "the first of a new silence";
}

TEST_F(ReachTest, LastHealthyOneNeverFailsByItsTargets) {
  start();
  carrier("eth1", false);
  for (unsigned count = 1; count <= 3; ++count) {
    miss("eth0", count);
    pass(seconds(1));
  }
  EXPECT_EQ(state("eth0"), HealthState::kUp) << "there is nothing to move to";
  EXPECT_TRUE(health.is_reach_suspect());
}

TEST_F(ReachTest, OneThatFailedByItselfBeforeStaysFailedWhenTheLastOneLosesItsTargets) {
  start();
  for (unsigned count = 1; count <= 3; ++count) {
    miss("eth0", count);
    pass(seconds(1));
  }
  ASSERT_EQ(cause("eth0"), "reach_lost");
  for (unsigned count = 1; count <= 3; ++count) {
    miss("eth1", count);
    pass(seconds(1));
  }
  EXPECT_TRUE(health.is_reach_suspect());
  EXPECT_EQ(state("eth1"), HealthState::kUp);
  EXPECT_EQ(state("eth0"), HealthState::kDown);
  answer("eth0");
  EXPECT_FALSE(health.is_reach_suspect());
  EXPECT_EQ(state("eth0"), HealthState::kSettling);
  EXPECT_EQ(state("eth1"), HealthState::kUp) << "it has new chances";
}

TEST_F(ReachTest, OneThatAsksNobodyIsHealthyWhateverTheTargetsDo) {
  start();
  health.set_reach("eth1", {}, now);
  miss("eth0", 1);
  pass(seconds(1));
  miss("eth0", 3);
  EXPECT_EQ(cause("eth0"), "reach_lost");
  EXPECT_FALSE(health.is_reach_suspect());
}

TEST_F(ReachTest, DeadTargetsAtTheStartAreBlamed) {
  set();
  lose_both();
  pass(seconds(2));
  EXPECT_TRUE(health.is_reach_suspect());
  EXPECT_EQ(state("eth0"), HealthState::kUp);
  EXPECT_EQ(state("eth1"), HealthState::kUp);
}

TEST_F(ReachTest, OneThatHasNeverBeenAnsweredIsNoWitnessAgainstTheLastHealthyOne) {
  start();
  carrier("eth1", false);
  miss("eth0", 1);
  pass(seconds(1));
  miss("eth0", 2);
  pass(milliseconds(900));
  carrier("eth1", true);
  miss("eth1", 1);
  pass(milliseconds(100));
  miss("eth0", 3);
  EXPECT_EQ(state("eth0"), HealthState::kSuspect);
  pass(milliseconds(1250));
  EXPECT_EQ(state("eth0"), HealthState::kUp);
  EXPECT_TRUE(health.is_reach_suspect());
  answer("eth1");
  EXPECT_FALSE(health.is_reach_suspect());
  EXPECT_EQ(state("eth1"), HealthState::kSettling);
}

TEST_F(ReachTest, BlameEndsWithTheTargets) {
  start();
  lose_both();
  ASSERT_TRUE(health.is_reach_suspect());
  config.reach_targets.clear();
  configure();
  EXPECT_FALSE(health.is_reach_suspect());
  EXPECT_EQ(health.verdict("eth0").reason, "healthy");
}

TEST_F(ReachTest, DisabledInterfaceIsNoWitness) {
  start();
  health.set_disabled("eth1", true, now);
  for (unsigned count = 1; count <= 3; ++count) {
    miss("eth0", count);
    pass(seconds(1));
  }
  EXPECT_EQ(state("eth0"), HealthState::kUp);
  health.set_disabled("eth1", false, now);
  EXPECT_FALSE(health.is_reach_suspect()) << "eth1 is answered";
  EXPECT_EQ(state("eth1"), HealthState::kUp);
}

TEST_F(ReachTest, ReachOfAnUnknownInterfaceIsNothing) {
  set();
  health.set_reach("eth9", {{kGateway, 3}}, now);
  EXPECT_TRUE(health.reach("eth9").empty());
}

}  // namespace
}  // namespace xdplb
