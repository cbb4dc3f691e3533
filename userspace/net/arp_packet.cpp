// SPDX-License-Identifier: GPL-2.0-only
#include "net/arp_packet.h"

#include "net/wire.h"

#include <algorithm>

namespace xdplb {
namespace {

constexpr std::size_t kArpPacket = 28;                 // bytes, for Ethernet and IPv4
constexpr std::uint16_t kHardwareEthernet = 1;         // ar$hrd
constexpr std::uint16_t kProtocolIpv4 = 0x0800;        // ar$pro
constexpr std::uint16_t kAddressLengths = 6 << 8 | 4;  // ar$hln, ar$pln

}  // namespace

Decoded<ArpFrame> decode_arp(std::span<const std::uint8_t> frame) {
  if (frame.size() < kEthernetHeader) return Refusal::kTruncated;
  if (load_be16(&frame[12]) != kEtherTypeArp) return Refusal::kOtherType;
  if (frame.size() < kEthernetHeader + kArpPacket) return Refusal::kTruncated;
  const std::uint8_t* arp = &frame[kEthernetHeader];
  if (load_be16(arp) != kHardwareEthernet || load_be16(arp + 2) != kProtocolIpv4 ||
      load_be16(arp + 4) != kAddressLengths) {
    return Refusal::kOtherFormat;
  }
  const auto operation = static_cast<ArpOperation>(load_be16(arp + 6));
  if (operation != ArpOperation::kRequest && operation != ArpOperation::kReply) return Refusal::kOtherRequest;
  return ArpFrame{
      .ethernet = {.destination = load_mac(&frame[0]), .source = load_mac(&frame[6])},
      .packet = {.operation = operation,
                 .sender_mac = load_mac(arp + 8),
                 .sender_ip = load_ipv4(arp + 14),
                 .target_mac = load_mac(arp + 18),
                 .target_ip = load_ipv4(arp + 24)},
  };
}

ArpBytes encode_arp(const ArpFrame& frame) {
  ArpBytes out{};
  const auto put = [&out](std::size_t offset, std::span<const std::uint8_t> bytes) {
    std::copy(bytes.begin(), bytes.end(), out.begin() + static_cast<std::ptrdiff_t>(offset));
  };
  put(0, frame.ethernet.destination.bytes);
  put(6, frame.ethernet.source.bytes);
  store_be16(&out[12], kEtherTypeArp);
  store_be16(&out[14], kHardwareEthernet);
  store_be16(&out[16], kProtocolIpv4);
  store_be16(&out[18], kAddressLengths);
  store_be16(&out[20], static_cast<std::uint16_t>(frame.packet.operation));
  put(22, frame.packet.sender_mac.bytes);
  put(28, frame.packet.sender_ip.bytes().first(4));
  put(32, frame.packet.target_mac.bytes);
  put(38, frame.packet.target_ip.bytes().first(4));
  return out;
}

ArpFrame arp_probe(const MacAddress& own_mac, const IpAddress& address) {
  return {
      .ethernet = {.destination = kBroadcastMac, .source = own_mac},
      .packet = {.operation = ArpOperation::kRequest,
                 .sender_mac = own_mac,
                 .sender_ip = {},
                 .target_mac = {},
                 .target_ip = address},
  };
}

ArpFrame arp_question(const MacAddress& own_mac, const IpAddress& own_ip, const IpAddress& address) {
  ArpFrame frame = arp_probe(own_mac, address);
  frame.packet.sender_ip = own_ip;
  return frame;
}

ArpFrame arp_announcement(const MacAddress& own_mac, const IpAddress& address) {
  return arp_question(own_mac, address, address);
}

ArpFrame arp_announcement_reply(const MacAddress& own_mac, const IpAddress& address) {
  ArpFrame frame = arp_announcement(own_mac, address);
  frame.packet.operation = ArpOperation::kReply;
  frame.packet.target_mac = own_mac;
  return frame;
}

ArpFrame arp_directed_announcement(const MacAddress& own_mac, const IpAddress& address, const MacAddress& neighbour_mac,
                                   const IpAddress& neighbour_ip) {
  return {
      .ethernet = {.destination = neighbour_mac, .source = own_mac},
      .packet = {.operation = ArpOperation::kReply,
                 .sender_mac = own_mac,
                 .sender_ip = address,
                 .target_mac = neighbour_mac,
                 .target_ip = neighbour_ip},
  };
}

ArpFrame arp_answer(const ArpPacket& request, const MacAddress& own_mac) {
  return arp_directed_announcement(own_mac, request.target_ip, request.sender_mac, request.sender_ip);
}

}  // namespace xdplb
