// SPDX-License-Identifier: GPL-2.0-only
// The sockets that wait for clients, by sock_diag.
#pragma once

#include "server/server_facts.h"

namespace xdplb {

// Those of both families and protocols in this network namespace, whoever has them. Errors: os_error; also when the
// kernel has no inet_diag (tcp_diag, udp_diag).
Result<std::vector<Listener>> read_listeners();

}  // namespace xdplb
