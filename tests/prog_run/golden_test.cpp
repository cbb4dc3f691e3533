// SPDX-License-Identifier: GPL-2.0-only
// The table of frames against the real program: verdict, whole output frame, outcome, every counter.
#include "golden_cases.h"
#include "support/prog_run.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <string>

namespace xdplb::test {
namespace {

constexpr std::size_t kShortestFrame = 14;  // the kernel's test runs take no shorter one

class Golden : public ProgRun {
 protected:
  void SetUp() override { program_.install(setup_); }

  // As if nothing had come before but what the case says.
  void prepare(const GoldenCase& golden, std::uint32_t ingress) {
    program_.forget();
    for (const Frame& frame : golden.before) program_.dispatch(frame, ingress);
  }
  ReferenceModel prepared_model(const GoldenCase& golden, std::uint32_t ingress) const {
    ReferenceModel model = fresh_;
    for (const Frame& frame : golden.before) model.run(frame, ingress);
    return model;
  }

  void check(const std::vector<GoldenCase>& cases) {
    for (const GoldenCase& golden : cases) {
      SCOPED_TRACE(golden.description);
      prepare(golden, interfaces_.ingress);
      EXPECT_TRUE(same_journey(golden.expected, program_.run(golden.frame))) << hex_dump(golden.frame);
    }
  }

  const DataplaneSetup setup_ = golden_setup(interfaces_.ingress, interfaces_.other);
  const ReferenceModel fresh_{setup_};
};

TEST_F(Golden, FramesForAServerLeaveWithItsMac) { check(forwarded_cases()); }

TEST_F(Golden, FramesForTheKernelPassUntouched) { check(passed_cases()); }

TEST_F(Golden, FramesNobodyCanTakeAreDropped) { check(dropped_cases()); }

TEST_F(Golden, HeadersAreFollowedAndFragmentsPlaced) { check(header_cases()); }

TEST_F(Golden, IcmpFindsItsServerOrItsAnswer) { check(icmp_cases()); }

TEST_F(Golden, WaysChangeTagsAndTtlAndRefuseLoops) { check(way_cases()); }

TEST_F(Golden, RefusedPacketsAreAnsweredAsThePortAsks) { check(refusal_cases()); }

TEST_F(Golden, EveryOutcomeIsReached) {
  // A test run has room for a tag before every frame.
  std::set<std::string_view> reached{outcome_name(XDPLB_OUTCOME_NO_HEADROOM)};
  for (const GoldenCase& golden : golden_cases()) {
    prepare(golden, interfaces_.ingress);
    const Observation run = program_.run(golden.frame);
    for (const auto& [outcome, count] : run.outcomes) reached.insert(outcome_name(outcome));
    // Counted by its server only.
    if (run.outcomes.empty() && !run.servers.empty()) reached.insert(outcome_name(XDPLB_OUTCOME_FORWARDED));
  }
  for (int outcome = XDPLB_CONTINUE + 1; outcome < XDPLB_OUTCOME_COUNT; ++outcome) {
    EXPECT_TRUE(reached.contains(outcome_name(outcome))) << "no frame ends as " << outcome_name(outcome);
  }
}

TEST_F(Golden, EachVerdictIsTheOneOutcomesSays) {
  for (const GoldenCase& golden : golden_cases()) {
    SCOPED_TRACE(golden.description);
    prepare(golden, interfaces_.ingress);
    EXPECT_EQ(program_.dispatch(golden.frame).verdict, outcome_verdict(golden.expected.outcome));
  }
}

TEST_F(Golden, ReferenceModelAgreesWithTheTable) {
  for (const GoldenCase& golden : golden_cases()) {
    SCOPED_TRACE(golden.description);
    const Journey journey = prepared_model(golden, interfaces_.ingress).run(golden.frame, interfaces_.ingress);
    EXPECT_EQ(outcome_name(journey.outcome), outcome_name(golden.expected.outcome));
    EXPECT_EQ(verdict_name(journey.verdict), verdict_name(golden.expected.verdict));
    EXPECT_EQ(journey.server, golden.expected.server);
    EXPECT_EQ(journey.counters.bytes, golden.expected.counters.bytes);
    EXPECT_EQ(journey.counters.new_flows, golden.expected.counters.new_flows);
    EXPECT_EQ(journey.counters.closed_flows, golden.expected.counters.closed_flows);
    ASSERT_EQ(journey.frame.has_value(), golden.expected.frame.has_value());
    if (journey.frame) {
      EXPECT_TRUE(same_frame(*golden.expected.frame, *journey.frame));
    }
  }
}

TEST_F(Golden, CountedForTheLineTheModelSays) {
  for (const GoldenCase& golden : golden_cases()) {
    SCOPED_TRACE(golden.description);
    prepare(golden, interfaces_.ingress);
    const Journey journey = prepared_model(golden, interfaces_.ingress).run(golden.frame, interfaces_.ingress);
    EXPECT_TRUE(same_journey(journey, program_.run(golden.frame)));
  }
}

TEST_F(Golden, TruncatedAtEveryLengthAsTheModelSays) {
  for (const GoldenCase& golden : golden_cases()) {
    // Beyond the headers one more byte tells nothing new.
    Frame frame = golden.frame;
    frame.resize(std::min<std::size_t>(frame.size(), 200));
    const ReferenceModel prepared = prepared_model(golden, interfaces_.ingress);
    for (; frame.size() >= kShortestFrame; frame.pop_back()) {
      prepare(golden, interfaces_.ingress);
      ReferenceModel model = prepared;
      const Journey journey = model.run(frame, interfaces_.ingress);
      ASSERT_TRUE(same_journey(journey, program_.run(frame)))
          << golden.description << ", cut to " << frame.size() << " bytes\n"
          << hex_dump(frame);
    }
  }
}

TEST_F(Golden, TheSameFrameThroughTheOtherInterfaceIsRedirected) {
  // Egress slot 1 is the first interface: for a frame of the second one that is another one.
  for (const GoldenCase& golden : golden_cases()) {
    SCOPED_TRACE(golden.description);
    prepare(golden, interfaces_.other);
    const Journey journey = prepared_model(golden, interfaces_.other).run(golden.frame, interfaces_.other);
    EXPECT_TRUE(same_journey(journey, program_.run(golden.frame, interfaces_.other)));
    if (golden.expected.outcome == XDPLB_OUTCOME_FORWARDED) {
      EXPECT_EQ(journey.outcome, XDPLB_OUTCOME_REDIRECTED);
    }
  }
}

}  // namespace
}  // namespace xdplb::test
