// SPDX-License-Identifier: GPL-2.0-only
#include "net/checksum.h"

#include "net/wire.h"

namespace xdplb {
namespace {

constexpr std::uint32_t kIcmpv6 = 58;  // IANA protocol number

std::uint64_t sum_words(std::span<const std::uint8_t> bytes) {
  std::uint64_t sum = 0;
  std::size_t i = 0;
  for (; i + 1 < bytes.size(); i += 2) sum += load_be16(&bytes[i]);
  if (i < bytes.size()) sum += static_cast<std::uint64_t>(bytes[i]) << 8;  // an odd last byte is padded with zero
  return sum;
}

std::uint16_t complement(std::uint64_t sum) {
  while (sum >> 16 != 0) sum = (sum & 0xffff) + (sum >> 16);
  return static_cast<std::uint16_t>(~sum & 0xffff);
}

}  // namespace

std::uint16_t icmpv6_checksum(const IpAddress& source, const IpAddress& destination,
                              std::span<const std::uint8_t> message) {
  const std::uint64_t sum = sum_words(source.bytes()) + sum_words(destination.bytes()) + message.size() + kIcmpv6;
  return complement(sum + sum_words(message));
}

std::uint16_t icmp_checksum(std::span<const std::uint8_t> message) { return complement(sum_words(message)); }

}  // namespace xdplb
