// SPDX-License-Identifier: GPL-2.0-only
// ARP for IPv4 over Ethernet (RFC 826): whole frames to values and back. Pure.
#pragma once

#include "net/frame.h"

#include <array>
#include <cstdint>
#include <span>

namespace xdplb {

enum class ArpOperation : std::uint16_t { kRequest = 1, kReply = 2 };

struct ArpPacket {
  ArpOperation operation = ArpOperation::kRequest;
  MacAddress sender_mac;  // SHA
  IpAddress sender_ip;    // SPA, IPv4
  MacAddress target_mac;  // THA
  IpAddress target_ip;    // TPA, IPv4
  auto operator<=>(const ArpPacket&) const = default;
};

// A packet and the Ethernet header around it. The two may disagree about the sender: whoever answers must compare them.
struct ArpFrame {
  EthernetAddresses ethernet;
  ArpPacket packet;
  auto operator<=>(const ArpFrame&) const = default;
};

using ArpBytes = std::array<std::uint8_t, kShortestFrame>;

// Decodes one Ethernet frame without FCS; bytes behind the packet are padding. Errors: kOtherType, kOtherFormat,
// kOtherRequest, kTruncated.
[[nodiscard]] Decoded<ArpFrame> decode_arp(std::span<const std::uint8_t> frame);

// The frame to send, padded with zeros. Both addresses of the packet must be IPv4.
ArpBytes encode_arp(const ArpFrame& frame);

// RFC 5227 2.1.1: asks whether anybody uses `address` without claiming it.
ArpFrame arp_probe(const MacAddress& own_mac, const IpAddress& address);

// RFC 826: asks as any host does who has `address`; claims nothing but the asker's own address.
//
// own_ip  of the interface that asks, never a VIPA; 0.0.0.0 makes it a probe
ArpFrame arp_question(const MacAddress& own_mac, const IpAddress& own_ip, const IpAddress& address);

// RFC 5227 2.3: claims `address` for `own_mac` as a broadcast request.
ArpFrame arp_announcement(const MacAddress& own_mac, const IpAddress& address);

// The same claim as a broadcast reply, for hosts that update from replies only. The target MAC is our own: with any
// other Linux ignores it for entries younger than a second (arp_process(), locktime). Source: RFC 5944 4.6.
ArpFrame arp_announcement_reply(const MacAddress& own_mac, const IpAddress& address);

// The same claim told to one neighbour alone, as the answer to a question it did not ask.
ArpFrame arp_directed_announcement(const MacAddress& own_mac, const IpAddress& address, const MacAddress& neighbour_mac,
                                   const IpAddress& neighbour_ip);

// The unicast answer to `request`: `own_mac` has request.target_ip. The answer to a probe has target 0.0.0.0.
ArpFrame arp_answer(const ArpPacket& request, const MacAddress& own_mac);

}  // namespace xdplb
