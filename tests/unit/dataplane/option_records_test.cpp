// SPDX-License-Identifier: GPL-2.0-only
#include "dataplane/option_records.h"

#include <gtest/gtest.h>

namespace xdplb {
namespace {

constexpr TickLength kTick{.hz = 256, .shift = 8};

PlannedPort port_with(const PortConfig& config) {
  PlannedPort port;
  port.config = config;
  port.path = {.cluster = "web", .port = config.port, .protocol = config.protocol};
  return port;
}

TEST(OptionRecords, APortWithoutOptionsAsksForNothing) {
  const auto options = port_options(port_with({.port = 80}), Family::kV4, kTick);
  EXPECT_EQ(options.flags, 0U);
  EXPECT_EQ(options.pick, XDPLB_PICK_HASH);
  EXPECT_EQ(options.stale_ticks, 300U);
  EXPECT_EQ(options.affinity, 0U);
  EXPECT_EQ(options.member_count, 0U);
}

TEST(OptionRecords, EveryOptionOfAPortHasItsField) {
  auto port = port_with({.port = 80,
                         .pick = Pick::kLeastConnections,
                         .stale_timeout_s = 60,
                         .on_stale = OnStale::kReset,
                         .sticky_s = 30,
                         .new_flow_limit = 1000});
  port.no_server = {NoServer::kDrop, NoServer::kPass};
  port.is_shared = true;
  port.affinity = {7, 8};
  port.members[1] = {.first_row = 2048, .slice = 1024, .words = {1, 2, 3}};
  const auto options = port_options(port, Family::kV6, kTick);
  EXPECT_EQ(options.flags, XDPLB_OPTION_TRACKED | XDPLB_OPTION_SHARED);
  EXPECT_EQ(options.pick, XDPLB_PICK_LEAST_CONNECTIONS);
  EXPECT_EQ(options.on_stale, XDPLB_STALE_RESET);
  EXPECT_EQ(options.no_server, XDPLB_NO_SERVER_PASS);
  EXPECT_EQ(options.affinity, 8U);
  EXPECT_EQ(options.stale_ticks, 60U);
  EXPECT_EQ(options.first_member, 2048U);
  EXPECT_EQ(options.member_count, 3U);
  EXPECT_EQ(options.new_flow_limit, 1000U);
  EXPECT_EQ(port_options(port, Family::kV4, kTick).member_count, 0U);
}

TEST(OptionRecords, UdpIsTrackedWhenItAsksForIt) {
  EXPECT_EQ(port_options(port_with({.port = 53, .protocol = Protocol::kUdp}), Family::kV4, kTick).flags, 0U);
  const PortConfig tracked{.port = 53, .protocol = Protocol::kUdp, .udp_tracking = true};
  EXPECT_EQ(port_options(port_with(tracked), Family::kV4, kTick).flags, XDPLB_OPTION_TRACKED);
}

TEST(OptionRecords, AClusterIsAliveWhileAServerOfTheFamilyIsUp) {
  auto port = port_with({.port = 0});
  port.servers.push_back({.config = {.name = "s1", .address = IpAddress::v4({192, 0, 2, 21}), .family = Family::kV6},
                          .index = 1,
                          .target = ServerTarget{.mac = {{2, 0, 0, 0, 0, 1}}, .ifindex = 1}});
  PlannedCluster cluster;
  cluster.echo = Echo::kDispatcher;
  cluster.ports.emplace(port.path, std::make_shared<PlannedPort>(port));
  EXPECT_EQ(cluster_options(cluster, Family::kV4).flags, XDPLB_OPTION_WILDCARD_TCP);
  EXPECT_EQ(cluster_options(cluster, Family::kV6).flags, XDPLB_OPTION_WILDCARD_TCP | XDPLB_OPTION_ALIVE);
  EXPECT_EQ(cluster_options(cluster, Family::kV6).echo, XDPLB_ECHO_DISPATCHER);
  port.servers[0].target.reset();
  cluster.ports.begin()->second = std::make_shared<PlannedPort>(port);
  EXPECT_EQ(cluster_options(cluster, Family::kV6).flags, XDPLB_OPTION_WILDCARD_TCP);
}

}  // namespace
}  // namespace xdplb
