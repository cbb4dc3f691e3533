// SPDX-License-Identifier: GPL-2.0-only
// ServerFacts: all that decides whether this host (the network namespace of the calling thread) is a right server for
// a VIPA, as plain values. Reading needs no root, but for what firewalls do.
#pragma once

#include "base/result.h"
#include "net/address.h"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace xdplb {

struct ServerLink {
  std::uint32_t index = 0;
  std::string name{};
  MacAddress mac{};
  bool is_loopback = false;
  bool is_up = false;
  bool is_slave = false;          // of a bridge or bond: its master has the addresses
  bool has_arp = false;           // it asks and answers ARP (no IFF_NOARP): not so dummies, tunnels and the loopback
  std::string kind{};             // IFLA_INFO_KIND: "veth", "ipvlan", "macvlan", "dummy", "bridge"; empty: hardware
  std::uint32_t mtu = 0;          // bytes
  std::optional<bool> has_lro{};  // absent: the driver does not tell
  auto operator<=>(const ServerLink&) const = default;
};

struct ServerAddress {
  std::uint32_t ifindex = 0;
  IpPrefix prefix{};
  std::uint8_t scope = 0;   // RT_SCOPE_*: 0 universe, 253 link, 254 host
  std::uint32_t flags = 0;  // IFA_F_*: nodad, tentative, dadfailed, deprecated, noprefixroute
  auto operator<=>(const ServerAddress&) const = default;
};

// A route of any table that is alive; one with several next hops comes once a hop.
struct ServerRoute {
  IpPrefix destination{};
  std::optional<IpAddress> gateway{};
  std::optional<IpAddress> source{};  // RTA_PREFSRC
  std::uint32_t ifindex = 0;
  std::uint32_t table = 0;  // 255 local, 254 main
  std::uint32_t priority = 0;
  std::uint8_t protocol = 0;  // 2: the kernel made it
  std::uint8_t scope = 0;
  std::uint8_t type = 0;  // RTN_*
  auto operator<=>(const ServerRoute&) const = default;
};

// A policy rule, also one that RouteControl cannot express.
struct ServerRule {
  Family family = Family::kV4;
  std::uint32_t priority = 0;
  std::optional<IpPrefix> from{};
  std::optional<IpPrefix> to{};
  std::string incoming{};  // interface
  std::string outgoing{};  // interface that a socket is bound to
  std::uint32_t mark = 0;
  std::uint32_t mark_mask = 0;  // 0: any mark
  bool is_inverted = false;
  std::uint8_t action = 0;  // FR_ACT_*: 1 to table, 6 blackhole, 7 unreachable, 8 prohibit
  std::uint32_t table = 0;
  std::uint32_t goto_priority = 0;                 // for action 2
  std::optional<std::uint32_t> suppress_length{};  // routes with a prefix no longer than this do not count
  bool has_other_conditions = false;               // ports, users, protocols ...: it may match or not
  std::uint8_t protocol = 0;                       // 2: the kernel made it
  auto operator<=>(const ServerRule&) const = default;
};

// An entry this host answers ARP or ND with for another (NTF_PROXY).
struct PublishedNeighbor {
  std::uint32_t ifindex = 0;  // 0: on every interface
  IpAddress address{};
  auto operator<=>(const PublishedNeighbor&) const = default;
};

struct Listener {
  Protocol protocol = Protocol::kTcp;
  IpAddress address{};  // unspecified: every address of its family
  std::uint16_t port = 0;
  bool is_v6_only = false;    // of [::]: does not take IPv4
  std::uint32_t ifindex = 0;  // bound to an interface; 0: to none
  auto operator<=>(const Listener&) const = default;
};

struct ServerFacts {
  std::vector<ServerLink> links{};
  std::vector<ServerAddress> addresses{};
  std::vector<ServerRoute> routes{};  // IPv4 and IPv6, all tables
  std::vector<ServerRule> rules{};
  std::vector<PublishedNeighbor> published{};
  std::vector<Listener> listeners{};  // TCP in LISTEN, UDP without peer
  std::string listeners_failure{};    // why listeners is empty or lacks some; empty: it is whole
  // "net/ipv4/conf/eth0/arp_ignore" -> value; those this kernel does not have are absent. For "all", "default" and
  // every link: ipv4 arp_ignore, arp_announce, arp_filter, proxy_arp, proxy_arp_pvlan, rp_filter, forwarding,
  // route_localnet, accept_local; ipv6 proxy_ndp, forwarding, disable_ipv6, accept_dad; net/ipv4/ip_forward,
  // ip_nonlocal_bind, net/ipv6/ip_nonlocal_bind.
  std::map<std::string, int> sysctls{};
  std::optional<std::string> ruleset{};  // `nft -j list ruleset`; absent: no nft here, or no right to ask
  std::string ruleset_failure{};         // why it is absent
};

// Reads everything. Errors: os_error of netlink; what a kernel or a user without root cannot tell is absent.
Result<ServerFacts> read_server_facts();

}  // namespace xdplb
