// SPDX-License-Identifier: GPL-2.0-only
// What ProbeRoutes makes, as values: marks, tables, rules, routes and next hops of one instance, and back. Pure.
#pragma once

#include "host/probe_routes.h"
#include "host/route_control.h"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace xdplb {

// The mark of a slot (1..65535) of an instance's byte: 0x58IISSSS.
std::uint32_t probe_mark(std::uint8_t byte, std::uint16_t slot);
// Its routing table: 0x57IISSSS. Not the mark itself: LocalVipas has 0x58000000 to 0x67ffffff.
std::uint32_t probe_table(std::uint32_t mark);
// The made-up next hop for IPv6 to a server that is known by IPv4: fe80::58:II:SSSS.
IpAddress probe_next_hop(std::uint32_t mark);

// A neighbour, route and rule in the order to make them in. IPv6 is left out for a server known by IPv4 whose MAC is
// zero, or when !has_ipv6.
std::vector<RouteChange::Object> probe_objects(const ProbeNextHop& hop, std::uint32_t mark, bool has_ipv6);

// The slot that an object belongs to, when it is one of this instance's; nullopt for all others, the frame's rules too.
std::optional<std::uint16_t> probe_slot(const RouteChange::Object& object, std::uint8_t byte);
// Family of the packets that it is for.
Family probe_family(const RouteChange::Object& object);
// The kernel keeps one of them: putting one replaces the other.
bool have_same_key(const RouteChange::Object& one, const RouteChange::Object& other);

// The rules around those of the servers. One guard for all instances:
Rule probe_guard(Family family);
// Of each instance, and where the guard jumps to: a mark of ours without a route leads nowhere, never to somebody
// else's answer.
Rule probe_stop(Family family, std::uint8_t byte);
// An IPv4 rule that does nothing and never matches: it says which instance has a byte.
Rule probe_claim(const std::string& instance, std::uint8_t byte);

// A byte that the instance has or may claim.
struct ProbeByte {
  std::uint8_t byte = 0;
  bool is_claimed = false;      // by a claim of the instance that counts
  std::vector<Rule> surplus{};  // claims of the instance that do not: another instance was first, or it has two
};
// rules  of IPv4, in the kernel's order: of two claims of a byte the first counts, so instances that start together
//        agree
// nullopt: all are taken. Without a claim the choice begins at a hash of the name: the same at every start.
std::optional<ProbeByte> choose_probe_byte(const std::string& instance, const std::vector<Rule>& rules);
bool is_probe_claim(const Rule& rule);  // of whatever instance
bool is_claim_of(const std::string& instance, const Rule& claim);

}  // namespace xdplb
