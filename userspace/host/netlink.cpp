// SPDX-License-Identifier: GPL-2.0-only
#include "host/netlink.h"

#include "host/netlink_attributes.h"

#include <linux/if.h>
#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <libmnl/libmnl.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <string>
#include <string_view>

namespace xdplb {
namespace {

constexpr std::uint16_t kLoopbackType = 772;  // ARPHRD_LOOPBACK; <net/if_arp.h> clashes with <linux/if.h>
constexpr std::uint8_t kOperUnknown = 0;      // IF_OPER_UNKNOWN: the driver does not tell
constexpr std::uint8_t kOperUp = 6;           // IF_OPER_UP
constexpr std::uint16_t kValidStates =
    NUD_REACHABLE | NUD_STALE | NUD_DELAY | NUD_PROBE | NUD_PERMANENT | NUD_NOARP;  // the kernel's NUD_VALID
// IFLA_INFO_KIND of interfaces that get the frames of the link they are made on.
constexpr std::array<std::string_view, 4> kStacked = {"vlan", "macvlan", "macvtap", "ipvlan"};

std::uint32_t read_xdp_prog_id(const nlattr* nest) {
  if (nest == nullptr) return 0;
  AttributeTable xdp;
  xdp.parse_nested(nest);
  // IFLA_XDP_PROG_ID is left out when programs are attached in more than one mode.
  for (std::size_t type : {IFLA_XDP_PROG_ID, IFLA_XDP_DRV_PROG_ID, IFLA_XDP_SKB_PROG_ID, IFLA_XDP_HW_PROG_ID}) {
    if (auto id = xdp.number(type); id && *id != 0) return *id;
  }
  return 0;
}

// The link that this one takes its frames from. A veth's IFLA_LINK is only its peer.
std::uint32_t read_lower(const AttributeTable& attributes) {
  const bool is_elsewhere = attributes.at[IFLA_LINK_NETNSID] != nullptr;
  if (is_elsewhere || attributes.at[IFLA_LINKINFO] == nullptr) return 0;
  AttributeTable info;
  info.parse_nested(attributes.at[IFLA_LINKINFO]);
  const auto kind = read_text(info.at[IFLA_INFO_KIND]);
  const bool stands_on_it = std::find(kStacked.begin(), kStacked.end(), kind) != kStacked.end();
  return stands_on_it ? attributes.number(IFLA_LINK).value_or(0) : 0;
}

bool is_call_to_learn(std::uint32_t event) {
  return event == IFLA_EVENT_BONDING_FAILOVER || event == IFLA_EVENT_NOTIFY_PEERS || event == IFLA_EVENT_IGMP_RESEND;
}

NetlinkMessage parse_link(const nlmsghdr& message) {
  const auto* header = family_header<ifinfomsg>(message);
  // A bridge port that leaves its bridge is told as RTM_DELLINK of family AF_BRIDGE: the link itself stays.
  if (header == nullptr || header->ifi_family != AF_UNSPEC) return {};
  AttributeTable attributes;
  attributes.parse(message, sizeof(ifinfomsg));
  const auto& at = attributes.at;
  Link link;
  link.index = static_cast<std::uint32_t>(header->ifi_index);
  link.name = read_text(at[IFLA_IFNAME]);
  link.mac = read_mac(at[IFLA_ADDRESS]);
  link.is_up = (header->ifi_flags & IFF_UP) != 0;
  std::uint8_t operstate = attributes.byte(IFLA_OPERSTATE).value_or(kOperUnknown);
  link.has_carrier = (header->ifi_flags & IFF_LOWER_UP) != 0 && (operstate == kOperUp || operstate == kOperUnknown);
  link.master = attributes.number(IFLA_MASTER).value_or(0);
  link.lower = read_lower(attributes);
  link.hardware_type = header->ifi_type;
  link.is_loopback = header->ifi_type == kLoopbackType;
  link.mtu = attributes.number(IFLA_MTU).value_or(0);
  link.xdp_prog_id = read_xdp_prog_id(at[IFLA_XDP]);
  return LinkMessage{
      .is_gone = message.nlmsg_type == RTM_DELLINK,
      .link = link,
      .neighbours_must_learn = is_call_to_learn(attributes.number(IFLA_EVENT).value_or(IFLA_EVENT_NONE)),
  };
}

NetlinkMessage parse_address(const nlmsghdr& message) {
  const auto* header = family_header<ifaddrmsg>(message);
  if (header == nullptr) return {};
  AttributeTable attributes;
  attributes.parse(message, sizeof(ifaddrmsg));
  // On a point-to-point link IFA_ADDRESS is the peer's; IFA_LOCAL, where present, is always ours.
  const nlattr* local = attributes.at[IFA_LOCAL];
  auto address = read_address(local != nullptr ? local : attributes.at[IFA_ADDRESS], header->ifa_family);
  if (!address) return {};
  IpPrefix prefix{.address = *address, .length = header->ifa_prefixlen};
  return AddressMessage{.is_gone = message.nlmsg_type == RTM_DELADDR,
                        .address = {.ifindex = header->ifa_index, .prefix = prefix}};
}

NeighborState state_of(std::uint16_t kernel_state, const MacAddress& mac) {
  if ((kernel_state & NUD_FAILED) != 0) return NeighborState::kFailed;
  if ((kernel_state & kValidStates) != 0 && !mac.is_zero()) return NeighborState::kValid;
  return NeighborState::kUnresolved;
}

NetlinkMessage parse_neighbor(const nlmsghdr& message) {
  const auto* header = family_header<ndmsg>(message);
  if (header == nullptr || (header->ndm_flags & NTF_PROXY) != 0) return {};
  AttributeTable attributes;
  attributes.parse(message, sizeof(ndmsg));
  auto address = read_address(attributes.at[NDA_DST], header->ndm_family);
  if (!address) return {};
  Neighbor neighbor;
  neighbor.ifindex = static_cast<std::uint32_t>(header->ndm_ifindex);
  neighbor.address = *address;
  if (message.nlmsg_type == RTM_DELNEIGH) {
    neighbor.state = NeighborState::kGone;
    return NeighborMessage{neighbor};
  }
  MacAddress mac = read_mac(attributes.at[NDA_LLADDR]);
  neighbor.state = state_of(header->ndm_state, mac);
  if (neighbor.state == NeighborState::kValid) neighbor.mac = mac;
  neighbor.is_permanent = (header->ndm_state & NUD_PERMANENT) != 0;
  neighbor.is_managed = (attributes.number(NDA_FLAGS_EXT).value_or(0) & NTF_EXT_MANAGED) != 0;
  return NeighborMessage{neighbor};
}

NetlinkMessage parse_refusal(const nlmsghdr& message) {
  const auto* error = family_header<nlmsgerr>(message);
  if (error == nullptr || error->error == 0) return {};
  RefusalMessage refusal{.number = -error->error, .neighbor = std::nullopt};
  std::size_t room = mnl_nlmsg_get_payload_len(&message) - sizeof(int);
  bool about_neighbor = error->msg.nlmsg_type == RTM_NEWNEIGH || error->msg.nlmsg_type == RTM_DELNEIGH;
  // The kernel returns our whole request behind the errno (NETLINK_CAP_ACK is off).
  if (!about_neighbor || !mnl_nlmsg_ok(&error->msg, static_cast<int>(room))) return refusal;
  auto request = parse_neighbor(error->msg);
  if (const auto* parsed = std::get_if<NeighborMessage>(&request)) {
    refusal.neighbor = NeighborKey{.ifindex = parsed->neighbor.ifindex, .address = parsed->neighbor.address};
  }
  return refusal;
}

}  // namespace

NetlinkMessage parse_netlink(const nlmsghdr& message) {
  switch (message.nlmsg_type) {
    case RTM_NEWLINK:
    case RTM_DELLINK:
      return parse_link(message);
    case RTM_NEWADDR:
    case RTM_DELADDR:
      return parse_address(message);
    case RTM_NEWNEIGH:
    case RTM_DELNEIGH:
      return parse_neighbor(message);
    case NLMSG_ERROR:
      return parse_refusal(message);
    default:
      return {};
  }
}

void append_neighbor_request(std::vector<std::uint8_t>& out, const NeighborRequest& request) {
  alignas(nlmsghdr) std::array<std::uint8_t, 128> buffer{};
  nlmsghdr* message = mnl_nlmsg_put_header(buffer.data());
  bool makes = request.kind == NeighborRequestKind::kManage || request.kind == NeighborRequestKind::kProbe;
  message->nlmsg_type = request.kind == NeighborRequestKind::kForget ? RTM_DELNEIGH : RTM_NEWNEIGH;
  message->nlmsg_flags = static_cast<std::uint16_t>(makes ? NLM_F_REQUEST | NLM_F_CREATE : NLM_F_REQUEST);
  auto* header = static_cast<ndmsg*>(mnl_nlmsg_put_extra_header(message, sizeof(ndmsg)));
  header->ndm_family = request.key.address.is_v4() ? AF_INET : AF_INET6;
  header->ndm_ifindex = static_cast<int>(request.key.ifindex);
  header->ndm_state = NUD_NONE;
  // NTF_EXT_LEARNED: a controller's entry, which the kernel's garbage collector neither counts nor evicts, so more
  // servers fit than net.ipv4.neigh.default.gc_thresh3 (1024) says.
  if (makes) header->ndm_flags = NTF_USE | NTF_EXT_LEARNED;
  if (request.kind == NeighborRequestKind::kLetGo) header->ndm_flags = NTF_USE;
  auto address = request.key.address.bytes();
  mnl_attr_put(message, NDA_DST, address.size(), address.data());
  if (request.kind == NeighborRequestKind::kManage) mnl_attr_put_u32(message, NDA_FLAGS_EXT, NTF_EXT_MANAGED);
  out.insert(out.end(), buffer.begin(), buffer.begin() + MNL_ALIGN(message->nlmsg_len));
}

std::vector<std::uint8_t> make_dump_request(std::uint16_t type, std::uint32_t sequence) {
  alignas(nlmsghdr) std::array<std::uint8_t, 64> buffer{};
  nlmsghdr* message = mnl_nlmsg_put_header(buffer.data());
  message->nlmsg_type = type;
  message->nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
  message->nlmsg_seq = sequence;
  if (type == RTM_GETLINK) {
    mnl_nlmsg_put_extra_header(message, sizeof(ifinfomsg));
    mnl_attr_put_u32(message, IFLA_EXT_MASK, RTEXT_FILTER_SKIP_STATS);
  } else if (type == RTM_GETADDR) {
    mnl_nlmsg_put_extra_header(message, sizeof(ifaddrmsg));
  } else {
    mnl_nlmsg_put_extra_header(message, sizeof(ndmsg));
  }
  return {buffer.begin(), buffer.begin() + message->nlmsg_len};
}

}  // namespace xdplb
