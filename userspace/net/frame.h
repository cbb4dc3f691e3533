// SPDX-License-Identifier: GPL-2.0-only
// What the ARP and ND codecs share: Ethernet addresses of a frame, and why a frame is not what was asked for.
#pragma once

#include "net/address.h"

#include <boost/system/result.hpp>

#include <array>
#include <cstddef>
#include <cstdint>

namespace xdplb {

inline constexpr std::size_t kEthernetHeader = 14;       // bytes
inline constexpr std::size_t kShortestFrame = 60;        // bytes without FCS, IEEE 802.3
inline constexpr std::uint16_t kEtherTypeIpv4 = 0x0800;  // host order
inline constexpr std::uint16_t kEtherTypeArp = 0x0806;
inline constexpr std::uint16_t kEtherTypeIpv6 = 0x86dd;

// Why a frame was not decoded. The first three say "other traffic", the rest "a message that must be ignored".
enum class Refusal : std::uint8_t {
  kOtherType,     // another ethertype (a VLAN tag, too), next header or ICMPv6 type
  kOtherFormat,   // ARP for other hardware or protocol addresses
  kOtherRequest,  // ARP operation that is neither request nor reply
  kTruncated,     // the frame ends before the message does
  kHopLimit,      // not 255: it may come from beyond a router
  kChecksum,
  kCode,     // ICMPv6 code other than 0
  kAddress,  // target, source or destination that the message must not have
  kOption,   // an option of length 0, beyond the end or of the wrong size
};

// A decoded message or the reason why there is none. For a stream of foreign frames: no text is made.
template <typename T>
using Decoded = boost::system::result<T, Refusal>;

struct EthernetAddresses {
  MacAddress destination;
  MacAddress source;
  auto operator<=>(const EthernetAddresses&) const = default;
};

}  // namespace xdplb
