// SPDX-License-Identifier: GPL-2.0-only
// How the manager starts, what a push may move, and what always holds whatever the loads are.
#include "model/manager.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>
#include <random>

namespace xdplb {
namespace {

using Proportions = std::array<unsigned, 4>;
using Weights = std::map<std::string, unsigned>;

ManagerConfig config_of(const Proportions& proportions) { return {.is_on = true, .proportions = proportions}; }

ManagedLoad answering(const char* name, double ms) { return {.name = name, .advisor_ms = ms}; }

std::vector<unsigned> values_of(const Weights& weights) {
  std::vector<unsigned> values;
  for (const auto& [name, weight] : weights) values.push_back(weight);
  return values;
}

TEST(ManagerStart, StartsWithWhatIsConfiguredAndMovesNothing) {
  Manager manager;
  const ManagerCycle cycle =
      manager.cycle(config_of({50, 50, 0, 0}),
                    {{.name = "a", .configured_weight = 5}, {.name = "b", .configured_weight = 15}}, true, true);
  EXPECT_FALSE(cycle.is_pushed);
  EXPECT_EQ(cycle.weights, (Weights{{"a", 5}, {"b", 15}}));
}

TEST(ManagerStart, ContinuesWithWhatWasAdopted) {
  Manager manager;
  manager.adopt({{"a", 4}, {"b", 16}});
  const ManagerCycle cycle = manager.cycle(config_of({50, 50, 0, 0}), {{.name = "a"}, {.name = "b"}}, true, true);
  EXPECT_FALSE(cycle.is_pushed);
  EXPECT_EQ(cycle.weights, (Weights{{"a", 4}, {"b", 16}}));
}

TEST(ManagerStart, WithoutNewsWeightsReturnToThoseConfigured) {
  Manager manager;
  manager.adopt({{"a", 19}, {"b", 1}});
  ManagerConfig config = config_of({50, 50, 0, 0});
  config.sensitivity = 0;
  ManagerCycle cycle;
  for (int i = 0; i < 300; ++i)
    cycle = manager.cycle(config, {{.name = "a", .configured_weight = 5}, {.name = "b", .configured_weight = 15}}, true,
                          true);
  EXPECT_EQ(cycle.weights, (Weights{{"a", 5}, {"b", 15}}));
}

TEST(ManagerStart, ASlowStartIsNotCompensatedFor) {
  Manager manager;
  const ManagerConfig config = config_of({50, 50, 0, 0});
  ManagerCycle cycle;
  for (int i = 0; i < 50; ++i)
    cycle = manager.cycle(config,
                          {{.name = "a", .active = 1000, .new_connections = 1000, .weight_in_force = 10},
                           {.name = "b", .active = 100, .new_connections = 100, .weight_in_force = 1}},
                          true, true);
  EXPECT_EQ(cycle.weights, (Weights{{"a", 10}, {"b", 10}}));
}

TEST(ManagerStart, ANewcomerWithoutConnectionsIsNotFlooded) {
  Manager manager;
  const ManagerConfig config = config_of({50, 50, 0, 0});
  const ManagedLoad a{.name = "a", .active = 1000, .new_connections = 1000};
  manager.cycle(config, {a}, true, true);
  const ManagerCycle cycle = manager.cycle(config, {a, {.name = "b"}}, true, true);
  EXPECT_EQ(cycle.weights, (Weights{{"a", 10}, {"b", 10}}));
  EXPECT_EQ(manager.cycle(config, {a, {.name = "b"}}, true, true).weights, (Weights{{"a", 10}, {"b", 10}}))
      << "its first count began when it had nothing";
}

TEST(ManagerDamping, MovedIsThePartOfTheConnectionsThatGoElsewhere) {
  EXPECT_DOUBLE_EQ(moved_percent(std::array{10U, 10U}, std::array{20U, 20U}), 0);
  EXPECT_DOUBLE_EQ(moved_percent(std::array{10U, 10U}, std::array{15U, 5U}), 25);
  EXPECT_DOUBLE_EQ(moved_percent(std::array{10U, 10U}, std::array{10U, 0U}), 50);
  EXPECT_DOUBLE_EQ(moved_percent(std::array{0U}, std::array{5U}), 100);
  EXPECT_DOUBLE_EQ(moved_percent(std::array{0U}, std::array{0U}), 0);
}

TEST(ManagerDamping, APushMovesAtMostItsLimitAndTheRestFollows) {
  Manager manager;
  ManagerConfig config = config_of({0, 0, 100, 0});
  config.weight_bound = 100;
  config.smoothing_tenths = 10;
  std::vector<unsigned> before = {10, 10};
  const std::vector<ManagedLoad> servers = {answering("a", 1), answering("b", 99)};
  double moved = 0;
  for (int i = 0; i < 5; ++i) {
    const std::vector<unsigned> after = values_of(manager.cycle(config, servers, true, true).weights);
    EXPECT_LE(moved_percent(before, after), Manager::kMaxMove);
    moved = std::max(moved, moved_percent(before, after));
    before = after;
  }
  EXPECT_GT(moved, Manager::kMaxMove - 2) << "the limit is used";
  EXPECT_EQ(before, (std::vector<unsigned>{99, 1}));
}

TEST(ManagerDamping, CoarseWeightsStillMove) {
  Manager manager;
  ManagerConfig config = config_of({0, 0, 100, 0});
  config.weight_bound = 2;
  manager.adopt({{"a", 1}, {"b", 2}});
  ManagerCycle cycle;
  for (int i = 0; i < 20; ++i) cycle = manager.cycle(config, {answering("a", 1), answering("b", 9)}, true, true);
  EXPECT_EQ(cycle.weights, (Weights{{"a", 2}, {"b", 1}}));
}

TEST(ManagerDamping, AFailureIsNotLimited) {
  Manager manager;
  ManagerConfig config = config_of({0, 0, 100, 0});
  manager.adopt({{"a", 20}, {"b", 1}, {"c", 1}});
  const ManagerCycle cycle =
      manager.cycle(config, {{.name = "a", .is_up = false}, answering("b", 5), answering("c", 5)}, true, true);
  EXPECT_EQ(cycle.weights.at("a"), 0) << "91 % at once";
}

TEST(ManagerDamping, WhatIsNotUrgentWaitsForCalm) {
  Manager manager;
  const ManagerConfig config = config_of({0, 0, 100, 0});
  const std::vector<ManagedLoad> servers = {answering("a", 10), answering("b", 40)};
  for (int i = 0; i < 10; ++i) EXPECT_FALSE(manager.cycle(config, servers, true, false).is_pushed);
  const ManagerCycle urgent = manager.cycle(config, {servers[0], servers[1], {.name = "c"}}, true, false);
  EXPECT_EQ(urgent.weights, (Weights{{"a", 10}, {"b", 10}, {"c", 10}})) << "the others wait";
  EXPECT_TRUE(manager.cycle(config, {servers[0], servers[1], {.name = "c"}}, true, true).is_pushed);
}

TEST(ManagerLoads, WhatAllAreSlowerByMovesNothing) {
  Manager manager;
  const ManagerConfig config = config_of({0, 0, 100, 0});
  for (const double ms : {10, 10, 10, 400, 400, 400, 400, 10, 10, 10})
    EXPECT_FALSE(
        manager.cycle(config, {answering("a", ms), answering("b", ms), answering("c", ms)}, true, true).is_pushed);
}

TEST(ManagerLoads, TheAgentsLoadIsRelativeToTheWeight) {
  // Utilisation of servers of capacity 1 and 3 by the share they get: equal when shares are as capacities.
  Manager manager;
  const ManagerConfig config = config_of({20, 20, 0, 60});
  double share = 0.5;
  for (int i = 0; i < 60; ++i) {
    const Weights weights =
        manager
            .cycle(config, {{.name = "a", .system = 80 * share}, {.name = "b", .system = 80 * (1 - share) / 3}}, true,
                   true)
            .weights;
    share = weights.at("a") / static_cast<double>(weights.at("a") + weights.at("b"));
  }
  EXPECT_NEAR(share, 0.25, 0.03);
}

TEST(ManagerLoads, IdleServersAreEquallyIdle) {
  Manager manager;
  const ManagerConfig config = config_of({0, 0, 0, 100});
  for (int i = 0; i < 50; ++i)
    EXPECT_FALSE(manager.cycle(config, {{.name = "a", .system = 0}, {.name = "b", .system = 4}}, true, true).is_pushed);
}

// --- whatever happens ---

class RandomManager {
 public:
  explicit RandomManager(std::uint64_t seed) : random_(seed) {
    config_.is_on = true;
    config_.weight_bound = 1 + pick(100);
    config_.sensitivity = pick(20);
    config_.smoothing_tenths = 10 + pick(50);
    Proportions proportions{};
    for (unsigned left = 100, part = 0; part < 4; ++part) {
      proportions[part] = part == 3 ? left : pick(left + 1);
      left -= proportions[part];
    }
    config_.proportions = proportions;
    const unsigned count = 1 + pick(8);
    for (unsigned i = 0; i < count; ++i) loads_.push_back(random_load("s" + std::to_string(i)));
  }

