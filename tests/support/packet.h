// SPDX-License-Identifier: GPL-2.0-only
// Frames for tests: layers joined with operator/, with right lengths, types and checksums.
//
//   Frame frame = Ethernet{.destination = mac("02:00:00:00:00:01")} / Vlan{.id = 7} /
//                 Ipv4{.source = ip("192.0.2.1"), .destination = ip("192.0.2.10")} / Tcp{.destination_port = 80};
#pragma once

#include "net/address.h"

#include <gtest/gtest.h>

#include <concepts>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace xdplb::test {

using Frame = std::vector<std::uint8_t>;  // from the Ethernet header on, without FCS

inline constexpr std::uint16_t kTypeIpv4 = 0x0800;
inline constexpr std::uint16_t kTypeArp = 0x0806;
inline constexpr std::uint16_t kTypeVlan = 0x8100;         // 802.1Q
inline constexpr std::uint16_t kTypeServiceVlan = 0x88a8;  // 802.1ad
inline constexpr std::uint16_t kTypeIpv6 = 0x86dd;

inline constexpr std::uint8_t kHopByHop = 0;  // IPv6 extension headers
inline constexpr std::uint8_t kIcmp = 1;
inline constexpr std::uint8_t kTcp = 6;
inline constexpr std::uint8_t kUdp = 17;
inline constexpr std::uint8_t kRouting = 43;
inline constexpr std::uint8_t kFragment = 44;
inline constexpr std::uint8_t kGre = 47;
inline constexpr std::uint8_t kAuthentication = 51;
inline constexpr std::uint8_t kIcmpv6 = 58;
inline constexpr std::uint8_t kNoNextHeader = 59;
inline constexpr std::uint8_t kDestinationOptions = 60;

inline constexpr std::uint8_t kEchoReply = 0;  // ICMP types
inline constexpr std::uint8_t kEchoRequest = 8;
inline constexpr std::uint8_t kEchoRequest6 = 128;  // of ICMPv6
inline constexpr std::uint8_t kEchoReply6 = 129;

inline constexpr std::uint8_t kFin = 0x01;  // TCP flags
inline constexpr std::uint8_t kSyn = 0x02;
inline constexpr std::uint8_t kRst = 0x04;
inline constexpr std::uint8_t kPsh = 0x08;
inline constexpr std::uint8_t kAck = 0x10;

// Addresses of tests are literals: a text that does not parse is a mistake of the test and throws.
MacAddress mac(std::string_view text);
IpAddress ip(std::string_view text);

struct Ethernet {
  MacAddress destination{};
  MacAddress source{};
  std::uint16_t type = 0;  // 0: that of the next layer
};

struct Vlan {
  std::uint16_t id = 1;
  std::uint8_t priority = 0;
  std::uint16_t tag = kTypeVlan;
  std::uint16_t type = 0;  // of what follows; 0: that of the next layer
};

struct Ipv4 {
  IpAddress source{};
  IpAddress destination{};
  std::uint8_t ttl = 64;
  Frame options{};  // filled up with end-of-options to whole words
  bool dont_fragment = false;
  bool more_fragments = false;
  std::uint16_t fragment_offset = 0;  // in units of 8 bytes
  int protocol = -1;                  // -1: that of the next layer
  std::uint16_t identification = 0x1234;
  std::uint8_t type_of_service = 0;
};

struct Ipv6 {
  IpAddress source{};
  IpAddress destination{};
  std::uint8_t hop_limit = 64;
  int next_header = -1;  // -1: that of the next layer
};

// Any extension header but Fragment. RFC 8200 4, RFC 4302 2.
struct Ipv6Extension {
  std::uint8_t type = kHopByHop;
  Frame body{};          // what follows type and length; filled up with zeros to 8 bytes
  int next_header = -1;  // -1: that of the next layer
};

struct Ipv6Fragment {
  std::uint16_t offset = 0;  // in units of 8 bytes
  bool more_fragments = false;
  int next_header = -1;  // -1: that of the next layer
  std::uint32_t identification = 0x12345678;
};

struct Tcp {
  std::uint16_t source_port = 40000;
  std::uint16_t destination_port = 80;
  std::uint8_t flags = kAck;
  Frame options{};  // filled up with end-of-options to whole words
  std::uint32_t sequence = 0x01020304;
  std::optional<std::uint32_t> acknowledgment{};  // absent: 0 without ACK
  std::uint16_t window = 64240;
};

struct Udp {
  std::uint16_t source_port = 40000;
  std::uint16_t destination_port = 53;
};

// ICMP, or ICMPv6 behind an IPv6 header. The packet that an error tells of is the next layers; as its own checksums
// need its addresses only, it may be made apart and cut, see quoted().
struct Icmp {
  std::uint8_t type = 8;
  std::uint8_t code = 0;
  std::uint32_t rest = 0;
};

struct Payload {
  Frame bytes{};
};

// `size` bytes that differ from each other.
Payload payload(std::size_t size);
// What an ICMP error quotes of a packet without its Ethernet header: the first `size` bytes of `bytes`.
Payload quoted(Frame bytes, std::size_t size = 1000);

using Layer = std::variant<Ethernet, Vlan, Ipv4, Ipv6, Ipv6Extension, Ipv6Fragment, Tcp, Udp, Icmp, Payload>;

// Layers from the outside in. Converts to the bytes of its frame.
struct Packet {
  std::vector<Layer> layers;
  operator Frame() const;
};

namespace detail {
template <typename T, typename... Layers>
constexpr bool is_alternative(const std::variant<Layers...>*) {
  return (std::same_as<T, Layers> || ...);
}
}  // namespace detail

template <typename T>
concept IsLayer = detail::is_alternative<std::remove_cvref_t<T>>(static_cast<const Layer*>(nullptr));

template <typename T>
concept IsPart = IsLayer<T> || std::same_as<std::remove_cvref_t<T>, Packet>;

namespace detail {
inline void append(Packet& packet, const Packet& part) {
  packet.layers.insert(packet.layers.end(), part.layers.begin(), part.layers.end());
}
inline void append(Packet& packet, Layer layer) { packet.layers.push_back(std::move(layer)); }
}  // namespace detail

template <IsPart L, IsPart R>
Packet operator/(L&& outer, R&& inner) {
  Packet packet;
  detail::append(packet, std::forward<L>(outer));
  detail::append(packet, std::forward<R>(inner));
  return packet;
}

// RFC 1071 sum of `bytes`, to be stored as it is.
std::uint16_t internet_checksum(const Frame& bytes);

// Sixteen bytes a line.
std::string hex_dump(const Frame& frame);

// Success, or both frames with the bytes that differ marked. For EXPECT_TRUE.
testing::AssertionResult same_frame(const Frame& expected, const Frame& actual);

}  // namespace xdplb::test
