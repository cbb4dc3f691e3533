// SPDX-License-Identifier: GPL-2.0-only
#include "dataplane/port_table.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>

namespace xdplb {
namespace {

constexpr std::uint64_t kKeyMix1 = 0x9e3779b97f4a7c15ULL;
constexpr std::uint64_t kKeyMix2 = 0xc2b2ae3d27d4eb4fULL;
constexpr unsigned kSeedsTried = 32;
// A chain of displacements longer than this is a cycle for any load that place_ports accepts.
constexpr unsigned kLongestChain = 500;

using KeyWords = std::array<std::uint64_t, 3>;

KeyWords words_of(const xdplb_port_key& key) { return std::bit_cast<KeyWords>(key); }

xdplb_port_key key_of(const IpAddress& address, std::uint16_t port, std::uint8_t protocol) {
  xdplb_port_key key{};
  key.port = static_cast<__be16>(__builtin_bswap16(port));
  key.protocol = protocol;
  key.family = address.is_v4() ? 4 : 6;
  std::memcpy(key.address, address.bytes().data(), address.bytes().size());
  return key;
}

xdplb_port line_of(const IpAddress& address, const PlannedPort& port) {
  xdplb_port line{};
  line.key = key_of(address, port.path.port, static_cast<std::uint8_t>(port.path.protocol));
  std::copy(port.seeds.begin(), port.seeds.end(), line.seeds);
  if (const auto& rows = port.rows_of(address.family())) {
    line.first_row = rows->first_row;
    line.row_chunk = rows->first_row / XDPLB_ROWS_PER_CHUNK;
    line.row_mask = static_cast<std::uint32_t>(rows->table.owners.size()) - 1;
  }
  return line;
}

// splitmix64: consecutive attempts get unrelated multipliers. Odd, and with the bit that names the half.
std::uint64_t selector_of_attempt(std::uint64_t attempt, std::uint32_t half) {
  std::uint64_t number = (attempt + 1) * kKeyMix1;
  number = (number ^ (number >> 30)) * 0xbf58476d1ce4e5b9ULL;
  number = (number ^ (number >> 27)) * 0x94d049bb133111ebULL;
  number = (number ^ (number >> 31)) | 1;
  constexpr std::uint64_t kHalf = XDPLB_SELECTOR_HALF;
  return half == 0 ? number & ~kHalf : number | kHalf;
}

bool insert(std::span<const xdplb_port> lines, std::uint32_t line, PlacedPorts& placed) {
  auto slot = slots_of(lines[line].key, placed.selector).first;
  for (unsigned step = 0; step < kLongestChain; ++step) {
    const auto [first, second] = slots_of(lines[line].key, placed.selector);
    // The first slot while it is free: packets look there first.
    if (placed.line_of_slot[first] == 0)
      slot = first;
    else if (placed.line_of_slot[second] == 0)
      slot = second;
    const std::uint32_t evicted = placed.line_of_slot[slot];
    placed.line_of_slot[slot] = line + 1;
    if (evicted == 0) return true;
    line = evicted - 1;
    const auto [other_first, other_second] = slots_of(lines[line].key, placed.selector);
    slot = slot == other_first ? other_second : other_first;
  }
  return false;
}

bool place_all(std::span<const xdplb_port> lines, PlacedPorts& placed) {
  placed.line_of_slot.assign(XDPLB_PORT_SLOTS, 0);
  for (std::uint32_t line = 0; line < lines.size(); ++line)
    if (!insert(lines, line, placed)) return false;
  return true;
}

}  // namespace

std::vector<xdplb_port> port_lines(const Plan& plan) {
  std::vector<xdplb_port> lines;
  for (const auto& [name, cluster] : plan.clusters) {
    for (const auto& address : cluster.addresses) {
      xdplb_port alone{};
      alone.key = key_of(address, 0, 0);
      for (const auto& [path, port] : cluster.ports) {
        lines.push_back(line_of(address, *port));
        if (path.port == 0)
          alone.wildcards |= path.protocol == Protocol::kTcp ? XDPLB_WILDCARD_TCP : XDPLB_WILDCARD_UDP;
      }
      lines.push_back(alone);
    }
  }
  std::sort(lines.begin(), lines.end(),
            [](const xdplb_port& a, const xdplb_port& b) { return words_of(a.key) < words_of(b.key); });
  return lines;
}

std::pair<std::uint32_t, std::uint32_t> slots_of(const xdplb_port_key& key, std::uint64_t multiplier) {
  const auto words = words_of(key);
  const std::uint64_t mixed = words[0] ^ (words[1] * kKeyMix1) ^ (words[2] * kKeyMix2);
  const auto slot = [multiplier](std::uint64_t value) {
    return static_cast<std::uint32_t>((value * multiplier) >> (64 - XDPLB_PORT_SLOT_BITS));
  };
  return {slot(mixed), slot(mixed ^ (mixed >> 32))};
}

Result<PlacedPorts> place_ports(std::span<const xdplb_port> lines, std::uint32_t half) {
  PlacedPorts placed;
  for (unsigned attempt = 0; attempt < kSeedsTried && lines.size() <= XDPLB_PORT_SLOTS; ++attempt) {
    placed.selector = selector_of_attempt(attempt, half);
    if (place_all(lines, placed)) return placed;
  }
  return fail(ErrorCode::kFailed,
              fmt::format("{} addresses and ports are too many, about {} fit; remove a cluster or a port first",
                          lines.size(), XDPLB_PORT_SLOTS / 2));
}

}  // namespace xdplb
