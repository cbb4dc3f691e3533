// SPDX-License-Identifier: GPL-2.0-only
// The records of `trace`, and the clock that stamps what is written down.
#include "flows_fixture.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>

namespace xdplb::test {
namespace {

constexpr std::uint64_t kAll = ~std::uint64_t{0};

class Trace : public FlowsFixture {
 protected:
  void install_traced(PortSetup port, std::uint64_t outcomes, std::uint32_t sample = 0) {
    setup_ = with_ports({std::move(port)});
    setup_.egresses[1].is_traced = (outcomes >> XDPLB_OUTCOME_FORWARDED & 1) != 0;
    setup_.traced_outcomes = outcomes;
    setup_.trace_sample = sample;
    layout_ = layout_ports(setup_);
    program_.install(setup_);
  }
  unsigned how(std::uint16_t client, std::uint8_t flags) {
    tcp(client, flags);
    const auto records = program_.traces();
    return records.size() == 1 ? records[0].how : ~0U;
  }
};

TEST_F(Trace, IsSilentUnlessAsked) {
  install_traced({.port = 80, .rows = {settled_row(1)}}, 0);
  tcp(1, kSyn);
  tcp(1, kSyn, 0, 81);
  EXPECT_TRUE(program_.traces().empty());
}

TEST_F(Trace, RecordsTheFrameAsItLeaves) {
  install_traced({.port = 80, .rows = {settled_row(2)}}, kAll);
  for (const std::size_t size : {0U, 1U, 74U, 75U, 900U}) {
    const Packet packet = kIn / from_client(kWeb4) / Tcp{.destination_port = 80};
    const Frame frame = size == 0 ? packet : packet / payload(size);
    const Observation seen = program_.dispatch(frame);
    const auto records = program_.traces();
    ASSERT_EQ(records.size(), 1U);
    const xdplb_trace_record& record = records[0];
    EXPECT_EQ(record.ifindex, interfaces_.ingress);
    EXPECT_EQ(record.length, seen.frame.size());
    EXPECT_EQ(record.outcome, XDPLB_OUTCOME_FORWARDED);
    EXPECT_EQ(record.server, 2);
    EXPECT_EQ(record.options, layout_.places[0].ports[0].options);
    const std::size_t captured = std::min<std::size_t>(seen.frame.size(), XDPLB_TRACE_BYTES);
    ASSERT_EQ(record.captured, captured);
    EXPECT_TRUE(same_frame(Frame(seen.frame.begin(), seen.frame.begin() + static_cast<std::ptrdiff_t>(captured)),
                           Frame(record.frame, record.frame + captured)));
    EXPECT_NE(record.time_ns, 0U);
  }
}

TEST_F(Trace, RecordsOnlyTheOutcomesAskedFor) {
  install_traced({.port = 80, .rows = {settled_row(1)}}, std::uint64_t{1} << XDPLB_OUTCOME_NO_PORT);
  tcp(1, kSyn);
  tcp(1, kSyn, 0, 81);
  send(kIn / from_client(kForeign4) / Tcp{});
  const auto records = program_.traces();
  ASSERT_EQ(records.size(), 1U);
  EXPECT_EQ(records[0].outcome, XDPLB_OUTCOME_NO_PORT);
  EXPECT_EQ(records[0].server, 0);
}

TEST_F(Trace, SamplesOneOfMany) {
  install_traced({.port = 80, .rows = {settled_row(1)}}, kAll, 10);
  for (std::uint16_t client = 0; client < 2000; ++client) tcp(client, kAck);
  const std::size_t records = program_.traces().size();
  // 200 expected; the bounds are seven standard deviations away.
  EXPECT_GT(records, 100U);
  EXPECT_LT(records, 300U);
}

TEST_F(Trace, SaysHowTheServerWasFound) {
  install_traced({.port = 80, .rows = {settled_row(1)}, .new_flow_limit = 1}, kAll);
  EXPECT_EQ(how(1, kSyn), XDPLB_HOW_ROW);
  program_.write_row(row(), moving_row(1, 2));
  EXPECT_EQ(how(1, kAck), XDPLB_HOW_BASE);
  EXPECT_EQ(how(2, kSyn), XDPLB_HOW_RECORDED);
  EXPECT_EQ(how(2, kAck), XDPLB_HOW_FLOW);
  EXPECT_EQ(how(3, kSyn), XDPLB_HOW_REFUSED);
  program_.write_row(row(), moving_row(2, 2));
  EXPECT_EQ(how(3, kAck), XDPLB_HOW_ROW);
}

TEST_F(Trace, ClockStandsStillUnlessMoved) {
  EXPECT_EQ(program_.clock(), kFirstStamp);
  for (const std::uint32_t stamp : {5U, 0xfffffff0U, 1U, kFirstStamp}) {
    program_.set_now(stamp);
    EXPECT_EQ(program_.clock(), stamp);
  }
}

TEST_F(Trace, ClockTicksWithJiffies) {
  // Ticks of one jiffy: what is 1 to 10 ms, whatever the kernel's HZ.
  Program running({.clock_shift = 0});
  const std::uint32_t before = running.clock();
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(10);
  while (running.clock() - before < 3 && std::chrono::steady_clock::now() < deadline) {
  }
  EXPECT_GE(running.clock() - before, 3U);
}

}  // namespace
}  // namespace xdplb::test
