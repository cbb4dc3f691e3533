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
    if (port.port != 0 || port.is_for_fragments) continue;
    wildcards |= port.protocol == Protocol::kTcp ? XDPLB_OPTION_WILDCARD_TCP : XDPLB_OPTION_WILDCARD_UDP;
  }
  return wildcards;
}

std::uint16_t attention_of(const PortSetup& port) {
  unsigned attention = 0;
  if (port.affinity != 0) attention |= XDPLB_ATTENTION_SYN;
  if (port.is_tracked) attention |= XDPLB_ATTENTION_ALWAYS;
  return static_cast<std::uint16_t>(attention);
}

void set_mask(xdplb_port& line, const ClientMask& mask, Family family) {
  line.port_shift = mask.has_port ? 0 : 16;
  line.low_kept = 1;
  if (family == Family::kV4) {
    line.client_shift = static_cast<std::uint8_t>(32 - mask.v4_bits);
  } else if (mask.v6_bits > 64) {
    line.low_shift = static_cast<std::uint8_t>(128 - mask.v6_bits);
  } else {
    line.low_kept = 0;
    line.client_shift = static_cast<std::uint8_t>(64 - mask.v6_bits);
  }
}

xdplb_port line_of(const xdplb_port_key& key, const PortSetup& port, const LinePlace& place) {
  const Family family = (key.family & 6) == 6 ? Family::kV6 : Family::kV4;
  xdplb_port line{};
  line.key = key;
  line.options = place.options;
  line.attention = attention_of(port);
  std::copy(port.seeds.begin(), port.seeds.end(), line.seeds);
  set_mask(line, port.mask, family);
  const bool is_whole = line.client_shift == 0 && line.low_shift == 0 && line.low_kept == 1 && line.port_shift == 0;
  if (!is_whole) line.attention |= XDPLB_ATTENTION_PART;
  const auto& rows = port.rows_of(family);
  if (rows.empty()) return line;
  line.first_row = place.first_row[family == Family::kV4 ? 0 : 1];
  line.row_mask = static_cast<std::uint32_t>(rows.size() - 1);
  return line;
}

xdplb_options port_options(const PortSetup& port, const LinePlace& place) {
  xdplb_options options{};
  options.flags = (port.is_tracked ? XDPLB_OPTION_TRACKED : 0) | (port.shares_affinity ? XDPLB_OPTION_SHARED : 0);
  options.pick = static_cast<std::uint8_t>(port.pick);
  options.on_stale = static_cast<std::uint8_t>(port.on_stale);
  options.no_server = static_cast<std::uint8_t>(port.no_server);
  options.affinity = port.affinity;
  options.stale_ticks = port.stale_ticks;
  options.first_member = place.first_member;
  options.member_count = static_cast<std::uint32_t>(port.members.size());
  options.new_flow_limit = port.new_flow_limit;
  return options;
}

xdplb_options cluster_options(const ClusterSetup& cluster) {
  xdplb_options options{};
  options.flags = wildcards_of(cluster) | (cluster.is_alive ? XDPLB_OPTION_ALIVE : 0);
  options.echo = static_cast<std::uint8_t>(cluster.echo);
  return options;
}

int line_protocol(const PortSetup& port) {
  return static_cast<int>(port.protocol) | (port.is_for_fragments ? XDPLB_PROTOCOL_FRAGMENTS : 0);
}

class Layouter {
 public:
  explicit Layouter(std::uint32_t first_row) : next_row_(first_row) {}

  void add(const ClusterSetup& cluster) {
    ClusterPlace place{.address = place_of(cluster.echo_line)};
    layout_.options.emplace_back(place.address.options, cluster_options(cluster));
    for (const PortSetup& port : cluster.ports) {
      place.ports.push_back(place_of(port));
      layout_.options.emplace_back(place.ports.back().options, port_options(port, place.ports.back()));
    }
    for (const IpAddress& address : cluster.addresses) add_lines(cluster, place, address);
    for (const IpPrefix& prefix : cluster.prefixes) add_lines(cluster, place, prefix);
    layout_.places.push_back(std::move(place));
  }

