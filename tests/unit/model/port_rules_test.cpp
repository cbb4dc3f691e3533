// SPDX-License-Identifier: GPL-2.0-only
#include "model/port_rules.h"

#include <gtest/gtest.h>

#include <string>

namespace xdplb {
namespace {

IpAddress ip(std::string_view text) { return IpAddress::parse(text).value(); }

// Servers s0, s1, ...
std::vector<ServerConfig> servers(unsigned count) {
  std::vector<ServerConfig> list;
  for (unsigned i = 0; i < count; ++i) {
    list.push_back({.name = "s" + std::to_string(i),
                    .address = IpAddress::v4(
                        {192, 0, static_cast<std::uint8_t>(2 + i / 250), static_cast<std::uint8_t>(1 + i % 250)})});
  }
  return list;
}

// What is wrong with `config` as the only port of cluster "web"; "" when nothing is.
std::string problem_of(const PortConfig& config) {
  const Config whole{.clusters = {{.name = "web", .addresses = {ip("198.51.100.10")}, .ports = {config}}}};
  const auto checked = validate(whole);
  if (checked) return "";
  EXPECT_EQ(checked.error().code, ErrorCode::kInvalidConfig);
  return checked.error().message;
}

TEST(PortRules, TimesAndMasksHaveRanges) {
  EXPECT_EQ(problem_of({.port = 443, .stale_timeout_s = 1}), "");
  EXPECT_EQ(problem_of({.port = 443, .stale_timeout_s = 43200}), "");
  EXPECT_EQ(problem_of({.port = 443, .stale_timeout_s = 0}), "port web/443: stale_timeout 0 is not in 1..43200");
  EXPECT_EQ(problem_of({.port = 443, .stale_timeout_s = 43201}),
            "port web/443: stale_timeout 43201 is not in 1..43200");
  EXPECT_EQ(problem_of({.port = 443, .sticky_s = 43200}), "");
  EXPECT_EQ(problem_of({.port = 443, .sticky_s = 43201}), "port web/443: sticky 43201 is not in 0..43200");
  EXPECT_EQ(problem_of({.port = 443, .sticky_mask_v4 = 1, .sticky_mask_v6 = 1}), "");
  EXPECT_EQ(problem_of({.port = 443, .sticky_mask_v4 = 0}), "port web/443: sticky_mask of IPv4 0 is not in 1..32");
  EXPECT_EQ(problem_of({.port = 443, .sticky_mask_v4 = 33}), "port web/443: sticky_mask of IPv4 33 is not in 1..32");
  EXPECT_EQ(problem_of({.port = 443, .sticky_mask_v6 = 0}), "port web/443: sticky_mask of IPv6 0 is not in 1..128");
  EXPECT_EQ(problem_of({.port = 443, .sticky_mask_v6 = 129}), "port web/443: sticky_mask of IPv6 129 is not in 1..128");
}

TEST(PortRules, ResetIsForTcp) {
  constexpr auto kUdp = Protocol::kUdp;
  EXPECT_EQ(problem_of({.port = 443, .on_stale = OnStale::kReset, .no_server = NoServer::kReset}), "");
  EXPECT_EQ(problem_of({.port = 53, .protocol = kUdp, .on_stale = OnStale::kDrop, .no_server = NoServer::kPass}), "");
  EXPECT_EQ(problem_of({.port = 53, .protocol = kUdp, .on_stale = OnStale::kReset}),
            "port web/53/udp: on_stale reset is for TCP, choose repick or drop");
  EXPECT_EQ(problem_of({.port = 53, .protocol = kUdp, .no_server = NoServer::kReset}),
            "port web/53/udp: no_server reset is for TCP, choose drop or pass");
}

TEST(PortRules, PicksOfUdpNeedItsTracking) {
  constexpr auto kUdp = Protocol::kUdp;
  for (const Pick pick : {Pick::kRoundRobin, Pick::kLeastConnections}) {
    EXPECT_EQ(problem_of({.port = 443, .pick = pick}), "");
    EXPECT_EQ(problem_of({.port = 53, .protocol = kUdp, .pick = pick, .udp_tracking = true}), "");
    EXPECT_EQ(problem_of({.port = 53, .protocol = kUdp, .pick = pick}),
              "port web/53/udp: pick " + std::string(pick_name(pick)) + " of UDP needs udp_tracking");
  }
  EXPECT_EQ(problem_of({.port = 53, .protocol = kUdp, .sticky_s = 60}), "");
  EXPECT_EQ(problem_of({.port = 443, .udp_tracking = true}), "port web/443: udp_tracking is for UDP");
}

TEST(PortRules, LeastConnectionsLooksAtFewServers) {
  EXPECT_EQ(problem_of({.port = 443, .pick = Pick::kLeastConnections, .servers = servers(256)}), "");
  EXPECT_EQ(problem_of({.port = 443, .pick = Pick::kRoundRobin, .servers = servers(257)}), "");
  EXPECT_EQ(problem_of({.port = 443, .pick = Pick::kLeastConnections, .servers = servers(257)}),
            "port web/443: it has 257 servers, with pick least-connections there may be 256");
}

// 443 shares the affinity of 80.
class Crossport : public testing::Test {
 protected:
  Crossport() {
    config_.clusters[0].ports = {{.port = 443, .sticky_s = 60, .crossport = 80, .servers = servers(2)},
                                 {.port = 80, .sticky_s = 60, .servers = servers(2)}};
  }
  PortConfig& follower() { return config_.clusters[0].ports[0]; }
  PortConfig& lead() { return config_.clusters[0].ports[1]; }
  std::string problem() const {
    const auto checked = validate(config_);
    return checked ? "" : checked.error().message;
  }
  // The problem of ports that differ.
  static std::string differs(const std::string& why) {
    return "port web/443: crossport 80 needs equal servers and sticky options in both, but " + why +
           ": change both in one `xdplb config apply`";
  }

