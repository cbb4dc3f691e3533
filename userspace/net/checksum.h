// SPDX-License-Identifier: GPL-2.0-only
// The Internet checksum (RFC 1071) of ICMP messages.
#pragma once

#include "net/address.h"

#include <cstdint>
#include <span>

namespace xdplb {

// Checksum of an ICMPv6 message with its IPv6 pseudo header (RFC 4443 2.3, RFC 8200 8.1), host order.
//
// message  from the ICMPv6 type on, without padding of the frame. With its checksum field zero the value is what
// belongs
//          there; with the field filled in, 0 says that it is right.
std::uint16_t icmpv6_checksum(const IpAddress& source, const IpAddress& destination,
                              std::span<const std::uint8_t> message);

// Checksum of an ICMP message of IPv4 (RFC 792), host order: as above, without a pseudo header.
std::uint16_t icmp_checksum(std::span<const std::uint8_t> message);

}  // namespace xdplb
