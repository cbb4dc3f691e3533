// SPDX-License-Identifier: GPL-2.0-only
#include "net/arp_packet.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <string_view>
#include <vector>

namespace xdplb {
namespace {

constexpr MacAddress kOwner{{0x02, 0, 0, 0, 0, 0x0a}};
constexpr MacAddress kAsker{{0x02, 0, 0, 0, 0, 0x0b}};
const IpAddress kVipa = IpAddress::v4({192, 0, 2, 10});
const IpAddress kClient = IpAddress::v4({192, 0, 2, 99});

// "Who has 192.0.2.10? Tell 192.0.2.99", padded to 60 bytes, written out by hand from RFC 826.
std::vector<std::uint8_t> request_bytes() {
  const std::vector<std::uint8_t> packet{0xff, 0xff, 0xff, 0xff, 0xff, 0xff,                  // Ethernet destination
                                         0x02, 0x00, 0x00, 0x00, 0x00, 0x0b,                  // Ethernet source
                                         0x08, 0x06,                                          // ARP
                                         0x00, 0x01, 0x08, 0x00, 0x06, 0x04,                  // Ethernet, IPv4, lengths
                                         0x00, 0x01,                                          // request
                                         0x02, 0x00, 0x00, 0x00, 0x00, 0x0b, 192, 0, 2, 99,   // sender
                                         0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 192, 0, 2, 10};  // target
  std::vector<std::uint8_t> frame(60, 0);
  std::copy(packet.begin(), packet.end(), frame.begin());
  return frame;
}

std::vector<std::uint8_t> bytes_of(const ArpFrame& frame) {
  const ArpBytes bytes = encode_arp(frame);
  return {bytes.begin(), bytes.end()};
}

// `packet` from the operation on, behind an Ethernet header from the owner.
std::vector<std::uint8_t> expected(const MacAddress& destination, const std::vector<std::uint8_t>& packet) {
  constexpr std::array<std::uint8_t, 14> kHeader{0x02, 0,    0,    0,    0,    0x0a, 0x08,
                                                 0x06, 0x00, 0x01, 0x08, 0x00, 0x06, 0x04};
  std::vector<std::uint8_t> frame(60, 0);
  auto at = std::copy(destination.bytes.begin(), destination.bytes.end(), frame.begin());
  at = std::copy(kHeader.begin(), kHeader.end(), at);
  std::copy(packet.begin(), packet.end(), at);
  return frame;
}

TEST(DecodeArp, ReadsARequest) {
  const auto frame = decode_arp(request_bytes());
  ASSERT_TRUE(frame);
  EXPECT_EQ(*frame, (ArpFrame{.ethernet = {.destination = kBroadcastMac, .source = kAsker},
                              .packet = {.operation = ArpOperation::kRequest,
                                         .sender_mac = kAsker,
                                         .sender_ip = kClient,
                                         .target_mac = {},
                                         .target_ip = kVipa}}));
}

TEST(DecodeArp, KeepsEthernetSourceApartFromSender) {
  auto bytes = request_bytes();
  bytes[11] = 0x0c;
  const auto frame = decode_arp(bytes);
  ASSERT_TRUE(frame);
  EXPECT_NE(frame->ethernet.source, frame->packet.sender_mac);
}

TEST(DecodeArp, NeedsNoPadding) {
  auto bytes = request_bytes();
  bytes.resize(42);
  EXPECT_TRUE(decode_arp(bytes));
}

TEST(DecodeArp, RefusesEveryTruncatedFrame) {
  const auto bytes = request_bytes();
  for (std::size_t length = 0; length < 42; ++length) {
    const std::vector<std::uint8_t> cut(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(length));
    const auto frame = decode_arp(cut);
    ASSERT_FALSE(frame) << length;
    EXPECT_EQ(frame.error(), Refusal::kTruncated) << length;
  }
}

TEST(DecodeArp, RefusesWhatIsNoArpForIpv4OverEthernet) {
  struct Case {
    std::string_view description;
    std::size_t offset;
    std::uint8_t value;
    Refusal refusal;
  };
  for (const Case& each : {
           Case{.description = "IPv4", .offset = 13, .value = 0x00, .refusal = Refusal::kOtherType},
           Case{.description = "VLAN tag", .offset = 12, .value = 0x81, .refusal = Refusal::kOtherType},
           Case{.description = "hardware type", .offset = 15, .value = 6, .refusal = Refusal::kOtherFormat},
           Case{.description = "protocol type", .offset = 16, .value = 0x86, .refusal = Refusal::kOtherFormat},
           Case{.description = "hardware length", .offset = 18, .value = 8, .refusal = Refusal::kOtherFormat},
           Case{.description = "protocol length", .offset = 19, .value = 16, .refusal = Refusal::kOtherFormat},
           Case{.description = "operation 0", .offset = 21, .value = 0, .refusal = Refusal::kOtherRequest},
           Case{.description = "reverse request", .offset = 21, .value = 3, .refusal = Refusal::kOtherRequest},
           Case{.description = "operation 257", .offset = 20, .value = 1, .refusal = Refusal::kOtherRequest},
       }) {
    auto bytes = request_bytes();
    bytes[each.offset] = each.value;
    const auto frame = decode_arp(bytes);
    ASSERT_FALSE(frame) << each.description;
    EXPECT_EQ(frame.error(), each.refusal) << each.description;
  }
}

TEST(DecodeArp, ReadsWhatIsEncoded) {
  for (const ArpFrame& frame :
       {arp_probe(kOwner, kVipa), arp_announcement(kOwner, kVipa), arp_announcement_reply(kOwner, kVipa),
        arp_question(kOwner, kClient, kVipa), arp_directed_announcement(kOwner, kVipa, kAsker, kClient),
        arp_answer(decode_arp(request_bytes())->packet, kOwner)}) {
    const auto decoded = decode_arp(encode_arp(frame));
    ASSERT_TRUE(decoded);
    EXPECT_EQ(*decoded, frame);
  }
}

TEST(ArpFrames, ProbeClaimsNothing) {
  EXPECT_EQ(bytes_of(arp_probe(kOwner, kVipa)),
            expected(kBroadcastMac, {0, 1, 2, 0, 0, 0, 0, 0x0a, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 192, 0, 2, 10}));
}

TEST(ArpFrames, QuestionIsWhatAnyHostAsks) {
  EXPECT_EQ(bytes_of(arp_question(kAsker, kClient, kVipa)), request_bytes());
}

TEST(ArpFrames, DirectedAnnouncementIsAReplyToOneNeighbour) {
  EXPECT_EQ(bytes_of(arp_directed_announcement(kOwner, kVipa, kAsker, kClient)),
            expected(kAsker, {0, 2, 2, 0, 0, 0, 0, 0x0a, 192, 0, 2, 10, 2, 0, 0, 0, 0, 0x0b, 192, 0, 2, 99}));
}

TEST(ArpFrames, AnnouncementIsARequestForItself) {
  EXPECT_EQ(bytes_of(arp_announcement(kOwner, kVipa)),
            expected(kBroadcastMac, {0, 1, 2, 0, 0, 0, 0, 0x0a, 192, 0, 2, 10, 0, 0, 0, 0, 0, 0, 192, 0, 2, 10}));
}

TEST(ArpFrames, AnnouncementReplyHasTheOwnerAsTarget) {
  EXPECT_EQ(bytes_of(arp_announcement_reply(kOwner, kVipa)),
            expected(kBroadcastMac, {0, 2, 2, 0, 0, 0, 0, 0x0a, 192, 0, 2, 10, 2, 0, 0, 0, 0, 0x0a, 192, 0, 2, 10}));
}

TEST(ArpFrames, AnswerGoesToTheAsker) {
  const auto request = decode_arp(request_bytes());
  EXPECT_EQ(bytes_of(arp_answer(request->packet, kOwner)),
            expected(kAsker, {0, 2, 2, 0, 0, 0, 0, 0x0a, 192, 0, 2, 10, 2, 0, 0, 0, 0, 0x0b, 192, 0, 2, 99}));
}

TEST(ArpFrames, AnswerToAProbeHasNoTargetAddress) {
  EXPECT_EQ(bytes_of(arp_answer(arp_probe(kAsker, kVipa).packet, kOwner)),
            expected(kAsker, {0, 2, 2, 0, 0, 0, 0, 0x0a, 192, 0, 2, 10, 2, 0, 0, 0, 0, 0x0b, 0, 0, 0, 0}));
}

}  // namespace
}  // namespace xdplb
