// SPDX-License-Identifier: GPL-2.0-only
#include "kernel_layout.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <utility>

namespace xdplb::test {
namespace {

constexpr std::uint32_t kCuckooMoves = 1000;

std::uint32_t wildcards_of(const ClusterSetup& cluster) {
  std::uint32_t wildcards = 0;
  for (const PortSetup& port : cluster.ports) {
    if (port.port == 0) wildcards |= port.protocol == Protocol::kTcp ? XDPLB_WILDCARD_TCP : XDPLB_WILDCARD_UDP;
  }
  return wildcards;
}

xdplb_port line_of(const IpAddress& address, const PortSetup& port, std::uint32_t first_row) {
  xdplb_port line{};
  line.key = make_key(address, static_cast<int>(port.protocol), port.port);
  std::copy(port.seeds.begin(), port.seeds.end(), line.seeds);
  const auto& rows = port.rows_of(address.family());
  if (rows.empty()) return line;
  line.first_row = first_row;
  line.row_chunk = first_row / XDPLB_ROWS_PER_CHUNK;
  line.row_mask = static_cast<std::uint32_t>(rows.size() - 1);
  return line;
}

}  // namespace

xdplb_port_key make_key(const IpAddress& address, int protocol, std::uint16_t port) {
  xdplb_port_key key{};
  const std::array<std::uint8_t, 2> port_bytes{static_cast<std::uint8_t>(port >> 8),
                                               static_cast<std::uint8_t>(port & 0xff)};
  std::memcpy(&key.port, port_bytes.data(), sizeof(key.port));
  key.protocol = static_cast<std::uint8_t>(protocol);
  key.family = address.is_v4() ? 4 : 6;
  std::memcpy(key.address, address.bytes().data(), address.bytes().size());
  return key;
}

std::uint64_t make_selector(std::uint32_t half, std::uint64_t seed) {
  constexpr std::uint64_t kHalf = XDPLB_SELECTOR_HALF;
  return half == 0 ? (seed | 1) & ~kHalf : seed | 1 | kHalf;
}

std::array<std::uint32_t, 2> slots_of(const xdplb_port_key& key, std::uint64_t selector) {
  const auto word = std::bit_cast<std::array<std::uint64_t, 3>>(key);
  const std::uint64_t mixed = word[0] ^ word[1] * 0x9e3779b97f4a7c15 ^ word[2] * 0xc2b2ae3d27d4eb4f;
  return {static_cast<std::uint32_t>(mixed * selector >> (64 - XDPLB_PORT_SLOT_BITS)),
          static_cast<std::uint32_t>((mixed ^ mixed >> 32) * selector >> (64 - XDPLB_PORT_SLOT_BITS))};
}

bool PortTable::insert(const xdplb_port& line) {
  xdplb_port homeless = line;
  std::uint32_t slot = slots_of(homeless.key, selector_)[0];
  for (std::uint32_t move = 0; move < kCuckooMoves; ++move) {
    const auto [place, is_free] = lines_.try_emplace(slot, homeless);
    if (is_free) return true;
    std::swap(place->second, homeless);
    const auto slots = slots_of(homeless.key, selector_);
    slot = slot == slots[0] ? slots[1] : slots[0];
  }
  return false;
}

PortLayout layout_ports(const DataplaneSetup& setup, std::uint32_t first_row) {
  PortLayout layout;
  const auto add_slice = [&layout, &first_row](const std::vector<std::uint32_t>& rows) -> std::uint32_t {
    if (rows.empty()) return 0;
    const auto size = static_cast<std::uint32_t>(rows.size());
    const std::uint32_t start = (first_row + size - 1) / size * size;
    layout.slices.push_back({.first_row = start, .rows = rows});
    first_row = start + size;
    return start;
  };
  for (const ClusterSetup& cluster : setup.clusters) {
    for (const IpAddress& address : cluster.addresses) {
      xdplb_port line{};
      line.key = make_key(address, 0, 0);
      line.wildcards = wildcards_of(cluster);
      layout.lines.push_back(line);
    }
    for (const PortSetup& port : cluster.ports) {
      const std::array first_rows{add_slice(port.rows_of(Family::kV4)), add_slice(port.rows_of(Family::kV6))};
      for (const IpAddress& address : cluster.addresses) {
        layout.lines.push_back(line_of(address, port, first_rows[address.is_v4() ? 0 : 1]));
      }
    }
  }
  return layout;
}

xdplb_server make_server(const ServerSetup& server) {
  xdplb_server value{};
  value.egress = server.egress;
  std::copy(server.mac.bytes.begin(), server.mac.bytes.end(), value.mac);
  return value;
}

xdplb_egress make_egress(const EgressSetup& egress) {
  xdplb_egress value{};
  value.ifindex = egress.ifindex;
  std::copy(egress.mac.bytes.begin(), egress.mac.bytes.end(), value.mac);
  return value;
}

}  // namespace xdplb::test
