// SPDX-License-Identifier: GPL-2.0-only
#include "dataplane/port_table.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <netinet/in.h>

#include <algorithm>
#include <cstring>
#include <optional>
#include <set>

namespace xdplb {
namespace {

IpAddress numbered(std::uint32_t number) {
  return IpAddress::v4({10, static_cast<std::uint8_t>(number >> 16), static_cast<std::uint8_t>(number >> 8),
                        static_cast<std::uint8_t>(number)});
}

Plan plan_of(std::uint32_t clusters, std::uint16_t ports) {
  Config config;
  for (std::uint32_t number = 0; number < clusters; ++number) {
    ClusterConfig cluster{.name = "c" + std::to_string(number), .addresses = {numbered(number)}, .ports = {}};
    for (std::uint16_t port = 0; port < ports; ++port)
      cluster.ports.push_back({.port = port, .protocol = Protocol::kTcp, .servers = {}});
    config.clusters.push_back(std::move(cluster));
  }
  return make_plan(Plan({.servers = 16, .rows = kMaxRows, .options = 65536}), config, {}, "secret").value();
}

bool is_same(const xdplb_port_key& a, const xdplb_port_key& b) { return std::memcmp(&a, &b, sizeof(a)) == 0; }

TEST(PortTable, MakesALineForEachPortAndOneForTheAddress) {
  Config config;
  config.clusters.push_back(
      {.name = "web",
       .addresses = {IpAddress::parse("192.0.2.10").value(), IpAddress::parse("2001:db8::10").value()},
       .ports = {{.port = 443, .protocol = Protocol::kTcp, .servers = {}},
                 {.port = 0, .protocol = Protocol::kUdp, .servers = {}}}});
  const auto plan = make_plan(Plan({.servers = 16, .rows = kMaxRows}), config, {}, "secret").value();
  const auto lines = port_lines(plan);
  ASSERT_EQ(lines.size(), 6U);
  std::size_t alone = 0;
  for (const auto& line : lines) {
    EXPECT_TRUE(line.key.family == 4 || line.key.family == 6);
    EXPECT_EQ(line.row_mask, 0U);
    if (line.key.protocol != 0) continue;
    ++alone;
    EXPECT_EQ(line.options, plan.clusters.at("web").options_of(line.key.family == 4 ? Family::kV4 : Family::kV6));
    EXPECT_EQ(line.key.port, 0);
  }
  EXPECT_EQ(alone, 2U);
}

TEST(PortTable, KeysAreInNetworkOrder) {
  Config config;
  config.clusters.push_back({.name = "web",
                             .addresses = {IpAddress::parse("192.0.2.10").value()},
                             .ports = {{.port = 443, .protocol = Protocol::kTcp, .servers = {}}}});
  const auto lines = port_lines(make_plan(Plan({.servers = 16, .rows = kMaxRows}), config, {}, "secret").value());
  const auto line = std::find_if(lines.begin(), lines.end(), [](const auto& one) { return one.key.protocol != 0; });
  ASSERT_NE(line, lines.end());
  EXPECT_EQ(line->key.port, htons(443));
  EXPECT_EQ(line->key.address[0], htonl(0xc000020a));
  EXPECT_EQ(line->key.protocol, IPPROTO_TCP);
}

TEST(PortTable, EveryLineLiesInOneOfItsTwoSlotsAndOnlyOnce) {
  const auto lines = port_lines(plan_of(1500, 4));
  const auto placed = place_ports(lines, 0);
  ASSERT_TRUE(placed);
  EXPECT_EQ(placed->selector & 1, 1U);
  std::set<std::uint32_t> seen;
  for (std::uint32_t slot = 0; slot < placed->line_of_slot.size(); ++slot) {
    const auto number = placed->line_of_slot[slot];
    if (number == 0) continue;
    EXPECT_TRUE(seen.insert(number).second);
    const auto [first, second] = slots_of(lines[number - 1].key, placed->selector);
    EXPECT_TRUE(slot == first || slot == second);
  }
  EXPECT_EQ(seen.size(), lines.size());
}

TEST(PortTable, MostLinesOfASmallSetLieInTheSlotThatIsReadFirst) {
  const auto lines = port_lines(plan_of(1000, 1));
  const auto placed = place_ports(lines, 0).value();
  std::size_t first_slot = 0;
  for (std::uint32_t line = 0; line < lines.size(); ++line)
    if (placed.line_of_slot[slots_of(lines[line].key, placed.selector).first] == line + 1) ++first_slot;
  EXPECT_GT(first_slot, lines.size() * 9 / 10);
}

TEST(PortTable, IsTheSameForEqualLines) {
  const auto lines = port_lines(plan_of(100, 3));
  EXPECT_EQ(place_ports(lines, 0)->line_of_slot, place_ports(lines, 0)->line_of_slot);
}

TEST(PortTable, TooManyLinesAreRefusedWithTheirNumber) {
  const auto lines = port_lines(plan_of(9000, 4));
  ASSERT_GT(lines.size(), static_cast<std::size_t>(XDPLB_PORT_SLOTS));
  const auto placed = place_ports(lines, 0);
  ASSERT_FALSE(placed);
  EXPECT_THAT(placed.error().message, testing::HasSubstr("45000"));
}

TEST(PortTable, LinesAreSortedByKeyAndUnique) {
  const auto lines = port_lines(plan_of(50, 2));
  for (std::size_t i = 1; i < lines.size(); ++i) EXPECT_FALSE(is_same(lines[i - 1].key, lines[i].key));
}

// A cluster with servers, as a test has set it up.
class LinesTest : public testing::Test {
 protected:
  LinesTest() {
    config.clusters.push_back({.name = "web",
                               .addresses = {IpAddress::parse("192.0.2.10").value()},
                               .ports = {{.port = 80, .servers = {server()}}, {.port = 443, .servers = {server()}}}});
  }
  static ServerConfig server() { return {.name = "s1", .address = IpAddress::parse("192.0.2.21").value()}; }
  ClusterConfig& cluster() { return config.clusters[0]; }
  PortConfig& port(std::size_t number) { return cluster().ports[number]; }
  void make_sticky() {
    for (auto& one : cluster().ports) {
      one.sticky_s = 60;
      one.sticky_mask_v4 = 24;
    }
  }
  std::vector<xdplb_port> lines() {
    const Surroundings host{.targets = {{server().address, {.mac = {{2, 0, 0, 0, 0, 1}}, .ifindex = 1}}},
                            .interfaces = {1}};
    plan = make_plan(Plan({.servers = 16, .rows = kMaxRows}), config, host, "secret").value();
    return port_lines(plan);
  }
  // nullopt when there is no such line.
  std::optional<xdplb_port> line(std::uint16_t number, int protocol = IPPROTO_TCP) {
    for (const auto& one : lines())
      if (one.key.port == htons(number) && one.key.protocol == protocol) return one;
    return std::nullopt;
  }
  std::optional<xdplb_port> fragments() { return line(0, XDPLB_PROTOCOL_FRAGMENTS + IPPROTO_TCP); }
  const PlannedPort& planned(std::uint16_t number) const {
    return *plan.find({.cluster = "web", .port = number, .protocol = Protocol::kTcp});
  }

