// SPDX-License-Identifier: GPL-2.0-only
// From the client to its row to its server.
#include "model/rows.h"
#include "golden_cases.h"
#include "model/client_hash.h"
#include "support/prog_run.h"

#include "xdplb/maps.h"

#include <linux/bpf.h>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <random>
#include <vector>

namespace xdplb::test {
namespace {

class Rows : public ProgRun {
 protected:
  DataplaneSetup with_ports(std::vector<PortSetup> ports, std::uint16_t servers) const {
    DataplaneSetup setup;
    setup.clusters.push_back({.addresses = {kWeb4, kWeb6}, .ports = std::move(ports)});
    for (std::uint16_t i = 1; i <= servers; ++i) setup.servers[i] = {.mac = server_mac(i), .egress = 1};
    setup.egresses[1] = {.mac = kIngressMac, .ifindex = interfaces_.ingress};
    return setup;
  }

  // Server by the MAC the frame leaves with, 0 when it does not leave. Cheaper than the counters.
  std::uint32_t server_of(const Endpoint& client, std::uint16_t port) {
    const Packet headers = client.address.is_v4() ? kIn / Ipv4{.source = client.address, .destination = kWeb4}
                                                  : kIn / Ipv6{.source = client.address, .destination = kWeb6};
    const Observation seen =
        program_.dispatch(headers / Tcp{.source_port = client.port, .destination_port = port, .flags = kSyn});
    return seen.verdict == XDP_TX ? seen.frame[4] * 256U + seen.frame[5] : 0;
  }

  // The row that the program picks, read from two ports of the same seeds: servers alone are too few to name a row.
  std::uint32_t row_of(const Endpoint& client) {
    return (server_of(client, kHighPort) - 1) * 256 + server_of(client, kLowPort) - 1;
  }

  void install_rows(const HashSeeds& seeds, std::uint32_t mask, const ClientMask& clients = {}) {
    std::vector<std::uint32_t> high;
    std::vector<std::uint32_t> low;
    for (std::uint32_t row = 0; row <= mask; ++row) {
      high.push_back(settled_row(row / 256 + 1));
      low.push_back(settled_row(row % 256 + 1));
    }
    program_.install(with_ports({{.port = kHighPort, .seeds = seeds, .rows = high, .mask = clients},
                                 {.port = kLowPort, .seeds = seeds, .rows = low, .mask = clients}},
                                256));
  }

