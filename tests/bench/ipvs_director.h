// SPDX-License-Identifier: GPL-2.0-only
// The kernel's own balancer, IPVS, as a director in direct-routing mode at the far end of the live line.
#pragma once

#include "base/result.h"

#include <cstdint>
#include <string>

namespace xdplb::bench {

struct IpvsCounts {
  std::uint64_t connections = 0;
  std::uint64_t packets = 0;  // for its services
};

// Loads IPVS with a connection table that has more buckets than there will be connections, makes the VIPA of the first
// cluster (frames.h) local and turns off what costs a director time without need: connection tracking, early
// demultiplexing, estimation. For the caller's network namespace. Fails where this kernel has no IPVS, or ipvsadm(8) is
// not installed.
Result<void> make_director();

// One service at the VIPA, without any connection: its scheduler ("wlc", "wrr", "mh") and the servers of make_veth, of
// equal weight. Takes the place of the one before.
Result<void> serve_by(const std::string& scheduler, int servers);

// Another scheduler for the service that there is; its connections stay.
Result<void> schedule_by(const std::string& scheduler);

// What IPVS did since the namespace was made.
Result<IpvsCounts> ipvs_counts();

}  // namespace xdplb::bench
