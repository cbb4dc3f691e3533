// SPDX-License-Identifier: GPL-2.0-only
// xdplb-convergence: the manager in a closed loop with simulated servers, as a picture and a table. tools/convergence
// runs it.
#include "picture.h"

#include <CLI/CLI.hpp>
#include <fmt/core.h>

#include <algorithm>
#include <fstream>

namespace xdplb::convergence {
namespace {

constexpr unsigned kSeeds = 5;

struct Case {
  std::array<unsigned, 4> proportions{};
  unsigned sensitivity = 5;
  unsigned weight_bound = kDefaultWeightBound;
  bool has_agent = false;
};

// By default what docs/manager.md recommends.
constexpr Case kRecommended = {.proportions = {20, 20, 60, 0}, .sensitivity = 3, .weight_bound = 100};

Scenario scenario_of(const Scenario& base, const Case& tried, std::uint64_t seed) {
  Scenario scenario = base;
  scenario.manager.proportions = tried.proportions;
  scenario.manager.sensitivity = tried.sensitivity;
  scenario.manager.weight_bound = tried.weight_bound;
  scenario.has_agent = tried.has_agent;
  scenario.seed = seed;
  return scenario;
}

// Of kSeeds runs: the mean of each figure, the worst of the times.
void print_row(const Scenario& base, const Case& tried) {
  double error = 0;
  double swing = 0;
  double pushes = 0;
  double moved = 0;
  double followed = 0;
  double settled = 0;
  unsigned unsettled = 0;
  for (std::uint64_t seed = base.seed; seed < base.seed + kSeeds; ++seed) {
    const Scenario scenario = scenario_of(base, tried, seed);
    const std::vector<Sample> samples = simulate(scenario);
    const Stretch steady = judge(samples, 60, scenario.slow_from_s);
    error += steady.mean_error / kSeeds;
    swing = std::max(swing, steady.swing);
    pushes += steady.pushes_a_minute / kSeeds;
    moved += steady.moved_a_minute / kSeeds;
    followed += followed_part(scenario, samples, 10) / kSeeds;
    const std::optional<double> after = settled_after(samples, 0, scenario.slow_from_s, 0.1);
    settled = std::max(settled, after.value_or(0));
    unsettled += !after;
  }
  const std::string time = unsettled > 0 ? fmt::format("never in {}", unsettled) : fmt::format("{:.0f} s", settled);
  const auto& part = tried.proportions;
  fmt::print("{:>2} {:>2} {:>2} {:>2} {:>11} {:>5}   {:>10} {:>10.1f} % {:>6.1f} % {:>8.1f} {:>9.1f} % {:>8.0f} %\n",
             part[0], part[1], part[2], part[3], tried.sensitivity, tried.weight_bound, time, 100 * error, 100 * swing,
             pushes, moved, 100 * followed);
}

void print_table(const Scenario& base) {
  fmt::print(
      "capacities 1 : 2 : 4, load {:.0f} %, {} runs each; error: the server whose mean share is farthest from its "
      "capacity\n\n"
      "                                within       from 60 s on:                               follows in\n"
      "proportions sensitivity bound     10 %        error      swing   pushes/min  rows/min  10 s of 10-fold\n",
      100 * base.load, kSeeds);
  for (const Case& tried : {kRecommended, Case{.proportions = {20, 20, 60, 0}}, Case{.proportions = {0, 0, 100, 0}},
                            Case{.proportions = {20, 20, 0, 60}, .has_agent = true},
                            Case{.proportions = {49, 50, 1, 0}}, Case{.proportions = {50, 50, 0, 0}}})
    print_row(base, tried);
}

int run(int argc, char** argv) {
  CLI::App app("The manager against simulated servers: a picture and a table");
  std::string path = "convergence.svg";
  Case drawn = kRecommended;
  Scenario base;
  bool is_picture_alone = false;
  app.add_option("PICTURE", path, "where the picture goes")->capture_default_str();
  app.add_option("--proportions", drawn.proportions, "of the picture: active, new, advisor, system")->delimiter(',');
  app.add_option("--sensitivity", drawn.sensitivity, "of the picture");
  app.add_option("--weight-bound", drawn.weight_bound, "of the picture")->check(CLI::Range(1, 100));
  app.add_option("--load", base.load, "of all capacities")->check(CLI::Range(0.05, 0.95))->capture_default_str();
  app.add_option("--seed", base.seed)->capture_default_str();
  app.add_flag("--no-table", is_picture_alone);
  CLI11_PARSE(app, argc, argv);
  drawn.has_agent = drawn.proportions[3] > 0;
  const Scenario scenario = scenario_of(base, drawn, base.seed);
  std::ofstream file(path);
  file << picture_of(scenario, simulate(scenario));
  file.close();
  if (!file) {
    fmt::print(stderr, "cannot write {}\n", path);
    return 1;
  }
  if (!is_picture_alone) print_table(base);
  fmt::print("\nthe picture is {}\n", path);
  return 0;
}

}  // namespace
}  // namespace xdplb::convergence

int main(int argc, char** argv) { return xdplb::convergence::run(argc, argv); }
