// SPDX-License-Identifier: GPL-2.0-only
// The rules for a port's options: a part of validate().
#pragma once

#include "model/config.h"

#include <cstddef>

namespace xdplb {

// Of a port of least connections or shared affinity: packets look at each of them.
inline constexpr std::size_t kMaxMembers = 256;

// Checks the ranges of one port's options and what excludes what; names of servers are checked already.
//
// cluster  the port's, for the port it shares affinity with
// Errors: kInvalidConfig, naming the port, or both.
Result<void> check_port_options(const ClusterConfig& cluster, const PortConfig& port);

}  // namespace xdplb
