// SPDX-License-Identifier: GPL-2.0-only
// One cluster of both families with a port, and servers that are resolved as a test says.
#pragma once

#include "model/plan.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

namespace xdplb {

inline constexpr Capacity kCapacity{.servers = 4096, .rows = 16 * kMaxRows};
inline constexpr std::string_view kSecret = "not so secret";
inline constexpr std::uint32_t kEth0 = 3;
inline constexpr std::uint32_t kEth1 = 4;

inline IpAddress server_address(int number) { return IpAddress::v4({192, 0, 2, static_cast<std::uint8_t>(number)}); }

inline ServerConfig server(int number, unsigned weight = 10) {
  return {.name = fmt::format("s{}", number), .address = server_address(number), .weight = weight, .family = {}};
}

inline const PortPath kWeb{.cluster = "web", .port = 80, .protocol = Protocol::kTcp};

class PlanTest : public testing::Test {
 protected:
  PlanTest() {
    config.clusters.push_back(
        {.name = "web",
         .addresses = {IpAddress::v4({198, 51, 100, 10}), IpAddress::parse("2001:db8::10").value()},
         .ports = {{.port = 80, .protocol = Protocol::kTcp, .servers = {}}}});
    host.interfaces = {kEth0, kEth1};
  }

  std::vector<ServerConfig>& servers() { return config.clusters[0].ports[0].servers; }
  void resolve(int number, std::uint32_t ifindex = kEth0) {
    host.targets[server_address(number)] = {.mac = {{2, 0, 0, 0, 0, static_cast<std::uint8_t>(number)}},
                                            .ifindex = ifindex};
  }
  void add(int number, unsigned weight = 10) {
    servers().push_back(server(number, weight));
    resolve(number);
  }
  const PlannedPort& replan() {
    auto next = make_plan(plan, config, host, kSecret);
    EXPECT_TRUE(next) << (next ? "" : next.error().message);
    plan = std::move(*next);
    return web();
  }
  const PlannedPort& web() const { return *plan.find(kWeb); }
  static std::uint16_t index_of(const PlannedPort& port, const std::string& name) {
    for (const auto& one : port.servers)
      if (one.config.name == name) return one.index;
    return 0;
  }
  static long rows_of(const PlannedPort& port, std::uint16_t index, Family family = Family::kV4) {
    const auto& owners = port.rows_of(family)->table.owners;
    return std::count(owners.begin(), owners.end(), index);
  }

  Config config;
  Surroundings host;
  Plan plan{kCapacity};
};

}  // namespace xdplb
