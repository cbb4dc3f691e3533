// SPDX-License-Identifier: GPL-2.0-only
// Big-endian fields of packets as host integers, and back.
#pragma once

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

}  // namespace xdplb
