// SPDX-License-Identifier: GPL-2.0-only
// Fields of packets: big-endian numbers as host integers and back, addresses.
#pragma once

#include "net/address.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>

namespace xdplb {

// Reads `size` (1..8) bytes in network order.
inline std::uint64_t load_be(const std::uint8_t* bytes, std::size_t size) {
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < size; ++i) value = value << 8 | bytes[i];
  return value;
}

inline std::uint16_t load_be16(const std::uint8_t* bytes) { return static_cast<std::uint16_t>(load_be(bytes, 2)); }
inline std::uint32_t load_be32(const std::uint8_t* bytes) { return static_cast<std::uint32_t>(load_be(bytes, 4)); }
inline std::uint64_t load_be64(const std::uint8_t* bytes) { return load_be(bytes, 8); }

inline void store_be16(std::uint8_t* bytes, std::uint16_t value) {
  bytes[0] = static_cast<std::uint8_t>(value >> 8);
  bytes[1] = static_cast<std::uint8_t>(value & 0xff);
}

inline MacAddress load_mac(const std::uint8_t* bytes) {
  MacAddress mac;
  std::copy_n(bytes, mac.bytes.size(), mac.bytes.begin());
  return mac;
}

inline IpAddress load_ipv4(const std::uint8_t* bytes) {
  return IpAddress::v4({bytes[0], bytes[1], bytes[2], bytes[3]});
}

inline IpAddress load_ipv6(const std::uint8_t* bytes) {
  std::array<std::uint8_t, 16> address{};
  std::copy_n(bytes, address.size(), address.begin());
  return IpAddress::v6(address);
}

}  // namespace xdplb