  static constexpr std::uint16_t kHighPort = 1;
  static constexpr std::uint16_t kLowPort = 2;
};

IpAddress random_address(Family family, std::mt19937_64& random) {
  std::array<std::uint8_t, 16> bytes{};
  for (auto& byte : bytes) byte = static_cast<std::uint8_t>(random());
  if (family == Family::kV6) return IpAddress::v6(bytes);
  return IpAddress::v4({bytes[0], bytes[1], bytes[2], bytes[3]});
}

std::vector<Endpoint> some_clients(std::mt19937_64& random) {
  std::vector<Endpoint> clients;
  for (const char* text : {"0.0.0.0", "255.255.255.255", "::", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "::1",
                           "ffff:ffff:ffff:ffff::", "0:0:0:1::", "1.0.0.0"}) {
    for (const std::uint16_t port : std::initializer_list<std::uint16_t>{0, 1, 0x100, 65535}) {
      clients.push_back({.address = ip(text), .port = port});
    }
  }
  for (int i = 0; i < 40; ++i) {
    const Family family = i % 2 == 0 ? Family::kV4 : Family::kV6;
    clients.push_back({.address = random_address(family, random), .port = static_cast<std::uint16_t>(random())});
  }
  return clients;
}

TEST_F(Rows, ProgramAndModelPickTheSameRow) {
  std::mt19937_64 random(7);
  const std::uint64_t ones = ~std::uint64_t{0};
  const std::vector<HashSeeds> seed_sets{{0, 0, 0},
                                         {ones, ones, ones},
                                         {1, 2, 3},
                                         {random(), random(), random()},
                                         {random(), random(), random()},
                                         {random(), random(), random()}};
  for (const HashSeeds& seeds : seed_sets) {
    for (const std::uint32_t mask : {0U, 1U, 15U, 31U, 1023U, 4095U, 65535U}) {
      install_rows(seeds, mask);
      for (const Endpoint& client : some_clients(random)) {
        ASSERT_EQ(row_of(client), client_row(client, seeds, mask)) << fmt::format(
            "client {}, seeds {:#x} {:#x} {:#x}, mask {:#x}", client.to_string(), seeds[0], seeds[1], seeds[2], mask);
      }
    }
  }
}

TEST_F(Rows, TheSeedsOfAPortDecideItsRows) {
  std::mt19937_64 random(8);
  const HashSeeds seeds{random(), random(), random()};
  for (const std::size_t changed : {0U, 1U, 2U}) {
    HashSeeds others = seeds;
    others[changed] = random();
    install_rows(others, 1023);
    int moved = 0;
    for (int i = 0; i < 100; ++i) {
      const Endpoint client{.address = random_address(Family::kV6, random),
                            .port = static_cast<std::uint16_t>(random())};
      moved += row_of(client) != client_row(client, seeds, 1023) ? 1 : 0;
    }
    EXPECT_GT(moved, 90) << "seed " << changed;
  }
}

TEST_F(Rows, AllPacketsOfAFlowMeetOneServer) {
  std::mt19937_64 random(9);
  install_rows({random(), random(), random()}, 65535);
  for (const Endpoint& client : some_clients(random)) {
    const std::uint32_t server = server_of(client, kLowPort);
    EXPECT_NE(server, 0U);
    for (int i = 0; i < 3; ++i) EXPECT_EQ(server_of(client, kLowPort), server);
  }
}

TEST_F(Rows, WhatTheMaskTakesAwayDoesNotChangeTheRow) {
  std::mt19937_64 random(11);
  const HashSeeds seeds{random(), random(), random() | 1};
  std::vector<ClientMask> masks;
  for (const std::uint8_t bits : std::initializer_list<std::uint8_t>{1, 8, 24, 31, 32})
    masks.push_back({.v4_bits = bits, .has_port = false});
  for (const std::uint8_t bits : std::initializer_list<std::uint8_t>{1, 32, 63, 64, 65, 96, 127, 128})
    masks.push_back({.v6_bits = bits, .has_port = false});
  masks.push_back({.has_port = true});
  for (const ClientMask& mask : masks) {
    install_rows(seeds, 1023, mask);
    for (const Endpoint& client : some_clients(random)) {
      ASSERT_EQ(row_of(client), masked_row(client, seeds, mask, 1023))
          << fmt::format("client {}, /{} /{}", client.to_string(), mask.v4_bits, mask.v6_bits);
    }
  }
  // The whole client is what the model of user space hashes.
  const Endpoint whole{.address = kClient6, .port = 40000};
  EXPECT_EQ(masked_row(whole, seeds, {}, 65535), client_row(whole, seeds, 65535));
}

TEST_F(Rows, TheHighestServerIsReachedAndCounted) {
  const std::uint16_t last = XDPLB_MAX_SERVERS - 1;
  DataplaneSetup setup = with_ports({{.port = 80, .rows = {moving_row(1, last)}}}, 1);
  setup.servers[last] = {.mac = server_mac(last), .egress = 1};
  program_.install(setup);
  const Frame frame = kIn / from_client(kWeb4) / Tcp{.destination_port = 80, .flags = kSyn};
  const Journey expected = expected_journey(setup, frame, interfaces_.ingress);
  EXPECT_EQ(expected.server, last);
  EXPECT_TRUE(same_journey(expected, program_.run(frame)));
}

TEST_F(Rows, TheLastSliceOfTheMapIsReached) {
  DataplaneSetup setup = with_ports({{.port = 80, .rows = {settled_row(2)}}}, 2);
  setup.first_row = XDPLB_MAX_ROWS - 2;
  program_.install(setup);
  EXPECT_EQ(server_of({.address = kClient4, .port = 1}, 80), 2U);
  EXPECT_EQ(server_of({.address = kClient6, .port = 1}, 80), 2U);
}

TEST_F(Rows, ASliceBeyondTheLastRowStaysWithinTheTable) {
  // Rows are found by a masked index: no line, however wrong, leads out of them.
  program_.install(with_ports({}, 2));
  xdplb_port line{};
  line.key = make_key(kWeb4, kTcp, 80);
  line.first_row = XDPLB_MAX_ROWS + 7;
  program_.write_line(slots_of(line.key, make_selector(0, Program::kSeed))[0], line);
  program_.write_row(7, settled_row(2));
  EXPECT_EQ(server_of({.address = kClient4, .port = 1}, 80), 2U);
}

TEST_F(Rows, AChangedServerIsSeenByTheNextPacket) {
  program_.install(with_ports({{.port = 80, .rows = {settled_row(1)}}}, 1));
  const Endpoint client{.address = kClient4, .port = 1};
  EXPECT_EQ(server_of(client, 80), 1U);
  program_.write_server(1, {.mac = server_mac(777), .egress = 1});
  EXPECT_EQ(server_of(client, 80), 777U);
  program_.write_server(1, {});
  EXPECT_EQ(server_of(client, 80), 0U);
}

// Weights 10:5:1 over 100,000 new flows, from the row table of the model through the real program.
void expect_shares(const std::vector<RowServer>& servers, const std::vector<std::uint64_t>& flows) {
  double weights = 0;
  double total = 0;
  for (const RowServer& server : servers) weights += server.weight;
  for (const std::uint64_t count : flows) total += static_cast<double>(count);
  for (const RowServer& server : servers) {
    const double fair = total * server.weight / weights;
    // The hash throws flows as dice do: two percent, and three standard deviations of the dice.
    const double noise = 3 * std::sqrt(fair * (1 - server.weight / weights));
    EXPECT_NEAR(static_cast<double>(flows[server.index]), fair, 0.02 * fair + noise) << server.name;
    EXPECT_NEAR(static_cast<double>(flows[server.index]) / total, fair / total, 0.02) << server.name;
  }
}

TEST_F(Rows, FlowsAreSharedByWeight) {
  const std::vector<RowServer> servers{{.name = "s1", .index = 1, .weight = 10},
                                       {.name = "s2", .index = 2, .weight = 5},
                                       {.name = "s3", .index = 3, .weight = 1},
                                       {.name = "s4", .index = 4, .weight = 0}};
  PortSetup port{.port = 80, .seeds = derive_seeds("a secret", "web/80")};
  for (const std::uint16_t owner : fill_rows(servers, rows_for(servers.size())).owners) {
    port.rows.push_back(settled_row(owner));
  }
  program_.install(with_ports({port}, 4));
  std::mt19937_64 random(10);
  for (const Family family : {Family::kV4, Family::kV6}) {
    SCOPED_TRACE(family_name(family));
    std::vector<std::uint64_t> flows(servers.size() + 1);
    for (int i = 0; i < 100'000; ++i) {
      ++flows.at(
          server_of({.address = random_address(family, random), .port = static_cast<std::uint16_t>(random())}, 80));
    }
    EXPECT_EQ(flows[0], 0U);
    EXPECT_EQ(flows[4], 0U);
    expect_shares(servers, flows);
  }
  const Totals totals = program_.totals();
  EXPECT_EQ(totals.servers[1].new_flows + totals.servers[2].new_flows + totals.servers[3].new_flows, 200'000U);
}

}  // namespace
}  // namespace xdplb::test
