// SPDX-License-Identifier: GPL-2.0-only
// The claims of docs/manager.md on what converges, by the simulation that tools/convergence draws.
#include "convergence/simulation.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace xdplb::convergence {
namespace {

Scenario recommended(std::uint64_t seed) {
  Scenario scenario;
  scenario.manager.sensitivity = 3;
  scenario.manager.weight_bound = 100;
  scenario.seed = seed;
  return scenario;
}

class Convergence : public testing::TestWithParam<std::uint64_t> {};

TEST_P(Convergence, SharesReachTheCapacitiesWithinAMinuteAndStay) {
  const Scenario scenario = recommended(GetParam());
  const std::vector<Sample> samples = simulate(scenario);

  const std::optional<double> settled = settled_after(samples, 0, scenario.slow_from_s, 0.10);
  ASSERT_TRUE(settled.has_value());
  EXPECT_LE(*settled, 60);
  const Stretch steady = judge(samples, 60, scenario.slow_from_s);
  EXPECT_LE(steady.mean_error, 0.08);
  EXPECT_LE(steady.worst_error, 0.20);
  EXPECT_LE(steady.swing, 0.30);
  EXPECT_LE(steady.moved_a_minute, 15);

  EXPECT_GE(followed_part(scenario, samples, 10), 0.75) << "ten times slower, ten seconds later";
  EXPECT_GE(followed_part(scenario, samples, 12), 0.9);
  EXPECT_LE(judge(samples, 240, scenario.slow_until_s).mean_error, 0.4);

  const Stretch after = judge(samples, scenario.slow_until_s + 60, scenario.seconds);
  EXPECT_LE(after.mean_error, 0.08);
  EXPECT_LE(after.worst_error, 0.25);
}

INSTANTIATE_TEST_SUITE_P(Seeds, Convergence, testing::Values(1, 2, 3));

TEST(ConvergenceOfOthers, DefaultBoundAndSensitivityConvergeMoreCoarsely) {
  Scenario scenario = recommended(4);
  scenario.manager.sensitivity = 5;
  scenario.manager.weight_bound = kDefaultWeightBound;
  scenario.seconds = 180;
  const Stretch steady = judge(simulate(scenario), 60, 180);
  EXPECT_LE(steady.mean_error, 0.10);
  EXPECT_LE(steady.worst_error, 0.35);
}

TEST(ConvergenceOfOthers, TheAgentsLoadConvergesToo) {
  Scenario scenario = recommended(5);
  scenario.manager.proportions = {20, 20, 0, 60};
  scenario.has_agent = true;
  scenario.seconds = 180;
  EXPECT_LE(judge(simulate(scenario), 60, 180).mean_error, 0.08);
}

TEST(ConvergenceOfOthers, ABusyPoolDoesNotOscillate) {
  Scenario scenario = recommended(6);
  scenario.load = 0.8;
  scenario.seconds = 180;
  const Stretch steady = judge(simulate(scenario), 60, 180);
  EXPECT_LE(steady.swing, 0.5);
  EXPECT_LE(steady.moved_a_minute, 30);
}

// What the classic proportions cannot: an honest limit, so that nobody documents the contrary.
TEST(ConvergenceOfOthers, OnePercentForTheAdvisorDoesNotFindTheCapacities) {
  Scenario scenario = recommended(7);
  scenario.manager.proportions = {49, 50, 1, 0};
  scenario.seconds = 180;
  EXPECT_GE(judge(simulate(scenario), 60, 180).mean_error, 0.25);
}

TEST(ConvergenceOfOthers, EqualSeedsGiveEqualRuns) {
  Scenario scenario = recommended(8);
  scenario.seconds = 20;
  const std::vector<Sample> one = simulate(scenario);
  const std::vector<Sample> other = simulate(scenario);
  ASSERT_EQ(one.size(), other.size());
  for (std::size_t i = 0; i < one.size(); ++i) EXPECT_EQ(one[i].weights, other[i].weights);
}

}  // namespace
}  // namespace xdplb::convergence
