// SPDX-License-Identifier: GPL-2.0-only
#include "host/vipa_routes.h"

#include <linux/rtnetlink.h>
#include <gmock/gmock.h>

namespace xdplb {
namespace {

IpAddress ip(const char* text) { return *IpAddress::parse(text); }
IpPrefix prefix(const char* text) { return *IpPrefix::parse(text); }

constexpr std::uint32_t kLo = 1;
constexpr std::uint32_t kE0 = 2;
constexpr std::uint32_t kE1 = 3;
constexpr std::uint32_t kOther = 4;  // not in the list
constexpr std::uint32_t kTable = 77;

Route network(const char* destination, std::uint32_t ifindex) {
  Route route;
  route.destination = prefix(destination);
  route.ifindex = ifindex;
  route.scope = RT_SCOPE_LINK;
  return route;
}

Route via(const char* destination, const char* gateway, std::uint32_t ifindex, std::uint32_t metric = 0) {
  Route route;
  route.destination = prefix(destination);
  route.gateway = ip(gateway);
  route.ifindex = ifindex;
  route.priority = metric;
  return route;
}

Route dead(Route route) {
  route.is_dead = true;
  return route;
}

// "10.1.1.0/24 dev 3", "0.0.0.0/0 via 10.1.1.1 dev 3", "throw 172.16.0.0/12"
std::vector<std::string> texts(const std::vector<Route>& routes) {
  std::vector<std::string> all;
  for (const Route& route : routes) {
    EXPECT_EQ(route.table, kTable);
    EXPECT_EQ(route.protocol, kRouteProtocol);
    EXPECT_FALSE(route.source);
    EXPECT_FALSE(route.is_dead);
    std::string text = route.type == RTN_THROW ? "throw " : "";
    text += route.destination.to_string();
    if (route.gateway) text += " via " + route.gateway->to_string();
    if (route.ifindex != 0) text += " dev " + std::to_string(route.ifindex);
    all.push_back(text);
  }
  return all;
}

class VipaRoutes : public testing::Test {
 protected:
  VipaRoutes() {
    state_.loopback = kLo;
    state_.addresses = {{.ifindex = kLo, .prefix = prefix("127.0.0.1/8")},
                        {.ifindex = kE0, .prefix = prefix("10.1.1.4/24")},
                        {.ifindex = kE1, .prefix = prefix("10.1.1.5/24")},
                        {.ifindex = kOther, .prefix = prefix("10.9.9.4/24")}};
    state_.main = {network("10.1.1.0/24", kE0), network("10.1.1.0/24", kE1)};
  }
  std::vector<std::string> routes(std::uint32_t owner) const {
    return texts(vipa_routes({.address = ip("10.1.1.7"), .owner = owner, .interfaces = {kE0, kE1}}, state_, kTable));
  }

