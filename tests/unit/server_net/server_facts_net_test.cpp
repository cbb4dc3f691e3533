// SPDX-License-Identifier: GPL-2.0-only
#include "server/server_facts.h"

#include <linux/fib_rules.h>
#include <linux/if_addr.h>
#include <linux/rtnetlink.h>
#include <gmock/gmock.h>

#include "server_sandbox.h"

namespace xdplb {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::Not;

class Facts : public ServerSandbox {
 protected:
  // The one with this name.
  ServerLink link(const ServerFacts& facts, const std::string& name) const {
    for (const ServerLink& one : facts.links) {
      if (one.name == name) return one;
    }
    ADD_FAILURE() << "no link " << name;
    return {};
  }
};

TEST_F(Facts, TellOfLinksWhatIpMade) {
  server().run(
      "ip link add br0 type bridge; ip link add v0 type veth peer name v1; ip link set v0 master br0 up;"
      "ip link set v1 mtu 1400; ip link set br0 up; ip link set e0 arp off");
  const ServerFacts facts = read();
  const ServerLink lo = link(facts, "lo");
  EXPECT_TRUE(lo.is_loopback && lo.is_up && !lo.has_arp && !lo.is_slave);
  EXPECT_EQ(lo.index, 1U);
  const ServerLink e0 = link(facts, "e0");
  EXPECT_EQ(e0.mac, *MacAddress::parse("02:00:00:00:00:21"));
  EXPECT_EQ(e0.kind, "veth");
  EXPECT_EQ(e0.mtu, 1500U);
  EXPECT_TRUE(e0.is_up && !e0.has_arp && !e0.is_slave && !e0.is_loopback);
  EXPECT_EQ(e0.has_lro, false);
  EXPECT_TRUE(link(facts, "v0").is_slave);
  EXPECT_EQ(link(facts, "br0").kind, "bridge");
  EXPECT_FALSE(link(facts, "br0").is_slave);
  EXPECT_EQ(link(facts, "v1").mtu, 1400U);
  EXPECT_FALSE(link(facts, "v1").is_up);
  EXPECT_TRUE(link(facts, "v1").has_arp);
}

TEST_F(Facts, TellOfAddressesTheirScopeAndFlags) {
  server().run("ip addr add 192.0.2.11/32 scope host dev lo; ip addr add 2001:db8:1::11/128 dev lo nodad");
  const ServerFacts facts = read();
  auto find = [&](const char* text) {
    for (const ServerAddress& one : facts.addresses) {
      if (one.prefix == prefix(text)) return one;
    }
    ADD_FAILURE() << text;
    return ServerAddress();
  };
  EXPECT_EQ(find("192.0.2.21/24").ifindex, index("e0"));
  EXPECT_EQ(find("192.0.2.10/32").scope, RT_SCOPE_UNIVERSE);
  EXPECT_EQ(find("192.0.2.10/32").ifindex, 1U);
  EXPECT_EQ(find("192.0.2.11/32").scope, RT_SCOPE_HOST);
  EXPECT_EQ(find("2001:db8:1::10/128").flags & (IFA_F_TENTATIVE | IFA_F_DADFAILED), 0U);
  EXPECT_NE(find("2001:db8:1::11/128").flags & IFA_F_NODAD, 0U);
}

TEST_F(Facts, HoldRoutesOfEveryTable) {
  server().run(
      "ip route add 203.0.113.0/24 nexthop via 192.0.2.1 nexthop via 192.0.2.2; ip route add blackhole 10.9.0.0/16 "
      "table 77 metric 5; ip -6 route add unreachable 2001:db8:9::/48 table 78 metric 6; ip route add 10.8.0.0/16 dev "
      "e0 src 192.0.2.10");
  const ServerFacts facts = read();
  const std::uint32_t e0 = index("e0");
  EXPECT_THAT(facts.routes, Contains(ServerRoute{.destination = prefix("192.0.2.10"),
                                                 .source = ip("192.0.2.10"),
                                                 .ifindex = 1,
                                                 .table = 255,
                                                 .protocol = 2,
                                                 .scope = RT_SCOPE_HOST,
                                                 .type = RTN_LOCAL}));
  EXPECT_THAT(
      facts.routes,
      Contains(ServerRoute{
          .destination = prefix("2001:db8:1::10"), .ifindex = 1, .table = 255, .protocol = 2, .type = RTN_LOCAL}));
  EXPECT_THAT(facts.routes, Contains(ServerRoute{.destination = prefix("0.0.0.0/0"),
                                                 .gateway = ip("192.0.2.1"),
                                                 .ifindex = e0,
                                                 .table = 254,
                                                 .protocol = 3,
                                                 .type = RTN_UNICAST}));
  for (const char* gateway : {"192.0.2.1", "192.0.2.2"}) {
    EXPECT_THAT(facts.routes, Contains(ServerRoute{.destination = prefix("203.0.113.0/24"),
                                                   .gateway = ip(gateway),
                                                   .ifindex = e0,
                                                   .table = 254,
                                                   .protocol = 3,
                                                   .type = RTN_UNICAST}));
  }
  EXPECT_THAT(
      facts.routes,
      Contains(ServerRoute{
          .destination = prefix("10.9.0.0/16"), .table = 77, .priority = 5, .protocol = 3, .type = RTN_BLACKHOLE}));
  EXPECT_THAT(facts.routes, Contains(ServerRoute{.destination = prefix("10.8.0.0/16"),
                                                 .source = ip("192.0.2.10"),
                                                 .ifindex = e0,
                                                 .table = 254,
                                                 .protocol = 3,
                                                 .scope = RT_SCOPE_LINK,
                                                 .type = RTN_UNICAST}));
  const auto in_78 = std::count_if(facts.routes.begin(), facts.routes.end(), [](auto& route) {
    return route.table == 78 && route.type == RTN_UNREACHABLE && route.priority == 6;
  });
  EXPECT_EQ(in_78, 1);
}

TEST_F(Facts, HoldEveryRule) {
  ServerFacts facts = read();
  EXPECT_THAT(facts.rules, Contains(ServerRule{.priority = 0, .action = FR_ACT_TO_TBL, .table = 255, .protocol = 2}));
  EXPECT_THAT(facts.rules,
              Contains(ServerRule{
                  .family = Family::kV6, .priority = 32766, .action = FR_ACT_TO_TBL, .table = 254, .protocol = 2}));
  server().run(
      "ip rule add pref 10 from 192.0.2.0/24 to 203.0.113.0/24 iif e0 fwmark 3/7 lookup 77;"
      "ip rule add pref 11 not to 192.0.2.10 blackhole; ip rule add pref 12 ipproto tcp dport 80 unreachable;"
      "ip rule add pref 13 lookup main suppress_prefixlength 0; ip rule add pref 14 oif e0 goto 20;"
      "ip -6 rule add pref 15 from 2001:db8:1::10 prohibit; ip rule add pref 20 nop");
  facts = read();
  EXPECT_THAT(facts.rules, Contains(ServerRule{.priority = 10,
                                               .from = prefix("192.0.2.0/24"),
                                               .to = prefix("203.0.113.0/24"),
                                               .incoming = "e0",
                                               .mark = 3,
                                               .mark_mask = 7,
                                               .action = FR_ACT_TO_TBL,
                                               .table = 77}));
  EXPECT_THAT(facts.rules,
              Contains(ServerRule{
                  .priority = 11, .to = prefix("192.0.2.10"), .is_inverted = true, .action = FR_ACT_BLACKHOLE}));
  EXPECT_THAT(facts.rules,
              Contains(ServerRule{.priority = 12, .action = FR_ACT_UNREACHABLE, .has_other_conditions = true}));
  EXPECT_THAT(facts.rules,
              Contains(ServerRule{.priority = 13, .action = FR_ACT_TO_TBL, .table = 254, .suppress_length = 0}));
  EXPECT_THAT(facts.rules,
              Contains(ServerRule{.priority = 14, .outgoing = "e0", .action = FR_ACT_GOTO, .goto_priority = 20}));
  EXPECT_THAT(facts.rules,
              Contains(ServerRule{
                  .family = Family::kV6, .priority = 15, .from = prefix("2001:db8:1::10"), .action = FR_ACT_PROHIBIT}));
}

TEST_F(Facts, HoldWhatIsPublished) {
  EXPECT_THAT(read().published, IsEmpty());
  server().run(
      "ip neigh add proxy 192.0.2.10 dev e0; ip neigh add proxy 2001:db8:1::10 dev e0;"
      "ip neigh add 192.0.2.77 lladdr 02:00:00:00:00:77 dev e0");
  EXPECT_THAT(read().published, testing::UnorderedElementsAre(
                                    PublishedNeighbor{.ifindex = index("e0"), .address = ip("192.0.2.10")},
                                    PublishedNeighbor{.ifindex = index("e0"), .address = ip("2001:db8:1::10")}));
}

TEST_F(Facts, HoldListenersAndNoOtherSockets) {
  const auto a = listen({.address = "192.0.2.10"});
  const auto b = listen({.address = "::", .port = 81});
  const auto c = listen({.address = "::", .port = 82, .is_v6_only = true});
  const auto d = listen({.port = 53, .type = SOCK_DGRAM, .device = "e0"});
  const auto e = listen({.address = "::ffff:192.0.2.21", .port = 83});
  const auto connected = listen({.address = "192.0.2.21", .port = 99, .type = SOCK_DGRAM});
  sockaddr_in peer{};
  peer.sin_family = AF_INET;
  peer.sin_port = htons(9);
  ::inet_pton(AF_INET, "192.0.2.22", &peer.sin_addr);
  ASSERT_EQ(::connect(connected.get(), reinterpret_cast<sockaddr*>(&peer), sizeof(peer)), 0);
  const ServerFacts facts = read();
  EXPECT_EQ(facts.listeners_failure, "");
  EXPECT_THAT(facts.listeners,
              testing::UnorderedElementsAre(
                  Listener{.address = ip("192.0.2.10"), .port = 80}, Listener{.address = ip("::"), .port = 81},
                  Listener{.address = ip("::"), .port = 82, .is_v6_only = true},
                  Listener{.protocol = Protocol::kUdp, .address = ip("0.0.0.0"), .port = 53, .ifindex = index("e0")},
                  Listener{.address = ip("192.0.2.21"), .port = 83}));
}

TEST_F(Facts, HoldSettingsAndRules) {
  server().run("sysctl -qw net.ipv4.conf.e0.arp_ignore=8; nft add table inet mine");
  const ServerFacts facts = read();
  EXPECT_EQ(facts.sysctls.at("net/ipv4/conf/all/arp_ignore"), 1);
  EXPECT_EQ(facts.sysctls.at("net/ipv4/conf/all/arp_announce"), 2);
  EXPECT_EQ(facts.sysctls.at("net/ipv4/conf/e0/arp_ignore"), 8);
  EXPECT_TRUE(facts.sysctls.contains("net/ipv4/conf/default/rp_filter"));
  EXPECT_TRUE(facts.sysctls.contains("net/ipv6/conf/e0/disable_ipv6"));
  EXPECT_TRUE(facts.sysctls.contains("net/ipv4/ip_nonlocal_bind"));
  ASSERT_TRUE(facts.ruleset) << facts.ruleset_failure;
  EXPECT_THAT(*facts.ruleset, testing::HasSubstr("\"mine\""));
}

}  // namespace
}  // namespace xdplb
