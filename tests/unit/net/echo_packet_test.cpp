// SPDX-License-Identifier: GPL-2.0-only
#include "net/echo_packet.h"

#include "net/checksum.h"
#include "net/wire.h"

#include <gtest/gtest.h>

namespace xdplb {
namespace {

const MacAddress kOwn = *MacAddress::parse("02:00:00:00:00:01");
const MacAddress kServer = *MacAddress::parse("02:00:00:00:00:21");

EchoFrame request_v4() {
  return {.ethernet = {.destination = kServer, .source = kOwn},
          .source = *IpAddress::parse("192.0.2.2"),
          .destination = *IpAddress::parse("192.0.2.10"),
          .identifier = 0x1234,
          .sequence = 7};
}

EchoFrame request_v6() {
  auto request = request_v4();
  request.source = *IpAddress::parse("2001:db8::2");
  request.destination = *IpAddress::parse("2001:db8::10");
  return request;
}

// What the server makes of a request: addresses exchanged, the other type, checksums anew.
std::vector<std::uint8_t> reply_to(const EchoFrame& request) {
  auto back = request;
  std::swap(back.ethernet.destination, back.ethernet.source);
  std::swap(back.source, back.destination);
  auto frame = encode_echo_request(back);
  const std::size_t at = kEthernetHeader + (back.source.is_v4() ? 20U : 40U);
  frame[at] = back.source.is_v4() ? 0 : 129;
  store_be16(&frame[at + 2], 0);
  const std::span<const std::uint8_t> message(&frame[at], frame.size() - at);
  store_be16(&frame[at + 2],
             back.source.is_v4() ? icmp_checksum(message) : icmpv6_checksum(back.source, back.destination, message));
  return frame;
}

Refusal refusal_of(std::span<const std::uint8_t> frame) {
  const auto decoded = decode_echo_reply(frame);
  EXPECT_FALSE(decoded);
  return decoded ? Refusal::kOtherFormat : decoded.error();
}

TEST(EchoPacket, ARequestOfIpv4IsTheseBytes) {
  const auto frame = encode_echo_request(request_v4());
  ASSERT_EQ(frame.size(), 74U);
  const std::vector<std::uint8_t> expected = {
      0x02, 0, 0,    0,    0,    0x21, 0x02, 0, 0,  0, 0,    1,    0x08, 0x00,                       // Ethernet
      0x45, 0, 0,    60,   0,    0,    0,    0, 64, 1, 0xf6, 0xb3, 192,  0,    2, 2, 192, 0, 2, 10,  // IP
      8,    0, 0xf4, 0xb4, 0x12, 0x34, 0,    7};                                                     // ICMP
  const std::span<const std::uint8_t> head(frame.data(), expected.size());
  EXPECT_EQ(icmp_checksum(head.subspan(14, 20)), 0);
  EXPECT_EQ(icmp_checksum(std::span<const std::uint8_t>(frame).subspan(34)), 0);
  for (std::size_t i = 0; i < expected.size(); ++i) {
    const bool is_checksum = i == 24 || i == 25 || i == 36 || i == 37;
    if (!is_checksum) {
      EXPECT_EQ(frame[i], expected[i]) << "byte " << i;
    }
  }
}

TEST(EchoPacket, ARequestOfIpv6HasItsChecksum) {
  const auto request = request_v6();
  const auto frame = encode_echo_request(request);
  ASSERT_EQ(frame.size(), 94U);
  EXPECT_EQ(frame[54], 128);
  EXPECT_EQ(icmpv6_checksum(request.source, request.destination, std::span<const std::uint8_t>(frame).subspan(54)), 0);
}

TEST(EchoPacket, ARequestIsNoReply) {
  EXPECT_EQ(refusal_of(encode_echo_request(request_v4())), Refusal::kOtherType);
  EXPECT_EQ(refusal_of(encode_echo_request(request_v6())), Refusal::kOtherType);
}

TEST(EchoPacket, AReplyIsRead) {
  for (const auto& request : {request_v4(), request_v6()}) {
    const auto reply = decode_echo_reply(reply_to(request));
    ASSERT_TRUE(reply);
    EXPECT_EQ(reply->source, request.destination);
    EXPECT_EQ(reply->destination, request.source);
    EXPECT_EQ(reply->ethernet.source, kServer);
    EXPECT_EQ(reply->identifier, 0x1234);
    EXPECT_EQ(reply->sequence, 7);
  }
}

TEST(EchoPacket, IpOptionsAndPaddingDoNotMatter) {
  auto frame = reply_to(request_v4());
  const std::vector<std::uint8_t> options = {1, 1, 1, 0};
  frame.insert(frame.begin() + 34, options.begin(), options.end());
  frame[14] = 0x46;
  frame[17] = 64;
  store_be16(&frame[24], 0);
  store_be16(&frame[24], icmp_checksum(std::span<const std::uint8_t>(frame).subspan(14, 24)));
  frame.resize(frame.size() + 10, 0xee);
  EXPECT_TRUE(decode_echo_reply(frame));
}

TEST(EchoPacket, WhatIsCutShortIsRefused) {
  for (const auto& request : {request_v4(), request_v6()}) {
    const auto frame = reply_to(request);
    for (std::size_t size = 0; size < frame.size(); ++size)
      EXPECT_FALSE(decode_echo_reply(std::span<const std::uint8_t>(frame).first(size))) << size;
  }
}

TEST(EchoPacket, AWrongChecksumACodeAndAFragmentAreRefused) {
  auto frame = reply_to(request_v4());
  frame.back() ^= 1;
  EXPECT_EQ(refusal_of(frame), Refusal::kChecksum);
  frame = reply_to(request_v6());
  frame.back() ^= 1;
  EXPECT_EQ(refusal_of(frame), Refusal::kChecksum);
  frame = reply_to(request_v4());
  frame[35] = 1;
  frame[37] = static_cast<std::uint8_t>(frame[37] - 1);
  EXPECT_EQ(refusal_of(frame), Refusal::kCode);
  frame = reply_to(request_v4());
  frame[20] = 0x20;  // more fragments
  store_be16(&frame[24], 0);
  store_be16(&frame[24], icmp_checksum(std::span<const std::uint8_t>(frame).subspan(14, 20)));
  EXPECT_EQ(refusal_of(frame), Refusal::kOtherFormat);
  frame[14] = 0x44;  // a header of four words
  EXPECT_EQ(refusal_of(frame), Refusal::kTruncated);
}

}  // namespace
}  // namespace xdplb
