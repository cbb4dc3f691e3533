// SPDX-License-Identifier: GPL-2.0-only
// The maps of the textbook balancer that the real program is measured by (bpf/lru.bpf.h).
#pragma once

#include "programs.h"

#include <cstdint>

namespace xdplb::bench {

// One service, the first cluster's IPv4 TCP port, with its servers and a ring of its rows' present owners.
Result<void> fill_lru_service(const LoadedPrograms& programs);

// The ring anew, after the rows have changed.
Result<void> fill_lru_ring(const LoadedPrograms& programs);

// Puts the connections of 64 Ki clients into the small map and those of 1 Mi into the large one (FrameSpec::flows).
Result<void> fill_lru_flows(const LoadedPrograms& programs);

}  // namespace xdplb::bench
