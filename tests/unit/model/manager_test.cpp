// SPDX-License-Identifier: GPL-2.0-only
// The twelve documented facts of the classic manager, by number as in docs/manager.md.
#include "model/manager.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>

namespace xdplb {
namespace {

using testing::ElementsAre;
using testing::Pair;
using Proportions = std::array<unsigned, 4>;
using Weights = std::map<std::string, unsigned>;

ManagerConfig config_of(const Proportions& proportions) { return {.is_on = true, .proportions = proportions}; }

// Pushes whatever changes, at once.
ManagerConfig eager(const Proportions& proportions) {
  ManagerConfig config = config_of(proportions);
  config.sensitivity = 0;
  config.smoothing_tenths = 10;
  return config;
}

ManagedLoad busy(const char* name, double active, double new_connections) {
  return {.name = name, .active = active, .new_connections = new_connections};
}
ManagedLoad answering(const char* name, double ms) { return {.name = name, .advisor_ms = ms}; }

// Many cycles with the same loads.
ManagerCycle settle(Manager& manager, const ManagerConfig& config, const std::vector<ManagedLoad>& servers) {
  ManagerCycle cycle;
  for (int i = 0; i < 200; ++i) cycle = manager.cycle(config, servers, true, true);
  return cycle;
}

ManagerCycle once(Manager& manager, const ManagerConfig& config, const std::vector<ManagedLoad>& servers) {
  return manager.cycle(config, servers, true, true);
}

TEST(ManagerFact1, ProportionsAreHalfAndHalfUntilAnAdvisorOrAgentRuns) {
  const ManagerConfig config{.is_on = true};
  EXPECT_EQ(proportions_of(config, false, false), (Proportions{50, 50, 0, 0}));
  EXPECT_EQ(proportions_of(config, true, false), (Proportions{49, 50, 1, 0}));
  EXPECT_EQ(proportions_of(config, false, true), (Proportions{49, 50, 0, 1}));
  EXPECT_EQ(proportions_of(config, true, true), (Proportions{49, 49, 1, 1}));
}

TEST(ManagerFact1, ProportionsThatWereSaidStay) {
  EXPECT_EQ(proportions_of(config_of({100, 0, 0, 0}), true, true), (Proportions{100, 0, 0, 0}));
}

TEST(ManagerFact1, TheAdvisorSteersByItsProportionAlone) {
  Manager without;
  Manager with;
  const std::vector<ManagedLoad> servers = {answering("a", 10), answering("b", 40)};
  EXPECT_THAT(settle(without, eager({50, 50, 0, 0}), servers).weights, ElementsAre(Pair("a", 10), Pair("b", 10)));
  EXPECT_THAT(settle(with, eager({0, 0, 100, 0}), servers).weights, ElementsAre(Pair("a", 16), Pair("b", 4)));
}

TEST(ManagerFact2, WithoutPartsForConnectionsAPileUpIsNotSeen) {
  Manager blind;
  Manager seeing;
  const std::vector<ManagedLoad> servers = {busy("a", 1000, 10), busy("b", 10, 10)};
  EXPECT_EQ(settle(blind, eager({0, 0, 100, 0}), servers).weights, (Weights{{"a", 10}, {"b", 10}}));
  const Weights weights = settle(seeing, eager({20, 20, 60, 0}), servers).weights;
  EXPECT_LT(weights.at("a"), weights.at("b"));
}

TEST(ManagerFact3, WeightsAreWholeFromOneToTheBound) {
  Manager manager;
  const ManagerCycle cycle = settle(manager, eager({0, 0, 100, 0}), {answering("a", 1), answering("b", 100'000)});
  EXPECT_EQ(cycle.weights, (Weights{{"a", 20}, {"b", 1}}));
}

TEST(ManagerFact3, QuiescedIsZeroAndDownIsReportedAsMinusOne) {
  Manager manager;
  const ManagerCycle cycle =
      once(manager, eager({50, 50, 0, 0}),
           {{.name = "a"}, {.name = "down", .is_up = false}, {.name = "quiesced", .is_quiesced = true}});
  EXPECT_EQ(cycle.weights, (Weights{{"a", 10}, {"down", 0}, {"quiesced", 0}}));
  EXPECT_EQ(cycle.lines[0].now, 10);
  EXPECT_EQ(cycle.lines[1].now, -1);
  EXPECT_EQ(cycle.lines[1].next, -1);
  EXPECT_EQ(cycle.lines[1].raw[2], -1);
  EXPECT_EQ(cycle.lines[2].now, 0);
}

TEST(ManagerFact3, AConfiguredWeightOfZeroStaysZero) {
  Manager manager;
  const std::vector<ManagedLoad> servers = {{.name = "a"}, {.name = "b", .configured_weight = 0}};
  EXPECT_EQ(settle(manager, eager({50, 50, 0, 0}), servers).weights, (Weights{{"a", 10}, {"b", 0}}));
}

class ManagerFact4 : public testing::TestWithParam<unsigned> {};

TEST_P(ManagerFact4, TheBoundIsTheLargestSkew) {
  Manager manager;
  ManagerConfig config = eager({0, 0, 100, 0});
  config.weight_bound = GetParam();
  const Weights weights = settle(manager, config, {answering("a", 1), answering("b", 100'000)}).weights;
  EXPECT_EQ(weights.at("a"), GetParam() * weights.at("b"));
}
INSTANTIATE_TEST_SUITE_P(Bounds, ManagerFact4, testing::Values(1, 2, 3, 10, 20, 99, 100));

TEST(ManagerFact5, DownIsZeroInTheNextCycle) {
  Manager manager;
  const ManagerConfig config = config_of({49, 50, 1, 0});
  settle(manager, config, {answering("a", 5), answering("b", 5)});
  const ManagerCycle cycle = once(manager, config, {answering("a", 5), {.name = "b", .is_up = false}});
  EXPECT_TRUE(cycle.is_pushed);
  EXPECT_EQ(cycle.weights.at("b"), 0);
  EXPECT_GT(cycle.weights.at("a"), 0);
}

TEST(ManagerFact6, AllDownGetHalfTheBound) {
  Manager manager;
  const ManagerConfig config = config_of({0, 0, 100, 0});
  settle(manager, config, {answering("a", 5), answering("b", 50)});
  const std::vector<ManagedLoad> none = {{.name = "a", .is_up = false}, {.name = "b", .is_up = false}};
  const ManagerCycle down = once(manager, config, none);
  EXPECT_EQ(down.weights, (Weights{{"a", 10}, {"b", 10}}));
  EXPECT_FALSE(once(manager, config, none).is_pushed);

  const ManagerCycle back = once(manager, config, {{.name = "a", .is_up = false}, {.name = "b"}});
  EXPECT_EQ(back.weights, (Weights{{"a", 0}, {"b", 10}})) << "the first that comes back has all";
}

TEST(ManagerFact6, AllDownLeavesTheQuiescedAndTheFixedAlone) {
  Manager manager;
  const ManagerCycle cycle = once(manager, config_of({50, 50, 0, 0}),
                                  {{.name = "a", .is_up = false},
                                   {.name = "fixed", .is_up = false, .fixed = 3},
                                   {.name = "quiesced", .is_up = false, .is_quiesced = true}});
  EXPECT_EQ(cycle.weights, (Weights{{"a", 10}, {"fixed", 3}, {"quiesced", 0}}));
}

TEST(ManagerFact6, AFixedServerThatIsUpIsSomebody) {
  Manager manager;
  const ManagerCycle cycle =
      once(manager, config_of({50, 50, 0, 0}), {{.name = "a", .is_up = false}, {.name = "fixed", .fixed = 3}});
  EXPECT_EQ(cycle.weights, (Weights{{"a", 0}, {"fixed", 3}}));
}

TEST(ManagerFact7, AFixedWeightIsNeverChangedAndZeroWhenDown) {
  Manager manager;
  const ManagerConfig config = eager({20, 20, 60, 0});
  std::vector<ManagedLoad> servers = {answering("a", 5), answering("b", 5), answering("fixed", 5000)};
  servers[2].fixed = 7;
  servers[2].active = 10'000;
  const ManagerCycle cycle = settle(manager, config, servers);
  EXPECT_EQ(cycle.weights, (Weights{{"a", 10}, {"b", 10}, {"fixed", 7}}));
  EXPECT_EQ(cycle.lines[2].raw, (std::array<double, 4>{10'000, 0, 5000, -9999})) << "it is reported";
  servers[2].is_up = false;
  EXPECT_EQ(once(manager, config, servers).weights.at("fixed"), 0);
}

TEST(ManagerFact8, CountersThatWereNotReadAnewMoveNothing) {
  Manager manager;
  const ManagerConfig config = eager({50, 50, 0, 0});
  once(manager, config, {busy("a", 10, 10), busy("b", 10, 10)});
  const std::vector<ManagedLoad> skewed = {busy("a", 1000, 1000), busy("b", 10, 10)};
  for (int i = 0; i < 10; ++i) {
    const ManagerCycle stale = manager.cycle(config, skewed, false, true);
    EXPECT_FALSE(stale.is_pushed);
    EXPECT_EQ(stale.weights, (Weights{{"a", 10}, {"b", 10}}));
  }
  EXPECT_TRUE(manager.cycle(config, skewed, true, true).is_pushed);
}

TEST(ManagerFact9, ChangeIsTheSumOfAllChangesInPercent) {
  const std::array<unsigned, 4> before = {25, 25, 25, 25};
  EXPECT_EQ(change_percent(before, std::array<unsigned, 4>{25, 25, 25, 30}), 5) << "100 -> 105 is not more than 5 %";
  EXPECT_EQ(change_percent(before, std::array<unsigned, 4>{25, 25, 25, 31}), 6) << "100 -> 106 is";
  EXPECT_EQ(change_percent(before, std::array<unsigned, 4>{25, 25, 25, 19}), 6) << "downwards as well";
  EXPECT_EQ(change_percent(before, std::array<unsigned, 4>{22, 28, 25, 25}), 6) << "the total alone would stay";
  EXPECT_EQ(change_percent(std::array<unsigned, 1>{0}, std::array<unsigned, 1>{0}), 0);
  EXPECT_EQ(change_percent(std::array<unsigned, 1>{0}, std::array<unsigned, 1>{1}), 100);
}

TEST(ManagerFact9, AChangeOfExactlyTheSensitivityIsNotPushed) {
  for (const unsigned sensitivity : {10U, 9U}) {
    Manager manager;
    ManagerConfig config = eager({0, 0, 100, 0});
    config.sensitivity = sensitivity;
    config.weight_bound = 100;
    manager.adopt({{"a", 55}, {"b", 45}});  // 10 of 100 from what equal servers get
    const ManagerCycle cycle = once(manager, config, {answering("a", 5), answering("b", 5)});
    EXPECT_EQ(cycle.lines[0].next, 50);
    EXPECT_EQ(cycle.is_pushed, sensitivity == 9);
    EXPECT_EQ(cycle.weights.at("a"), sensitivity == 9 ? 50 : 55);
  }
}

TEST(ManagerFact9, DownUpQuiescedFixedAndNewArePushedWhateverTheSensitivity) {
  ManagerConfig config = config_of({49, 50, 1, 0});
  config.sensitivity = 100;
  Manager manager;
  const ManagedLoad a{.name = "a"};
  ManagedLoad b{.name = "b"};
  const auto next = [&] { return manager.cycle(config, {a, b}, true, false); };  // and though flows are crowded
  EXPECT_FALSE(next().is_pushed);
  b.is_up = false;
  EXPECT_EQ(next().weights.at("b"), 0);
  b.is_up = true;
  EXPECT_EQ(next().weights.at("b"), 10);
  b.is_quiesced = true;
  EXPECT_EQ(next().weights.at("b"), 0);
  b.is_quiesced = false;
  b.fixed = 1;
  EXPECT_EQ(next().weights.at("b"), 1);
  b.fixed = 20;
  EXPECT_EQ(next().weights.at("b"), 20);
  b.fixed.reset();
  next();
  const ManagerCycle grown = manager.cycle(config, {a, b, {.name = "c"}}, true, false);
  EXPECT_TRUE(grown.is_pushed);
  EXPECT_EQ(grown.weights.at("c"), 10);
}

TEST(ManagerFact10, SmoothingLimitsTheChangeOfACycle) {
  const auto first_step = [](unsigned smoothing_tenths) {
    Manager manager;
    ManagerConfig config = eager({0, 0, 100, 0});
    config.smoothing_tenths = smoothing_tenths;
    return once(manager, config, {answering("a", 10), answering("b", 40)}).lines[0].next;
  };
  EXPECT_EQ(first_step(10), 16);
  EXPECT_EQ(first_step(15), 14);
  EXPECT_EQ(first_step(40), 12);  // a quarter of the way from 10 to 16
  EXPECT_EQ(first_step(1000), 10);
}

TEST(ManagerFact11, AServerWithoutAResultCountsAsAverage) {
  Manager manager;
  const std::vector<ManagedLoad> servers = {answering("a", 10), answering("b", 30), {.name = "silent"}};
  const ManagerCycle cycle = settle(manager, eager({0, 0, 100, 0}), servers);
  EXPECT_EQ(cycle.weights, (Weights{{"a", 15}, {"b", 5}, {"silent", 10}}));
  EXPECT_EQ(cycle.lines[2].raw[2], -9999);
}

TEST(ManagerFact11, AnOldResultIsForgotten) {
  Manager manager;
  const ManagerConfig config = eager({0, 0, 100, 0});
  settle(manager, config, {answering("a", 10), answering("b", 40)});
  EXPECT_EQ(settle(manager, config, {{.name = "a"}, {.name = "b"}}).weights, (Weights{{"a", 10}, {"b", 10}}));
}

TEST(ManagerFact12, HistoryAveragesChanceAway) {
  Manager manager;
  const ManagerConfig config = config_of({0, 0, 100, 0});
  const std::vector<ManagedLoad> usual = {answering("a", 10), answering("b", 10)};
  settle(manager, config, usual);
  EXPECT_FALSE(once(manager, config, {answering("a", 500), answering("b", 10)}).is_pushed) << "one slow answer";
  EXPECT_FALSE(once(manager, config, usual).is_pushed);
}

TEST(ManagerFact12, ButTwoMuchSlowerAnswersInARowAreBelieved) {
  Manager manager;
  const ManagerConfig config = config_of({0, 0, 100, 0});
  settle(manager, config, {answering("a", 10), answering("b", 10)});
  std::vector<ManagedLoad> slow = {answering("a", 500), answering("b", 10)};
  once(manager, config, slow);
  slow[0].is_advisor_fresh = false;
  EXPECT_FALSE(once(manager, config, slow).is_pushed) << "the same one, seen again";
  slow[0].is_advisor_fresh = true;
  const ManagerCycle cycle = once(manager, config, slow);
  EXPECT_TRUE(cycle.is_pushed);
  EXPECT_LT(cycle.weights.at("a"), cycle.weights.at("b"));
}

TEST(ManagerFact12, AServerThatComesBackHasNoHistory) {
  Manager manager;
  const ManagerConfig config = eager({0, 0, 100, 0});
  settle(manager, config, {answering("a", 10), answering("b", 190)});
  once(manager, config, {answering("a", 10), {.name = "b", .is_up = false}});
  EXPECT_EQ(once(manager, config, {answering("a", 10), answering("b", 190)}).weights.at("b"), 10);
}

}  // namespace
}  // namespace xdplb
