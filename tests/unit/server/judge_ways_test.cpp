// SPDX-License-Identifier: GPL-2.0-only
// The ways of a packet: policy rules, filters, the service, and back.
#include "server/server_judge.h"

#include <gmock/gmock.h>

#include "server_fixture.h"

namespace xdplb {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class Ways : public Server {
 protected:
  Ways() { wish_.vipas = {ip("192.0.2.10")}; }
};

TEST_F(Ways, FindRulesBeforeTableLocal) {
  // As after `ip rule add priority 100 lookup local; ip rule delete priority 0`.
  facts_.rules[0].priority = 100;
  EXPECT_THAT(codes(), IsEmpty());
  auto& refusing = rule(Family::kV4, 50, 0);
  refusing.action = FR_ACT_BLACKHOLE;
  refusing.to = prefix("192.0.2.10");
  EXPECT_THAT(codes(), ElementsAre("rule_in_the_way"));
  EXPECT_EQ(remedy("rule_in_the_way"), "ip rule delete priority 50 to 192.0.2.10/32 blackhole");
  facts_.rules.back().to = prefix("192.0.2.11");
  EXPECT_THAT(codes(), IsEmpty());
}

TEST_F(Ways, FollowARuleIntoItsTable) {
  facts_.rules[0].priority = 100;
  rule(Family::kV4, 50, 77).incoming = "eth0";
  EXPECT_THAT(codes(), IsEmpty());  // the table is empty
  way("0.0.0.0/0", "192.0.2.1", kEth0).table = 77;
  EXPECT_THAT(codes(), ElementsAre("rule_in_the_way"));
  facts_.rules.back().suppress_length = 0;
  EXPECT_THAT(codes(), IsEmpty());
  facts_.rules.back().suppress_length.reset();
  facts_.rules.back().incoming = "eth7";
  EXPECT_THAT(codes(), IsEmpty());
  facts_.rules.back().incoming.clear();
  facts_.rules.back().mark = facts_.rules.back().mark_mask = 5;
  EXPECT_THAT(codes(), IsEmpty());
  facts_.rules.back().is_inverted = true;
  EXPECT_THAT(codes(), ElementsAre("rule_in_the_way"));
}

TEST_F(Ways, TellOfRulesForSomeClients) {
  facts_.rules[0].priority = 100;
  auto& refusing = rule(Family::kV4, 50, 0);
  refusing.action = FR_ACT_UNREACHABLE;
  refusing.from = prefix("203.0.113.0/24");
  ASSERT_THAT(codes(), ElementsAre("rule_in_the_way"));
  EXPECT_THAT(faults()[0].text, HasSubstr("some of what is for 192.0.2.10"));
}

TEST_F(Ways, MissTableLocal) {
  std::erase_if(facts_.rules, [](auto& rule) { return rule.table == 255; });
  EXPECT_THAT(codes(), ElementsAre("rule_in_the_way"));
  EXPECT_EQ(remedy("rule_in_the_way"), "ip rule add priority 0 lookup local");
}

TEST_F(Ways, FindTheLocalRouteMissing) {
  std::erase_if(facts_.routes, [](auto& route) { return route.destination == prefix("192.0.2.10"); });
  EXPECT_THAT(codes(), ElementsAre("local_missing"));
  EXPECT_EQ(remedy("local_missing"),
            "ip route add local 192.0.2.10 dev lo table local proto kernel scope host src 192.0.2.10");
  auto& refusing = local("192.0.2.10", 0);
  refusing.type = RTN_BLACKHOLE;
  refusing.source.reset();
  EXPECT_THAT(codes(), ElementsAre("local_missing"));
  EXPECT_EQ(remedy("local_missing"), "ip route delete blackhole 192.0.2.10/32 table local");
}

TEST_F(Ways, WantRpFilterLooseWhereTheWayBackIsAnother) {
  add_eth1();
  v4("all", "rp_filter") = 1;
  EXPECT_THAT(codes(), IsEmpty());  // both ways by eth0
  std::erase_if(facts_.routes, [](auto& route) { return route.destination == prefix("0.0.0.0/0"); });
  way("0.0.0.0/0", "198.51.100.1", kEth1);
  EXPECT_THAT(codes(), ElementsAre("rp_filter"));
  EXPECT_EQ(remedy("rp_filter"), "sysctl -w net.ipv4.conf.eth0.rp_filter=2");
  v4("eth0", "rp_filter") = 2;
  EXPECT_THAT(codes(), IsEmpty());
  v4("eth0", "rp_filter") = 0;
  v4("all", "rp_filter") = 0;
  v4("eth1", "rp_filter") = 1;  // nothing for the VIPA comes by it
  EXPECT_THAT(codes(), IsEmpty());
}

TEST_F(Ways, LetARuleOfTheVipaMakeTheWayBackRight) {
  add_eth1();
  v4("eth0", "rp_filter") = 1;
  std::erase_if(facts_.routes, [](auto& route) { return route.destination == prefix("0.0.0.0/0"); });
  way("0.0.0.0/0", "198.51.100.1", kEth1);
  way("0.0.0.0/0", "192.0.2.1", kEth0).table = 100;
  EXPECT_THAT(codes(), ElementsAre("rp_filter"));
  rule(Family::kV4, 1000, 100).from = prefix("192.0.2.10");
  EXPECT_THAT(codes(), IsEmpty());
}

TEST_F(Ways, FindTwoInterfacesOnOneNetworkWithRpFilter) {
  add_eth1();
  v4("all", "rp_filter") = 1;
  std::erase_if(facts_.addresses, [](auto& address) { return address.ifindex == kEth1; });
  address(kEth1, "192.0.2.22/24");
  way("192.0.2.0/24", "", kEth1).priority = 10;
  // Either may be the one that the dispatcher sends to.
  EXPECT_THAT(codes(), ElementsAre("rp_filter"));
  EXPECT_EQ(remedy("rp_filter"), "sysctl -w net.ipv4.conf.eth1.rp_filter=2");
}

TEST_F(Ways, WarnOfRoutesByOtherInterfacesWithRpFilter) {
  add_eth1();
  v4("all", "rp_filter") = 1;
  way("10.0.0.0/8", "198.51.100.1", kEth1);
  EXPECT_THAT(codes(), ElementsAre("~rp_filter"));
}

TEST_F(Ways, NeedADefaultRoute) {
  std::erase_if(facts_.routes, [](auto& route) { return route.destination == prefix("0.0.0.0/0"); });
  EXPECT_THAT(codes(), ElementsAre("no_way_out"));
  EXPECT_EQ(remedy("no_way_out"), "ip route add default via GATEWAY dev eth0");
  way("203.0.113.0/24", "192.0.2.1", kEth0);
  EXPECT_THAT(codes(), ElementsAre("~no_way_out"));
  way("0.0.0.0/1", "192.0.2.1", kEth0);
  way("128.0.0.0/1", "192.0.2.1", kEth0);
  EXPECT_THAT(codes(), IsEmpty());
}

TEST_F(Ways, FindARuleThatRefusesAnswers) {
  auto& refusing = rule(Family::kV4, 1000, 0);
  refusing.action = FR_ACT_PROHIBIT;
  refusing.from = prefix("192.0.2.10");
  EXPECT_THAT(codes(), ElementsAre("rule_in_the_way"));
  EXPECT_EQ(remedy("rule_in_the_way"), "ip rule delete priority 1000 from 192.0.2.10/32 prohibit");
}

TEST_F(Ways, WantAServiceThatListensOnTheVipa) {
  facts_.listeners.clear();
  EXPECT_THAT(codes(), ElementsAre("not_listening"));
  facts_.listeners = {{.address = ip("192.0.2.21"), .port = 80}};
  ASSERT_THAT(codes(), ElementsAre("listens_elsewhere"));
  EXPECT_THAT(faults()[0].text, HasSubstr("192.0.2.21"));
  for (const char* good : {"192.0.2.10", "0.0.0.0", "::"}) {
    facts_.listeners = {{.address = ip(good), .port = 80}};
    EXPECT_THAT(codes(), IsEmpty()) << good;
    facts_.listeners[0].ifindex = kEth0;
    EXPECT_THAT(codes(), IsEmpty()) << good;
    facts_.listeners[0].ifindex = kLo;  // SO_BINDTODEVICE to lo: nothing comes by it
    EXPECT_THAT(codes(), ElementsAre("listens_elsewhere")) << good;
  }
  facts_.listeners = {{.address = ip("::"), .port = 80, .is_v6_only = true}};
  EXPECT_THAT(codes(), ElementsAre("not_listening"));
  facts_.listeners = {{.protocol = Protocol::kUdp, .address = ip("0.0.0.0"), .port = 80}};
  EXPECT_THAT(codes(), ElementsAre("not_listening"));
  wish_.ports = {{.port = 80, .protocol = Protocol::kUdp}};
  EXPECT_THAT(codes(), IsEmpty());
}

TEST_F(Ways, WarnWhenListenersAreNotKnown) {
  facts_.listeners.clear();
  facts_.listeners_failure = "sock_diag: no such file";
  EXPECT_THAT(codes(), ElementsAre("~not_listening"));
  wish_.ports.clear();
  EXPECT_THAT(codes(), IsEmpty());
}

TEST_F(Ways, FindTheMtuTooSmallForIpv6) {
  wish_.vipas = {ip("2001:db8:1::10")};
  link("eth0").mtu = 1280;
  EXPECT_THAT(codes(), IsEmpty());
  link("eth0").mtu = 1279;
  EXPECT_THAT(codes(), ElementsAre("mtu"));
}

TEST_F(Ways, WarnWhenTheWayOutHasAnotherMtuThanTheWayIn) {
  add_eth1();
  std::erase_if(facts_.routes, [](auto& route) { return route.destination == prefix("0.0.0.0/0"); });
  way("0.0.0.0/0", "198.51.100.1", kEth1);
  EXPECT_THAT(codes(), IsEmpty());
  link("eth1").mtu = 9000;
  EXPECT_THAT(codes(), ElementsAre("~mtu"));
}

TEST_F(Ways, FindIpv6SwitchedOff) {
  wish_.vipas = {ip("2001:db8:1::10")};
  v6("lo", "disable_ipv6") = 1;
  EXPECT_THAT(codes(), ElementsAre("ipv6_disabled"));
  EXPECT_EQ(remedy("ipv6_disabled"), "sysctl -w net.ipv6.conf.lo.disable_ipv6=0");
  std::erase_if(facts_.sysctls, [](auto& one) { return one.first.starts_with("net/ipv6"); });
  EXPECT_THAT(codes(), ElementsAre("ipv6_disabled"));
}

TEST_F(Ways, RefuseIpvlan) {
  link("eth0").kind = "ipvlan";
  EXPECT_THAT(codes(), ElementsAre("ipvlan"));
  link("eth0").kind = "macvlan";
  EXPECT_THAT(codes(), IsEmpty());
}

TEST_F(Ways, WarnOfSettingsThatHideOrOpenThings) {
  facts_.sysctls["net/ipv4/ip_nonlocal_bind"] = 1;
  v4("eth0", "forwarding") = 1;
  EXPECT_THAT(codes(), ElementsAre("~forwarding"));
  link("eth0").has_lro = true;
  EXPECT_THAT(codes(), ElementsAre("~lro", "~forwarding"));
  link("eth0").has_lro = false;
  drop_alias("192.0.2.10");
  EXPECT_THAT(codes(), ElementsAre("alias_missing", "~forwarding", "~nonlocal"));
  v4("all", "route_localnet") = 1;
  EXPECT_THAT(codes(), testing::Contains("~route_localnet"));
}

}  // namespace
}  // namespace xdplb
