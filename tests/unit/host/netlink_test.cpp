// SPDX-License-Identifier: GPL-2.0-only
#include "host/netlink.h"

#include <linux/if.h>
#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <gmock/gmock.h>
#include <libmnl/libmnl.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <cstring>

namespace xdplb {
namespace {

IpAddress ip(const char* text) { return *IpAddress::parse(text); }

// A message as the kernel writes it.
class Message {
 public:
  explicit Message(std::uint16_t type) : header_(mnl_nlmsg_put_header(buffer_.data())) { header_->nlmsg_type = type; }
  template <typename T>
  T& family() {
    return *static_cast<T*>(mnl_nlmsg_put_extra_header(header_, sizeof(T)));
  }
  Message& bytes(std::uint16_t type, std::vector<std::uint8_t> data) {
    mnl_attr_put(header_, type, data.size(), data.data());
    return *this;
  }
  Message& number(std::uint16_t type, std::uint32_t value) {
    mnl_attr_put_u32(header_, type, value);
    return *this;
  }
  nlmsghdr* header() { return header_; }
  NetlinkMessage parse() const { return parse_netlink(*header_); }

 private:
  alignas(nlmsghdr) std::array<std::uint8_t, 1024> buffer_{};
  nlmsghdr* header_;
};

Message link_message(unsigned flags, std::uint8_t operstate) {
  Message message(RTM_NEWLINK);
  auto& family = message.family<ifinfomsg>();
  family.ifi_index = 7;
  family.ifi_type = 1;
  family.ifi_flags = flags;
  message.bytes(IFLA_IFNAME, {'e', 't', 'h', '0', 0}).bytes(IFLA_ADDRESS, {2, 0, 0, 0, 0, 7});
  message.bytes(IFLA_OPERSTATE, {operstate}).number(IFLA_MTU, 9000).number(IFLA_MASTER, 3);
  return message;
}

Message neighbor_message(std::uint16_t state) {
  Message message(RTM_NEWNEIGH);
  auto& family = message.family<ndmsg>();
  family.ndm_family = AF_INET;
  family.ndm_ifindex = 7;
  family.ndm_state = state;
  message.bytes(NDA_DST, {192, 0, 2, 9}).bytes(NDA_LLADDR, {2, 0, 0, 0, 0, 9});
  return message;
}

TEST(Netlink, ReadsLink) {
  auto message = link_message(IFF_UP | IFF_LOWER_UP, 6);
  nlattr* nest = mnl_attr_nest_start(message.header(), IFLA_XDP);
  message.number(IFLA_XDP_PROG_ID, 42);
  mnl_attr_nest_end(message.header(), nest);
  auto parsed = std::get<LinkMessage>(message.parse());
  EXPECT_FALSE(parsed.is_gone);
  EXPECT_EQ(parsed.link.index, 7u);
  EXPECT_EQ(parsed.link.name, "eth0");
  EXPECT_EQ(parsed.link.mac, (MacAddress{{2, 0, 0, 0, 0, 7}}));
  EXPECT_EQ(parsed.link.mtu, 9000u);
  EXPECT_EQ(parsed.link.master, 3u);
  EXPECT_EQ(parsed.link.xdp_prog_id, 42u);
  EXPECT_TRUE(parsed.link.is_usable());
}

TEST(Netlink, WhatStandsOnAnotherLinkNamesItAndAPeerIsNone) {
  struct Case {
    std::vector<std::uint8_t> kind;
    bool is_elsewhere;
    std::uint32_t lower;
    const char* description;
  };
  for (const Case& c : {Case{{'v', 'l', 'a', 'n', 0}, false, 5, "a VLAN of eth0"},
                        Case{{'m', 'a', 'c', 'v', 'l', 'a', 'n', 0}, false, 5, "a macvlan"},
                        Case{{'v', 'l', 'a', 'n', 0}, true, 0, "the trunk is in another namespace"},
                        Case{{'v', 'e', 't', 'h', 0}, false, 0, "a veth"}}) {
    auto message = link_message(IFF_UP | IFF_LOWER_UP, 6);
    message.number(IFLA_LINK, 5);
    if (c.is_elsewhere) message.number(IFLA_LINK_NETNSID, 0);
    nlattr* nest = mnl_attr_nest_start(message.header(), IFLA_LINKINFO);
    message.bytes(IFLA_INFO_KIND, c.kind);
    mnl_attr_nest_end(message.header(), nest);
    EXPECT_EQ(std::get<LinkMessage>(message.parse()).link.lower, c.lower) << c.description;
  }
  auto hardware = link_message(IFF_UP | IFF_LOWER_UP, 6);
  EXPECT_EQ(std::get<LinkMessage>(hardware.parse()).link.lower, 0u);
}

TEST(Netlink, CarrierNeedsLowerUpAndAGoodOperstate) {
  struct Case {
    unsigned flags;
    std::uint8_t operstate;
    bool has_carrier;
    const char* description;
  };
  for (const Case& c :
       {Case{IFF_UP | IFF_LOWER_UP, 6, true, "up"}, Case{IFF_UP | IFF_LOWER_UP, 0, true, "unknown counts as good"},
        Case{IFF_UP, 6, false, "no lower up"}, Case{IFF_UP | IFF_LOWER_UP, 1, false, "not present"},
        Case{IFF_UP | IFF_LOWER_UP, 2, false, "down"}, Case{IFF_UP | IFF_LOWER_UP, 3, false, "lower layer down"},
        Case{IFF_UP | IFF_LOWER_UP, 4, false, "testing"}, Case{IFF_UP | IFF_LOWER_UP, 5, false, "dormant"}}) {
    auto parsed = std::get<LinkMessage>(link_message(c.flags, c.operstate).parse());
    EXPECT_EQ(parsed.link.has_carrier, c.has_carrier) << c.description;
  }
}

TEST(Netlink, SomeEventsOfALinkCallNeighboursToLearn) {
  struct Case {
    std::uint32_t event;
    bool must_learn;
  };
  for (const Case& c : {Case{IFLA_EVENT_NONE, false}, Case{IFLA_EVENT_REBOOT, false}, Case{IFLA_EVENT_FEATURES, false},
                        Case{IFLA_EVENT_BONDING_FAILOVER, true}, Case{IFLA_EVENT_NOTIFY_PEERS, true},
                        Case{IFLA_EVENT_IGMP_RESEND, true}, Case{IFLA_EVENT_BONDING_OPTIONS, false}}) {
    auto message = link_message(IFF_UP | IFF_LOWER_UP, 6);
    message.number(IFLA_EVENT, c.event);
    EXPECT_EQ(std::get<LinkMessage>(message.parse()).neighbours_must_learn, c.must_learn) << c.event;
  }
  EXPECT_FALSE(std::get<LinkMessage>(link_message(IFF_UP, 6).parse()).neighbours_must_learn);
}

TEST(Netlink, BridgePortMessageIsNoLink) {
  Message message(RTM_DELLINK);
  message.family<ifinfomsg>().ifi_family = AF_BRIDGE;
  EXPECT_TRUE(std::holds_alternative<std::monostate>(message.parse()));
}

TEST(Netlink, LocalAddressOfAPointToPointLinkIsOurs) {
  Message message(RTM_NEWADDR);
  auto& family = message.family<ifaddrmsg>();
  family.ifa_family = AF_INET;
  family.ifa_prefixlen = 32;
  family.ifa_index = 7;
  message.bytes(IFA_ADDRESS, {192, 0, 2, 2}).bytes(IFA_LOCAL, {192, 0, 2, 1});
  auto parsed = std::get<AddressMessage>(message.parse());
  EXPECT_EQ(parsed.address.prefix.address, ip("192.0.2.1"));
  EXPECT_EQ(parsed.address.prefix.length, 32);
  EXPECT_EQ(parsed.address.ifindex, 7u);
}

TEST(Netlink, MapsNeighbourStates) {
  struct Case {
    std::uint16_t kernel;
    NeighborState state;
  };
  for (const Case& c : {Case{NUD_NONE, NeighborState::kUnresolved}, Case{NUD_INCOMPLETE, NeighborState::kUnresolved},
                        Case{NUD_REACHABLE, NeighborState::kValid}, Case{NUD_STALE, NeighborState::kValid},
                        Case{NUD_DELAY, NeighborState::kValid}, Case{NUD_PROBE, NeighborState::kValid},
                        Case{NUD_PERMANENT, NeighborState::kValid}, Case{NUD_NOARP, NeighborState::kValid},
                        Case{NUD_FAILED, NeighborState::kFailed}}) {
    auto neighbor = std::get<NeighborMessage>(neighbor_message(c.kernel).parse()).neighbor;
    EXPECT_EQ(neighbor.state, c.state) << c.kernel;
    EXPECT_EQ(neighbor.mac.is_zero(), c.state != NeighborState::kValid) << c.kernel;
    EXPECT_EQ(neighbor.is_permanent, c.kernel == NUD_PERMANENT);
    EXPECT_FALSE(neighbor.is_managed);
  }
}

TEST(Netlink, ReadsManagedFlagAndRemoval) {
  auto message = neighbor_message(NUD_REACHABLE);
  message.number(NDA_FLAGS_EXT, NTF_EXT_MANAGED);
  EXPECT_TRUE(std::get<NeighborMessage>(message.parse()).neighbor.is_managed);
  message.header()->nlmsg_type = RTM_DELNEIGH;
  EXPECT_EQ(std::get<NeighborMessage>(message.parse()).neighbor.state, NeighborState::kGone);
}

TEST(Netlink, IgnoresProxyAndBridgeEntries) {
  auto message = neighbor_message(NUD_PERMANENT);
  auto* family = static_cast<ndmsg*>(mnl_nlmsg_get_payload(message.header()));
  family->ndm_flags = NTF_PROXY;
  EXPECT_TRUE(std::holds_alternative<std::monostate>(message.parse()));
  family->ndm_flags = 0;
  family->ndm_family = AF_BRIDGE;
  EXPECT_TRUE(std::holds_alternative<std::monostate>(message.parse()));
}

TEST(Netlink, MessageShorterThanItsHeaderIsIgnored) {
  for (std::uint16_t type : std::initializer_list<std::uint16_t>{RTM_NEWLINK, RTM_NEWADDR, RTM_NEWNEIGH, NLMSG_ERROR}) {
    EXPECT_TRUE(std::holds_alternative<std::monostate>(Message(type).parse())) << type;
  }
}

TEST(Netlink, RefusalNamesItsNeighbour) {
  std::vector<std::uint8_t> request;
  append_neighbor_request(request,
                          {.kind = NeighborRequestKind::kManage, .key = {.ifindex = 7, .address = ip("2001:db8::9")}});
  Message message(NLMSG_ERROR);
  auto* error = static_cast<std::uint8_t*>(mnl_nlmsg_put_extra_header(message.header(), sizeof(int) + request.size()));
  int number = -ENOBUFS;
  std::memcpy(error, &number, sizeof(number));
  std::memcpy(error + sizeof(int), request.data(), request.size());
  auto refusal = std::get<RefusalMessage>(message.parse());
  EXPECT_EQ(refusal.number, ENOBUFS);
  ASSERT_TRUE(refusal.neighbor);
  EXPECT_EQ(*refusal.neighbor, (NeighborKey{.ifindex = 7, .address = ip("2001:db8::9")}));
}

TEST(Netlink, RequestsFollowEachOtherAligned) {
  std::vector<std::uint8_t> requests;
  for (auto kind : {NeighborRequestKind::kManage, NeighborRequestKind::kProbe, NeighborRequestKind::kLetGo,
                    NeighborRequestKind::kForget}) {
    append_neighbor_request(requests, {.kind = kind, .key = {.ifindex = 7, .address = ip("192.0.2.9")}});
  }
  int rest = static_cast<int>(requests.size());
  std::vector<std::array<unsigned, 3>> seen;  // type, makes the entry, is managed
  for (const auto* m = reinterpret_cast<const nlmsghdr*>(requests.data()); mnl_nlmsg_ok(m, rest);
       m = mnl_nlmsg_next(m, &rest)) {
    auto neighbor = std::get<NeighborMessage>(parse_netlink(*m)).neighbor;
    EXPECT_EQ(neighbor.address, ip("192.0.2.9"));
    EXPECT_EQ(neighbor.ifindex, 7u);
    seen.push_back({m->nlmsg_type, (m->nlmsg_flags & NLM_F_CREATE) != 0, neighbor.is_managed});
  }
  EXPECT_THAT(seen, testing::ElementsAre(
                        std::array<unsigned, 3>{RTM_NEWNEIGH, 1, 1}, std::array<unsigned, 3>{RTM_NEWNEIGH, 1, 0},
                        std::array<unsigned, 3>{RTM_NEWNEIGH, 0, 0}, std::array<unsigned, 3>{RTM_DELNEIGH, 0, 0}));
  EXPECT_EQ(rest, 0);
}

}  // namespace
}  // namespace xdplb
