// SPDX-License-Identifier: GPL-2.0-only
#include "host/policy_rules.h"

#include "host/netlink_attributes.h"
#include "host/netlink_socket.h"
#include "host/route_netlink.h"

#include <linux/fib_rules.h>
#include <linux/rtnetlink.h>

#include <cerrno>
#include <optional>

namespace xdplb {
namespace {

constexpr std::uint32_t kAllBits = 0xffffffff;

std::optional<PolicyRule> parse_rule(const nlmsghdr& message, Family family) {
  const auto* header = family_header<fib_rule_hdr>(message);
  if (message.nlmsg_type != RTM_NEWRULE || header == nullptr) return std::nullopt;
  AttributeTable attributes;
  attributes.parse(message, sizeof(fib_rule_hdr));
  PolicyRule rule{.family = family};
  rule.priority = attributes.number(FRA_PRIORITY).value_or(0);
  rule.mark = attributes.number(FRA_FWMARK).value_or(0);
  rule.mark_mask = attributes.number(FRA_FWMASK).value_or(rule.mark == 0 ? 0 : kAllBits);
  rule.protocol = attributes.byte(FRA_PROTOCOL).value_or(0);
  rule.action = header->action;
  rule.table = attributes.number(FRA_TABLE).value_or(header->table);
  rule.is_inverted = (header->flags & FIB_RULE_INVERT) != 0;
  bool has_condition = header->src_len != 0 || header->dst_len != 0 || header->tos != 0;
  for (const std::size_t type : {FRA_IIFNAME, FRA_OIFNAME, FRA_L3MDEV, FRA_UID_RANGE, FRA_IP_PROTO, FRA_SPORT_RANGE,
                                 FRA_DPORT_RANGE, FRA_TUN_ID})
    has_condition = has_condition || attributes.at[type] != nullptr;
  rule.is_for_everything = !has_condition;
  return rule;
}

}  // namespace

Result<std::vector<PolicyRule>> read_policy_rules() {
  auto socket = NetlinkSocket::open({});
  if (!socket) return socket.error();
  std::vector<PolicyRule> rules;
  for (const auto family : {Family::kV4, Family::kV6}) {
    const std::size_t before = rules.size();
    const auto answer = socket->dump(
        make_rule_dump(family), [&] { rules.resize(before); },
        [&](const nlmsghdr& message) {
          if (const auto rule = parse_rule(message, family)) rules.push_back(*rule);
        });
    if (!answer) return answer.error();
    const bool has_none = family == Family::kV6 && (answer->number == EAFNOSUPPORT || answer->number == EOPNOTSUPP);
    if (answer->number != 0 && !has_none) return os_error("netlink: list policy rules", answer->number);
  }
  return rules;
}

}  // namespace xdplb
