// SPDX-License-Identifier: GPL-2.0-only
// Options of ports and clusters -> records of the kernel boundary. Pure.
#pragma once

#include "dataplane/clock.h"
#include "model/plan.h"
#include "xdplb/maps.h"

namespace xdplb {

// The record of a port for one family of addresses.
xdplb_options port_options(const PlannedPort& port, Family family, const TickLength& tick);

// The record on the lines of a cluster's addresses of one family.
xdplb_options cluster_options(const PlannedCluster& cluster, Family family);

}  // namespace xdplb
