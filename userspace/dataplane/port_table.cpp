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

// One address or network that lines are made for.
struct Place {
  xdplb_port_key key{};  // of the address alone
  Family family = Family::kV4;
};

xdplb_port_key with_port(const Place& place, std::uint16_t port, std::uint8_t protocol) {
  xdplb_port_key key = place.key;
  key.port = static_cast<__be16>(__builtin_bswap16(port));
  key.protocol = protocol;
  return key;
}

void set_slice(xdplb_port& line, const PlannedPort& port, Family family) {
  std::copy(port.seeds.begin(), port.seeds.end(), line.seeds);
  const auto shape = port.shape_of(family);
  line.client_shift = shape.client_shift;
  line.low_shift = shape.low_shift;
  line.low_kept = shape.low_kept ? 1 : 0;
  line.port_shift = shape.port_shift;
  if (shape != HashShape{}) line.attention |= XDPLB_ATTENTION_PART;
  if (const auto& rows = port.rows_of(family)) {
    line.first_row = rows->first_row;
    line.row_mask = rows->count() - 1;
  }
}

std::uint16_t attention_of(const PlannedPort& port, Family family) {
  if (port.config.is_tracked()) return XDPLB_ATTENTION_ALWAYS;
  // UDP has no packet that opens a flow: where it is not tracked its affinity is the row alone.
  const bool has_affinity = port.affinity[static_cast<std::size_t>(family)] != 0;
  return has_affinity && port.path.protocol == Protocol::kTcp ? XDPLB_ATTENTION_SYN : std::uint16_t{0};
}

xdplb_port port_line(const Place& place, const PlannedPort& port) {
  xdplb_port line{};
  line.key = with_port(place, port.path.port, static_cast<std::uint8_t>(port.path.protocol));
  set_slice(line, port, place.family);
  line.attention |= attention_of(port, place.family);
  line.options = port.options_of(place.family);
  return line;
}

// Whose rows an echo request follows: the first port that has a server of this family that frames can be sent to.
const PlannedPort* echo_port(const PlannedCluster& cluster, Family family) {
  const PlannedPort* with_rows = nullptr;
  for (const auto& [path, port] : cluster.ports) {
    if (!port->rows_of(family)) continue;
    if (with_rows == nullptr) with_rows = port.get();
    const auto& servers = port->servers;
    if (std::any_of(servers.begin(), servers.end(),
                    [family](const PlannedServer& server) { return server.weight(family) > 0; }))
      return port.get();
  }
  return with_rows;
}

xdplb_port address_line(const Place& place, const PlannedCluster& cluster) {
  xdplb_port line{};
  line.key = place.key;
  line.low_kept = 1;
  line.options = cluster.options_of(place.family);
  const auto* port = cluster.echo == Echo::kServer ? echo_port(cluster, place.family) : nullptr;
  if (port == nullptr) return line;
  set_slice(line, *port, place.family);
  line.port_shift = 16;
  return line;
}

// The port whose rows later fragments follow: when all ports of the protocol pick by the client's address alone and in
// the same way. nullptr when they do not.
const PlannedPort* fragment_port(const PlannedCluster& cluster, Protocol protocol, Family family) {
  const auto at = static_cast<std::size_t>(family);
  const PlannedPort* chosen = nullptr;
  for (const auto& [path, port] : cluster.ports) {
    if (path.protocol != protocol) continue;
    if (port->affinity[at] == 0 || port->config.is_tracked() || !port->rows[at]) return nullptr;
    if (chosen != nullptr && (chosen->affinity != port->affinity || chosen->shape_of(family) != port->shape_of(family)))
      return nullptr;
    if (chosen == nullptr || !port->config.crossport) chosen = port.get();
  }
  return chosen;
}

void add_lines(const Place& place, const PlannedCluster& cluster, std::vector<xdplb_port>& lines) {
  for (const auto& [path, port] : cluster.ports) lines.push_back(port_line(place, *port));
  lines.push_back(address_line(place, cluster));
  for (const auto protocol : {Protocol::kTcp, Protocol::kUdp}) {
    const auto* port = fragment_port(cluster, protocol, place.family);
    if (port == nullptr) continue;
    auto line = port_line(place, *port);
    line.key = with_port(place, 0, static_cast<std::uint8_t>(XDPLB_PROTOCOL_FRAGMENTS + static_cast<int>(protocol)));
    lines.push_back(line);
  }
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

xdplb_port_key address_key(const IpAddress& address) {
  xdplb_port_key key{};
  key.family = address.is_v4() ? 4 : 6;
  std::memcpy(key.address, address.bytes().data(), address.bytes().size());
  return key;
}

xdplb_port_key prefix_line_key(const IpPrefix& prefix) {
  auto key = address_key(prefix.address);
  key.family |= XDPLB_FAMILY_PREFIX;
  key.prefix_bits = prefix.length;
  return key;
}

xdplb_prefix_key prefix_key(const IpPrefix& prefix) {
  xdplb_prefix_key key{};
  key.bits = 32U + prefix.length;
  key.family = __builtin_bswap32(prefix.address.is_v4() ? 4 : 6);
  std::memcpy(key.address, prefix.address.bytes().data(), prefix.address.bytes().size());
  return key;
}

std::vector<xdplb_port> port_lines(const Plan& plan) {
  std::vector<xdplb_port> lines;
  for (const auto& [name, cluster] : plan.clusters) {
    for (const auto& address : cluster.addresses)
      add_lines({.key = address_key(address), .family = address.family()}, cluster, lines);
    for (const auto& prefix : cluster.prefixes)
      add_lines({.key = prefix_line_key(prefix), .family = prefix.address.family()}, cluster, lines);
  }
  if (!plan.peers.empty())
    for (auto& line : lines) line.attention |= XDPLB_ATTENTION_PEERS;
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
