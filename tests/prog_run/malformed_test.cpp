// SPDX-License-Identifier: GPL-2.0-only
// Headers that contradict themselves or the frame: the same outcome whichever way through the program they take.
#include "golden_cases.h"
#include "support/prog_run.h"

#include <linux/bpf.h>

#include <gtest/gtest.h>

namespace xdplb::test {
namespace {

class Malformed : public ProgRun {
 protected:
  void SetUp() override { program_.install(setup_); }

  testing::AssertionResult ends_as(xdplb_outcome outcome, const Frame& frame) {
    return same_journey({.outcome = outcome, .verdict = outcome_verdict(outcome), .frame = frame}, program_.run(frame));
  }

  const DataplaneSetup setup_ = golden_setup(interfaces_.ingress, interfaces_.other);
};

TEST_F(Malformed, AnotherVersionInAnIpv6FrameIsPassed) {
  // Port 443 has an entry of its own, 22 is taken by port 0: both must say the same.
  for (const std::uint16_t port : std::initializer_list<std::uint16_t>{443, 22}) {
    for (const unsigned version : {0U, 4U, 5U, 7U, 15U}) {
      Frame frame = kIn / from_client(kWeb6) / Tcp{.destination_port = port};
      frame[14] = static_cast<std::uint8_t>(version << 4);
      EXPECT_TRUE(ends_as(XDPLB_OUTCOME_TRUNCATED, frame)) << "version " << version << ", port " << port;
    }
  }
}

TEST_F(Malformed, TrafficClassAndFlowLabelAreNoVersion) {
  Frame frame = kIn / from_client(kWeb6) / Tcp{.destination_port = 443};
  frame[14] = 0x6f;
  frame[15] = frame[16] = frame[17] = 0xff;
  EXPECT_TRUE(same_journey(expected_journey(setup_, frame, interfaces_.ingress), program_.run(frame)));
  EXPECT_EQ(program_.dispatch(frame).verdict, XDP_TX);
}

TEST_F(Malformed, AnotherVersionInAnIpv4FrameIsPassed) {
  for (const std::uint16_t port : std::initializer_list<std::uint16_t>{443, 22}) {
    for (const unsigned first_byte : {0x05U, 0x35U, 0x55U, 0x65U, 0xf5U, 0x44U, 0x40U}) {
      Frame frame = kIn / from_client(kWeb4) / Tcp{.destination_port = port};
      frame[14] = static_cast<std::uint8_t>(first_byte);
      EXPECT_TRUE(ends_as(XDPLB_OUTCOME_TRUNCATED, frame)) << first_byte << ", port " << port;
    }
  }
}

TEST_F(Malformed, AShortPacketOfAnotherProtocolIsOfAnotherProtocol) {
  // Nothing is missing: the headers that the program reads end before the payload.
  for (const std::size_t size : {0U, 1U, 7U, 8U}) {
    EXPECT_TRUE(ends_as(XDPLB_OUTCOME_OTHER_PROTOCOL,
                        kIn / Ipv4{.source = kClient4, .destination = kWeb4, .protocol = kGre} / payload(size)))
        << size;
    EXPECT_TRUE(
        ends_as(XDPLB_OUTCOME_OTHER_PROTOCOL,
                kIn / Ipv6{.source = kClient6, .destination = kWeb6, .next_header = kNoNextHeader} / payload(size)))
        << size;
  }
}

TEST_F(Malformed, SynWithFinOrRstCountsAsBoth) {
  // struct xdplb_counters: new is SYN without ACK, closed is FIN or RST; neither excludes the other.
  for (const int closing : {int{kFin}, int{kRst}, kFin | kRst}) {
    const Frame frame =
        kIn / from_client(kWeb4) / Tcp{.destination_port = 443, .flags = static_cast<std::uint8_t>(kSyn | closing)};
    const Observation seen = program_.run(frame);
    ASSERT_TRUE(seen.servers.contains(1));
    EXPECT_EQ(seen.servers.at(1).new_flows, 1U) << closing;
    EXPECT_EQ(seen.servers.at(1).closed_flows, 1U) << closing;
  }
}

TEST_F(Malformed, LengthsInsideTheHeadersDoNotChangeTheJourney) {
  // The program trusts the frame's own end only; the server checks the rest.
  Frame frame = kIn / from_client(kWeb4) / Tcp{.destination_port = 443} / payload(6);
  for (const std::size_t offset : {16U, 17U, 46U}) frame[offset] = 0xff;  // total length, data offset
  EXPECT_TRUE(same_journey(expected_journey(setup_, frame, interfaces_.ingress), program_.run(frame)));
  EXPECT_EQ(program_.dispatch(frame).verdict, XDP_TX);
}

TEST_F(Malformed, EthernetPaddingIsForwardedAndCounted) {
  Frame frame = kIn / from_client(kWeb4) / Udp{.destination_port = 53};
  frame.resize(60);
  const Journey expected = expected_journey(setup_, frame, interfaces_.ingress);
  EXPECT_EQ(expected.counters.bytes, 60U);
  EXPECT_TRUE(same_journey(expected, program_.run(frame)));
}

}  // namespace
}  // namespace xdplb::test
