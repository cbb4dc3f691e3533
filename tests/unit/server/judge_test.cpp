// SPDX-License-Identifier: GPL-2.0-only
#include "server/server_judge.h"

#include <linux/if_addr.h>
#include <gmock/gmock.h>

#include "server_fixture.h"

namespace xdplb {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::UnorderedElementsAre;

class Judge : public Server {};

TEST_F(Judge, FindsNothingInACleanServer) { EXPECT_THAT(codes(), IsEmpty()); }

TEST_F(Judge, NamesEveryInterfaceThatAnswersArp) {
  v4("all", "arp_ignore") = 0;
  v4("lo", "arp_ignore") = 1;
  add_eth1();
  ASSERT_THAT(codes(), ElementsAre("arp_ignore"));
  EXPECT_THAT(faults()[0].text, HasSubstr("0 on eth0, 0 on eth1"));
  EXPECT_THAT(faults()[0].text, HasSubstr("the value of lo has no effect"));
  EXPECT_EQ(remedy("arp_ignore"), "sysctl -w net.ipv4.conf.all.arp_ignore=1");
}

TEST_F(Judge, TakesTheHigherOfAllAndTheInterface) {
  v4("all", "arp_ignore") = 0;
  v4("eth0", "arp_ignore") = 1;
  v4("all", "arp_announce") = 0;
  v4("eth0", "arp_announce") = 2;
  EXPECT_THAT(codes(), IsEmpty());
}

TEST_F(Judge, KnowsWhatEachValueOfArpIgnoreDoes) {
  const std::vector<std::pair<int, std::string>> cases = {{0, "arp_ignore"},       {1, ""},           {2, ""},
                                                          {3, "arp_ignore_scope"}, {4, "arp_ignore"}, {7, "arp_ignore"},
                                                          {8, "arp_ignore_all"},   {9, "arp_ignore"}};
  for (const auto& [value, code] : cases) {
    v4("all", "arp_ignore") = 0;
    v4("eth0", "arp_ignore") = value;
    const auto found = codes();
    if (code.empty()) {
      EXPECT_THAT(found, IsEmpty()) << value;
    } else {
      EXPECT_THAT(found, ElementsAre(code)) << value;
    }
    v4("all", "arp_ignore") = value;
    v4("eth0", "arp_ignore") = 0;
    EXPECT_EQ(codes(), found) << value;
  }
}

TEST_F(Judge, CuresAnInterfaceValueThatIsTooHighThere) {
  v4("eth0", "arp_ignore") = 8;
  EXPECT_EQ(remedy("arp_ignore_all"), "sysctl -w net.ipv4.conf.eth0.arp_ignore=1");
  v4("eth0", "arp_ignore") = 1;
  link("eth0").name = "eth0.100";
  settings("eth0.100");
  v4("eth0.100", "arp_announce") = 3;
  EXPECT_EQ(remedy("arp_announce"), "sysctl -w net/ipv4/conf/eth0.100/arp_announce=2");
}

TEST_F(Judge, AcceptsScopeHostWithThree) {
  v4("all", "arp_ignore") = 3;
  for (auto& address : facts_.addresses) {
    if (address.prefix.address == ip("192.0.2.10")) address.scope = RT_SCOPE_HOST;
  }
  EXPECT_THAT(codes(), IsEmpty());
  drop_alias("192.0.2.10");
  EXPECT_EQ(remedy("alias_missing"), "ip address add 192.0.2.10/32 dev lo scope host");
}

TEST_F(Judge, LooksOnlyAtInterfacesThatHearArp) {
  v4("all", "arp_ignore") = 0;
  v4("eth0", "arp_ignore") = 1;
  add_eth1();
  for (auto spoil : {+[](ServerLink& one) { one.is_up = false; }, +[](ServerLink& one) { one.is_slave = true; },
                     +[](ServerLink& one) { one.has_arp = false; }}) {
    auto& eth1 = link("eth1");
    const ServerLink before = eth1;
    EXPECT_THAT(codes(), ElementsAre("arp_ignore"));
    spoil(eth1);
    EXPECT_THAT(codes(), IsEmpty());
    eth1 = before;
  }
}

TEST_F(Judge, WantsExactlyTwoForArpAnnounce) {
  for (int value : {0, 1, 3}) {
    v4("all", "arp_announce") = value;
    EXPECT_THAT(codes(), ElementsAre("arp_announce")) << value;
    EXPECT_EQ(remedy("arp_announce"), "sysctl -w net.ipv4.conf.all.arp_announce=2");
  }
}

TEST_F(Judge, TellsProxyArpThatLeaksFromOneThatDoesNot) {
  v4("all", "proxy_arp") = 1;
  v4("eth0", "forwarding") = 1;
  facts_.published = {{.ifindex = kEth0, .address = ip("192.0.2.10")}};
  EXPECT_THAT(codes(), ElementsAre("proxy_arp", "published_arp", "~forwarding"));
  EXPECT_EQ(remedy("published_arp"), "ip neighbour delete proxy 192.0.2.10 dev eth0");
  EXPECT_EQ(remedy("proxy_arp"), "sysctl -w net.ipv4.conf.all.proxy_arp=0");
  drop_alias("192.0.2.10");
  add_eth1();
  way("192.0.2.10", "", kEth1);
  EXPECT_THAT(codes(), UnorderedElementsAre("proxy_arp", "published_arp", "alias_missing", "~forwarding"));
  v4("eth0", "forwarding") = 0;
  EXPECT_THAT(codes(), UnorderedElementsAre("proxy_arp", "published_arp", "alias_missing"));
}

TEST_F(Judge, TellsPublishedNdThatLeaksFromOneThatDoesNot) {
  facts_.published = {{.ifindex = kEth0, .address = ip("2001:db8:1::10")}};
  EXPECT_THAT(codes(), ElementsAre("published_nd"));
  v6("eth0", "forwarding") = 1;
  v6("eth0", "proxy_ndp") = 1;
  EXPECT_THAT(codes(), ElementsAre("proxy_ndp", "published_nd", "~forwarding"));
  EXPECT_EQ(remedy("proxy_ndp"), "sysctl -w net.ipv6.conf.eth0.proxy_ndp=0");
  facts_.published.clear();
  EXPECT_THAT(codes(), ElementsAre("proxy_ndp", "~forwarding"));
}

TEST_F(Judge, MissesAnAliasOfEachFamily) {
  drop_alias("192.0.2.10");
  EXPECT_THAT(codes(), ElementsAre("alias_missing"));
  EXPECT_EQ(remedy("alias_missing"), "ip address add 192.0.2.10/32 dev lo");
  drop_alias("2001:db8:1::10");
  EXPECT_THAT(codes(), ElementsAre("alias_missing", "alias_missing"));
  EXPECT_EQ(faults()[1].remedy, "ip address add 2001:db8:1::10/128 dev lo nodad");
}

TEST_F(Judge, TakesALocalRouteForAnAlias) {
  drop_alias("192.0.2.10");
  auto& route = local("192.0.2.10", kLo);
  route.protocol = 3;
  EXPECT_THAT(codes(), IsEmpty());
}

TEST_F(Judge, TakesALocalRouteToAWholeNetworkForAliases) {
  wish_.vipas = {ip("203.0.113.7")};
  local("203.0.113.0/24", kLo).protocol = 3;
  EXPECT_THAT(codes(), IsEmpty());
  wish_.vipas = {ip("192.0.2.10")};
  local("192.0.2.0/24", kLo).protocol = 3;
  EXPECT_THAT(codes(), ElementsAre("extra_local_route"));
  EXPECT_EQ(remedy("extra_local_route"), "ip route delete local 192.0.2.0/24 dev lo table local");
}

TEST_F(Judge, SaysOnceThatAMaskIsTooWide) {
  drop_alias("192.0.2.10");
  address(kLo, "192.0.2.10/24");
  local("192.0.2.10", kLo);
  local("192.0.2.0/24", kLo).source = ip("192.0.2.10");
  EXPECT_THAT(codes(), ElementsAre("alias_wide"));
  EXPECT_EQ(remedy("alias_wide"), "ip address delete 192.0.2.10/24 dev lo && ip address add 192.0.2.10/32 dev lo");
  address(kLo, "192.0.2.10/32");
  EXPECT_EQ(remedy("alias_wide"), "ip address delete 192.0.2.10/24 dev lo");
}

TEST_F(Judge, FindsAWideMaskOfIpv6) {
  drop_alias("2001:db8:1::10");
  address(kLo, "2001:db8:1::10/64");
  local("2001:db8:1::10", kLo);
  way("2001:db8:1::/64", "", kLo).protocol = 2;
  EXPECT_THAT(codes(), testing::Contains("alias_wide"));
}

TEST_F(Judge, FindsTheExtraRouteOfAnotherAddress) {
  address(kLo, "192.0.2.99/24");
  local("192.0.2.0/24", kLo).source = ip("192.0.2.99");
  EXPECT_THAT(codes(), ElementsAre("extra_local_route"));
  EXPECT_EQ(remedy("extra_local_route"),
            "ip address delete 192.0.2.99/24 dev lo && ip address add 192.0.2.99/32 dev lo");
  drop_alias("192.0.2.10");
  EXPECT_THAT(codes(), ElementsAre("alias_missing", "extra_local_route"));
}

TEST_F(Judge, WantsTheAliasOnTheLoopback) {
  drop_alias("192.0.2.10");
  address(kEth0, "192.0.2.10/24");
  local("192.0.2.10", kEth0);
  EXPECT_THAT(codes(), ElementsAre("alias_wrong_device"));
  EXPECT_EQ(remedy("alias_wrong_device"),
            "ip address delete 192.0.2.10/24 dev eth0 && ip address add 192.0.2.10/32 dev lo");
  facts_.links.push_back({.index = 9, .name = "dummy0", .is_up = true, .kind = "dummy", .mtu = 1500});
  drop_alias("192.0.2.10");
  address(9, "192.0.2.10/32");
  local("192.0.2.10", 9);
  EXPECT_THAT(codes(), ElementsAre("~alias_wrong_device"));
}

TEST_F(Judge, FindsATentativeAlias) {
  for (auto& address : facts_.addresses) {
    if (address.prefix.address == ip("2001:db8:1::10")) address.flags = IFA_F_TENTATIVE | IFA_F_PERMANENT;
  }
  EXPECT_THAT(codes(), ElementsAre("alias_tentative"));
  EXPECT_EQ(remedy("alias_tentative"),
            "ip address delete 2001:db8:1::10/128 dev lo && ip address add 2001:db8:1::10/128 dev lo nodad");
}

TEST_F(Judge, FindsRoutesThatUseTheVipa) {
  drop_defaults();
  way("0.0.0.0/0", "192.0.2.10", kEth0).priority = 100;
  way("::/0", "2001:db8:1::1", kEth0);
  EXPECT_THAT(codes(), ElementsAre("route_via_vipa"));
  EXPECT_EQ(remedy("route_via_vipa"), "ip route delete default via 192.0.2.10 dev eth0 metric 100");
  facts_.routes[facts_.routes.size() - 2].gateway = ip("192.0.2.1");
  facts_.routes[facts_.routes.size() - 2].source = ip("192.0.2.10");
  EXPECT_THAT(codes(), ElementsAre("route_src_vipa"));
  EXPECT_EQ(remedy("route_src_vipa"), "ip route replace default via 192.0.2.1 dev eth0 metric 100");
}

TEST_F(Judge, FindsSeveralFaultsInTheOrderToMendThem) {
  v4("all", "arp_ignore") = 0;
  drop_alias("192.0.2.10");
  facts_.listeners.clear();
  std::erase_if(facts_.routes, [](auto& route) { return route.destination == prefix("0.0.0.0/0"); });
  wish_.vipas = {ip("192.0.2.10")};
  EXPECT_THAT(codes(), ElementsAre("arp_ignore", "alias_missing", "not_listening", "no_way_out"));
}

TEST_F(Judge, TellsAFaultOfTheHostOnce) {
  v4("all", "arp_ignore") = 0;
  wish_.vipas = {ip("192.0.2.10"), ip("192.0.2.11")};
  address(kLo, "192.0.2.11/32");
  local("192.0.2.11", kLo);
  EXPECT_THAT(codes(), ElementsAre("arp_ignore"));
}

}  // namespace
}  // namespace xdplb
