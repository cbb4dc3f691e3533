// SPDX-License-Identifier: GPL-2.0-only
// The same frames on the same line through the real program, and through the kernel's IPVS in direct-routing mode.
#pragma once

#include "base/result.h"
#include "report.h"

#include <cstdint>
#include <vector>

namespace xdplb::bench {

struct IpvsEffort {
  int pairs = 3;                     // of adjacent slices
  std::uint32_t packets = 1U << 14;  // sent per slice through the kernel's stack, at most 2^17; more through XDP
};

// Also against the floor and the kernel's plain forwarding. One client's packets, those of 64 Ki connections, and SYNs
// of which each is a new connection. In the caller's network namespace, which must be its own; the calling thread stays
// on its processor. Where this kernel has no IPVS, that goes to `skipped`.
Result<std::vector<RivalResult>> measure_against_ipvs(const IpvsEffort& effort, std::vector<Skipped>& skipped);

}  // namespace xdplb::bench
