// SPDX-License-Identifier: GPL-2.0-only
#include "net/packet_summary.h"

#include <gtest/gtest.h>

#include <vector>

namespace xdplb {
namespace {

using Bytes = std::vector<std::uint8_t>;

Bytes ethernet(std::uint16_t type) {
  Bytes frame(12, 2);
  frame.push_back(static_cast<std::uint8_t>(type >> 8));
  frame.push_back(static_cast<std::uint8_t>(type & 0xff));
  return frame;
}

Bytes operator+(Bytes left, const Bytes& right) {
  left.insert(left.end(), right.begin(), right.end());
  return left;
}

Bytes ipv4(std::uint8_t protocol, std::uint8_t words = 5, std::uint16_t fragment = 0) {
  Bytes header(words * 4U, 0);
  header[0] = static_cast<std::uint8_t>(0x40 | words);
  header[6] = static_cast<std::uint8_t>(fragment >> 8);
  header[7] = static_cast<std::uint8_t>(fragment & 0xff);
  header[9] = protocol;
  const Bytes addresses{198, 51, 100, 7, 192, 0, 2, 10};
  std::copy(addresses.begin(), addresses.end(), header.begin() + 12);
  return header;
}

Bytes ipv6(std::uint8_t next) {
  Bytes header(40, 0);
  header[0] = 0x60;
  header[6] = next;
  header[8] = header[24] = 0x20;
  header[9] = header[25] = 0x01;
  header[23] = 7;
  header[39] = 10;
  return header;
}

Bytes tcp(std::uint8_t flags) {
  Bytes header(20, 0);
  header[0] = 0x9c;
  header[1] = 0x40;
  header[3] = 80;
  header[13] = flags;
  return header;
}

TEST(PacketSummary, TellsAddressesPortsAndFlags) {
  const auto packet = summarize_packet(ethernet(0x0800) + ipv4(6) + tcp(0x12));
  EXPECT_EQ(packet.source->to_string(), "198.51.100.7");
  EXPECT_EQ(packet.destination->to_string(), "192.0.2.10");
  EXPECT_EQ(packet.source_port, 40000);
  EXPECT_EQ(packet.destination_port, 80);
  EXPECT_EQ(tcp_flags_text(packet.tcp_flags), "SYN,ACK");
}

TEST(PacketSummary, LooksBehindTwoTagsAndNotThree) {
  const Bytes tag{0, 7, 0x81, 0}, last{0, 8, 0x08, 0};
  EXPECT_EQ(summarize_packet(ethernet(0x88a8) + tag + last + ipv4(6) + tcp(2)).source_port, 40000);
  EXPECT_FALSE(summarize_packet(ethernet(0x88a8) + tag + tag + last + ipv4(6) + tcp(2)).source);
}

TEST(PacketSummary, SkipsOptionsAndExtensionHeaders) {
  EXPECT_EQ(summarize_packet(ethernet(0x0800) + ipv4(6, 7) + tcp(2)).destination_port, 80);
  const Bytes hop_by_hop{60, 0, 0, 0, 0, 0, 0, 0}, destination{6, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0};
  const auto packet = summarize_packet(ethernet(0x86dd) + ipv6(0) + hop_by_hop + destination + tcp(2));
  EXPECT_EQ(packet.protocol, 6);
  EXPECT_EQ(packet.destination_port, 80);
  EXPECT_EQ(packet.source->to_string(), "2001::7");
}

TEST(PacketSummary, LaterFragmentsHaveNoPorts) {
  const auto first = summarize_packet(ethernet(0x0800) + ipv4(17, 5, 0x2000) + tcp(0));
  EXPECT_TRUE(first.is_fragment);
  EXPECT_TRUE(first.source_port);
  const auto later = summarize_packet(ethernet(0x0800) + ipv4(17, 5, 0x0010) + tcp(0));
  EXPECT_TRUE(later.is_fragment);
  EXPECT_FALSE(later.source_port);
  const Bytes fragment{17, 0, 0, 8, 0, 0, 0, 1};
  const auto later6 = summarize_packet(ethernet(0x86dd) + ipv6(44) + fragment + tcp(0));
  EXPECT_TRUE(later6.is_fragment);
  EXPECT_EQ(later6.protocol, 17);
  EXPECT_FALSE(later6.source_port);
}

TEST(PacketSummary, AnythingCutOffIsLeftOut) {
  const auto whole = ethernet(0x86dd) + ipv6(6) + tcp(2);
  for (std::size_t size = 0; size < whole.size(); ++size) {
    const auto packet = summarize_packet(std::span(whole).first(size));
    EXPECT_EQ(packet.source.has_value(), size >= 54) << size;
    EXPECT_EQ(packet.source_port.has_value(), size >= 58) << size;
  }
}

TEST(PacketSummary, FlagsAreNamedInTheOrderOfTheirBits) {
  EXPECT_EQ(tcp_flags_text(0), "");
  EXPECT_EQ(tcp_flags_text(0x1f), "FIN,SYN,RST,PSH,ACK");
  EXPECT_EQ(tcp_flags_text(0xe0), "");
}

}  // namespace
}  // namespace xdplb
