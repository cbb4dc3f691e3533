// SPDX-License-Identifier: GPL-2.0-only
#include "dataplane/port_table.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <netinet/in.h>

#include <cstring>
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
  return make_plan(Plan({.servers = 16, .rows = kMaxRows}), config, {}, "secret").value();
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
    EXPECT_EQ(line.wildcards, XDPLB_WILDCARD_UDP);
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

}  // namespace
}  // namespace xdplb
