// SPDX-License-Identifier: GPL-2.0-only
// What validate() says of VIPAs, health and adapters of servers.
#include "model/config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace xdplb {
namespace {

IpAddress ip(std::string_view text) { return IpAddress::parse(text).value(); }

// A cluster with one server, and the VIPA of no cluster 192.0.2.7.
Config sample() {
  return Config{.clusters = {{.name = "web",
                              .addresses = {ip("192.0.2.10"), ip("2001:db8::10")},
                              .ports = {{.port = 80, .servers = {{.name = "s1", .address = ip("192.0.2.21")}}}}}},
                .vipas = {{.address = ip("192.0.2.7")}}};
}

std::string verdict_on(const Config& config) {
  const auto checked = validate(config);
  return checked ? "accepted" : checked.error().message;
}

std::string verdict_on(const VipaConfig& vipa) {
  Config config = sample();
  config.vipas[0] = vipa;
  return verdict_on(config);
}

std::string verdict_on(const HealthConfig& health) {
  Config config = sample();
  config.health = health;
  return verdict_on(config);
}

std::string verdict_on_server(const std::vector<std::string>& addresses) {
  Config config = sample();
  ServerConfig& server = config.clusters[0].ports[0].servers[0];
  server.address = ip(addresses.front());
  for (std::size_t i = 1; i < addresses.size(); ++i) server.further_addresses.push_back(ip(addresses[i]));
  return verdict_on(config);
}

VipaConfig with_list(std::vector<std::string> preferred) {
  return {.address = ip("192.0.2.7"), .preferred = std::move(preferred)};
}

TEST(ValidateVipas, AcceptsGoodOnes) {
  EXPECT_EQ(verdict_on(sample()), "accepted");
  EXPECT_EQ(verdict_on(with_list({"eth0", "192.0.2.5", "192.0.2.6"})), "accepted");
  EXPECT_EQ(verdict_on(VipaConfig{.address = ip("192.0.2.10")}), "accepted") << "options of a cluster's address";
  VipaConfig routed = with_list({});
  routed.proxy = "192.0.2.21";
  EXPECT_EQ(verdict_on(routed), "accepted");
  routed.proxy.reset();
  routed.is_local = true;
  EXPECT_EQ(verdict_on(routed), "accepted") << "a server that leaves the LAN to another";
}

TEST(ValidateVipas, RefusesAddressesThatCannotBeVipas) {
  EXPECT_EQ(verdict_on(VipaConfig{.address = ip("127.0.0.1")}),
            "vipa 127.0.0.1: it is a loopback address and cannot be a VIPA");
  EXPECT_EQ(verdict_on(VipaConfig{.address = ip("ff02::1")}),
            "vipa ff02::1: it is a multicast address and cannot be a VIPA");
  Config config = sample();
  config.vipas.push_back({.address = ip("192.0.2.7")});
  EXPECT_EQ(verdict_on(config), "vipa 192.0.2.7: defined twice");
  EXPECT_EQ(validate(config).error().code, ErrorCode::kConflict);
}

TEST(ValidateVipas, RefusesBadLists) {
  EXPECT_EQ(verdict_on(with_list({"eth0", "eth1", "eth0"})), "vipa 192.0.2.7: preferred: eth0 is listed twice");
  EXPECT_EQ(verdict_on(with_list({"192.0.2.5", "192.0.2.5"})), "vipa 192.0.2.7: preferred: 192.0.2.5 is listed twice");
  VipaConfig six{.address = ip("2001:db8::7"), .preferred = std::vector<std::string>{"2001:db8::5", "2001:DB8:0::5"}};
  EXPECT_EQ(verdict_on(six), "vipa 2001:db8::7: preferred: 2001:DB8:0::5 is listed twice");
  six.preferred = {"192.0.2.5"};
  EXPECT_EQ(verdict_on(six),
            "vipa 2001:db8::7: preferred: 192.0.2.5 is of the other family, name the interface instead");
  EXPECT_EQ(verdict_on(with_list({"192.0.2.7"})),
            "vipa 192.0.2.7: preferred: name an address of the interface's own, not the VIPA");
  EXPECT_EQ(verdict_on(with_list({"127.0.0.1"})),
            "vipa 192.0.2.7: preferred: 127.0.0.1 is a loopback address and cannot be an interface's");
  EXPECT_EQ(verdict_on(with_list({"192.0.2.300"})),
            "vipa 192.0.2.7: preferred: \"192.0.2.300\" is neither the name of an interface nor an address of one");
}

TEST(ValidateVipas, AListHasAtMost32Entries) {
  std::vector<std::string> entries;
  for (int i = 1; i <= 32; ++i) entries.push_back("eth" + std::to_string(i));
  EXPECT_EQ(verdict_on(with_list(entries)), "accepted");
  entries.emplace_back("eth33");
  EXPECT_EQ(verdict_on(with_list(entries)), "vipa 192.0.2.7: preferred: there are 33 entries, at most 32 are possible");
}

TEST(ValidateVipas, RefusesOptionsThatExcludeEachOther) {
  VipaConfig vipa = with_list({"eth0"});
  vipa.proxy = "s1";
  EXPECT_EQ(verdict_on(vipa),
            "vipa 192.0.2.7: proxy \"s1\" answers only where this host never does: make preferred none");
  vipa.preferred.reset();
  EXPECT_EQ(verdict_on(vipa),
            "vipa 192.0.2.7: proxy \"s1\" answers only where this host never does: make preferred none");
  vipa.preferred.emplace();
  vipa.proxy = "192.0.2.7";
  EXPECT_EQ(verdict_on(vipa), "vipa 192.0.2.7: proxy: name the server or an address of its own, not the VIPA");
  vipa.proxy = "a/b";
  EXPECT_EQ(verdict_on(vipa),
            "vipa 192.0.2.7: proxy: \"a/b\" is neither the name nor the path nor an address of a server");
  vipa.proxy.reset();
  vipa.is_backup = true;
  EXPECT_EQ(verdict_on(vipa),
            "vipa 192.0.2.7: backup is for a VIPA that this host may answer for, and preferred is none");
  EXPECT_EQ(verdict_on(VipaConfig{.address = ip("192.0.2.7"), .is_local = true}),
            "vipa 192.0.2.7: local needs preferred: the adapters that own it");
}

TEST(ValidateVipas, ChecksRanges) {
  const VipaConfig vipa = with_list({"eth0"});
  const auto with_times = [&](unsigned hold_s, unsigned refresh_s) {
    VipaConfig changed = vipa;
    changed.hold_s = hold_s;
    changed.refresh_s = refresh_s;
    return verdict_on(changed);
  };
  EXPECT_EQ(with_times(0, 0), "accepted");
  EXPECT_EQ(with_times(3600, 2), "accepted");
  EXPECT_EQ(with_times(3600, 3600), "accepted");
  EXPECT_EQ(with_times(3601, 0), "vipa 192.0.2.7: hold 3601 is not in 0..3600");
  EXPECT_EQ(with_times(0, 1), "vipa 192.0.2.7: refresh 1 is not in 2..3600");
  EXPECT_EQ(with_times(0, 3601), "vipa 192.0.2.7: refresh 3601 is not in 2..3600");
}

TEST(ValidateHealth, ChecksReachTargets) {
  HealthConfig health;
  for (int i = 100; i < 116; ++i) health.reach_targets.push_back(ip("192.0.2." + std::to_string(i)));
  EXPECT_EQ(verdict_on(health), "accepted");
  health.reach_targets.push_back(ip("2001:db8::1"));
  EXPECT_EQ(verdict_on(health), "health: reach_targets: there are 17, at most 16 are possible");
  const auto with_targets = [](std::vector<IpAddress> targets) {
    return verdict_on(HealthConfig{.reach_targets = std::move(targets)});
  };
  EXPECT_EQ(with_targets({ip("192.0.2.1"), ip("192.0.2.1")}), "health: reach_targets: 192.0.2.1 is listed twice");
  EXPECT_EQ(with_targets({ip("0.0.0.0")}),
            "health: reach_targets: 0.0.0.0 is the unspecified address and cannot be asked");
  const std::string is_vipa = " is a VIPA, name a machine that is always there";
  EXPECT_EQ(with_targets({ip("192.0.2.7")}), "health: reach_targets: 192.0.2.7" + is_vipa);
  EXPECT_EQ(with_targets({ip("2001:db8::10")}), "health: reach_targets: 2001:db8::10" + is_vipa);
  EXPECT_EQ(with_targets({ip("192.0.2.21")}), "accepted") << "a server may be asked";
}

TEST(ValidateHealth, ChecksRanges) {
  EXPECT_EQ(verdict_on(HealthConfig{.reach_interval_s = 1, .reach_missed = 1, .up_delay_s = 0}), "accepted");
  EXPECT_EQ(
      verdict_on(HealthConfig{.reach_interval_s = 60, .reach_missed = 10, .up_delay_s = 255, .down_delay_s = 255}),
      "accepted");
  EXPECT_EQ(verdict_on(HealthConfig{.reach_interval_s = 0}), "health: reach_interval 0 is not in 1..60");
  EXPECT_EQ(verdict_on(HealthConfig{.reach_interval_s = 61}), "health: reach_interval 61 is not in 1..60");
  EXPECT_EQ(verdict_on(HealthConfig{.reach_missed = 0}), "health: reach_missed 0 is not in 1..10");
  EXPECT_EQ(verdict_on(HealthConfig{.reach_missed = 11}), "health: reach_missed 11 is not in 1..10");
  EXPECT_EQ(verdict_on(HealthConfig{.up_delay_s = 256}), "health: up_delay 256 is not in 0..255");
  EXPECT_EQ(verdict_on(HealthConfig{.down_delay_s = 256}), "health: down_delay 256 is not in 0..255");
}

TEST(ValidateAdapters, EachAddressIsUniqueAndNoVipa) {
  EXPECT_EQ(verdict_on_server({"192.0.2.21", "192.0.2.22", "2001:db8::23"}), "accepted");
  EXPECT_EQ(verdict_on_server({"192.0.2.21", "192.0.2.22", "192.0.2.21"}),
            "server web/80/s1: address 192.0.2.21 is listed twice");
  EXPECT_EQ(verdict_on_server({"192.0.2.21", "192.0.2.10"}),
            "server web/80/s1: 192.0.2.10 is a VIPA of cluster web, give an address of the server's own");
  EXPECT_EQ(verdict_on_server({"192.0.2.21", "192.0.2.7"}),
            "server web/80/s1: 192.0.2.7 is a VIPA, give an address of the server's own");
  EXPECT_EQ(verdict_on_server({"192.0.2.7"}),
            "server web/80/s1: 192.0.2.7 is a VIPA, give an address of the server's own");
  EXPECT_EQ(verdict_on_server({"192.0.2.21", "127.0.0.1"}),
            "server web/80/s1: 127.0.0.1 is a loopback address and cannot be a server's");
  Config config = sample();
  config.clusters[0].ports[0].servers.push_back(
      {.name = "s2", .address = ip("192.0.2.22"), .further_addresses = {ip("192.0.2.21")}});
  EXPECT_EQ(verdict_on(config), "server web/80/s2: address 192.0.2.21 already belongs to server s1");
}

TEST(ValidateAdapters, AServerHasAtMost32) {
  std::vector<std::string> addresses;
  for (int i = 100; i < 132; ++i) addresses.push_back("192.0.2." + std::to_string(i));
  EXPECT_EQ(verdict_on_server(addresses), "accepted");
  addresses.emplace_back("192.0.2.132");
  EXPECT_EQ(verdict_on_server(addresses), "server web/80/s1: it has 33 addresses, at most 32 are possible");
}

TEST(ValidateAdapters, PortsThatShareClientsHaveEqualOnes) {
  Config config = sample();
  PortConfig& lead = config.clusters[0].ports[0];
  lead.sticky_s = 60;
  PortConfig follower = lead;
  follower.port = 443;
  follower.crossport = 80;
  follower.servers[0].further_addresses = {ip("192.0.2.22")};
  config.clusters[0].ports.push_back(follower);
  EXPECT_THAT(verdict_on(config), ::testing::HasSubstr("server s1 is 192.0.2.21,192.0.2.22 weight 10 family any vlan "
                                                       "keep in web/443 and 192.0.2.21 weight 10"));
  config.clusters[0].ports[0].servers = follower.servers;
  EXPECT_EQ(verdict_on(config), "accepted");
}

}  // namespace
}  // namespace xdplb
