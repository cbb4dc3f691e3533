// SPDX-License-Identifier: GPL-2.0-only
#include "support/packet.h"

#include <gtest/gtest.h>

#include <string>

namespace xdplb::test {
namespace {

const Ethernet kEthernet{.destination = mac("02:00:00:00:00:01"), .source = mac("02:00:00:00:00:02")};
const Ipv4 kIpv4{.source = ip("192.0.2.1"), .destination = ip("198.51.100.2")};
const Ipv6 kIpv6{.source = ip("2001:db8::1"), .destination = ip("2001:db8::2")};

Frame part(const Frame& frame, std::size_t start, std::size_t size) {
  const auto first = frame.begin() + static_cast<std::ptrdiff_t>(start);
  return {first, first + static_cast<std::ptrdiff_t>(size)};
}

TEST(Packet, UdpOverIpv4HasTheBytesOfTheRfcs) {
  const Frame expected{0x02, 0,    0, 0,  0,    1,                              // destination
                       0x02, 0,    0, 0,  0,    2,                              // source
                       0x08, 0x00,                                              // IPv4
                       0x45, 0,    0, 30, 0x12, 0x34, 0,    0,    64,   17,     // 30 bytes
                       0x7c, 0x64,                                              // header checksum
                       192,  0,    2, 1,  198,  51,   100,  2,                  // addresses
                       0x9c, 0x40, 0, 53, 0,    10,   0x0e, 0xc4, 0x68, 0x69};  // ports, length, checksum, data
  const Frame frame = kEthernet / kIpv4 / Udp{} / Payload{.bytes = {0x68, 0x69}};
  EXPECT_TRUE(same_frame(expected, frame));
}

TEST(Packet, ChecksumsVerifyToZero) {
  const Frame v4 = kEthernet / kIpv4 / Tcp{.options = {2, 4, 5, 0xb4, 1}} / payload(5);
  EXPECT_EQ(internet_checksum(part(v4, 14, 20)), 0);
  const Frame v6 = kEthernet / kIpv6 / Icmp{.type = 128} / payload(4);
  Frame sum = part(v6, 22, 32);  // addresses
  const Frame rest = part(v6, 54, v6.size() - 54);
  sum.insert(sum.end(), {0, 0, 0, static_cast<std::uint8_t>(rest.size()), 0, 0, 0, kIcmpv6});
  sum.insert(sum.end(), rest.begin(), rest.end());
  EXPECT_EQ(internet_checksum(sum), 0);
}

TEST(Packet, TagsAndTypesFollowTheNextLayer) {
  const Frame frame = kEthernet / Vlan{.id = 0x123, .priority = 5, .tag = kTypeServiceVlan} / Vlan{.id = 7} / kIpv6 /
                      Tcp{.flags = kSyn};
  EXPECT_EQ(part(frame, 12, 10), (Frame{0x88, 0xa8, 0xa1, 0x23, 0x81, 0x00, 0x00, 0x07, 0x86, 0xdd}));
  EXPECT_EQ(frame.size(), 14U + 8 + 40 + 20);
  EXPECT_EQ(frame[22 + 6], kTcp);
  EXPECT_EQ(frame[62 + 13], kSyn);
}

TEST(Packet, Ipv4OptionsLengthenTheHeader) {
  const Frame frame =
      kEthernet / Ipv4{.options = {7, 7, 4, 0, 0}, .more_fragments = true, .fragment_offset = 3} / payload(8);
  EXPECT_EQ(frame[14], 0x47);
  EXPECT_EQ(part(frame, 16, 2), (Frame{0, 36}));
  EXPECT_EQ(part(frame, 20, 2), (Frame{0x20, 3}));
}

TEST(Packet, ExtensionHeadersAreChained) {
  const Frame frame = kEthernet / kIpv6 / Ipv6Extension{.type = kHopByHop} / Ipv6Fragment{.offset = 1} /
                      Ipv6Extension{.type = kAuthentication, .body = Frame(10)} / Udp{};
  EXPECT_EQ(frame[14 + 6], kHopByHop);
  EXPECT_EQ(part(frame, 54, 2), (Frame{kFragment, 0}));
  EXPECT_EQ(part(frame, 62, 4), (Frame{kAuthentication, 0, 0, 8}));
  EXPECT_EQ(part(frame, 70, 2), (Frame{kUdp, 2}));
}

TEST(Packet, SegmentsCarryWhatTheyAreGiven) {
  const Frame frame = kEthernet /
                      Ipv4{.source = ip("192.0.2.1"),
                           .destination = ip("198.51.100.2"),
                           .identification = 0xabcd,
                           .type_of_service = 0x28} /
                      Tcp{.flags = kRst, .sequence = 0x11223344, .acknowledgment = 0x55667788, .window = 7};
  EXPECT_EQ(part(frame, 15, 1), Frame{0x28});
  EXPECT_EQ(part(frame, 18, 2), (Frame{0xab, 0xcd}));
  EXPECT_EQ(part(frame, 38, 8), (Frame{0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77, 0x88}));
  EXPECT_EQ(part(frame, 48, 2), (Frame{0, 7}));
}

TEST(Packet, QuotedPacketIsCutToItsSize) {
  const Packet inner = kIpv4 / Tcp{};
  const Frame whole = inner;
  const Frame frame = kEthernet / kIpv4 / Icmp{.type = 3} / quoted(inner, 28);
  EXPECT_EQ(frame.size(), 14U + 20 + 8 + 28);
  EXPECT_EQ(part(frame, 42, 28), part(whole, 0, 28));
  EXPECT_EQ(quoted(inner).bytes, whole);
}

TEST(Packet, DifferenceMarksTheBytesThatDiffer) {
  const testing::AssertionResult result = same_frame({1, 2, 3}, {1, 9, 3, 4});
  EXPECT_FALSE(result);
  EXPECT_NE(std::string(result.message()).find("-     0: 01 02 03\n+     0: 01 09 03 04\n            ^^    ^^"),
            std::string::npos)
      << result.message();
}

}  // namespace
}  // namespace xdplb::test
