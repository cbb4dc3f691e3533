// SPDX-License-Identifier: GPL-2.0-only
// rtnetlink messages about routes, policy rules and addresses as values, and back. Pure.
#pragma once

#include "host/route_control.h"

#include <linux/netlink.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace xdplb {

// Appends what the message says: nothing, one, or one a next hop. Nothing for another family and cached routes.
// `message` must be whole.
void read_routes(const nlmsghdr& message, std::vector<Route>& out);
// nullopt for what a Rule cannot express.
std::optional<Rule> read_rule(const nlmsghdr& message);
std::optional<TaggedAddress> read_tagged_address(const nlmsghdr& message);
// nullopt for one that is not permanent, or not tagged kRouteProtocol.
std::optional<FixedNeighbor> read_own_neighbor(const nlmsghdr& message);

// Whole requests for RTM_NEW* and RTM_DEL*; `flags` are NLM_F_* beyond NLM_F_REQUEST.
std::vector<std::uint8_t> make_route_request(std::uint16_t type, std::uint16_t flags, const Route& route);
std::vector<std::uint8_t> make_rule_request(std::uint16_t type, std::uint16_t flags, const Rule& rule);
std::vector<std::uint8_t> make_neighbor_request(std::uint16_t type, std::uint16_t flags, const FixedNeighbor& neighbor);
std::vector<std::uint8_t> make_address_request(std::uint16_t type, std::uint16_t flags, std::uint32_t ifindex,
                                               const IpPrefix& address);

// Dump requests in the strict form, by which the kernel filters. table, protocol: 0 = any.
std::vector<std::uint8_t> make_route_dump(Family family, std::uint32_t table, std::uint8_t protocol);
std::vector<std::uint8_t> make_rule_dump(Family family);
std::vector<std::uint8_t> make_address_dump(Family family);
std::vector<std::uint8_t> make_neighbor_dump(Family family);

// As an operator would write it: "route 198.51.100.0/24 via 192.0.2.1 table 254", "rule from 192.0.2.7 lookup 9".
std::string to_text(const Route& route);
std::string to_text(const Rule& rule);
std::string to_text(const FixedNeighbor& neighbor);

}  // namespace xdplb
