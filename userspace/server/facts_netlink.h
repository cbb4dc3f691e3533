// SPDX-License-Identifier: GPL-2.0-only
// rtnetlink messages as facts about a server. Pure.
#pragma once

#include "server/server_facts.h"

#include <linux/netlink.h>

namespace xdplb {

// Each appends what one whole message of a dump says, or nothing when it is about something else. `family` is the one
// that was asked for: a kernel without IPv6 answers with other families.
void read_link(const nlmsghdr& message, std::vector<ServerLink>& out);
void read_server_address(const nlmsghdr& message, std::vector<ServerAddress>& out);
void read_server_routes(const nlmsghdr& message, Family family, std::vector<ServerRoute>& out);
void read_server_rule(const nlmsghdr& message, Family family, std::vector<ServerRule>& out);
void read_published(const nlmsghdr& message, std::vector<PublishedNeighbor>& out);

// A dump request for the neighbours this host answers for (NTF_PROXY).
std::vector<std::uint8_t> make_published_dump();

}  // namespace xdplb
