// SPDX-License-Identifier: GPL-2.0-only
// What the kernel and the operator say of interfaces, and the damping of flaps.
#include "interface_health_fixture.h"

#include <cerrno>

namespace xdplb {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::HasSubstr;

TEST_F(HealthTest, StatesHaveNames) {
  EXPECT_EQ(health_state_name(HealthState::kAbsent), "absent");
  EXPECT_EQ(health_state_name(HealthState::kDown), "down");
  EXPECT_EQ(health_state_name(HealthState::kSettling), "settling");
  EXPECT_EQ(health_state_name(HealthState::kUp), "up");
  EXPECT_EQ(health_state_name(HealthState::kSuspect), "suspect");
  EXPECT_EQ(health_state_name(HealthState::kDisabled), "disabled");
}

// ---- The link.

TEST_F(HealthTest, LinkThatIsUpWhenFirstSeenIsHealthyAtOnce) {
  set();
  EXPECT_EQ(state("eth0"), HealthState::kUp);
  EXPECT_EQ(health.verdict("eth0").reason, "healthy");
  EXPECT_EQ(cause("eth0"), "");
  EXPECT_EQ(health.verdict("eth0").since, now);
  EXPECT_FALSE(health.next_wake());
}

TEST_F(HealthTest, UnknownNameIsAbsent) {
  set();
  EXPECT_EQ(state("eth9"), HealthState::kAbsent);
  EXPECT_EQ(cause("eth9"), "gone");
  EXPECT_FALSE(health.verdicts().contains("eth9"));
  EXPECT_EQ(health.verdicts().size(), 2u);
}

TEST_F(HealthTest, MissingNameIsForgotten) {
  set();
  carrier("eth0", false);
  links.erase("eth0");
  set();
  EXPECT_EQ(state("eth0"), HealthState::kAbsent);
  EXPECT_FALSE(health.verdicts().contains("eth0"));
  links["eth0"] = good(1);
  set();
  EXPECT_EQ(state("eth0"), HealthState::kUp) << "seen for the first time again";
}

TEST_F(HealthTest, EveryFailureOfTheLinkCountsAtOnce) {
  struct Case {
    const char* cause;
    HealthState state;
    const char* reason;
    LinkFacts facts;
  };
  LinkFacts down = good(1);
  down.is_up = false;
  LinkFacts dark = good(1);
  dark.has_carrier = false;
  LinkFacts port = good(1);
  port.master = "br0";
  LinkFacts bare = good(1);
  bare.lacks_program = true;
  bare.program_reason = "its XDP program was detached";
  const Case cases[] = {
      {.cause = "gone", .state = HealthState::kAbsent, .reason = "there is no such interface", .facts = {}},
      {.cause = "admin_down", .state = HealthState::kDown, .reason = "it is down", .facts = down},
      {.cause = "no_carrier", .state = HealthState::kDown, .reason = "no carrier", .facts = dark},
      {.cause = "enslaved", .state = HealthState::kDown, .reason = "it is enslaved to br0", .facts = port},
      {.cause = "no_program", .state = HealthState::kDown, .reason = "its XDP program was detached", .facts = bare},
  };
  for (const auto& test : cases) {
    SCOPED_TRACE(test.cause);
    links["eth0"] = good(1);
    health = {};
    set();
    now += seconds(100);
    links["eth0"] = test.facts;
    set();
    EXPECT_EQ(state("eth0"), test.state);
    EXPECT_EQ(cause("eth0"), test.cause);
    EXPECT_EQ(health.verdict("eth0").reason, test.reason);
    EXPECT_EQ(health.verdict("eth0").since, now);
    EXPECT_EQ(state("eth1"), HealthState::kUp);
  }
}

TEST_F(HealthTest, LinkThatComesBackSettlesForTheDelay) {
  set();
  carrier("eth0", false);
  pass(seconds(10));
  carrier("eth0", true);
  EXPECT_EQ(state("eth0"), HealthState::kSettling);
  EXPECT_EQ(cause("eth0"), "");
  pass(milliseconds(1999));
  EXPECT_EQ(state("eth0"), HealthState::kSettling);
  pass(milliseconds(1));
  EXPECT_EQ(state("eth0"), HealthState::kUp);
}

TEST_F(HealthTest, LinkLostWhileSettlingStartsOver) {
  set();
  carrier("eth0", false);
  carrier("eth0", true);
  pass(milliseconds(1500));
  carrier("eth0", false);
  EXPECT_EQ(state("eth0"), HealthState::kDown);
  carrier("eth0", true);
  pass(milliseconds(1999));
  EXPECT_EQ(state("eth0"), HealthState::kSettling);
  pass(milliseconds(1));
  EXPECT_EQ(state("eth0"), HealthState::kUp);
}

TEST_F(HealthTest, WithoutUpDelayItIsHealthyAtOnce) {
  config.up_delay_s = 0;
  configure();
  set();
  carrier("eth0", false);
  carrier("eth0", true);
  EXPECT_EQ(state("eth0"), HealthState::kUp);
}

TEST_F(HealthTest, LostCarrierCountsAfterTheDownDelay) {
  config.down_delay_s = 3;
  configure();
  set();
  carrier("eth0", false);
  pass(milliseconds(2999));
  EXPECT_EQ(state("eth0"), HealthState::kUp);
  pass(milliseconds(1));
  EXPECT_EQ(state("eth0"), HealthState::kDown);
  EXPECT_EQ(cause("eth0"), "no_carrier");
}

TEST_F(HealthTest, CarrierThatComesBackWithinTheDownDelayWasNeverLost) {
  config.down_delay_s = 3;
  configure();
  set();
  carrier("eth0", false);
  pass(milliseconds(2999));
  carrier("eth0", true);
  pass(seconds(10));
  EXPECT_EQ(state("eth0"), HealthState::kUp);
  EXPECT_EQ(factor("eth0"), 1u);
}

TEST_F(HealthTest, DownDelayIsForNoOtherFailure) {
  config.down_delay_s = 3;
  configure();
  links["eth1"].has_carrier = false;
  set();
  EXPECT_EQ(state("eth1"), HealthState::kDown) << "it was never healthy";
  links["eth0"].is_up = false;
  links["eth0"].has_carrier = false;
  set();
  EXPECT_EQ(cause("eth0"), "admin_down");
  links["eth0"].is_up = true;
  set();
  EXPECT_EQ(cause("eth0"), "no_carrier") << "it has had none since it failed";
}

TEST_F(HealthTest, ShorterDelaysTakeEffectOnWhatIsPending) {
  config.up_delay_s = 30;
  configure();
  set();
  carrier("eth0", false);
  carrier("eth0", true);
  pass(seconds(5));
  EXPECT_EQ(state("eth0"), HealthState::kSettling);
  config.up_delay_s = 5;
  configure();
  EXPECT_EQ(state("eth0"), HealthState::kUp);
  config.up_delay_s = 255;
  configure();
  EXPECT_EQ(state("eth0"), HealthState::kUp) << "what has settled stays so";
}

TEST_F(HealthTest, AnotherDeviceOfTheNameSettles) {
  set();
  now += seconds(100);
  links["eth0"] = good(7);
  set();
  EXPECT_EQ(state("eth0"), HealthState::kSettling);
  pass(seconds(2));
  EXPECT_EQ(state("eth0"), HealthState::kUp);
}

TEST_F(HealthTest, ProgramThatIsAttachedAgainNeedsNoDelay) {
  links["eth0"].lacks_program = true;
  set();
  EXPECT_EQ(cause("eth0"), "no_program");
  EXPECT_NE(health.verdict("eth0").reason, "");
  links["eth0"].lacks_program = false;
  set();
  EXPECT_EQ(state("eth0"), HealthState::kUp);
}

// ---- The operator.

TEST_F(HealthTest, OperatorDisablesAndEnables) {
  set();
  health.set_disabled("eth0", true, now);
  EXPECT_EQ(state("eth0"), HealthState::kDisabled);
  EXPECT_EQ(cause("eth0"), "disabled");
  EXPECT_EQ(health.verdict("eth0").reason, "the operator disabled it");
  health.set_disabled("eth0", false, now);
  EXPECT_EQ(state("eth0"), HealthState::kUp) << "its link was good all the time";
  EXPECT_EQ(factor("eth0"), 1u);
}

TEST_F(HealthTest, LinkThatComesUpWhileDisabledSettlesAllTheSame) {
  set();
  health.set_disabled("eth0", true, now);
  carrier("eth0", false);
  pass(seconds(5));
  carrier("eth0", true);
  pass(seconds(1));
  health.set_disabled("eth0", false, now);
  EXPECT_EQ(state("eth0"), HealthState::kSettling);
  pass(seconds(1));
  EXPECT_EQ(state("eth0"), HealthState::kUp);
}

TEST_F(HealthTest, OperatorsWordIsRememberedForLater) {
  health.set_disabled("eth0", true, now);
  set();
  EXPECT_EQ(state("eth0"), HealthState::kDisabled);
  links.erase("eth0");
  set();
  links["eth0"] = good(1);
  set();
  EXPECT_EQ(state("eth0"), HealthState::kDisabled);
}

// ---- Errors of sending.

TEST_F(HealthTest, DeadDeviceFailsWithTheFirstError) {
  for (int error : {ENETDOWN, ENODEV, ENXIO}) {
    health = {};
    set();
    health.note_send_error("eth0", error, now);
    EXPECT_EQ(cause("eth0"), "send_errors");
    EXPECT_THAT(health.verdict("eth0").reason, HasSubstr("refuses to send"));
    EXPECT_EQ(state("eth1"), HealthState::kUp);
  }
}

TEST_F(HealthTest, ThreeOtherErrorsWithinFiveSecondsAreAFailure) {
  set();
  health.note_send_error("eth0", ENOBUFS, now);
  now += seconds(2);
  health.note_send_error("eth0", EIO, now);
  EXPECT_EQ(state("eth0"), HealthState::kUp);
  now += seconds(3);
  health.note_send_error("eth0", ENOBUFS, now);
  EXPECT_EQ(cause("eth0"), "send_errors");
}

TEST_F(HealthTest, ErrorsFurtherApartAreNone) {
  set();
  health.note_send_error("eth0", ENOBUFS, now);
  now += seconds(2);
  health.note_send_error("eth0", ENOBUFS, now);
  now += milliseconds(3001);
  health.note_send_error("eth0", ENOBUFS, now);
  EXPECT_EQ(state("eth0"), HealthState::kUp);
}

TEST_F(HealthTest, FailureBySendingEndsFiveSecondsAfterTheLastError) {
  set();
  health.note_send_error("eth0", ENETDOWN, now);
  pass(seconds(3));
  health.note_send_error("eth0", EIO, now);
  pass(milliseconds(4999));
  EXPECT_EQ(state("eth0"), HealthState::kDown);
  pass(milliseconds(1));
  EXPECT_EQ(state("eth0"), HealthState::kSettling);
  pass(seconds(2));
  EXPECT_EQ(state("eth0"), HealthState::kUp);
}

TEST_F(HealthTest, FailureBySendingEndsWithAChangeOfTheLink) {
  set();
  health.note_send_error("eth0", ENETDOWN, now);
  set();
  EXPECT_EQ(cause("eth0"), "send_errors") << "nothing has changed";
  links["eth0"].is_up = false;
  set();
  EXPECT_EQ(cause("eth0"), "admin_down");
  links["eth0"].is_up = true;
  set();
  EXPECT_EQ(state("eth0"), HealthState::kSettling);
}

TEST_F(HealthTest, ErrorOfAnUnknownInterfaceIsNothing) {
  set();
  health.note_send_error("eth9", ENODEV, now);
  EXPECT_EQ(health.verdicts().size(), 2u);
}

// ---- Damping.

TEST_F(HealthTest, FailureSoonAfterBecomingUpDoublesTheHold) {
  set();
  flap();
  EXPECT_EQ(factor("eth0"), 1u) << "the first failure is no flap";
  now += seconds(60);
  flap();
  EXPECT_EQ(factor("eth0"), 2u);
}

TEST_F(HealthTest, FailureLongAfterBecomingUpDoesNot) {
  set();
  flap();
  now += milliseconds(60001);
  flap();
  EXPECT_EQ(factor("eth0"), 1u);
}

TEST_F(HealthTest, HoldFactorHasALimit) {
  set();
  flap();
  for (unsigned expected : {2u, 4u, 8u, 16u, 16u}) {
    flap();
    EXPECT_EQ(factor("eth0"), expected);
  }
}

TEST_F(HealthTest, HoldFactorIsForgottenAfterFiveCalmMinutes) {
  set();
  flap();
  flap();
  pass(milliseconds(299999));
  EXPECT_EQ(factor("eth0"), 2u);
  pass(milliseconds(1));
  EXPECT_EQ(factor("eth0"), 1u);
  EXPECT_FALSE(health.next_wake());
}

TEST_F(HealthTest, OperatorsDisablingIsNoFlap) {
  set();
  flap();
  health.set_disabled("eth0", true, now);
  health.set_disabled("eth0", false, now);
  EXPECT_EQ(factor("eth0"), 1u);
}

TEST_F(HealthTest, WantOfAProgramIsNoFlap) {
  set();
  for (int i = 0; i < 3; ++i) {
    links["eth0"].lacks_program = true;
    set();
    links["eth0"].lacks_program = false;
    set();
  }
  EXPECT_EQ(state("eth0"), HealthState::kUp);
  EXPECT_EQ(factor("eth0"), 1u);
}

TEST_F(HealthTest, FailureLastsAndCountsOnce) {
  set();
  flap();
  carrier("eth0", false);
  for (int i = 0; i < 5; ++i) {
    now += seconds(1);
    health.tick(now);
  }
  EXPECT_EQ(factor("eth0"), 2u);
}

}  // namespace
}  // namespace xdplb
