// SPDX-License-Identifier: GPL-2.0-only
#include "net/echo_packet.h"

#include "net/checksum.h"
#include "net/wire.h"

#include <algorithm>
#include <array>
#include <cassert>

namespace xdplb {
namespace {

constexpr std::size_t kIpv4Header = 20;  // bytes, without options
constexpr std::size_t kIpv6Header = 40;
constexpr std::size_t kEchoHeader = 8;  // type, code, checksum, identifier, sequence
constexpr std::size_t kDataBytes = 32;
constexpr std::uint8_t kHopLimit = 64;
constexpr std::uint8_t kProtocolIcmp = 1;
constexpr std::uint8_t kNextHeaderIcmpv6 = 58;
constexpr std::uint8_t kRequestV4 = 8;
constexpr std::uint8_t kReplyV4 = 0;
constexpr std::uint8_t kRequestV6 = 128;
constexpr std::uint8_t kReplyV6 = 129;
constexpr std::uint16_t kFragmentMask = 0x3fff;  // more fragments, offset

void put(std::uint8_t* out, std::span<const std::uint8_t> bytes) { std::copy(bytes.begin(), bytes.end(), out); }

void put_ipv4(std::uint8_t* ip, const EchoFrame& echo, std::size_t length) {
  ip[0] = 0x45;  // version 4, header of five words
  store_be16(ip + 2, static_cast<std::uint16_t>(length));
  ip[8] = kHopLimit;
  ip[9] = kProtocolIcmp;
  put(ip + 12, echo.source.bytes());
  put(ip + 16, echo.destination.bytes());
  store_be16(ip + 10, icmp_checksum({ip, kIpv4Header}));  // the same sum, RFC 791
}

void put_ipv6(std::uint8_t* ip, const EchoFrame& echo, std::size_t payload) {
  ip[0] = 6 << 4;
  store_be16(ip + 4, static_cast<std::uint16_t>(payload));
  ip[6] = kNextHeaderIcmpv6;
  ip[7] = kHopLimit;
  put(ip + 8, echo.source.bytes());
  put(ip + 24, echo.destination.bytes());
}

// What an IP header says of the ICMP message behind it.
struct Packet {
  IpAddress source;
  IpAddress destination;
  std::span<const std::uint8_t> message;
};

Decoded<Packet> read_ipv4(std::span<const std::uint8_t> packet) {
  if (packet.size() < kIpv4Header) return Refusal::kTruncated;
  const std::size_t header = std::size_t{4} * (packet[0] & 0xfU);
  const std::size_t length = load_be16(&packet[2]);
  if (packet[0] >> 4 != 4 || packet[9] != kProtocolIcmp) return Refusal::kOtherType;
  if (header < kIpv4Header || length < header || packet.size() < length) return Refusal::kTruncated;
  if (icmp_checksum(packet.first(header)) != 0) return Refusal::kChecksum;
  if ((load_be16(&packet[6]) & kFragmentMask) != 0) return Refusal::kOtherFormat;
  return Packet{.source = load_ipv4(&packet[12]),
                .destination = load_ipv4(&packet[16]),
                .message = packet.subspan(header, length - header)};
}

Decoded<Packet> read_ipv6(std::span<const std::uint8_t> packet) {
  if (packet.size() < kIpv6Header) return Refusal::kTruncated;
  if (packet[0] >> 4 != 6 || packet[6] != kNextHeaderIcmpv6) return Refusal::kOtherType;
  const std::size_t length = load_be16(&packet[4]);
  if (packet.size() < kIpv6Header + length) return Refusal::kTruncated;
  return Packet{.source = load_ipv6(&packet[8]),
                .destination = load_ipv6(&packet[24]),
                .message = packet.subspan(kIpv6Header, length)};
}

}  // namespace

std::vector<std::uint8_t> encode_echo_request(const EchoFrame& request) {
  assert(request.source.family() == request.destination.family());
  const bool is_v4 = request.destination.is_v4();
  const std::size_t header = is_v4 ? kIpv4Header : kIpv6Header;
  const std::size_t length = kEchoHeader + kDataBytes;
  std::vector<std::uint8_t> frame(kEthernetHeader + header + length);
  put(&frame[0], request.ethernet.destination.bytes);
  put(&frame[6], request.ethernet.source.bytes);
  store_be16(&frame[12], is_v4 ? kEtherTypeIpv4 : kEtherTypeIpv6);
  std::uint8_t* ip = &frame[kEthernetHeader];
  std::uint8_t* message = ip + header;
  message[0] = is_v4 ? kRequestV4 : kRequestV6;
  store_be16(message + 4, request.identifier);
  store_be16(message + 6, request.sequence);
  for (std::size_t i = 0; i < kDataBytes; ++i) message[kEchoHeader + i] = static_cast<std::uint8_t>(i);
  const std::span<const std::uint8_t> whole(message, length);
  if (is_v4) {
    put_ipv4(ip, request, header + length);
    store_be16(message + 2, icmp_checksum(whole));
  } else {
    put_ipv6(ip, request, length);
    store_be16(message + 2, icmpv6_checksum(request.source, request.destination, whole));
  }
  return frame;
}

Decoded<EchoFrame> decode_echo_reply(std::span<const std::uint8_t> frame) {
  if (frame.size() < kEthernetHeader) return Refusal::kTruncated;
  const std::uint16_t type = load_be16(&frame[12]);
  if (type != kEtherTypeIpv4 && type != kEtherTypeIpv6) return Refusal::kOtherType;
  const bool is_v4 = type == kEtherTypeIpv4;
  const auto packet = is_v4 ? read_ipv4(frame.subspan(kEthernetHeader)) : read_ipv6(frame.subspan(kEthernetHeader));
  if (!packet) return packet.error();
  const auto message = packet->message;
  if (message.size() < kEchoHeader) return Refusal::kTruncated;
  if (message[0] != (is_v4 ? kReplyV4 : kReplyV6)) return Refusal::kOtherType;
  const auto sum = is_v4 ? icmp_checksum(message) : icmpv6_checksum(packet->source, packet->destination, message);
  if (sum != 0) return Refusal::kChecksum;
  if (message[1] != 0) return Refusal::kCode;
  return EchoFrame{.ethernet = {.destination = load_mac(&frame[0]), .source = load_mac(&frame[6])},
                   .source = packet->source,
                   .destination = packet->destination,
                   .identifier = load_be16(&message[4]),
                   .sequence = load_be16(&message[6])};
}

}  // namespace xdplb
