// SPDX-License-Identifier: GPL-2.0-only
// Random ports, rows and servers, a few clients, time that passes: after every packet the program and the reference
// model agree on verdict and frame, and now and then on everything that was written down.
#include "flows_fixture.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <memory>
#include <random>
#include <vector>

namespace xdplb::test {
namespace {

constexpr int kSteps = 6'000;  // of one setup
constexpr int kStepsBetweenLooks = 200;
constexpr std::uint16_t kServers = 9;  // of each port's possible ones
constexpr std::uint32_t kRows = 4;     // of a slice

class Walk {
 public:
  Walk(const TestInterfaces& interfaces, std::uint64_t seed, std::uint32_t flow_buckets)
      : interfaces_(interfaces),
        random_(seed),
        program_({.flow_buckets = flow_buckets}),
        model_(setup(), flow_buckets) {
    program_.install(model_.setup());
    model_.set_locator([this](std::uint64_t tag) { return program_.locate_flow(tag); });
  }

  testing::AssertionResult step() {
    const std::uint32_t kind = below(100);
    if (kind < 90) return send();
    if (kind < 95) {
      change_row();
    } else if (kind < 97) {
      change_server();
    } else if (kind < 99) {
      model_.set_now(model_.now() + (chance(70) ? 1 : below(40)));
      program_.set_now(model_.now());
    } else {
      erase_some();
    }
    return testing::AssertionSuccess();
  }

  // Everything that packets wrote.
  void expect_same_state() {
    std::map<std::uint64_t, FlowValue> seen;
    for (const xdplb_flow& flow : program_.flows()) {
      if (flow.tag != 0) seen[flow.tag] = flow_value(flow.value);
    }
    EXPECT_EQ(seen.size(), model_.flows().entries().size());
    for (const auto& [tag, value] : model_.flows().entries()) {
      ASSERT_TRUE(seen.contains(tag)) << fmt::format("{:#x}", tag);
      EXPECT_EQ(flow_word(seen[tag]), flow_word(value)) << fmt::format("{:#x}", tag);
    }
    for (const auto& [options, unused] : model_.layout().options) {
      const xdplb_state& program = program_.tables().states[options];
      const xdplb_state model = model_.state(options);
      EXPECT_EQ(program.recorded, model.recorded) << "options " << options;
      EXPECT_EQ(program.refused, model.refused) << "options " << options;
      EXPECT_EQ(program.refused_stamp, model.refused_stamp) << "options " << options;
      EXPECT_EQ(program.cursor, model.cursor) << "options " << options;
    }
    for (std::uint16_t server = 1; server <= kServers; ++server) {
      EXPECT_EQ(program_.tables().active[server], model_.active(server)) << "server " << server;
    }
    for (const RowSlice& slice : model_.layout().slices) {
      for (std::uint32_t row = slice.first_row; row < slice.first_row + slice.rows.size(); ++row) {
        EXPECT_EQ(program_.tables().touches[row], model_.touch(row)) << "row " << row;
      }
    }
  }

 private:
  std::uint32_t below(std::uint32_t limit) { return static_cast<std::uint32_t>(random_() >> 32) % limit; }
  bool chance(std::uint32_t percent) { return below(100) < percent; }
  std::uint32_t server() { return chance(95) ? 1 + below(kServers) : 0; }
  std::uint32_t row_word() {
    const std::uint32_t owner = server();
    if (chance(35)) return settled_row(owner);
    return chance(20) ? moving_row(owner, owner) : moving_row(server(), owner);
  }

  PortSetup port(std::uint16_t number, Protocol protocol) {
    PortSetup port{.port = number, .protocol = protocol, .seeds = {random_(), random_(), random_() | 1}};
    port.rows_v6.emplace();
    for (std::uint32_t row = 0; row < kRows; ++row) {
      port.rows.push_back(row_word());
      port.rows_v6->push_back(row_word());
    }
    port.on_stale = static_cast<xdplb_on_stale>(below(3));
    port.no_server = static_cast<xdplb_no_server>(below(3));
    port.stale_ticks = below(60);
    port.new_flow_limit = chance(30) ? 1 + below(8) : 0;
    return port;
  }
  PortSetup tracked(PortSetup port, xdplb_pick pick) {
    port.is_tracked = true;
    port.pick = pick;
    for (std::uint32_t i = below(7); i > 0; --i) {
      const std::uint32_t member = 1 + below(kServers);
      port.members.push_back(pick == XDPLB_PICK_ROUND_ROBIN ? settled_row(member) : member_row(member, below(4)));
    }
    return port;
  }
  PortSetup sticky(PortSetup port, std::uint32_t number, bool is_shared) {
    port.mask = {.v4_bits = 31, .v6_bits = 127, .has_port = false};
    port.affinity = number;
    port.shares_affinity = is_shared;
    if (!is_shared) return port;
    for (std::uint16_t member = 1; member <= kServers; ++member) {
      if (chance(60)) port.members.push_back(member_row(member, 1));
    }
    return port;
  }

