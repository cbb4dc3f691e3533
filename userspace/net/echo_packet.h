// SPDX-License-Identifier: GPL-2.0-only
// ICMP and ICMPv6 echo over Ethernet (RFC 792, RFC 4443 4): whole frames to values and back. Pure.
#pragma once

#include "net/frame.h"

#include <cstdint>
#include <span>
#include <vector>

namespace xdplb {

// An echo request or its reply, without the data.
struct EchoFrame {
  EthernetAddresses ethernet{};
  IpAddress source{};
  IpAddress destination{};  // of the family of `source`
  std::uint16_t identifier = 0;
  std::uint16_t sequence = 0;
  auto operator<=>(const EchoFrame&) const = default;
};

// The request to send, with 32 bytes of data, hop limit 64 and all checksums.
std::vector<std::uint8_t> encode_echo_request(const EchoFrame& request);

// Decodes one Ethernet frame without FCS: a whole, unfragmented echo reply of either family; an IPv6 one without
// extension headers. Errors: kOtherType, kOtherFormat (a fragment), kTruncated, kChecksum, kCode.
[[nodiscard]] Decoded<EchoFrame> decode_echo_reply(std::span<const std::uint8_t> frame);

}  // namespace xdplb
