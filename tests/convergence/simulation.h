// SPDX-License-Identifier: GPL-2.0-only
// The real Manager in a closed loop with simulated servers: each shares its processor among its requests, clients come
// at random. What tools/convergence draws and convergence_test checks.
#pragma once

#include "model/manager.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

namespace xdplb::convergence {

struct Scenario {
  std::vector<double> capacities = {500, 1000, 2000};  // requests a second
  double load = 0.6;                                   // of all capacities, while nobody is slow
  double client_s = 0.2;       // how long a connection stays open beyond its request: network and client
  double probe_requests = 25;  // the work of the page that the advisor asks for, in requests of clients
  double probe_timeout_s = 2;  // a probe that takes longer tells this as its load
  double patience_s = 10;      // a request that takes longer is given up by its client
  double seconds = 480;
  std::optional<std::size_t> slow_server{1};
  double slow_from_s = 180;
  double slow_until_s = 300;
  double slowness = 10;
  bool has_agent = false;  // tells how busy the server was since the last cycle
  ManagerConfig manager{.is_on = true, .proportions = std::array<unsigned, 4>{20, 20, 60, 0}};
  std::uint64_t seed = 1;
};

// A cycle of the manager, every interval; the first is the start.
struct Sample {
  double at_s = 0;
  std::vector<unsigned> weights;       // in force after it
  std::vector<double> share;           // of the weight
  std::vector<double> connections;     // share of the new connections since the last one
  std::vector<double> capacity_share;  // the goal: of all capacities at this time
  std::vector<double> response_ms;     // of the clients' requests since the last one; carried on when there were none
  std::vector<double> advisor_ms;
  std::vector<double> active;
  bool is_pushed = false;
  double moved = 0;  // percent of the rows
};

std::vector<Sample> simulate(const Scenario& scenario);

// What is claimed of a stretch of time, from_s <= t < until_s.
struct Stretch {
  double mean_error = 0;   // the largest of all servers: |mean share / capacity share - 1|
  double worst_error = 0;  // the largest of all samples, of the share averaged over 10 s
  double swing = 0;        // the largest of all servers: (largest - smallest averaged share) / capacity share
  double pushes_a_minute = 0;
  double moved_a_minute = 0;  // percent of rows
};
Stretch judge(const std::vector<Sample>& samples, double from_s, double until_s);

// Seconds after from_s until the averaged share of every server stays within `tolerance` of its capacity share for
// 10 s; nullopt: not before until_s.
std::optional<double> settled_after(const std::vector<Sample>& samples, double from_s, double until_s,
                                    double tolerance);

// How much of the way from its old capacity share to the new one the slow server's share has gone so many seconds after
// it slowed down.
double followed_part(const Scenario& scenario, const std::vector<Sample>& samples, double after_s);

}  // namespace xdplb::convergence