  PortLayout take() { return std::move(layout_); }

 private:
  template <typename Address>
  void add_lines(const ClusterSetup& cluster, const ClusterPlace& place, const Address& address) {
    layout_.lines.push_back(line_of(make_key(address, 0, 0), cluster.echo_line, place.address));
    for (std::size_t i = 0; i < cluster.ports.size(); ++i) {
      const PortSetup& port = cluster.ports[i];
      layout_.lines.push_back(line_of(make_key(address, line_protocol(port), port.port), port, place.ports[i]));
    }
  }

  LinePlace place_of(const PortSetup& port) {
    LinePlace place{.options = next_options_++};
    place.first_row = {add_slice(port.rows_of(Family::kV4)), add_slice(port.rows_of(Family::kV6))};
    if (!port.members.empty()) {
      place.first_member = next_row_;
      layout_.slices.push_back({.first_row = next_row_, .rows = port.members});
      next_row_ += static_cast<std::uint32_t>(port.members.size());
    }
    return place;
  }

  std::uint32_t add_slice(const std::vector<std::uint32_t>& rows) {
    if (rows.empty()) return 0;
    const auto size = static_cast<std::uint32_t>(rows.size());
    const std::uint32_t start = (next_row_ + size - 1) / size * size;
    layout_.slices.push_back({.first_row = start, .rows = rows});
    next_row_ = start + size;
    return start;
  }

  PortLayout layout_;
  std::uint32_t next_row_;
  std::uint16_t next_options_ = 1;
};

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

xdplb_port_key make_key(const IpPrefix& prefix, int protocol, std::uint16_t port) {
  xdplb_port_key key = make_key(prefix.network().address, protocol, port);
  key.family |= XDPLB_FAMILY_PREFIX;
  key.prefix_bits = prefix.length;
  return key;
}

xdplb_prefix_key make_prefix_key(const IpPrefix& prefix) {
  const xdplb_port_key line = make_key(prefix, 0, 0);
  xdplb_prefix_key key{};
  key.bits = 32U + prefix.length;
  const std::array<std::uint8_t, 4> family{0, 0, 0, static_cast<std::uint8_t>(prefix.address.is_v4() ? 4 : 6)};
  std::memcpy(&key.family, family.data(), sizeof(key.family));
  std::copy(std::begin(line.address), std::end(line.address), std::begin(key.address));
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

PortLayout layout_ports(const DataplaneSetup& setup) {
  Layouter layouter(setup.first_row);
  for (const ClusterSetup& cluster : setup.clusters) layouter.add(cluster);
  PortLayout layout = layouter.take();
  for (xdplb_port& line : layout.lines)
    if (!setup.peers.empty()) line.attention |= XDPLB_ATTENTION_PEERS;
  return layout;
}

xdplb_server make_server(const ServerSetup& server) {
  xdplb_server value{};
  value.egress = static_cast<std::uint16_t>(server.egress | (server.is_forsaken ? XDPLB_SERVER_FORSAKEN : 0U));
  std::copy(server.mac.bytes.begin(), server.mac.bytes.end(), value.mac);
  return value;
}

xdplb_egress make_egress(const EgressSetup& egress) {
  xdplb_egress value{};
  value.ifindex = egress.ifindex;
  value.tag = egress.tag;
  value.flags = static_cast<std::uint16_t>((egress.is_local ? XDPLB_EGRESS_LOCAL : 0U) |
                                           (egress.decrements_ttl ? XDPLB_EGRESS_DECREMENT_TTL : 0U) |
                                           (egress.is_traced ? XDPLB_EGRESS_TRACED : 0U));
  std::copy(egress.mac.bytes.begin(), egress.mac.bytes.end(), value.mac);
  return value;
}

std::uint64_t mac_word(const MacAddress& mac) {
  std::uint64_t word = 0;
  for (std::size_t i = 0; i < mac.bytes.size(); ++i) word |= std::uint64_t{mac.bytes[i]} << (8 * i);
  return word;
}

}  // namespace xdplb::test