  Config config_{.clusters = {{.name = "web", .addresses = {ip("198.51.100.10")}}}};
};

TEST_F(Crossport, EqualPortsShareWhateverTheOrderOfTheirServers) {
  EXPECT_EQ(problem(), "");
  std::swap(lead().servers[0], lead().servers[1]);
  EXPECT_EQ(problem(), "");
  lead().pick = Pick::kRoundRobin;
  EXPECT_EQ(problem(), "");
}

TEST_F(Crossport, NamesAPortOfTheSameProtocolWithoutOneOfItsOwn) {
  follower().crossport = 81;
  EXPECT_EQ(problem(), "port web/443: crossport 81: there is no port web/81");
  follower().crossport = 443;
  EXPECT_EQ(problem(), "port web/443: crossport names the port itself");
  follower().crossport = 80;
  lead().protocol = Protocol::kUdp;
  EXPECT_EQ(problem(), "port web/443: crossport 80: there is no port web/80");
  lead().protocol = Protocol::kTcp;
  lead().crossport = 443;
  EXPECT_EQ(problem(), "port web/443: crossport 80: port web/80 has crossport 443 itself, name that one");
}

TEST_F(Crossport, NeedsEqualStickyOptions) {
  follower().sticky_s = 61;
  EXPECT_EQ(problem(), differs("sticky is 61s in web/443 and 60s in web/80"));
  follower().sticky_s = lead().sticky_s = 0;
  EXPECT_EQ(problem(), differs("neither is sticky"));
  follower().sticky_s = lead().sticky_s = 1;
  EXPECT_EQ(problem(), "");
  lead().sticky_mask_v4 = 24;
  EXPECT_EQ(problem(), differs("sticky_mask is /32,/128 in web/443 and /24,/128 in web/80"));
  follower().sticky_mask_v4 = 24;
  follower().sticky_mask_v6 = 64;
  EXPECT_EQ(problem(), differs("sticky_mask is /24,/64 in web/443 and /24,/128 in web/80"));
}

TEST_F(Crossport, NeedsEqualServers) {
  lead().servers[1].name = "other";
  EXPECT_EQ(problem(), differs("server s1 is in web/443 only"));
  lead().servers[1].name = "s1";
  lead().servers.push_back({.name = "s2", .address = ip("192.0.2.99")});
  EXPECT_EQ(problem(), differs("server s2 is in web/80 only"));
  lead().servers.pop_back();

  const ServerConfig same = lead().servers[0];
  const auto differing = [&](const std::string& text) {
    return differs("server s0 is 192.0.2.1 weight 10 family any vlan keep in web/443 and " + text + " in web/80");
  };
  lead().servers[0].weight = 11;
  EXPECT_EQ(problem(), differing("192.0.2.1 weight 11 family any vlan keep"));
  lead().servers[0] = same;
  lead().servers[0].address = ip("192.0.2.98");
  EXPECT_EQ(problem(), differing("192.0.2.98 weight 10 family any vlan keep"));
  lead().servers[0] = same;
  lead().servers[0].family = Family::kV4;
  EXPECT_EQ(problem(), differing("192.0.2.1 weight 10 family v4 vlan keep"));
  lead().servers[0] = same;
  lead().servers[0].vlan = 0;
  EXPECT_EQ(problem(), differing("192.0.2.1 weight 10 family any vlan none"));
}

TEST_F(Crossport, LooksAtFewServers) {
  lead().servers = follower().servers = servers(256);
  EXPECT_EQ(problem(), "");
  lead().servers = follower().servers = servers(257);
  EXPECT_EQ(problem(), "port web/443: it has 257 servers, with crossport there may be 256");
}

}  // namespace
}  // namespace xdplb
