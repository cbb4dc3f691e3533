// SPDX-License-Identifier: GPL-2.0-only
// The maps of the program under test, filled as the daemon fills them.
#pragma once

#include "base/result.h"

#include <cstdint>

struct bench_programs;  // the skeleton

namespace xdplb::bench {

// Clusters of one IPv4 and one IPv6 VIPA (frames.h) with TCP and UDP port 80 and the same number of servers each. Every
// row is settled.
struct TableSpec {
  std::uint32_t clusters = 1;
  std::uint32_t servers = 1;         // of each port
  std::uint32_t egress_ifindex = 1;  // interface the servers are behind; 1 is the loopback, where test runs come from
};

// Fills the maps of a loaded object.
Result<void> fill_tables(const bench_programs& object, const TableSpec& spec);

}  // namespace xdplb::bench
