// SPDX-License-Identifier: GPL-2.0-only
#include "host/host_state.h"

#include <algorithm>

namespace xdplb {

std::size_t IpAddressHash::operator()(const IpAddress& address) const {
  // FNV-1a: the addresses of one LAN differ in the last bytes only, which it spreads over the whole word.
  std::uint64_t hash = 0xcbf29ce484222325ULL;
  for (std::uint8_t byte : address.bytes()) hash = (hash ^ byte) * 0x100000001b3ULL;
  return static_cast<std::size_t>(hash);
}

std::optional<std::uint32_t> find_connected(std::span<const InterfaceAddress> addresses, const IpAddress& address,
                                            std::span<const std::uint32_t> candidates) {
  for (std::uint32_t candidate : candidates) {
    bool connected = std::any_of(addresses.begin(), addresses.end(), [&](const InterfaceAddress& entry) {
      return entry.ifindex == candidate && entry.prefix.contains(address);
    });
    if (connected) return candidate;
  }
  return std::nullopt;
}

}  // namespace xdplb
