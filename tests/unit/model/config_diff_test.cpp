// SPDX-License-Identifier: GPL-2.0-only
#include "model/config.h"
#include "random_config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

namespace xdplb {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

IpAddress ip(std::string_view text) { return IpAddress::parse(text).value(); }

Config sample() {
  return Config{.interfaces = std::vector<std::string>{"eth0", "eth1"},
                .secret = "old",
                .clusters = {{.name = "web",
                              .addresses = {ip("192.0.2.10"), ip("2001:db8::10")},
                              .ports = {{.port = 443,
                                         .servers = {{.name = "s1", .address = ip("192.0.2.21")},
                                                     {.name = "s2", .address = ip("192.0.2.22")}}},
                                        {.port = 53, .protocol = Protocol::kUdp, .servers = {}}}}}};
}

TEST(DiffLines, EqualConfigurationsHaveNone) {
  EXPECT_THAT(diff_lines(sample(), sample()), IsEmpty());
  EXPECT_THAT(diff_lines(Config{}, Config{}), IsEmpty());
}

TEST(DiffLines, FromNothingNamesEveryObject) {
  EXPECT_THAT(diff_lines(Config{}, sample()),
              ElementsAre("+ interface eth0", "+ interface eth1", "+ secret", "+ cluster web 192.0.2.10 2001:db8::10",
                          "+ port web/443", "+ server web/443/s1 192.0.2.21 weight 10",
                          "+ server web/443/s2 192.0.2.22 weight 10", "+ port web/53/udp"));
}

TEST(DiffLines, ToNothingNamesEveryObject) {
  const Config nothing{.interfaces = std::vector<std::string>{}, .secret = {}, .clusters = {}};
  EXPECT_THAT(diff_lines(sample(), nothing),
              ElementsAre("- interface eth0", "- interface eth1", "- cluster web", "- port web/443",
                          "- server web/443/s1", "- server web/443/s2", "- port web/53/udp"));
}

TEST(DiffLines, WhatTheDocumentLeavesOpenStays) {
  Config after = sample();
  after.interfaces.reset();
  after.secret.clear();
  EXPECT_THAT(diff_lines(sample(), after), IsEmpty());
}

TEST(DiffLines, ChangedServerSaysFromAndTo) {
  Config after = sample();
  after.clusters[0].ports[0].servers[1].weight = 20;
  EXPECT_THAT(diff_lines(sample(), after), ElementsAre("~ server web/443/s2 weight 10 -> 20"));
  after.clusters[0].ports[0].servers[1].address = ip("192.0.2.99");
  after.clusters[0].ports[0].servers[1].family = Family::kV6;
  EXPECT_THAT(diff_lines(sample(), after),
              ElementsAre("~ server web/443/s2 address 192.0.2.22 -> 192.0.2.99 weight 10 -> 20 family any -> v6"));
}

TEST(DiffLines, AddedServerShowsItsFamilyWhenLimited) {
  Config after = sample();
  after.clusters[0].ports[1].servers.push_back(
      {.name = "d1", .address = ip("2001:db8::21"), .weight = 0, .family = Family::kV4});
  EXPECT_THAT(diff_lines(sample(), after), ElementsAre("+ server web/53/udp/d1 2001:db8::21 weight 0 family v4"));
}

TEST(DiffLines, ChangedAddressesAreOneLine) {
  Config after = sample();
  after.clusters[0].addresses[1] = ip("2001:db8::11");
  EXPECT_THAT(diff_lines(sample(), after),
              ElementsAre("~ cluster web addresses 192.0.2.10 2001:db8::10 -> 192.0.2.10 2001:db8::11"));
}

TEST(DiffLines, ProtocolIsPartOfAPortsIdentity) {
  Config after = sample();
  after.clusters[0].ports[1].protocol = Protocol::kTcp;
  EXPECT_THAT(diff_lines(sample(), after), ElementsAre("- port web/53/udp", "+ port web/53"));
}

TEST(DiffLines, RemovalsComeFirst) {
  Config after = sample();
  after.interfaces = {"eth2", "eth1"};
  after.clusters[0].ports[0].servers[0].name = "s3";
  EXPECT_THAT(diff_lines(sample(), after), ElementsAre("- interface eth0", "- server web/443/s1", "+ interface eth2",
                                                       "+ server web/443/s3 192.0.2.21 weight 10"));
}

TEST(DiffLines, OrderOfInterfacesCounts) {
  Config after = sample();
  after.interfaces = {"eth1", "eth0"};
  EXPECT_THAT(diff_lines(sample(), after), ElementsAre("~ interfaces eth0 eth1 -> eth1 eth0"));
  after.interfaces = {"eth2", "eth0", "eth1"};
  EXPECT_THAT(diff_lines(sample(), after), ElementsAre("+ interface eth2"));
}

TEST(DiffLines, OrderOfServersDoesNotCount) {
  Config after = sample();
  std::swap(after.clusters[0].ports[0].servers[0], after.clusters[0].ports[0].servers[1]);
  std::swap(after.clusters[0].ports[0], after.clusters[0].ports[1]);
  EXPECT_THAT(diff_lines(sample(), after), IsEmpty());
}

TEST(DiffLines, ChangedOptionsOfAPortAreOneLine) {
  Config after = sample();
  after.clusters[0].ports[0].sticky_s = 60;
  EXPECT_THAT(diff_lines(sample(), after), ElementsAre("~ port web/443 sticky 0s -> 60s"));
  EXPECT_THAT(diff_lines(after, sample()), ElementsAre("~ port web/443 sticky 60s -> 0s"));
  const PortConfig before = after.clusters[0].ports[0];
  after.clusters[0].ports[0] = {.port = 443,
                                .pick = Pick::kRoundRobin,
                                .stale_timeout_s = 60,
                                .on_stale = OnStale::kReset,
                                .no_server = NoServer::kPass,
                                .sticky_mask_v4 = 24,
                                .crossport = 80,
                                .udp_tracking = true,
                                .new_flow_limit = 1000,
                                .half_open_limit = 500,
                                .servers = before.servers};
  EXPECT_THAT(diff_lines(sample(), after),
              ElementsAre("~ port web/443 pick hash -> wrr sticky_mask /32,/128 -> /24,/128 crossport none -> 80 "
                          "stale_timeout 300s -> 60s on_stale repick -> reset no_server drop -> pass udp_tracking off "
                          "-> on new_flow_limit none -> 1000 half_open_limit none -> 500"));
}

TEST(DiffLines, AddedPortShowsItsOptions) {
  Config after = sample();
  after.clusters[0].ports.push_back({.port = 80, .sticky_s = 60, .sticky_mask_v4 = 24});
  EXPECT_THAT(diff_lines(sample(), after), ElementsAre("+ port web/80 sticky 60s sticky_mask /24,/128"));
}

TEST(DiffLines, TagsOfServers) {
  Config after = sample();
  after.clusters[0].ports[0].servers[0].vlan = 100;
  EXPECT_THAT(diff_lines(sample(), after), ElementsAre("~ server web/443/s1 vlan keep -> 100"));
  EXPECT_THAT(diff_lines(Config{.interfaces = {}, .clusters = {}}, after),
              ::testing::Contains("+ server web/443/s1 192.0.2.21 weight 10 vlan 100"));
}

TEST(DiffLines, NetworksAndEchoOfAClusterAreOneLine) {
  Config after = sample();
  after.clusters[0].prefixes = {IpPrefix::parse("198.51.100.0/24").value()};
  after.clusters[0].echo = Echo::kOff;
  EXPECT_THAT(diff_lines(sample(), after),
              ElementsAre("~ cluster web addresses 192.0.2.10 2001:db8::10 -> 192.0.2.10 2001:db8::10 198.51.100.0/24 "
                          "echo server -> off"));
  EXPECT_THAT(diff_lines(Config{}, after),
              ::testing::Contains("+ cluster web 192.0.2.10 2001:db8::10 198.51.100.0/24 echo off"));
}

TEST(DiffLines, SettingsOfTheDispatcher) {
  Config before = sample();
  before.peers = {MacAddress{{2, 0, 0, 0, 0, 1}}, MacAddress{{2, 0, 0, 0, 0, 2}}};
  Config after = sample();
  after.peers = {MacAddress{{2, 0, 0, 0, 0, 3}}, MacAddress{{2, 0, 0, 0, 0, 2}}};
  after.decrement_ttl = true;
  EXPECT_THAT(diff_lines(before, after),
              ElementsAre("- peer 02:00:00:00:00:01", "+ peer 02:00:00:00:00:03", "~ decrement_ttl off -> on"));
  EXPECT_THAT(diff_lines(after, sample()),
              ElementsAre("- peer 02:00:00:00:00:03", "- peer 02:00:00:00:00:02", "~ decrement_ttl on -> off"));
}

TEST(DiffLines, NeverShowsASecret) {
  Config after = sample();
  after.secret = "new";
  EXPECT_THAT(diff_lines(sample(), after), ElementsAre("~ secret"));
}

std::size_t count_lines(const std::vector<std::string>& lines, char mark) {
  return static_cast<std::size_t>(
      std::count_if(lines.begin(), lines.end(), [mark](const std::string& line) { return line[0] == mark; }));
}

TEST(DiffLines, WhatComesOneWayGoesTheOther) {
  testing::RandomConfig random(7);
  for (int i = 0; i < 300; ++i) {
    Config a = random.make();
    Config b = random.make();
    for (Config* config : {&a, &b}) {
      config->secret.clear();
      if (!config->interfaces) config->interfaces.emplace();
    }
    const auto forth = diff_lines(a, b);
    const auto back = diff_lines(b, a);
    EXPECT_EQ(count_lines(forth, '-'), count_lines(back, '+'));
    EXPECT_EQ(count_lines(forth, '+'), count_lines(back, '-'));
    EXPECT_EQ(count_lines(forth, '~'), count_lines(back, '~'));
    EXPECT_THAT(diff_lines(a, a), IsEmpty());
  }
}

}  // namespace
}  // namespace xdplb