  Config config;
  Plan plan{{.servers = 16, .rows = kMaxRows}};
};

TEST_F(LinesTest, AttentionSaysWhichPacketsAreLookedAt) {
  EXPECT_EQ(line(80)->attention, 0);
  port(0).sticky_s = 60;
  EXPECT_EQ(line(80)->attention, XDPLB_ATTENTION_SYN | XDPLB_ATTENTION_PART);
  port(0).pick = Pick::kRoundRobin;
  EXPECT_EQ(line(80)->attention, XDPLB_ATTENTION_ALWAYS | XDPLB_ATTENTION_PART);
  port(0).sticky_s = 0;
  EXPECT_EQ(line(80)->attention, XDPLB_ATTENTION_ALWAYS);
  config.peers = {MacAddress{{2, 0, 0, 0, 0, 9}}};
  EXPECT_EQ(line(80)->attention, XDPLB_ATTENTION_ALWAYS | XDPLB_ATTENTION_PEERS);
}

TEST_F(LinesTest, StickyPortsHashWhatTheMaskLeaves) {
  EXPECT_EQ(line(80)->port_shift, 0);
  make_sticky();
  const auto sticky = line(80);
  EXPECT_EQ(sticky->client_shift, 8);
  EXPECT_EQ(sticky->low_kept, 1);
  EXPECT_EQ(sticky->port_shift, 16);
  EXPECT_EQ(sticky->options, planned(80).options_of(Family::kV4));
}

TEST_F(LinesTest, EchoFollowsTheRowsOfTheFirstPortThatHasAServer) {
  port(0).servers.clear();
  const auto alone = line(0, 0);
  EXPECT_EQ(alone->first_row, planned(443).rows_of(Family::kV4)->first_row);
  EXPECT_EQ(alone->row_mask, 1023U);
  EXPECT_EQ(alone->port_shift, 16);
  cluster().echo = Echo::kDispatcher;
  EXPECT_EQ(line(0, 0)->row_mask, 0U);
}

TEST_F(LinesTest, FragmentsHaveALineWhenAllPortsShareTheirAffinity) {
  EXPECT_FALSE(fragments());
  make_sticky();
  EXPECT_FALSE(fragments());  // two affinities: two owners of one client
  port(1).crossport = 80;
  const auto shared = fragments();
  ASSERT_TRUE(shared);
  EXPECT_EQ(shared->first_row, planned(80).rows_of(Family::kV4)->first_row);
  port(0).pick = port(1).pick = Pick::kLeastConnections;
  EXPECT_FALSE(fragments());  // not the row picks
  port(0).pick = port(1).pick = Pick::kHash;
  cluster().ports.pop_back();
  EXPECT_TRUE(fragments());
}

TEST_F(LinesTest, ANetworkHasLinesUnderItsLength) {
  cluster().prefixes = {{.address = IpAddress::parse("198.51.100.0").value(), .length = 24}};
  std::size_t found = 0;
  for (const auto& one : lines()) {
    if ((one.key.family & XDPLB_FAMILY_PREFIX) == 0) continue;
    ++found;
    EXPECT_EQ(one.key.family, 4 + XDPLB_FAMILY_PREFIX);
    EXPECT_EQ(one.key.prefix_bits, 24U);
    EXPECT_EQ(one.key.address[0], htonl(0xc6336400));
  }
  EXPECT_EQ(found, 3U);
  const auto key = prefix_key(cluster().prefixes[0]);
  EXPECT_EQ(key.bits, 56U);
  EXPECT_EQ(key.family, htonl(4));
}

}  // namespace
}  // namespace xdplb