  DataplaneSetup setup() {
    const Protocol tcp = Protocol::kTcp;
    const Protocol udp = Protocol::kUdp;
    DataplaneSetup setup;
    ClusterSetup cluster{.addresses = {kWeb4, kWeb6}};
    cluster.ports = {port(80, tcp),
                     port(0, tcp),
                     tracked(port(81, tcp), XDPLB_PICK_ROUND_ROBIN),
                     tracked(port(82, tcp), XDPLB_PICK_LEAST_CONNECTIONS),
                     tracked(port(83, tcp), XDPLB_PICK_HASH),
                     sticky(port(84, tcp), 1, false),
                     sticky(port(85, tcp), 2, true),
                     sticky(port(86, tcp), 2, true),
                     sticky(tracked(port(87, tcp), XDPLB_PICK_ROUND_ROBIN), 3, false),
                     port(80, udp),
                     tracked(port(81, udp), XDPLB_PICK_HASH),
                     tracked(port(82, udp), XDPLB_PICK_LEAST_CONNECTIONS),
                     sticky(tracked(port(84, udp), XDPLB_PICK_HASH), 4, false)};
    cluster.echo_line.rows = {settled_row(1), moving_row(2, 3)};
    setup.clusters.push_back(cluster);
    for (std::uint16_t i = 1; i <= kServers; ++i) setup.servers[i] = {.mac = server_mac(i), .egress = 1};
    setup.egresses[1] = {.mac = kIngressMac, .ifindex = interfaces_.ingress};
    return setup;
  }

  Packet segment(std::uint16_t source, std::uint16_t destination) {
    if (chance(30)) return {.layers = {Udp{.source_port = source, .destination_port = destination}, payload(4)}};
    constexpr std::array<std::uint8_t, 8> kFlags{kSyn, kSyn, kAck, kAck, kPsh | kAck, kFin | kAck, kRst, kSyn | kAck};
    Packet packet{.layers = {Tcp{.source_port = source, .destination_port = destination, .flags = kFlags[below(8)]}}};
    if (chance(40)) packet.layers.emplace_back(payload(1 + below(20)));
    return packet;
  }

  Frame frame() {
    const bool is_v4 = chance(60);
    const auto last = static_cast<std::uint8_t>(below(4));
    const IpAddress client = is_v4 ? IpAddress::v4({198, 51, 100, last})
                                   : IpAddress::v6({0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, last});
    const auto source = static_cast<std::uint16_t>(1024 + below(6));
    const auto destination = static_cast<std::uint16_t>(80 + below(9));
    const auto ip_header = [is_v4](const IpAddress& from, const IpAddress& to) -> Packet {
      if (is_v4) return {.layers = {Ipv4{.source = from, .destination = to}}};
      return {.layers = {Ipv6{.source = from, .destination = to}}};
    };
    const IpAddress vipa = is_v4 ? kWeb4 : kWeb6;
    if (chance(94)) return kIn / ip_header(client, vipa) / segment(source, destination);
    const Packet inner = ip_header(vipa, client) / segment(destination, source);
    return kIn / ip_header(is_v4 ? kDns4 : kDns6, vipa) / Icmp{.type = 3} / quoted(inner);
  }

  testing::AssertionResult send() {
    const Frame next = frame();
    const Observation seen = program_.dispatch(next);
    const Journey expected = model_.run(next, interfaces_.ingress);
    const testing::AssertionResult same = same_frames(expected, seen);
    if (same) return same;
    return testing::AssertionFailure() << same.message() << "  server " << expected.server << ", how " << expected.how
                                       << ", " << outcome_name(expected.outcome) << "\n"
                                       << hex_dump(next);
  }

  void change_row() {
    const auto& place = model_.layout().places[0].ports[below(13)];
    const std::uint32_t row = place.first_row[below(2)] + below(kRows);
    const std::uint32_t word = row_word();
    program_.write_row(row, word);
    model_.write_row(row, word);
  }

  void change_server() {
    const auto index = static_cast<std::uint16_t>(1 + below(kServers));
    // Now and then two have the same way, as one host has that serves two ports.
    const ServerSetup server{.mac = server_mac(static_cast<std::uint16_t>(chance(80) ? index : 1 + below(3))),
                             .egress = static_cast<std::uint16_t>(chance(75) ? 1 : 0),
                             .is_forsaken = chance(25)};
    program_.write_server(index, server);
    model_.write_server(index, server);
  }

  // As the sweep does.
  void erase_some() {
    std::vector<std::uint64_t> tags;
    for (const auto& [tag, value] : model_.flows().entries()) {
      if (chance(30)) tags.push_back(tag);
    }
    for (const std::uint64_t tag : tags) {
      program_.erase_flow(tag);
      model_.erase_flow(tag);
    }
  }

  const TestInterfaces& interfaces_;
  std::mt19937_64 random_;
  Program program_;
  ReferenceModel model_;
};

class FlowsProperty : public testing::TestWithParam<std::uint32_t> {};

TEST_P(FlowsProperty, ProgramAndModelAgree) {
  const TestInterfaces& interfaces = test_interfaces();
  const char* more = std::getenv("XDPLB_WALKS");
  const std::uint64_t walks = more != nullptr ? std::strtoull(more, nullptr, 10) : 4;
  for (std::uint64_t seed = 1; seed <= walks; ++seed) {
    const auto walk = std::make_unique<Walk>(interfaces, seed * 7919 + GetParam(), GetParam());
    for (int i = 0; i < kSteps; ++i) {
      ASSERT_TRUE(walk->step()) << "seed " << seed << ", step " << i;
      if (i % kStepsBetweenLooks != 0) continue;
      walk->expect_same_state();
      ASSERT_FALSE(HasFailure()) << "seed " << seed << ", step " << i;
    }
  }
}

// Buckets of `flows`: nearly always full, often, never.
INSTANTIATE_TEST_SUITE_P(Tables, FlowsProperty, testing::Values(1U, 16U, kFlowBuckets));

}  // namespace
}  // namespace xdplb::test
