// SPDX-License-Identifier: GPL-2.0-only
#include "host/route_netlink.h"

#include "host/netlink_attributes.h"

#include <linux/fib_rules.h>
#include <linux/if_addr.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>

#include <cstring>

namespace xdplb {
namespace {

constexpr std::uint32_t kAllBits = 0xffffffff;

int kernel_family(Family family) { return family == Family::kV4 ? AF_INET : AF_INET6; }

// A request under construction.
class Request {
 public:
  Request(std::uint16_t type, std::uint16_t flags) : header_(mnl_nlmsg_put_header(buffer_.data())) {
    header_->nlmsg_type = type;
    header_->nlmsg_flags = static_cast<std::uint16_t>(NLM_F_REQUEST | flags);
  }
  Request(const Request&) = delete;
  Request& operator=(const Request&) = delete;

  template <typename T>
  T& family() {
    return *static_cast<T*>(mnl_nlmsg_put_extra_header(header_, sizeof(T)));
  }
  void number(std::uint16_t type, std::uint32_t value) { mnl_attr_put_u32(header_, type, value); }
  void byte(std::uint16_t type, std::uint8_t value) { mnl_attr_put_u8(header_, type, value); }
  void bytes(std::uint16_t type, std::span<const std::uint8_t> data) {
    mnl_attr_put_check(header_, buffer_.size(), type, data.size(), data.data());
  }
  void address(std::uint16_t type, const IpAddress& address) { bytes(type, address.bytes()); }
  void text(std::uint16_t type, const std::string& value) {
    mnl_attr_put_strz_check(header_, buffer_.size(), type, value.c_str());
  }
  void gateway(const IpAddress& gateway, Family family) {
    if (gateway.family() == family) return address(RTA_GATEWAY, gateway);
    std::array<std::uint8_t, sizeof(rtvia) + 16> via{};
    const auto kernel = static_cast<__kernel_sa_family_t>(kernel_family(gateway.family()));
    std::memcpy(via.data(), &kernel, sizeof(kernel));
    std::copy(gateway.bytes().begin(), gateway.bytes().end(), via.begin() + sizeof(rtvia));
    bytes(RTA_VIA, {via.data(), sizeof(rtvia) + gateway.bytes().size()});
  }
  std::vector<std::uint8_t> take() const { return {buffer_.begin(), buffer_.begin() + header_->nlmsg_len}; }

