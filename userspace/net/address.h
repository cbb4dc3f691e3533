// SPDX-License-Identifier: GPL-2.0-only
// Address values: MAC, IPv4/IPv6 address, prefix, transport protocol. Pure values, parse and format.
#pragma once

#include "base/result.h"

#include <array>
#include <compare>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace xdplb {

enum class Family : std::uint8_t { kV4, kV6 };

// "v4" or "v6".
std::string_view family_name(Family family);

struct MacAddress {
  std::array<std::uint8_t, 6> bytes{};  // as on the wire

  // Accepts "02:00:00:00:00:01", either case. Errors: kUsage, naming the text.
  static Result<MacAddress> parse(std::string_view text);
  std::string to_string() const;
  bool is_zero() const { return *this == MacAddress{}; }
  bool is_multicast() const { return (bytes[0] & 1) != 0; }
  auto operator<=>(const MacAddress&) const = default;
};

inline constexpr MacAddress kBroadcastMac{{0xff, 0xff, 0xff, 0xff, 0xff, 0xff}};

// One IPv4 or IPv6 address. An IPv4 address fills bytes()[0..3]; the rest is zero.
class IpAddress {
 public:
  IpAddress() = default;  // 0.0.0.0
  static IpAddress v4(std::array<std::uint8_t, 4> bytes);
  static IpAddress v6(std::array<std::uint8_t, 16> bytes);
  // Accepts dotted quads without leading zeros and RFC 4291 text; no port, no prefix length, no zone.
  // Errors: kUsage, naming the text.
  static Result<IpAddress> parse(std::string_view text);
  // Canonical text: dotted quad or RFC 5952.
  std::string to_string() const;

  Family family() const { return family_; }
  bool is_v4() const { return family_ == Family::kV4; }
  bool is_v6() const { return family_ == Family::kV6; }
  // Network order, 4 or 16 bytes long.
  std::span<const std::uint8_t> bytes() const { return {bytes_.data(), is_v4() ? 4U : 16U}; }
  bool is_unspecified() const;
  bool is_loopback() const;
  bool is_multicast() const;
  bool is_link_local() const;
  bool is_broadcast() const;  // 255.255.255.255
  auto operator<=>(const IpAddress&) const = default;

 private:
  Family family_ = Family::kV4;
  std::array<std::uint8_t, 16> bytes_{};
};

// ff02::1:ffXX:XXXX of RFC 4291 2.7.1; `address` must be IPv6.
IpAddress solicited_node_group(const IpAddress& address);

struct IpPrefix {
  IpAddress address;         // host bits may be set, as on an interface
  std::uint8_t length = 32;  // bits

  // "192.0.2.0/24" or "2001:db8::/32"; an address alone has its full length. Host bits may be set. Errors: kUsage,
  // naming the text.
  static Result<IpPrefix> parse(std::string_view text);
  // The same network with all host bits 0.
  IpPrefix network() const;
  // It stands for one address.
  bool is_host() const { return length == 8 * address.bytes().size(); }
  // True when `other` has the same family and the same first `length` bits.
  bool contains(const IpAddress& other) const;
  std::string to_string() const;
  auto operator<=>(const IpPrefix&) const = default;
};

enum class Protocol : std::uint8_t { kTcp = 6, kUdp = 17 };

// "tcp" or "udp".
std::string_view protocol_name(Protocol protocol);
// Errors: kUsage.
Result<Protocol> parse_protocol(std::string_view text);

// "192.0.2.10:443" or "[2001:db8::10]:443".
struct Endpoint {
  IpAddress address;
  std::uint16_t port = 0;  // host order

  // Errors: kUsage, naming the text and what is wrong with it (address, missing port, port above 65535).
  static Result<Endpoint> parse(std::string_view text);
  std::string to_string() const;
  auto operator<=>(const Endpoint&) const = default;
};

// A whole decimal number in [0, max]; no sign, no spaces, no leading '+'. Errors: kUsage, naming `what` and the text.
Result<std::uint32_t> parse_number(std::string_view text, std::uint32_t max, std::string_view what);

}  // namespace xdplb
