// SPDX-License-Identifier: GPL-2.0-only
#include "server/facts_netlink.h"

#include "host/netlink_attributes.h"
#include "host/route_netlink.h"

#include <linux/fib_rules.h>
#include <linux/if.h>
#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>

#include <cstring>

namespace xdplb {
namespace {

constexpr std::uint32_t kAllBits = 0xffffffff;
constexpr std::uint16_t kLoopbackType = 772;  // ARPHRD_LOOPBACK; <net/if_arp.h> clashes with <linux/if.h>

int kernel_family(Family family) { return family == Family::kV4 ? AF_INET : AF_INET6; }

std::optional<IpPrefix> read_prefix(const nlattr* attribute, int family, std::uint8_t length) {
  const auto address = read_address(attribute, family);
  if (!address) return std::nullopt;
  return IpPrefix{.address = *address, .length = length};
}

// Conditions that a ServerRule has no field for.
bool has_other_conditions(const fib_rule_hdr& header, const AttributeTable& attributes) {
  if (header.tos != 0) return true;
  for (std::size_t type :
       {FRA_FLOW, FRA_TUN_ID, FRA_UID_RANGE, FRA_IP_PROTO, FRA_SPORT_RANGE, FRA_DPORT_RANGE, FRA_SUPPRESS_IFGROUP}) {
    if (attributes.at[type] != nullptr) return true;
  }
  return attributes.byte(FRA_L3MDEV).value_or(0) != 0;
}

}  // namespace

void read_link(const nlmsghdr& message, std::vector<ServerLink>& out) {
  const auto* header = family_header<ifinfomsg>(message);
  if (message.nlmsg_type != RTM_NEWLINK || header == nullptr || header->ifi_family != AF_UNSPEC) return;
  AttributeTable attributes;
  attributes.parse(message, sizeof(ifinfomsg));
  ServerLink link;
  link.index = static_cast<std::uint32_t>(header->ifi_index);
  link.name = read_text(attributes.at[IFLA_IFNAME]);
  link.mac = read_mac(attributes.at[IFLA_ADDRESS]);
  link.is_loopback = header->ifi_type == kLoopbackType;
  link.is_up = (header->ifi_flags & IFF_UP) != 0;
  link.has_arp = !link.is_loopback && (header->ifi_flags & IFF_NOARP) == 0;
  link.mtu = attributes.number(IFLA_MTU).value_or(0);
  std::string slave_kind;
  if (attributes.at[IFLA_LINKINFO] != nullptr) {
    AttributeTable info;
    info.parse_nested(attributes.at[IFLA_LINKINFO]);
    link.kind = read_text(info.at[IFLA_INFO_KIND]);
    slave_kind = read_text(info.at[IFLA_INFO_SLAVE_KIND]);
  }
  // What arrives on a member of a VRF arrives there, not on its master.
  link.is_slave = attributes.number(IFLA_MASTER).value_or(0) != 0 && slave_kind != "vrf";
  out.push_back(std::move(link));
}

void read_server_address(const nlmsghdr& message, std::vector<ServerAddress>& out) {
  const auto* header = family_header<ifaddrmsg>(message);
  if (message.nlmsg_type != RTM_NEWADDR || header == nullptr) return;
  AttributeTable attributes;
  attributes.parse(message, sizeof(ifaddrmsg));
  // On a point-to-point link IFA_ADDRESS is the peer's; IFA_LOCAL, where present, is always ours.
  const nlattr* local = attributes.at[IFA_LOCAL];
  const auto prefix =
      read_prefix(local != nullptr ? local : attributes.at[IFA_ADDRESS], header->ifa_family, header->ifa_prefixlen);
  if (!prefix) return;
  out.push_back({.ifindex = header->ifa_index,
                 .prefix = *prefix,
                 .scope = header->ifa_scope,
                 .flags = attributes.number(IFA_FLAGS).value_or(header->ifa_flags)});
}

void read_server_routes(const nlmsghdr& message, Family family, std::vector<ServerRoute>& out) {
  std::vector<Route> routes;
  read_routes(message, routes);
  for (const Route& route : routes) {
    // is_dead also says "no carrier", with which a route still counts; the flag of the message tells them apart.
    const auto* header = family_header<rtmsg>(message);
    const bool is_dead = header == nullptr || (header->rtm_flags & RTNH_F_DEAD) != 0;
    if (is_dead || route.destination.address.family() != family) continue;
    out.push_back({.destination = route.destination,
                   .gateway = route.gateway,
                   .source = route.source,
                   .ifindex = route.ifindex,
                   .table = route.table,
                   .priority = route.priority,
                   .protocol = route.protocol,
                   .scope = route.scope,
                   .type = route.type});
  }
}

void read_server_rule(const nlmsghdr& message, Family family, std::vector<ServerRule>& out) {
  const auto* header = family_header<fib_rule_hdr>(message);
  if (message.nlmsg_type != RTM_NEWRULE || header == nullptr || header->family != kernel_family(family)) return;
  AttributeTable attributes;
  attributes.parse(message, sizeof(fib_rule_hdr));
  const auto& at = attributes.at;
  ServerRule rule;
  rule.family = family;
  rule.priority = attributes.number(FRA_PRIORITY).value_or(0);
  rule.from = read_prefix(at[FRA_SRC], header->family, header->src_len);
  rule.to = read_prefix(at[FRA_DST], header->family, header->dst_len);
  rule.incoming = read_text(at[FRA_IIFNAME]);
  rule.outgoing = read_text(at[FRA_OIFNAME]);
  rule.mark = attributes.number(FRA_FWMARK).value_or(0);
  rule.mark_mask = attributes.number(FRA_FWMASK).value_or(rule.mark == 0 ? 0 : kAllBits);
  rule.is_inverted = (header->flags & FIB_RULE_INVERT) != 0;
  rule.action = header->action;
  if (header->action == FR_ACT_TO_TBL) rule.table = attributes.number(FRA_TABLE).value_or(header->table);
  rule.goto_priority = attributes.number(FRA_GOTO).value_or(0);
  const std::uint32_t suppressed = attributes.number(FRA_SUPPRESS_PREFIXLEN).value_or(kAllBits);
  if (suppressed != kAllBits) rule.suppress_length = suppressed;
  rule.has_other_conditions = has_other_conditions(*header, attributes);
  rule.protocol = attributes.byte(FRA_PROTOCOL).value_or(0);
  out.push_back(std::move(rule));
}

void read_published(const nlmsghdr& message, std::vector<PublishedNeighbor>& out) {
  const auto* header = family_header<ndmsg>(message);
  if (message.nlmsg_type != RTM_NEWNEIGH || header == nullptr || (header->ndm_flags & NTF_PROXY) == 0) return;
  AttributeTable attributes;
  attributes.parse(message, sizeof(ndmsg));
  const auto address = read_address(attributes.at[NDA_DST], header->ndm_family);
  if (address) out.push_back({.ifindex = static_cast<std::uint32_t>(header->ndm_ifindex), .address = *address});
}

std::vector<std::uint8_t> make_published_dump() {
  std::vector<std::uint8_t> request(NLMSG_LENGTH(sizeof(ndmsg)));
  nlmsghdr header{};
  header.nlmsg_len = static_cast<std::uint32_t>(request.size());
  header.nlmsg_type = RTM_GETNEIGH;
  header.nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
  ndmsg about{};
  about.ndm_flags = NTF_PROXY;
  std::memcpy(request.data(), &header, sizeof(header));
  std::memcpy(request.data() + NLMSG_HDRLEN, &about, sizeof(about));
  return request;
}

}  // namespace xdplb
