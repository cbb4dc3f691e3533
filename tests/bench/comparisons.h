// SPDX-License-Identifier: GPL-2.0-only
// Which program is measured by which, with what maps and frames.
#pragma once

#include "flow_filler.h"
#include "frames.h"
#include "tables.h"

#include <linux/bpf.h>

#include <cstdint>
#include <optional>
#include <vector>

namespace xdplb::bench {

// Two sets of maps: one cluster of each kind, and very many of the same.
enum class Maps : std::uint8_t { kKinds, kThousand };

// The clusters of Maps::kKinds, in their order.
enum Kind : std::uint32_t { kWeb, kOneOfTen, kBehindOther, kTtl, kChanging, kTracked, kSticky };

inline constexpr std::uint32_t kClustersOfThousand = 1000;

// Where a frame must go, so that nobody measures a program that took another path.
enum class Expected : std::uint8_t { kAnywhere, kBase, kCur, kWritten };

// A program with its maps and its frame.
struct Subject {
  const char* program;
  FrameSpec frame{};
  Maps maps = Maps::kKinds;
  FlowFill fill{};
  Expected expected = Expected::kAnywhere;
  std::uint32_t verdict = XDP_TX;
  std::uint32_t clusters = 1;  // of dispatch_clusters
};

struct Comparison {
  const char* name;
  Subject subject;
  const char* against;  // what the base is, in words
  Subject base;
  std::optional<double> bound{};  // of the ratio, at most
  bool is_long = false;           // its packets take so long that it hardly matters where the JIT puts the program
};

// other_ifindex  an interface that test runs do not come from
TableSpec table_spec(Maps maps, std::uint32_t other_ifindex);

// In an order that fills the table of flows anew as seldom as possible.
std::vector<Comparison> all_comparisons();

}  // namespace xdplb::bench
