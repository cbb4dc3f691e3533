// SPDX-License-Identifier: GPL-2.0-only
// Why a flow goes where it goes: the packet's path walked in user space over the same maps. Reads only.
#pragma once

#include "control/request.h"
#include "dataplane/kernel_tables.h"
#include "model/plan.h"

#include <functional>
#include <string>

namespace xdplb {

// Names an interface index for people.
using InterfaceName = std::function<std::string(std::uint32_t ifindex)>;

// The reply to ExplainRequest (docs/api.md): what the program does with a packet of this flow that comes in through
// `ingress` now. The row is read from the map, not from the plan.
//
// ingress  interface index, 0 when not known: the verdict is then that of the server's own interface
nlohmann::json explain(const ExplainRequest& request, const Plan& plan, const KernelTables& tables,
                       std::uint32_t ingress, const InterfaceName& name);

}  // namespace xdplb