  RoutingState state_;
};

using testing::ElementsAre;

TEST_F(VipaRoutes, ConnectedNetworkLeavesByTheOwner) {
  EXPECT_THAT(routes(kE0), ElementsAre("10.1.1.0/24 dev 2"));
  EXPECT_THAT(routes(kE1), ElementsAre("10.1.1.0/24 dev 3"));
}

TEST_F(VipaRoutes, GatewayOfADeadInterfaceIsReachedThroughTheOwner) {
  state_.main = {dead(network("10.1.1.0/24", kE0)), network("10.1.1.0/24", kE1),
                 dead(via("0.0.0.0/0", "10.1.1.1", kE0, 100))};
  EXPECT_THAT(routes(kE1), ElementsAre("10.1.1.0/24 dev 3", "0.0.0.0/0 via 10.1.1.1 dev 3"));
}

TEST_F(VipaRoutes, NetworksOfOtherInterfacesAreExceptedFromAWiderCopy) {
  state_.main.push_back(via("0.0.0.0/0", "10.1.1.1", kE0));
  state_.main.push_back(network("10.9.9.0/24", kOther));
  state_.main.push_back(via("172.16.0.0/12", "10.9.9.1", kOther));
  Route blackhole = network("192.0.2.0/24", 0);
  blackhole.type = RTN_BLACKHOLE;
  state_.main.push_back(blackhole);
  EXPECT_THAT(routes(kE1), ElementsAre("10.1.1.0/24 dev 3", "throw 10.9.9.0/24", "throw 172.16.0.0/12",
                                       "throw 192.0.2.0/24", "0.0.0.0/0 via 10.1.1.1 dev 3"));
}

TEST_F(VipaRoutes, DefaultOfAnotherInterfaceIsLeftToTheMainTable) {
  state_.main.push_back(via("0.0.0.0/0", "10.9.9.1", kOther));
  EXPECT_THAT(routes(kE1), ElementsAre("10.1.1.0/24 dev 3"));
}

TEST_F(VipaRoutes, SmallerMetricDecidesWhoseTheDestinationIs) {
  state_.main.push_back(via("0.0.0.0/0", "10.9.9.1", kOther, 600));
  state_.main.push_back(via("0.0.0.0/0", "10.1.1.1", kE0, 100));
  EXPECT_THAT(routes(kE1), ElementsAre("10.1.1.0/24 dev 3", "0.0.0.0/0 via 10.1.1.1 dev 3"));
  state_.main.back().priority = 700;
  EXPECT_THAT(routes(kE1), ElementsAre("10.1.1.0/24 dev 3"));
}

TEST_F(VipaRoutes, OfEqualHopsTheOwnersComesFirst) {
  state_.main.push_back(via("0.0.0.0/0", "10.1.1.1", kE0));
  state_.main.push_back(via("0.0.0.0/0", "10.1.1.2", kE1));
  EXPECT_THAT(routes(kE0), testing::Contains("0.0.0.0/0 via 10.1.1.1 dev 2"));
  EXPECT_THAT(routes(kE1), testing::Contains("0.0.0.0/0 via 10.1.1.2 dev 3"));
}

TEST_F(VipaRoutes, WhatTheOwnerCannotReachIsNotCopied) {
  state_.addresses.push_back({.ifindex = kE0, .prefix = prefix("198.51.100.4/24")});
  state_.main.push_back(network("198.51.100.0/24", kE0));
  state_.main.push_back(via("203.0.113.0/24", "198.51.100.1", kE0));
  EXPECT_THAT(routes(kE1), ElementsAre("10.1.1.0/24 dev 3"));
  EXPECT_THAT(routes(kE0),
              ElementsAre("10.1.1.0/24 dev 2", "198.51.100.0/24 dev 2", "203.0.113.0/24 via 198.51.100.1 dev 2"));
}

TEST_F(VipaRoutes, DeadRouteNobodyCanStandInForGivesWayToTheNext) {
  state_.addresses.push_back({.ifindex = kE0, .prefix = prefix("198.51.100.4/24")});
  state_.main.push_back(dead(via("0.0.0.0/0", "198.51.100.1", kE0, 1)));
  state_.main.push_back(via("0.0.0.0/0", "10.1.1.1", kE1, 2));
  EXPECT_THAT(routes(kE1), ElementsAre("10.1.1.0/24 dev 3", "0.0.0.0/0 via 10.1.1.1 dev 3"));
}

TEST_F(VipaRoutes, WiderNetworkOfAnotherInterfaceHoldsItsGateways) {
  state_.addresses[1].prefix = prefix("10.1.1.4/16");
  state_.main[0] = network("10.1.0.0/16", kE0);
  state_.main.push_back(via("0.0.0.0/0", "10.1.2.1", kE0));
  EXPECT_THAT(routes(kE1), ElementsAre("10.1.0.0/16 dev 3", "10.1.1.0/24 dev 3", "0.0.0.0/0 via 10.1.2.1 dev 3"));
}

TEST_F(VipaRoutes, LinkLocalGatewayStaysOnItsLan) {
  state_.addresses = {{.ifindex = kE0, .prefix = prefix("2001:db8::4/64")},
                      {.ifindex = kE1, .prefix = prefix("2001:db8::5/64")},
                      {.ifindex = kE0, .prefix = prefix("fe80::4/64")},
                      {.ifindex = kE1, .prefix = prefix("fe80::5/64")}};
  state_.main = {network("2001:db8::/64", kE0), network("2001:db8::/64", kE1), network("fe80::/64", kE0),
                 network("fe80::/64", kE1), via("::/0", "fe80::1", kE0, 1024)};
  EXPECT_THAT(routes(kE1), ElementsAre("2001:db8::/64 dev 3", "::/0 via fe80::1 dev 3"));
  state_.addresses[1].prefix = prefix("2001:db8:1::5/64");
  state_.main[1] = network("2001:db8:1::/64", kE1);
  EXPECT_THAT(routes(kE1), ElementsAre("2001:db8:1::/64 dev 3")) << "another LAN";
}

TEST_F(VipaRoutes, WithoutOwnerNothingIsCarriedByTheList) { EXPECT_THAT(routes(0), ElementsAre()); }

}  // namespace
}  // namespace xdplb
