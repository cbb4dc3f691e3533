// SPDX-License-Identifier: GPL-2.0-only
// The manager of a cluster as the operator says it: how load becomes weights. model/manager.h does it.
#pragma once

#include <array>
#include <cstdint>
#include <optional>

namespace xdplb {

inline constexpr unsigned kDefaultWeightBound = 20;

// Off by default: weights are those of the configuration.
struct ManagerConfig {
  bool is_on = false;
  // Percent of active connections, new connections, advisor load and system (agent) load; they sum to 100. Absent: the
  // classic defaults, 50 50 0 0, and 49 50 1 0 while a port of the cluster has an advisor (the same for the agent's
  // part).
  std::optional<std::array<unsigned, 4>> proportions{};
  unsigned interval_s = 2;                      // 1..3600: weights are pushed at most so often
  unsigned refresh = 2;                         // 1..100: counters are read every so many intervals
  unsigned sensitivity = 5;                     // percent, 0..100: smaller changes of the weights are not pushed
  unsigned smoothing_tenths = 15;               // 10..1000: 15 stands for 1.5; the larger, the slower
  unsigned weight_bound = kDefaultWeightBound;  // 1..100: the largest weight, and so the largest skew
  bool operator==(const ManagerConfig&) const = default;
};

// New values for some of it, the others left as they are.
struct ManagerChanges {
  std::optional<bool> is_on{};
  std::optional<std::optional<std::array<unsigned, 4>>> proportions{};  // nullopt inside: the classic defaults
  std::optional<unsigned> interval_s{};
  std::optional<unsigned> refresh{};
  std::optional<unsigned> sensitivity{};
  std::optional<unsigned> smoothing_tenths{};
  std::optional<unsigned> weight_bound{};
  bool operator==(const ManagerChanges&) const = default;

  bool is_empty() const { return *this == ManagerChanges{}; }
  void apply(ManagerConfig& manager) const;
};

}  // namespace xdplb