 private:
  alignas(nlmsghdr) std::array<std::uint8_t, 1024> buffer_{};
  nlmsghdr* header_;
};

// nullopt for a missing attribute, and for a family that is neither IPv4 nor IPv6.
std::optional<IpAddress> read_via(const nlattr* attribute) {
  if (attribute == nullptr || mnl_attr_get_payload_len(attribute) < sizeof(rtvia)) return std::nullopt;
  const auto* data = static_cast<const std::uint8_t*>(mnl_attr_get_payload(attribute));
  __kernel_sa_family_t family = 0;
  std::memcpy(&family, data, sizeof(family));
  return make_address({data + sizeof(rtvia), mnl_attr_get_payload_len(attribute) - sizeof(rtvia)}, family);
}

// What a next hop says by itself: of the whole route, or of one of several.
void read_hop(Route& route, const AttributeTable& attributes, unsigned flags, int family) {
  route.gateway = read_address(attributes.at[RTA_GATEWAY], family);
  if (!route.gateway) route.gateway = read_via(attributes.at[RTA_VIA]);
  route.is_onlink = (flags & RTNH_F_ONLINK) != 0;
  route.is_dead = (flags & (RTNH_F_DEAD | RTNH_F_LINKDOWN)) != 0;
}

void read_hops(const nlattr* nest, const Route& common, int family, std::vector<Route>& out) {
  const auto* bytes = static_cast<const std::uint8_t*>(mnl_attr_get_payload(nest));
  std::size_t rest = mnl_attr_get_payload_len(nest);
  while (rest >= sizeof(rtnexthop)) {
    const auto* hop = reinterpret_cast<const rtnexthop*>(bytes);
    if (hop->rtnh_len < sizeof(rtnexthop) || hop->rtnh_len > rest) return;
    AttributeTable attributes;
    mnl_attr_parse_payload(bytes + sizeof(rtnexthop), hop->rtnh_len - sizeof(rtnexthop), attributes.store, &attributes);
    Route route = common;
    route.ifindex = static_cast<std::uint32_t>(hop->rtnh_ifindex);
    read_hop(route, attributes, hop->rtnh_flags, family);
    out.push_back(std::move(route));
    const std::size_t step = std::min<std::size_t>(MNL_ALIGN(hop->rtnh_len), rest);
    bytes += step;
    rest -= step;
  }
}

bool has_other_conditions(const fib_rule_hdr& header, const AttributeTable& attributes) {
  if (header.dst_len != 0 || header.tos != 0) return true;
  for (std::size_t type : {FRA_OIFNAME, FRA_FLOW, FRA_TUN_ID, FRA_UID_RANGE, FRA_IP_PROTO, FRA_SPORT_RANGE,
                           FRA_DPORT_RANGE, FRA_SUPPRESS_IFGROUP}) {
    if (attributes.at[type] != nullptr) return true;
  }
  if (attributes.byte(FRA_L3MDEV).value_or(0) != 0) return true;
  return attributes.number(FRA_SUPPRESS_PREFIXLEN).value_or(kAllBits) != kAllBits;
}

constexpr std::array kActions = {std::pair(RuleAction::kLookup, FR_ACT_TO_TBL),
                                 std::pair(RuleAction::kGoto, FR_ACT_GOTO), std::pair(RuleAction::kNop, FR_ACT_NOP),
                                 std::pair(RuleAction::kUnreachable, FR_ACT_UNREACHABLE)};

std::optional<RuleAction> read_action(std::uint8_t kernel_action) {
  for (const auto& [action, number] : kActions) {
    if (number == kernel_action) return action;
  }
  return std::nullopt;
}

std::uint8_t kernel_action(RuleAction action) {
  for (const auto& [known, number] : kActions) {
    if (known == action) return static_cast<std::uint8_t>(number);
  }
  return FR_ACT_UNSPEC;
}

}  // namespace

void read_routes(const nlmsghdr& message, std::vector<Route>& out) {
  const auto* header = family_header<rtmsg>(message);
  if (message.nlmsg_type != RTM_NEWROUTE || header == nullptr || (header->rtm_flags & RTM_F_CLONED) != 0) return;
  const int family = header->rtm_family;
  if (family != AF_INET && family != AF_INET6) return;
  AttributeTable attributes;
  attributes.parse(message, sizeof(rtmsg));
  const auto& at = attributes.at;
  const IpAddress none = family == AF_INET ? IpAddress::v4({}) : IpAddress::v6({});
  Route route;
  route.destination = {.address = read_address(at[RTA_DST], family).value_or(none), .length = header->rtm_dst_len};
  route.ifindex = attributes.number(RTA_OIF).value_or(0);
  route.source = read_address(at[RTA_PREFSRC], family);
  route.table = attributes.number(RTA_TABLE).value_or(header->rtm_table);
  route.priority = attributes.number(RTA_PRIORITY).value_or(0);
  route.protocol = header->rtm_protocol;
  route.scope = header->rtm_scope;
  route.type = header->rtm_type;
  read_hop(route, attributes, header->rtm_flags, family);
  if (at[RTA_METRICS] != nullptr) {
    const auto* metrics = static_cast<const std::uint8_t*>(mnl_attr_get_payload(at[RTA_METRICS]));
    route.metrics.assign(metrics, metrics + mnl_attr_get_payload_len(at[RTA_METRICS]));
  }
  if (at[RTA_MULTIPATH] != nullptr) {
    read_hops(at[RTA_MULTIPATH], route, family, out);
  } else {
    out.push_back(std::move(route));
  }
}

std::optional<Rule> read_rule(const nlmsghdr& message) {
  const auto* header = family_header<fib_rule_hdr>(message);
  if (message.nlmsg_type != RTM_NEWRULE || header == nullptr) return std::nullopt;
  const auto action = read_action(header->action);
  if (!action) return std::nullopt;
  if (header->family != AF_INET && header->family != AF_INET6) return std::nullopt;
  AttributeTable attributes;
  attributes.parse(message, sizeof(fib_rule_hdr));
  if (has_other_conditions(*header, attributes)) return std::nullopt;
  Rule rule;
  rule.family = header->family == AF_INET ? Family::kV4 : Family::kV6;
  rule.priority = attributes.number(FRA_PRIORITY).value_or(0);
  if (auto from = read_address(attributes.at[FRA_SRC], header->family)) {
    rule.from = IpPrefix{.address = *from, .length = header->src_len};
  }
  rule.mark = attributes.number(FRA_FWMARK).value_or(0);
  rule.mark_mask = attributes.number(FRA_FWMASK).value_or(rule.mark == 0 ? 0 : kAllBits);
  rule.incoming = read_text(attributes.at[FRA_IIFNAME]);
  rule.is_inverted = (header->flags & FIB_RULE_INVERT) != 0;
  rule.action = *action;
  if (*action == RuleAction::kLookup) rule.table = attributes.number(FRA_TABLE).value_or(header->table);
  rule.goto_priority = attributes.number(FRA_GOTO).value_or(0);
  rule.protocol = attributes.byte(FRA_PROTOCOL).value_or(0);
  return rule;
}

std::optional<TaggedAddress> read_tagged_address(const nlmsghdr& message) {
  const auto* header = family_header<ifaddrmsg>(message);
  if (message.nlmsg_type != RTM_NEWADDR || header == nullptr) return std::nullopt;
  AttributeTable attributes;
  attributes.parse(message, sizeof(ifaddrmsg));
  // On a point-to-point link IFA_ADDRESS is the peer's; IFA_LOCAL, where present, is always ours.
  const nlattr* local = attributes.at[IFA_LOCAL];
  auto address = read_address(local != nullptr ? local : attributes.at[IFA_ADDRESS], header->ifa_family);
  if (!address) return std::nullopt;
  return TaggedAddress{.ifindex = header->ifa_index,
                       .prefix = {.address = *address, .length = header->ifa_prefixlen},
                       .protocol = attributes.byte(IFA_PROTO).value_or(0)};
}

std::optional<FixedNeighbor> read_own_neighbor(const nlmsghdr& message) {
  const auto* header = family_header<ndmsg>(message);
  if (message.nlmsg_type != RTM_NEWNEIGH || header == nullptr) return std::nullopt;
  AttributeTable attributes;
  attributes.parse(message, sizeof(ndmsg));
  const auto address = read_address(attributes.at[NDA_DST], header->ndm_family);
  const bool is_ours = attributes.byte(NDA_PROTOCOL).value_or(0) == kRouteProtocol;
  if (!address || !is_ours || (header->ndm_state & NUD_PERMANENT) == 0) return std::nullopt;
  return FixedNeighbor{.ifindex = static_cast<std::uint32_t>(header->ndm_ifindex),
                       .address = *address,
                       .mac = read_mac(attributes.at[NDA_LLADDR])};
}

std::vector<std::uint8_t> make_route_request(std::uint16_t type, std::uint16_t flags, const Route& route) {
  Request request(type, flags);
  auto& header = request.family<rtmsg>();
  header.rtm_family = static_cast<std::uint8_t>(kernel_family(route.destination.address.family()));
  header.rtm_dst_len = route.destination.length;
  header.rtm_table = RT_TABLE_UNSPEC;  // RTA_TABLE counts
  header.rtm_protocol = route.protocol;
  header.rtm_scope = route.scope;
  header.rtm_type = route.type;
  if (route.is_onlink) header.rtm_flags = RTNH_F_ONLINK;
  request.number(RTA_TABLE, route.table);
  if (route.destination.length != 0) request.address(RTA_DST, route.destination.network().address);
  if (route.gateway) request.gateway(*route.gateway, route.destination.address.family());
  if (route.ifindex != 0) request.number(RTA_OIF, route.ifindex);
  if (route.source) request.address(RTA_PREFSRC, *route.source);
  if (route.priority != 0) request.number(RTA_PRIORITY, route.priority);
  // For a removal IPv4 compares them one by one, IPv6 does not look.
  if (!route.metrics.empty()) request.bytes(RTA_METRICS | NLA_F_NESTED, route.metrics);
  return request.take();
}

std::vector<std::uint8_t> make_rule_request(std::uint16_t type, std::uint16_t flags, const Rule& rule) {
  Request request(type, flags);
  auto& header = request.family<fib_rule_hdr>();
  header.family = static_cast<std::uint8_t>(kernel_family(rule.family));
  header.action = kernel_action(rule.action);
  header.table = RT_TABLE_UNSPEC;  // FRA_TABLE counts
  if (rule.is_inverted) header.flags = FIB_RULE_INVERT;
  if (rule.action == RuleAction::kLookup) request.number(FRA_TABLE, rule.table);
  if (rule.action == RuleAction::kGoto) request.number(FRA_GOTO, rule.goto_priority);
  request.number(FRA_PRIORITY, rule.priority);
  request.byte(FRA_PROTOCOL, rule.protocol);
  if (rule.from) {
    header.src_len = rule.from->length;
    request.address(FRA_SRC, rule.from->network().address);
  }
  if (rule.mark_mask != 0) {
    request.number(FRA_FWMARK, rule.mark);
    request.number(FRA_FWMASK, rule.mark_mask);
  }
  if (!rule.incoming.empty()) request.text(FRA_IIFNAME, rule.incoming);
  return request.take();
}

std::vector<std::uint8_t> make_neighbor_request(std::uint16_t type, std::uint16_t flags,
                                                const FixedNeighbor& neighbor) {
  Request request(type, flags);
  auto& header = request.family<ndmsg>();
  header.ndm_family = static_cast<std::uint8_t>(kernel_family(neighbor.address.family()));
  header.ndm_ifindex = static_cast<int>(neighbor.ifindex);
  header.ndm_state = NUD_PERMANENT;
  request.address(NDA_DST, neighbor.address);
  if (type == RTM_NEWNEIGH) {
    request.bytes(NDA_LLADDR, neighbor.mac.bytes);
    request.byte(NDA_PROTOCOL, kRouteProtocol);
  }
  return request.take();
}

std::vector<std::uint8_t> make_address_request(std::uint16_t type, std::uint16_t flags, std::uint32_t ifindex,
                                               const IpPrefix& address) {
  Request request(type, flags);
  auto& header = request.family<ifaddrmsg>();
  header.ifa_family = static_cast<std::uint8_t>(kernel_family(address.address.family()));
  header.ifa_prefixlen = address.length;
  header.ifa_index = ifindex;
  request.address(IFA_LOCAL, address.address);
  request.address(IFA_ADDRESS, address.address);
  std::uint32_t address_flags = address.address.is_v6() ? IFA_F_NODAD : 0;
  if (address.is_host()) address_flags |= IFA_F_NOPREFIXROUTE;
  request.number(IFA_FLAGS, address_flags);
  request.byte(IFA_PROTO, kRouteProtocol);
  return request.take();
}

std::vector<std::uint8_t> make_route_dump(Family family, std::uint32_t table, std::uint8_t protocol) {
  Request request(RTM_GETROUTE, NLM_F_DUMP);
  auto& header = request.family<rtmsg>();
  header.rtm_family = static_cast<std::uint8_t>(kernel_family(family));
  header.rtm_protocol = protocol;
  if (table != 0) request.number(RTA_TABLE, table);
  return request.take();
}

std::vector<std::uint8_t> make_rule_dump(Family family) {
  Request request(RTM_GETRULE, NLM_F_DUMP);
  request.family<fib_rule_hdr>().family = static_cast<std::uint8_t>(kernel_family(family));
  return request.take();
}

std::vector<std::uint8_t> make_address_dump(Family family) {
  Request request(RTM_GETADDR, NLM_F_DUMP);
  request.family<ifaddrmsg>().ifa_family = static_cast<std::uint8_t>(kernel_family(family));
  return request.take();
}

std::vector<std::uint8_t> make_neighbor_dump(Family family) {
  Request request(RTM_GETNEIGH, NLM_F_DUMP);
  request.family<ndmsg>().ndm_family = static_cast<std::uint8_t>(kernel_family(family));
  return request.take();
}

std::string to_text(const Route& route) {
  std::string text = "route " + route.destination.network().to_string();
  if (route.gateway) text += " via " + route.gateway->to_string();
  return text + " table " + std::to_string(route.table);
}

std::string to_text(const Rule& rule) {
  std::string text = "rule";
  if (rule.from) text += " from " + (rule.from->is_host() ? rule.from->address.to_string() : rule.from->to_string());
  if (rule.mark_mask != 0) text += " mark " + std::to_string(rule.mark);
  if (rule.mark_mask != 0 && rule.mark_mask != kAllBits) text += "/" + std::to_string(rule.mark_mask);
  if (!rule.incoming.empty()) text += " iif " + rule.incoming;
  if (rule.is_inverted) text = "rule not" + text.substr(4);
  switch (rule.action) {
    case RuleAction::kGoto:
      return text + " goto " + std::to_string(rule.goto_priority);
    case RuleAction::kNop:
      return text + " nop";
    case RuleAction::kUnreachable:
      return text + " unreachable";
    default:
      return text + " lookup " + std::to_string(rule.table);
  }
}

std::string to_text(const FixedNeighbor& neighbor) {
  return "neighbour " + neighbor.address.to_string() + " of interface " + std::to_string(neighbor.ifindex);
}

}  // namespace xdplb
