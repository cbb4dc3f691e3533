// SPDX-License-Identifier: GPL-2.0-only
// Rows that change, and the flows that are written down meanwhile: nobody's server changes under him.
#include "flows_fixture.h"

#include <gtest/gtest.h>

namespace xdplb::test {
namespace {

class Flows : public FlowsFixture {};

TEST_F(Flows, ASettledRowWritesNothingDown) {
  install({{.port = 80, .rows = {settled_row(1)}}});
  for (const std::uint8_t flags : {kSyn, kAck, kFin, kRst}) EXPECT_EQ(tcp(1, flags), 1);
  EXPECT_EQ(entries(), 0U);
  EXPECT_EQ(touch(), 0);
}

TEST_F(Flows, ANewConnectionOfAChangingRowKeepsItsServer) {
  for (const IpAddress& vipa : {kWeb4, kWeb6}) {
    vipa_ = vipa;
    install({{.port = 80, .rows = {moving_row(1, 2)}}});
    EXPECT_EQ(tcp(1, kSyn), 2);
    EXPECT_EQ(entry(1), (FlowValue{.server = 2, .state = XDPLB_FLOW_HALF_OPEN, .stamp = kFirstStamp}));
    for (const std::uint32_t word : {moving_row(1, 2), moving_row(1, 3), moving_row(3, 1), moving_row(3, 3)}) {
      program_.write_row(row(), word);
      EXPECT_EQ(tcp(1, kAck), 2) << word;
    }
    program_.forget();
  }
}

TEST_F(Flows, AnOldFlowStaysWithBaseAndTouchesIt) {
  install({{.port = 80, .rows = {moving_row(1, 2)}}});
  program_.set_now(0x12345);
  EXPECT_EQ(tcp(1, kAck), 1);
  EXPECT_EQ(touch(), 0x2345);
  EXPECT_EQ(entries(), 0U);
  program_.set_now(0x12346);
  EXPECT_EQ(tcp(1, kFin | kAck), 1);
  EXPECT_EQ(touch(), 0x2346);
}

TEST_F(Flows, ARowThatOnlyLooksUpGivesNewFlowsToItsOwnerUnwritten) {
  install({{.port = 80, .rows = {moving_row(2, 2)}}});
  EXPECT_EQ(tcp(1, kSyn), 2);
  EXPECT_EQ(tcp(1, kAck), 2);
  EXPECT_EQ(entries(), 0U);
  EXPECT_EQ(touch(), 0);
}

TEST_F(Flows, ARowWithoutAnOldOwnerIsTheNewOnes) {
  install({{.port = 80, .rows = {moving_row(0, 2)}}});
  EXPECT_EQ(tcp(1, kSyn), 2);
  EXPECT_EQ(tcp(2, kAck), 2);
  EXPECT_EQ(entries(), 0U);
}

TEST_F(Flows, StateFollowsTheConnection) {
  install({{.port = 80, .rows = {moving_row(1, 2)}}});
  struct Step {
    std::uint8_t flags;
    std::size_t data;
    xdplb_flow_state state;
  };
  // All within one tick: the first packet that is no SYN ends the half-open state at once.
  const std::vector<Step> steps{{.flags = kSyn, .data = 0, .state = XDPLB_FLOW_HALF_OPEN},
                                {.flags = kSyn, .data = 0, .state = XDPLB_FLOW_HALF_OPEN},
                                {.flags = kAck, .data = 0, .state = XDPLB_FLOW_OPEN},
                                {.flags = kSyn, .data = 0, .state = XDPLB_FLOW_OPEN},
                                {.flags = kFin | kAck, .data = 3, .state = XDPLB_FLOW_CLOSING},
                                {.flags = kAck, .data = 0, .state = XDPLB_FLOW_CLOSING},
                                {.flags = kAck, .data = 1, .state = XDPLB_FLOW_OPEN},
                                {.flags = kRst, .data = 0, .state = XDPLB_FLOW_CLOSING}};
  for (const Step& step : steps) {
    EXPECT_EQ(tcp(1, step.flags, step.data), 2);
    ASSERT_TRUE(entry(1));
    EXPECT_EQ(entry(1)->state, step.state) << int{step.flags} << " with " << step.data;
    EXPECT_EQ(active(2), step.state == XDPLB_FLOW_CLOSING ? 0U : 1U);
  }
}

TEST_F(Flows, PaddingBehindTheAcknowledgmentIsNoData) {
  install({{.port = 80, .rows = {moving_row(1, 2)}}});
  tcp(1, kSyn);
  tcp(1, kFin | kAck);
  Frame frame = kIn / from_client(vipa_) / Tcp{.source_port = 1, .destination_port = 80};
  frame.resize(60);
  EXPECT_EQ(send(frame), 2);
  EXPECT_EQ(entry(1)->state, XDPLB_FLOW_CLOSING);
}

TEST_F(Flows, EveryPacketNotesItsTime) {
  install({{.port = 80, .rows = {moving_row(1, 2)}}});
  tcp(1, kSyn);
  for (const std::uint32_t stamp : {kFirstStamp + 1, kFirstStamp + 400, 0xffffffffU, 1U}) {
    program_.set_now(stamp);
    EXPECT_EQ(tcp(1, kAck), 2);
    EXPECT_EQ(entry(1)->stamp, stamp);
  }
}

TEST_F(Flows, AClosedConnectionIsOpenedAnew) {
  install({{.port = 80, .rows = {moving_row(1, 2)}}});
  tcp(1, kSyn);
  tcp(1, kFin | kAck);
  program_.write_row(row(), moving_row(1, 3));
  EXPECT_EQ(tcp(1, kSyn), 3);
  EXPECT_EQ(entry(1), (FlowValue{.server = 3, .state = XDPLB_FLOW_HALF_OPEN, .stamp = kFirstStamp}));
  EXPECT_EQ(state().recorded, 2U);
  EXPECT_EQ(active(2), 0U);
  EXPECT_EQ(active(3), 1U);
  EXPECT_EQ(entries(), 1U);
}

TEST_F(Flows, AClosedConnectionIsOpenedAnewAtBase) {
  install({{.port = 80, .rows = {moving_row(1, 2)}}});
  tcp(1, kSyn);
  tcp(1, kRst);
  program_.write_row(row(), moving_row(3, 3));
  EXPECT_EQ(tcp(1, kSyn), 3);
  EXPECT_EQ(entry(1), (FlowValue{.server = 3, .state = XDPLB_FLOW_HALF_OPEN, .stamp = kFirstStamp}));
  EXPECT_EQ(state().recorded, 1U);
}

TEST_F(Flows, AnEntryOfAServerThatIsGoneIsNone) {
  install({{.port = 80, .rows = {moving_row(1, 2)}}});
  tcp(1, kSyn);
  tcp(2, kSyn);
  program_.write_server(2, {.mac = server_mac(2), .egress = 0});
  program_.write_row(row(), moving_row(1, 3));
  EXPECT_EQ(tcp(1, kAck), 1);
  EXPECT_EQ(touch(), kFirstStamp);
  EXPECT_EQ(tcp(2, kSyn), 3);
  EXPECT_EQ(entry(2)->server, 3);
}

TEST_F(Flows, TuplesThatDifferInOneFieldAreDifferentFlows) {
  install(
      {{.port = 0, .rows = {moving_row(1, 2)}}, {.port = 0, .protocol = Protocol::kUdp, .rows = {moving_row(1, 2)}}});
  setup_.clusters[0].addresses.push_back(kDns4);
  program_.install(setup_);
  ASSERT_EQ(tcp(7, kSyn, 0, 80), 2);
  EXPECT_EQ(tcp(7, kAck, 0, 80), 2);
  EXPECT_EQ(tcp(8, kAck, 0, 80), 1);
  EXPECT_EQ(tcp(7, kAck, 0, 81), 1);
  EXPECT_EQ(udp(7, 80), 1);
  const Tcp ack{.source_port = 7, .destination_port = 80};
  EXPECT_EQ(send(kIn / Ipv4{.source = ip("198.51.100.78"), .destination = kWeb4} / ack), 1);
  EXPECT_EQ(send(kIn / Ipv4{.source = kClient4, .destination = kDns4} / ack), 1);
  EXPECT_EQ(send(kIn / from_client(kWeb6) / ack), 1);
}

TEST_F(Flows, EntriesAreDescribed) {
  for (const IpAddress& vipa : {kWeb4, kWeb6}) {
    vipa_ = vipa;
    install({{.port = 0, .rows = {moving_row(1, 2)}}});
    ASSERT_EQ(tcp(513, kSyn, 0, 8080), 2);
    const std::uint64_t tag = tag_of(513, Protocol::kTcp, 8080);
    const auto flows = program_.flows();
    const auto place =
        std::find_if(flows.begin(), flows.end(), [tag](const xdplb_flow& flow) { return flow.tag == tag; });
    ASSERT_NE(place, flows.end());
    xdplb_flow_detail expected{};
    const xdplb_port_key port = make_key(vipa, kTcp, 8080);
    const IpAddress client = vipa.is_v4() ? kClient4 : kClient6;
    const xdplb_port_key from = make_key(client, kTcp, 513);
    std::copy_n(from.address, 4, expected.client);
    std::copy_n(port.address, 4, expected.vipa);
    expected.client_port = from.port;
    expected.port = port.port;
    expected.protocol = kTcp;
    expected.family = port.family;
    expected.kind = XDPLB_KIND_FLOW;
    expected.row = row();
    expected.since = kFirstStamp;
    const xdplb_flow_detail& seen = program_.flow_details()[static_cast<std::size_t>(place - flows.begin())];
    EXPECT_EQ(std::memcmp(&seen, &expected, sizeof(seen)), 0);
    program_.forget();
  }
}

TEST_F(Flows, TheLimitOfATickRefusesToBase) {
  install({{.port = 80, .rows = {moving_row(1, 2)}, .new_flow_limit = 3}});
  for (const std::uint16_t client : std::initializer_list<std::uint16_t>{1, 2, 3}) EXPECT_EQ(tcp(client, kSyn), 2);
  EXPECT_EQ(touch(), 0);
  EXPECT_EQ(tcp(4, kSyn), 1);
  EXPECT_EQ(touch(), kFirstStamp);
  EXPECT_EQ(tcp(1, kSyn), 2);  // is written down already
  EXPECT_EQ(state().recorded, 3U);
  EXPECT_EQ(state().refused, 1U);
  EXPECT_EQ(state().refused_stamp, kFirstStamp);
  EXPECT_EQ(tcp(4, kAck), 1);
  program_.set_now(kFirstStamp + 1);
  EXPECT_EQ(tcp(5, kSyn), 2);
  EXPECT_EQ(state().refused, 1U);
}

// A table of one bucket.
class FullTable : public FlowsFixture {
 protected:
  FullTable() : small_({.flow_buckets = 1}) {}
  Program small_;
};

TEST_F(FullTable, RefusesToBaseAndFreesWhatIsErased) {
  const DataplaneSetup setup = with_ports({{.port = 80, .rows = {moving_row(1, 2)}}});
  small_.install(setup);
  const auto server = [this](std::uint16_t client, std::uint8_t flags) {
    const Observation seen =
        small_.dispatch(kIn / from_client(kWeb4) / Tcp{.source_port = client, .destination_port = 80, .flags = flags});
    return seen.frame[5];
  };
  for (std::uint16_t client = 1; client <= XDPLB_FLOW_WAYS; ++client) EXPECT_EQ(server(client, kSyn), 2);
  EXPECT_EQ(server(9, kSyn), 1);
  EXPECT_EQ(server(9, kAck), 1);
  EXPECT_EQ(server(1, kAck), 2);
  const xdplb_state& state = small_.tables().states[layout_ports(setup).places[0].ports[0].options];
  EXPECT_EQ(state.recorded, XDPLB_FLOW_WAYS);
  EXPECT_EQ(state.refused, 1U);
  small_.erase_flow(tag_of(2));
  EXPECT_EQ(server(10, kSyn), 2);
  EXPECT_EQ(server(10, kAck), 2);
}

TEST_F(FullTable, AnEntryThatIsBeingGivenUpIsRefused) {
  small_.install(with_ports({{.port = 80, .rows = {moving_row(1, 2)}}}));
  small_.flows()[0].tag = tag_of(1);
  const Observation seen =
      small_.dispatch(kIn / from_client(kWeb4) / Tcp{.source_port = 1, .destination_port = 80, .flags = kSyn});
  EXPECT_EQ(seen.frame[5], 1);
  EXPECT_EQ(small_.flows()[0].value, 0U);
}

TEST_F(Flows, AFragmentIsRememberedForHalfAMinute) {
  install({{.port = 80, .protocol = Protocol::kUdp, .rows = {settled_row(3)}}});
  const auto piece = [](std::uint16_t id, std::uint16_t offset) {
    return Ipv4{.source = kClient4,
                .destination = kWeb4,
                .more_fragments = offset == 0,
                .fragment_offset = offset,
                .protocol = kUdp,
                .identification = id};
  };
  const Frame first = kIn / piece(1, 0) / Udp{.destination_port = 80} / payload(16);
  const Frame later = kIn / piece(1, 3) / payload(9);
  EXPECT_EQ(send(first), 3);
  program_.set_now(kFirstStamp + kFragmentTicks);
  EXPECT_EQ(send(later), 3);
  program_.set_now(kFirstStamp + kFragmentTicks + 1);
  EXPECT_EQ(send(later), 0);
  EXPECT_EQ(last_verdict_, XDP_DROP);
  EXPECT_EQ(send(first), 3);
  EXPECT_EQ(send(later), 3);
}

TEST_F(Flows, TheOldestFragmentOfABucketGivesWay) {
  install({{.port = 80, .protocol = Protocol::kUdp, .rows = {settled_row(3)}}});
  const auto tag = [](std::uint32_t id) {
    return flow_tag({.kind = XDPLB_KIND_FRAGMENT,
                     .protocol = kUdp,
                     .family = Family::kV6,
                     .number = id,
                     .client = flow_address(kClient6),
                     .vipa = flow_address(kWeb6)},
                    kFlowSeeds) &
           (XDPLB_FRAGMENT_BUCKETS - 1);
  };
  std::vector<std::uint32_t> ids{1};
  for (std::uint32_t id = 2; ids.size() <= XDPLB_FLOW_WAYS; ++id) {
    if (tag(id) == tag(1)) ids.push_back(id);
  }
  const Ipv6 v6{.source = kClient6, .destination = kWeb6};
  const auto first = [&](std::uint32_t id) {
    return send(kIn / v6 / Ipv6Fragment{.more_fragments = true, .identification = id} / Udp{.destination_port = 80});
  };
  const auto later = [&](std::uint32_t id) {
    return send(kIn / v6 / Ipv6Fragment{.offset = 1, .next_header = kUdp, .identification = id} / payload(8));
  };
  for (std::size_t i = 0; i < XDPLB_FLOW_WAYS; ++i) {
    program_.set_now(kFirstStamp + static_cast<std::uint32_t>(i));
    EXPECT_EQ(first(ids[i]), 3);
  }
  EXPECT_EQ(first(ids[0]), 3);  // is the youngest now
  EXPECT_EQ(first(ids[XDPLB_FLOW_WAYS]), 3);
  EXPECT_EQ(later(ids[1]), 0);
  for (const std::size_t kept : {0U, 2U, 3U, 4U}) EXPECT_EQ(later(ids[kept]), 3) << kept;
}

}  // namespace
}  // namespace xdplb::test
