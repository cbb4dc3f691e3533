// SPDX-License-Identifier: GPL-2.0-only
// Where new connections go when the row alone does not say: turns, fewest connections, affinity; and what becomes of
// packets that a tracking port does not know.
#include "flows_fixture.h"

#include <gtest/gtest.h>

#include <map>
#include <vector>

namespace xdplb::test {
namespace {

constexpr ClientMask kAddressOnly{.has_port = false};

class Picks : public FlowsFixture {
 protected:
  static PortSetup tracked(xdplb_pick pick, std::vector<std::uint32_t> members) {
    return {.port = 80, .rows = {settled_row(9)}, .pick = pick, .is_tracked = true, .members = std::move(members)};
  }
  std::vector<std::uint16_t> open(std::uint16_t first, std::uint16_t count) {
    std::vector<std::uint16_t> servers;
    for (std::uint16_t i = 0; i < count; ++i) servers.push_back(tcp(static_cast<std::uint16_t>(first + i), kSyn));
    return servers;
  }
};

TEST_F(Picks, TurnsAreTakenInOrder) {
  install({tracked(XDPLB_PICK_ROUND_ROBIN, {1, 2, 1, 3})});
  EXPECT_EQ(open(1, 9), (std::vector<std::uint16_t>{1, 2, 1, 3, 1, 2, 1, 3, 1}));
  EXPECT_EQ(tcp(2, kAck), 2);
  EXPECT_EQ(state().recorded, 9U);
}

TEST_F(Picks, ATurnOfAServerThatIsGoneIsTheRows) {
  install({tracked(XDPLB_PICK_ROUND_ROBIN, {1, 2})});
  program_.write_server(2, {});
  EXPECT_EQ(open(1, 4), (std::vector<std::uint16_t>{1, 9, 1, 9}));
}

TEST_F(Picks, FewestConnectionsForTheWeight) {
  install({tracked(XDPLB_PICK_LEAST_CONNECTIONS,
                   {member_row(1, 1), member_row(2, 2), member_row(3, 0), member_row(4, 1)})});
  program_.write_server(4, {});
  std::map<std::uint16_t, int> shares;
  for (const std::uint16_t server : open(1, 300)) ++shares[server];
  EXPECT_EQ(shares, (std::map<std::uint16_t, int>{{1, 100}, {2, 200}}));
  EXPECT_EQ(active(1), 100U);
  // Whoever loses connections gets the next ones.
  for (std::uint16_t client = 1; client <= 300; ++client) {
    if (entry(client)->server == 2) tcp(client, kFin | kAck);
  }
  EXPECT_EQ(active(2), 0U);
  for (const std::uint16_t server : open(1000, 100)) EXPECT_EQ(server, 2);
}

TEST_F(Picks, EqualOnesTakeTurns) {
  install({tracked(XDPLB_PICK_LEAST_CONNECTIONS, {member_row(1, 1), member_row(2, 1), member_row(3, 1)})});
  std::map<std::uint16_t, int> firsts;
  for (std::uint16_t client = 1; client <= 30; ++client) {
    ++firsts[tcp(client, kSyn)];
    tcp(client, kRst);
  }
  EXPECT_EQ(firsts, (std::map<std::uint16_t, int>{{1, 10}, {2, 10}, {3, 10}}));
}

TEST_F(Picks, NobodyToPickIsTheRowsServer) {
  install({tracked(XDPLB_PICK_LEAST_CONNECTIONS, {member_row(1, 0), member_row(2, 0)}),
           {.port = 81, .rows = {settled_row(8)}, .pick = XDPLB_PICK_ROUND_ROBIN, .is_tracked = true}});
  EXPECT_EQ(tcp(1, kSyn), 9);
  EXPECT_EQ(tcp(1, kSyn, 0, 81), 8);
}

TEST_F(Picks, EveryConnectionOfATrackingPortIsWrittenDown) {
  PortSetup port = tracked(XDPLB_PICK_HASH, {});
  install({port});
  EXPECT_EQ(tcp(1, kSyn), 9);
  EXPECT_EQ(entries(), 1U);
  program_.write_row(row(), settled_row(1));
  EXPECT_EQ(tcp(1, kAck), 9);
}

TEST_F(Picks, TrackedUdpKeepsItsServer) {
  PortSetup port = tracked(XDPLB_PICK_HASH, {});
  port.protocol = Protocol::kUdp;
  install({port});
  EXPECT_EQ(udp(1), 9);
  EXPECT_EQ(entry(1, Protocol::kUdp), (FlowValue{.server = 9, .state = XDPLB_FLOW_OPEN, .stamp = kFirstStamp}));
  program_.write_row(row(), settled_row(1));
  EXPECT_EQ(udp(1), 9);
  EXPECT_EQ(udp(2), 1);
  program_.write_server(9, {});
  EXPECT_EQ(udp(1), 1);
}

TEST_F(Picks, TrackedUdpThatWasRefusedStaysWithBase) {
  PortSetup port = tracked(XDPLB_PICK_ROUND_ROBIN, {1, 2});
  port.protocol = Protocol::kUdp;
  port.stale_ticks = 50;
  port.new_flow_limit = 1;
  install({port});
  EXPECT_EQ(udp(1), 1);
  EXPECT_EQ(udp(2), 9);
  program_.set_now(kFirstStamp + 50);  // the limit would let it be picked now
  EXPECT_EQ(udp(2), 9);
  EXPECT_EQ(entry(2, Protocol::kUdp)->server, 9);
  program_.set_now(kFirstStamp + 51);
  EXPECT_EQ(udp(2), 9);
  EXPECT_EQ(udp(3), 1);  // the refused one had its turn
}

TEST_F(Picks, AStalePacketIsTreatedAsThePortAsks) {
  PortSetup port = tracked(XDPLB_PICK_ROUND_ROBIN, {1, 2});
  for (const xdplb_on_stale on_stale : {XDPLB_STALE_REPICK, XDPLB_STALE_RESET, XDPLB_STALE_DROP}) {
    program_.forget();
    port.on_stale = on_stale;
    install({port});
    EXPECT_EQ(tcp(1, kAck), on_stale == XDPLB_STALE_REPICK ? 1 : on_stale == XDPLB_STALE_RESET ? 0xfe : 0);
    EXPECT_EQ(last_verdict_, on_stale == XDPLB_STALE_DROP ? XDP_DROP : XDP_TX);
    EXPECT_EQ(entries(), on_stale == XDPLB_STALE_REPICK ? 1U : 0U);
    if (on_stale == XDPLB_STALE_REPICK) {
      EXPECT_EQ(entry(1)->state, XDPLB_FLOW_OPEN);
    }
  }
}

TEST_F(Picks, WhatWasRefusedLatelyIsNotStale) {
  PortSetup port = tracked(XDPLB_PICK_ROUND_ROBIN, {1, 2});
  port.on_stale = XDPLB_STALE_DROP;
  port.stale_ticks = 50;
  port.new_flow_limit = 1;
  install({port});
  EXPECT_EQ(tcp(1, kSyn), 1);
  EXPECT_EQ(tcp(2, kSyn), 9);  // above the limit: the row's
  EXPECT_EQ(touch(), kFirstStamp);
  EXPECT_FALSE(entry(2));
  program_.set_now(kFirstStamp + 50);
  EXPECT_EQ(tcp(2, kAck), 9);
  EXPECT_EQ(entry(2), (FlowValue{.server = 9, .state = XDPLB_FLOW_OPEN, .stamp = kFirstStamp + 50}));
  program_.set_now(kFirstStamp + 51);
  EXPECT_EQ(tcp(2, kAck), 9);
  EXPECT_EQ(tcp(3, kAck), 0);
  EXPECT_EQ(last_verdict_, XDP_DROP);
}

TEST_F(Picks, AnEntryThatIsPointedElsewhereIsNotLimited) {
  PortSetup port = tracked(XDPLB_PICK_HASH, {});
  port.new_flow_limit = 1;
  install({port});
  EXPECT_EQ(tcp(1, kSyn), 9);
  tcp(1, kRst);
  program_.write_row(row(), moving_row(8, 7));
  EXPECT_EQ(tcp(1, kSyn), 7);
  EXPECT_EQ(state().refused, 0U);
}

class Affinity : public FlowsFixture {
 protected:
  static PortSetup sticky(std::uint32_t word, ClientMask mask = kAddressOnly) {
    return {.port = 80, .rows = {word}, .mask = mask, .affinity = 5};
  }
  std::optional<FlowValue> client_entry(const ClientMask& mask = kAddressOnly, std::uint32_t number = 5) {
    const IpAddress client = vipa_.is_v4() ? kClient4 : kClient6;
    return program_.find_flow(flow_tag({.kind = XDPLB_KIND_CLIENT,
                                        .protocol = kTcp,
                                        .family = client.family(),
                                        .number = number,
                                        .client = masked_address(client, mask)},
                                       kFlowSeeds));
  }
};

TEST_F(Affinity, AClientComesBackToItsServer) {
  for (const IpAddress& vipa : {kWeb4, kWeb6}) {
    vipa_ = vipa;
    install({sticky(settled_row(1))});
    EXPECT_EQ(tcp(1, kSyn), 1);
    EXPECT_EQ(client_entry(), (FlowValue{.server = 1, .stamp = kFirstStamp}));
    EXPECT_EQ(entries(), 1U);  // the connection itself is the row's
    program_.write_row(row(), moving_row(1, 2));
    EXPECT_EQ(tcp(2, kSyn), 1);
    EXPECT_EQ(entries(), 1U);
    program_.write_row(row(), moving_row(3, 2));
    EXPECT_EQ(tcp(3, kSyn), 1);
    EXPECT_EQ(entries(), 2U);
    EXPECT_EQ(tcp(3, kAck), 1);
    EXPECT_EQ(entry(3)->server, 1);
    program_.forget();
  }
}

TEST_F(Affinity, ItsTimeBeginsAnewWithConnectionsOnly) {
  install({sticky(settled_row(1))});
  tcp(1, kSyn);
  program_.set_now(kFirstStamp + 5);
  tcp(1, kAck);
  tcp(1, kFin | kAck);
  EXPECT_EQ(client_entry()->stamp, kFirstStamp);
  tcp(2, kSyn);
  EXPECT_EQ(client_entry()->stamp, kFirstStamp + 5);
}

TEST_F(Affinity, AClientOfAForsakenOrLostServerChoosesAnew) {
  for (const bool is_forsaken : {true, false}) {
    program_.forget();
    install({sticky(moving_row(9, 1))});
    EXPECT_EQ(tcp(1, kSyn), 1);
    program_.write_row(row(), moving_row(9, 2));
    EXPECT_EQ(tcp(2, kSyn), 1);
    const auto egress = static_cast<std::uint16_t>(is_forsaken ? 1 : 0);
    program_.write_server(1, {.mac = server_mac(1), .egress = egress, .is_forsaken = is_forsaken});
    EXPECT_EQ(tcp(3, kSyn), 2);
    EXPECT_EQ(client_entry()->server, 2);
    // A forsaken server keeps the connections it has.
    EXPECT_EQ(tcp(1, kAck), is_forsaken ? 1 : 9);
  }
}

TEST_F(Affinity, TheMaskMakesOneClientOfANetwork) {
  const ClientMask mask{.v4_bits = 24, .v6_bits = 64, .has_port = false};
  install({sticky(moving_row(9, 1), mask)});
  const auto syn_from = [this](const char* address) {
    return send(kIn / Ipv4{.source = ip(address), .destination = kWeb4} / Tcp{.destination_port = 80, .flags = kSyn});
  };
  EXPECT_EQ(syn_from("198.51.100.0"), 1);
  program_.write_row(row(), moving_row(9, 2));
  EXPECT_EQ(syn_from("198.51.100.255"), 1);
  EXPECT_EQ(syn_from("198.51.101.0"), 2);
  EXPECT_TRUE(client_entry(mask));
}

TEST_F(Affinity, OnASettledRowConnectionsStayWithTheOwner) {
  // Nobody would look for an entry there; the sweep lets rows look up as long as clients of others have an entry.
  install({sticky(settled_row(1))});
  tcp(1, kSyn);
  program_.write_row(row(), settled_row(2));
  EXPECT_EQ(tcp(2, kSyn), 2);
  EXPECT_EQ(tcp(2, kAck), 2);
  EXPECT_EQ(client_entry()->server, 1);
  program_.write_row(row(), moving_row(2, 2));
  EXPECT_EQ(tcp(3, kSyn), 1);
  EXPECT_EQ(tcp(3, kAck), 1);
}

TEST_F(Affinity, OnASettledRowOnlyNewConnectionsAreLookedUp) {
  // All packets of a flow take one way: what a plain packet does not look for, none but a SYN alone does.
  install({sticky(moving_row(1, 2))});
  EXPECT_EQ(tcp(1, kSyn), 2);
  program_.write_row(row(), settled_row(1));
  for (const int flags : {int{kAck}, kSyn | kAck, kSyn | kFin, kSyn | kRst, int{kFin}}) {
    EXPECT_EQ(tcp(1, static_cast<std::uint8_t>(flags)), 1) << flags;
  }
}

TEST_F(Affinity, IsSharedByPortsThroughTheSameServers) {
  PortSetup first = sticky(moving_row(9, 1));
  first.shares_affinity = true;
  first.members = {member_row(1, 1), member_row(2, 1)};
  PortSetup second = first;
  second.port = 81;
  second.rows = {moving_row(9, 4)};
  second.members = {member_row(4, 1), member_row(3, 1)};
  install({first, second});
  // 3 is 1, and 4 is 2, at the other port.
  program_.write_server(3, {.mac = server_mac(1), .egress = 1});
  program_.write_server(4, {.mac = server_mac(2), .egress = 1});
  EXPECT_EQ(tcp(1, kSyn), 1);
  const Observation seen = program_.run(kIn / from_client(kWeb4) / Tcp{.destination_port = 81, .flags = kSyn});
  ASSERT_EQ(seen.servers.size(), 1U);
  EXPECT_EQ(seen.servers.begin()->first, 3);
  EXPECT_EQ(tcp(2, kSyn), 1);
  // A server that the other port does not have is no help to it.
  program_.write_server(3, {.mac = server_mac(7), .egress = 1});
  program_.write_server(4, {.mac = server_mac(8), .egress = 1});
  EXPECT_EQ(tcp(3, kSyn, 0, 81), 8);
}

TEST_F(Affinity, PortsOfAnotherNumberDoNotShare) {
  PortSetup second = sticky(moving_row(9, 3));
  second.port = 81;
  second.affinity = 6;
  install({sticky(moving_row(9, 1)), second});
  EXPECT_EQ(tcp(1, kSyn), 1);
  EXPECT_EQ(tcp(1, kSyn, 0, 81), 3);
}

}  // namespace
}  // namespace xdplb::test
