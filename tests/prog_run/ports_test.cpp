// SPDX-License-Identifier: GPL-2.0-only
// How a destination finds its line of `ports`: halves, seeds, the two slots of a key, wildcards.
#include "golden_cases.h"
#include "support/prog_run.h"

#include "xdplb/maps.h"

#include <linux/bpf.h>

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <string>
#include <vector>

namespace xdplb::test {
namespace {

constexpr std::uint64_t kOtherSeed = 0xd6e8feb86659fd93;
constexpr std::uint32_t kSecondRows = 64;  // first row of the rows of a second setup
constexpr std::uint32_t kLineRow = 4096;   // of the lines that a test writes by hand

const std::uint64_t kSelector = make_selector(0, Program::kSeed);  // of a half that no setup gave another

class Ports : public ProgRun {
 protected:
  void SetUp() override { program_.install(base_); }

  // Server that a TCP packet to `port` of `address` reaches, 0 and the outcome in `last_` for none.
  std::uint16_t server_of(const IpAddress& address, std::uint16_t port) {
    const Observation seen = program_.run(kIn / from_client(address) / Tcp{.destination_port = port});
    last_ = seen.outcomes.empty() ? XDPLB_OUTCOME_FORWARDED : seen.outcomes.begin()->first;
    return seen.servers.empty() ? std::uint16_t{0} : seen.servers.begin()->first;
  }

  DataplaneSetup with_port(std::uint16_t port, std::uint16_t server) const {
    DataplaneSetup setup = base_;
    setup.clusters = {{.addresses = {kWeb4, kWeb6}, .ports = {{.port = port, .rows = {settled_row(server)}}}}};
    return setup;
  }

  // A line that sends to server 1; its row is kLineRow.
  xdplb_port line_of(const xdplb_port_key& key) {
    program_.write_rows({.first_row = kLineRow, .rows = {settled_row(1)}});
    xdplb_port line{};
    line.key = key;
    line.first_row = kLineRow;
    line.low_kept = 1;
    return line;
  }

  std::string last_outcome() const { return std::string(outcome_name(last_)); }

