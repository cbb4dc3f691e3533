// SPDX-License-Identifier: GPL-2.0-only
#include "net/checksum.h"

#include <gtest/gtest.h>

#include <vector>

namespace xdplb {
namespace {

const IpAddress kSource = IpAddress::parse("fe80::1").value();
const IpAddress kDestination = IpAddress::parse("ff02::1").value();

// fe80 + 1 + ff02 + 1 + length + 58, summed by hand: 0x1fd84 + 0x3a + length.
TEST(Icmpv6Checksum, CoversThePseudoHeader) {
  // 0x1fd84 + 0x3a + 0 = 0x1fdbe -> 0xfdbf -> complement 0x0240.
  EXPECT_EQ(icmpv6_checksum(kSource, kDestination, {}), 0x0240);
}

TEST(Icmpv6Checksum, CoversTheMessage) {
  // 0x1fdbe + length 4 + 0x8700 + 0x0001 = 0x284c3 -> 0x84c5 -> complement 0x7b3a.
  EXPECT_EQ(icmpv6_checksum(kSource, kDestination, std::vector<std::uint8_t>{0x87, 0x00, 0x00, 0x01}), 0x7b3a);
}

TEST(Icmpv6Checksum, PadsAnOddByteWithZero) {
  // 0x1fdbe + length 3 + 0x8700 + 0x0100 = 0x285c1 -> 0x85c3 -> complement 0x7a3c.
  EXPECT_EQ(icmpv6_checksum(kSource, kDestination, std::vector<std::uint8_t>{0x87, 0x00, 0x01}), 0x7a3c);
}

TEST(Icmpv6Checksum, OfACorrectMessageIsZero) {
  EXPECT_EQ(icmpv6_checksum(kSource, kDestination, std::vector<std::uint8_t>{0x87, 0x00, 0x7b, 0x3b}), 0);
}

TEST(IcmpChecksum, CoversTheMessageAlone) {
  // An echo request with identifier 1 and sequence number 2: 0x0800 + 0x0001 + 0x0002 = 0x0803 -> complement 0xf7fc.
  std::vector<std::uint8_t> message = {0x08, 0x00, 0x00, 0x00, 0x00, 0x01, 0x00, 0x02};
  EXPECT_EQ(icmp_checksum(message), 0xf7fc);
  message[2] = 0xf7;
  message[3] = 0xfc;
  EXPECT_EQ(icmp_checksum(message), 0);
}

}  // namespace
}  // namespace xdplb