  unsigned pick(std::size_t below) { return static_cast<unsigned>(random_() % below); }

  double magnitude() { return std::pow(10.0, pick(8)) * pick(10) / 10; }

  ManagedLoad random_load(const std::string& name) {
    ManagedLoad load{.name = name};
    load.is_up = pick(5) != 0;
    load.is_quiesced = pick(8) == 0;
    if (pick(6) == 0) load.fixed = 1 + pick(config_.weight_bound);
    load.configured_weight = pick(10) == 0 ? 0 : 1 + pick(100);
    shake(load);
    return load;
  }

  void shake(ManagedLoad& load) {
    load.active = magnitude();
    load.new_connections = magnitude();
    load.advisor_ms.reset();
    load.system.reset();
    if (pick(4) != 0) load.advisor_ms = magnitude();
    if (pick(4) != 0) load.system = pick(101);
    load.is_advisor_fresh = pick(2) == 0;
  }

  ManagerConfig config_;
  std::vector<ManagedLoad> loads_;
  std::mt19937_64 random_;
};

TEST(ManagerAlways, WeightsAreWithinTheirBoundsAndSomebodyServes) {
  for (std::uint64_t seed = 1; seed <= 1500; ++seed) {
    RandomManager world(seed);
    Manager manager;
    for (int step = 0; step < 25; ++step) {
      for (ManagedLoad& load : world.loads_) {
        if (world.pick(3) == 0) world.shake(load);
        if (world.pick(12) == 0) load = world.random_load(load.name);
      }
      if (world.pick(15) == 0 && world.loads_.size() > 1) world.loads_.pop_back();
      const ManagerCycle cycle = manager.cycle(world.config_, world.loads_, world.pick(2) == 0, world.pick(4) != 0);
      ASSERT_EQ(cycle.weights.size(), world.loads_.size());
      const bool is_any_in = std::any_of(world.loads_.begin(), world.loads_.end(), [](const ManagedLoad& load) {
        return load.is_up && !load.is_quiesced && load.configured_weight > 0;
      });
      unsigned sum = 0;
      for (std::size_t i = 0; i < world.loads_.size(); ++i) {
        const ManagedLoad& load = world.loads_[i];
        const unsigned weight = cycle.weights.at(load.name);
        const bool is_quiesced = load.is_quiesced || load.configured_weight == 0;
        sum += weight;
        const auto where = "seed " + std::to_string(seed) + " step " + std::to_string(step);
        if (is_quiesced || (!load.is_up && is_any_in)) {
          ASSERT_EQ(weight, 0) << where;
        } else if (load.fixed) {
          ASSERT_EQ(weight, *load.fixed) << where;
        } else {
          ASSERT_TRUE(weight >= 1 && weight <= world.config_.weight_bound) << weight << where;
        }
        for (const unsigned component : cycle.lines[i].weights) ASSERT_LE(component, world.config_.weight_bound);
      }
      ASSERT_TRUE(sum > 0 || !is_any_in) << "seed " << seed << " step " << step;
    }
  }
}

// Two managers of one history; in the last cycle one server has more of one load.
TEST(ManagerAlways, MoreLoadNeverGivesMoreWeight) {
  for (std::uint64_t seed = 1; seed <= 3000; ++seed) {
    RandomManager world(seed);
    for (ManagedLoad& load : world.loads_) {
      load = ManagedLoad{.name = load.name, .configured_weight = 1 + world.pick(20)};
      world.shake(load);
      load.advisor_ms = 1 + world.magnitude();
      load.system = world.pick(101);
    }
    Manager one;
    for (int step = 0; step < 5; ++step) {
      one.cycle(world.config_, world.loads_, true, true);
      for (ManagedLoad& load : world.loads_) {
        if (world.pick(2) != 0) continue;
        load.active = world.magnitude();
        load.advisor_ms = 1 + world.magnitude();
      }
    }
    Manager other = one;
    std::vector<ManagedLoad> more = world.loads_;
    ManagedLoad& loaded = more[world.pick(more.size())];
    switch (world.pick(4)) {
      case 0:
        loaded.active = loaded.active * 2 + 1;
        break;
      case 1:
        loaded.new_connections = loaded.new_connections * 2 + 1;
        break;
      case 2:
        loaded.advisor_ms = *loaded.advisor_ms * 3;
        break;
      default:
        loaded.system = 100;
        break;
    }
    const auto next_of = [&](const ManagerCycle& cycle) {
      for (const ManagerLine& line : cycle.lines)
        if (line.name == loaded.name) return line.next;
      return -1;
    };
    const int before = next_of(one.cycle(world.config_, world.loads_, true, true));
    const int after = next_of(other.cycle(world.config_, more, true, true));
    ASSERT_LE(after, before) << "seed " << seed;
  }
}

TEST(ManagerAlways, NobodyIsNoMistake) {
  Manager manager;
  const ManagerCycle cycle = manager.cycle(config_of({50, 50, 0, 0}), {}, true, true);
  EXPECT_TRUE(cycle.weights.empty());
  EXPECT_FALSE(cycle.is_pushed);
}

}  // namespace
}  // namespace xdplb
