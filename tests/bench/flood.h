// SPDX-License-Identifier: GPL-2.0-only
// The promise under flood: established connections stay where they are while SYNs of others come as fast as one
// processor makes them, and weights change.
#pragma once

#include "base/result.h"

#include <cstdint>
#include <vector>

namespace xdplb::bench {

struct FloodEffort {
  std::uint32_t watched = 1U << 20;  // established connections, at most 2^20
  double seconds = 10;               // of flood, per design
  double change_s = 2;               // between two changes of weights
  std::uint32_t flows = 1U << 20;    // entries of the table of flows; a power of two
};

struct FloodResult {
  const char* name;            // of the design
  std::uint64_t watched = 0;   // established connections
  std::uint64_t broken = 0;    // of these, those of which a packet went elsewhere
  std::uint64_t lost = 0;      // packets of these that went nowhere
  std::uint64_t checked = 0;   // packets of these
  std::uint64_t flood = 0;     // SYNs of others
  double flood_mpps = 0;       // of the time that they took
  std::uint64_t recorded = 0;  // connections written down; of the real program only
  std::uint64_t refused = 0;   // connections that found no room; of the real program only
  std::uint32_t changes = 0;   // of weights
};

// The real program, then a table of every connection that drops the one not used longest (bpf/lru.bpf.h), of the same
// size. Half of the connections are opened before the weights change for the first time, and are not written down.
Result<std::vector<FloodResult>> measure_flood(const FloodEffort& effort);

}  // namespace xdplb::bench
