// SPDX-License-Identifier: GPL-2.0-only
// Why a flow goes where it goes: the packet's path walked in user space over the same maps. Reads only.
#pragma once

#include "control/request.h"
#include "daemon/forwarding.h"

#include <functional>
#include <string>

namespace xdplb {

// Names an interface index for people.
using InterfaceName = std::function<std::string(std::uint32_t ifindex)>;

// The reply to ExplainRequest (docs/api.md): what the program does with a packet of this flow that comes in through
// `ingress` now: the entry of the flow, else its row's base; and where a new connection would go. Row, entry, server
// and way out are read from the maps, not from the plan.
//
// ingress  interface index, 0 when not known: the verdict is then that of the server's own interface
// Errors: os_error.
Reply explain(const ExplainRequest& request, const Forwarding& forwarding, std::uint32_t ingress,
              const InterfaceName& name);

}  // namespace xdplb