  const DataplaneSetup base_{.clusters = {},
                             .servers = {{1, {.mac = server_mac(1), .egress = 1}},
                                         {2, {.mac = server_mac(2), .egress = 1}},
                                         {9, {.mac = server_mac(9), .egress = 1}}},
                             .egresses = {{1, {.mac = kIngressMac, .ifindex = interfaces_.ingress}}}};
  int last_ = 0;
};

TEST_F(Ports, OneStorePublishesTheOtherHalf) {
  program_.install(with_port(443, 1), 0);
  DataplaneSetup second = with_port(443, 2);
  second.clusters[0].ports.push_back({.port = 8443, .rows = {settled_row(9)}});
  second.first_row = kSecondRows;
  program_.install(second, 1, kOtherSeed);
  for (const IpAddress& address : {kWeb4, kWeb6}) {
    program_.publish(0);
    EXPECT_EQ(server_of(address, 443), 1);
    EXPECT_EQ(server_of(address, 8443), 0);
    EXPECT_EQ(last_outcome(), "no_port");
    program_.publish(1);
    EXPECT_EQ(server_of(address, 443), 2);
    EXPECT_EQ(server_of(address, 8443), 9);
  }
}

TEST_F(Ports, AnEmptyHalfKnowsNoVipa) {
  program_.install(with_port(443, 1), 0);
  program_.install(base_, 1);
  EXPECT_EQ(server_of(kWeb4, 443), 0);
  EXPECT_EQ(last_outcome(), "not_for_vipa");
}

TEST_F(Ports, EachHalfIsPlacedByItsOwnSeed) {
  for (const std::uint64_t seed : {Program::kSeed, kOtherSeed}) {
    for (const std::uint32_t half : {0U, 1U}) {
      program_.install(with_port(443, 2), half, seed);
      EXPECT_EQ(server_of(kWeb4, 443), 2);
      EXPECT_EQ(server_of(kWeb6, 443), 2);
    }
  }
  // The same slots under another seed: nobody's lines.
  const auto key = make_key(kWeb4, kTcp, 443);
  EXPECT_NE(slots_of(key, kSelector), slots_of(key, make_selector(0, kOtherSeed)));
}

TEST_F(Ports, ALineIsFoundInEitherOfItsSlots) {
  for (const IpAddress& address : {kWeb4, kWeb6}) {
    const auto key = make_key(address, kTcp, 443);
    const auto slots = slots_of(key, kSelector);
    ASSERT_NE(slots[0], slots[1]);
    for (const std::uint32_t slot : slots) {
      program_.write_line(slot, line_of(key));
      EXPECT_EQ(server_of(address, 443), 1) << "slot " << slot;
      program_.erase_line(slot);
      EXPECT_EQ(server_of(address, 443), 0) << "slot " << slot;
      EXPECT_EQ(last_outcome(), "not_for_vipa");
    }
    // While user space moves it, it is in both.
    for (const std::uint32_t slot : slots) program_.write_line(slot, line_of(key));
    EXPECT_EQ(server_of(address, 443), 1);
    for (const std::uint32_t slot : slots) program_.erase_line(slot);
  }
}

TEST_F(Ports, ALineBehindAnotherLineIsFound) {
  const auto key = make_key(kWeb4, kTcp, 443);
  const auto slots = slots_of(key, kSelector);
  program_.write_line(slots[0], line_of(make_key(kDns4, kTcp, 443)));
  program_.write_line(slots[1], line_of(key));
  EXPECT_EQ(server_of(kWeb4, 443), 1);
}

TEST_F(Ports, ALineElsewhereIsNotFound) {
  const auto key = make_key(kWeb4, kTcp, 443);
  const auto slots = slots_of(key, kSelector);
  const std::uint32_t neighbour = (slots[0] + 1) % XDPLB_PORT_SLOTS;
  ASSERT_NE(neighbour, slots[1]);
  program_.write_line(neighbour, line_of(key));
  program_.write_line(XDPLB_PORT_SLOTS + slots[0], line_of(key));  // the other half
  EXPECT_EQ(server_of(kWeb4, 443), 0);
}

TEST_F(Ports, AKeyThatDiffersInOneFieldIsAnotherKey) {
  // Each line lies where the packet looks, and is not its own.
  for (const IpAddress& address : {kWeb4, kWeb6}) {
    const auto key = make_key(address, kTcp, 443);
    const std::size_t words = address.is_v4() ? 1 : 4;
    std::vector<xdplb_port_key> others(5 + words, key);
    others[0].port = make_key(address, kTcp, 444).port;
    others[1].port = 0;
    others[2].protocol = kUdp;
    others[3].family = address.is_v4() ? 6 : 4;
    others[4].family |= XDPLB_FAMILY_PREFIX;
    for (std::size_t word = 0; word < words; ++word) others[5 + word].address[word] ^= 0x01000000;
    for (std::size_t i = 0; i < others.size(); ++i) {
      for (const std::uint32_t slot : slots_of(key, kSelector)) program_.write_line(slot, line_of(others[i]));
      EXPECT_EQ(server_of(address, 443), 0) << "line " << i;
      EXPECT_EQ(last_outcome(), "not_for_vipa") << "line " << i;
    }
    for (const std::uint32_t slot : slots_of(key, kSelector)) program_.erase_line(slot);
  }
}

TEST_F(Ports, PortZeroNeedsItsBitOnTheLineOfTheAddress) {
  DataplaneSetup setup = with_port(0, 9);
  program_.install(setup);
  ASSERT_EQ(server_of(kWeb4, 443), 9);
  const auto address_key = make_key(kWeb4, 0, 0);
  constexpr std::uint16_t kLineOptions = 100;
  for (const std::uint32_t wildcards : {0U, XDPLB_OPTION_WILDCARD_UDP}) {
    xdplb_port line{};
    line.key = address_key;
    line.options = kLineOptions;
    xdplb_options options{};
    options.flags = wildcards;
    program_.write_options(kLineOptions, options);
    program_.write_line(slots_of(address_key, kSelector)[0], line);
    EXPECT_EQ(server_of(kWeb4, 443), 0) << wildcards;
    EXPECT_EQ(last_outcome(), "no_port");
  }
}

TEST_F(Ports, ABitWithoutItsLineIsNoPort) {
  xdplb_port line{};
  line.key = make_key(kWeb4, 0, 0);
  line.options = 1;
  xdplb_options options{};
  options.flags = XDPLB_OPTION_WILDCARD_TCP | XDPLB_OPTION_WILDCARD_UDP;
  program_.write_options(1, options);
  program_.write_line(slots_of(line.key, kSelector)[0], line);
  EXPECT_EQ(server_of(kWeb4, 443), 0);
  EXPECT_EQ(last_outcome(), "no_port");
}

constexpr std::uint16_t kPortsOfAThousand = 2;

DataplaneSetup thousand_clusters(DataplaneSetup setup) {
  for (std::uint32_t i = 0; i < 1000; ++i) {
    const auto high = static_cast<std::uint8_t>(i >> 8);
    const auto low = static_cast<std::uint8_t>(i & 0xff);
    ClusterSetup cluster{.addresses = {IpAddress::v4({198, 18, high, low}),
                                       IpAddress::v6({0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, high, low})}};
    for (std::uint16_t port = 1; port <= kPortsOfAThousand; ++port) {
      cluster.ports.push_back({.port = port, .rows = {settled_row(1 + (i + port) % 2)}});
    }
    setup.clusters.push_back(cluster);
  }
  return setup;
}

bool fits(const DataplaneSetup& setup, std::uint32_t half, std::uint64_t seed) {
  PortTable table(make_selector(half, seed));
  const PortLayout layout = layout_ports(setup);
  return std::all_of(layout.lines.begin(), layout.lines.end(),
                     [&table](const xdplb_port& line) { return table.insert(line); });
}

TEST_F(Ports, EveryLineOfAThousandClustersIsFound) {
  const DataplaneSetup setup = thousand_clusters(base_);
  std::mt19937_64 random(1);
  std::uint64_t seed = kOtherSeed;
  for (int tries = 0; tries < 32 && !fits(setup, 1, seed); ++tries) seed = random() | 1;
  program_.install(setup, 1, seed);
  ReferenceModel model(setup);
  for (const ClusterSetup& cluster : setup.clusters) {
    for (const IpAddress& address : cluster.addresses) {
      for (std::uint16_t port = 1; port <= kPortsOfAThousand + 1; ++port) {
        const Frame frame = kIn / from_client(address) / Tcp{.destination_port = port};
        const Journey expected = model.run(frame, interfaces_.ingress);
        ASSERT_EQ(expected.outcome, port <= kPortsOfAThousand ? XDPLB_OUTCOME_FORWARDED : XDPLB_OUTCOME_NO_PORT);
        ASSERT_TRUE(same_journey(expected, program_.run(frame))) << address.to_string() << " port " << port;
      }
    }
  }
}

}  // namespace
}  // namespace xdplb::test
