// SPDX-License-Identifier: GPL-2.0-only
#include "host/route_query.h"

#include "host/netlink_attributes.h"

#include <linux/rtnetlink.h>
#include <libmnl/libmnl.h>
#include <sys/socket.h>

#include <array>
#include <vector>

namespace xdplb {
namespace {

std::vector<std::uint8_t> make_query(const IpAddress& destination) {
  alignas(nlmsghdr) std::array<std::uint8_t, 256> buffer{};
  auto* header = mnl_nlmsg_put_header(buffer.data());
  header->nlmsg_type = RTM_GETROUTE;
  // The acknowledgement ends the answer.
  header->nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK;
  auto* route = static_cast<rtmsg*>(mnl_nlmsg_put_extra_header(header, sizeof(rtmsg)));
  const auto bytes = destination.bytes();
  route->rtm_family = destination.is_v4() ? AF_INET : AF_INET6;
  route->rtm_dst_len = static_cast<std::uint8_t>(8 * bytes.size());
  mnl_attr_put(header, RTA_DST, bytes.size(), bytes.data());
  return {buffer.begin(), buffer.begin() + header->nlmsg_len};
}

RouteAnswer read_route(const nlmsghdr& message) {
  const auto* header = family_header<rtmsg>(message);
  if (message.nlmsg_type != RTM_NEWROUTE || header == nullptr) return {};
  if (header->rtm_type == RTN_LOCAL) return {.kind = RouteAnswer::Kind::kLocal};
  if (header->rtm_type != RTN_UNICAST) return {};
  AttributeTable attributes;
  attributes.parse(message, sizeof(rtmsg));
  return {.kind = RouteAnswer::Kind::kLeaves, .ifindex = attributes.number(RTA_OIF).value_or(0)};
}

}  // namespace

Result<RouteAnswer> ask_route(NetlinkSocket& socket, const IpAddress& destination) {
  RouteAnswer route;
  const auto answer = socket.dump(
      make_query(destination), [] {}, [&](const nlmsghdr& message) { route = read_route(message); });
  if (!answer) return answer.error();
  // The kernel refuses (ENETUNREACH, EHOSTUNREACH, EACCES, EINVAL for a blackhole): there is no way.
  return answer->number == 0 ? route : RouteAnswer{};
}

}  // namespace xdplb
