// SPDX-License-Identifier: GPL-2.0-only
// The maps of the program under test, filled as the daemon fills them.
#pragma once

#include "base/result.h"
#include "dataplane/mapped_array.h"
#include "xdplb/maps.h"

#include <cstdint>
#include <vector>

struct bench_programs;  // the skeleton

namespace xdplb::bench {

// How frames leave for the servers of a cluster.
enum class Way : std::uint8_t {
  kBack = 1,   // by the interface they came in by
  kOther = 2,  // by another one
  kTtl = 3,    // as kBack, and the time to live is decremented
};

// One IPv4 and one IPv6 VIPA (frames.h) with TCP and UDP port 80.
struct ClusterSpec {
  std::uint32_t servers = 100;  // of each port
  // Every row changes hands: from a server of the first half to one of the second half. Otherwise all are settled.
  bool is_changing = false;
  bool is_tracked = false;  // connections of the TCP port are all written down, servers take turns
  bool is_sticky = false;   // the TCP port has an affinity of its own
  Way way = Way::kBack;
};

struct TableSpec {
  std::vector<ClusterSpec> clusters;
  std::uint32_t back_ifindex = 1;         // 1 is the loopback, where test runs come from
  std::uint32_t other_ifindex = 1;        // where Way::kOther leads
  std::uint32_t flows = XDPLB_MIN_FLOWS;  // entries of `flows`; a power of two
};

// Indices of the first server of a cluster's TCP port, and of the first row of its IPv4 VIPA there.
std::uint32_t first_server_of(const TableSpec& spec, std::uint32_t cluster);
std::uint32_t first_row_of(const TableSpec& spec, std::uint32_t cluster);
std::uint32_t row_count_of(const ClusterSpec& cluster);

// What user space writes of a loaded object, as memory.
struct BenchMaps {
  MappedArray<xdplb_tables> tables;
  MappedArray<xdplb_flow_bucket> flows;
  MappedArray<xdplb_flow_detail> details;
};

// Fills the maps of a loaded object.
Result<BenchMaps> fill_tables(const bench_programs& object, const TableSpec& spec);

}  // namespace xdplb::bench
