// SPDX-License-Identifier: GPL-2.0-only
#include "tables.h"

#include "dataplane/port_table.h"
#include "frames.h"
#include "skeleton.h"

#include <bpf/bpf.h>
#include <arpa/inet.h>
#include <fmt/core.h>
#include <netinet/in.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cerrno>
#include <random>
#include <span>
#include <vector>

namespace xdplb::bench {
namespace {

constexpr std::uint32_t kRowsPerServer = 128;
constexpr std::uint32_t kMinRows = 1024;  // row 0 belongs to nobody
constexpr std::uint32_t kStaleTicks = 300;
constexpr std::array<std::uint8_t, 2> kFamilies = {4, 6};
constexpr std::array<std::uint8_t, 2> kProtocols = {IPPROTO_TCP, IPPROTO_UDP};  // first_server_of, first_row_of: TCP

xdplb_port_key key_of(std::uint8_t family, std::uint32_t cluster, std::uint8_t protocol, std::uint16_t port) {
  xdplb_port_key key = {};
  key.port = htons(port);
  key.protocol = protocol;
  key.family = family;
  if (family == 4) {
    key.address[0] = vipa_of(cluster);
  } else {
    vipa6_of(cluster, key.address);
  }
  return key;
}

// What is given out one after the other.
struct Draft {
  std::vector<xdplb_port> lines{};
  std::uint32_t used_rows = kMinRows;
  std::uint32_t used_servers = 1;  // server 0 is nobody
  std::uint16_t used_options = 1;  // the first ones are the defaults
  std::mt19937_64 random{1};
};

std::uint32_t row_word(const ClusterSpec& cluster, std::uint32_t first_server, std::mt19937_64& random) {
  if (!cluster.is_changing) {
    const auto server = first_server + static_cast<std::uint32_t>(random() % cluster.servers);
    return server << XDPLB_ROW_BASE_SHIFT | server;
  }
  const std::uint32_t half = cluster.servers / 2;
  const auto base = first_server + static_cast<std::uint32_t>(random() % half);
  const auto cur = first_server + half + static_cast<std::uint32_t>(random() % (cluster.servers - half));
  return base << XDPLB_ROW_BASE_SHIFT | cur | XDPLB_ROW_LOOKUP;
}

// Every server once: round robin among equal weights.
void fill_members(Draft& draft, const ClusterSpec& cluster, xdplb_tables& tables, xdplb_options& options) {
  options.first_member = draft.used_rows;
  options.member_count = cluster.servers;
  for (std::uint32_t i = 0; i < cluster.servers; ++i) tables.rows[draft.used_rows + i] = draft.used_servers + i;
  draft.used_rows += std::bit_ceil(cluster.servers);
}

void add_port(Draft& draft, std::uint32_t number, const ClusterSpec& cluster, std::uint8_t protocol,
              xdplb_tables& tables) {
  const bool is_tcp = protocol == IPPROTO_TCP;
  xdplb_options& options = tables.options[draft.used_options];
  options.stale_ticks = kStaleTicks;
  std::uint16_t attention = 0;
  for (const std::uint8_t family : kFamilies) {
    xdplb_port line = {};
    line.key = key_of(family, number, protocol, kPort);
    line.first_row = draft.used_rows;
    line.row_mask = row_count_of(cluster) - 1;
    std::ranges::generate(line.seeds, [&] { return draft.random() | 1; });
    line.options = draft.used_options;
    line.low_kept = 1;
    if (is_tcp && cluster.is_tracked) line.attention = XDPLB_ATTENTION_ALWAYS;
    if (is_tcp && cluster.is_sticky) {
      line.attention = XDPLB_ATTENTION_SYN | XDPLB_ATTENTION_PART;
      line.port_shift = 16;
    }
    draft.lines.push_back(line);
    for (std::uint32_t i = 0; i <= line.row_mask; ++i)
      tables.rows[draft.used_rows + i] = row_word(cluster, draft.used_servers, draft.random);
    draft.used_rows += line.row_mask + 1;
    attention |= line.attention;
  }
  if (attention & XDPLB_ATTENTION_SYN) options.affinity = draft.used_options;
  if (attention & XDPLB_ATTENTION_ALWAYS) {
    options.flags = XDPLB_OPTION_TRACKED;
    options.pick = XDPLB_PICK_ROUND_ROBIN;
    fill_members(draft, cluster, tables, options);
  }
  ++draft.used_options;
  draft.used_servers += cluster.servers;
}

// Lines of one cluster: TCP and UDP port and the address, each for both families.
void add_cluster(Draft& draft, std::uint32_t number, const ClusterSpec& cluster, xdplb_tables& tables) {
  const std::uint32_t first_server = draft.used_servers;
  for (const std::uint8_t protocol : kProtocols) add_port(draft, number, cluster, protocol, tables);
  for (std::uint32_t i = first_server; i < draft.used_servers; ++i) {
    tables.servers[i] = {.egress = static_cast<std::uint8_t>(cluster.way),
                         .mac = {2, 0, 0, 1, static_cast<std::uint8_t>(i >> 8), static_cast<std::uint8_t>(i)}};
  }
  tables.options[draft.used_options].flags = XDPLB_OPTION_ALIVE;
  for (const std::uint8_t family : kFamilies) {
    xdplb_port line = {};
    line.key = key_of(family, number, 0, 0);
    line.options = draft.used_options;
    draft.lines.push_back(line);
  }
  ++draft.used_options;
}

Result<void> fill_egresses(const bench_programs& object, const TableSpec& spec, xdplb_tables& tables) {
  for (const Way way : {Way::kBack, Way::kOther, Way::kTtl}) {
    const auto slot = static_cast<std::uint32_t>(way);
    const std::uint32_t ifindex = way == Way::kOther ? spec.other_ifindex : spec.back_ifindex;
    const std::uint16_t flags = way == Way::kTtl ? XDPLB_EGRESS_DECREMENT_TTL : 0;
    tables.egresses[slot] = {.mac = {2, 0, 0, 0, 0, 0x10}, .zero = {}, .ifindex = ifindex, .tag = 0, .flags = flags};
    if (bpf_map_update_elem(bpf_map__fd(object.maps.devices), &slot, &ifindex, BPF_ANY))
      return os_error(fmt::format("bench: put interface {} into the map devices", ifindex), errno);
  }
  return {};
}

template <typename T>
Result<MappedArray<T>> map_values(const bpf_map* map) {
  return MappedArray<T>::open(bpf_map__fd(map), bpf_map__max_entries(map), bpf_map__name(map));
}

Result<BenchMaps> open_maps(const bench_programs& object) {
  auto tables = map_values<xdplb_tables>(object.maps.bss);
  auto flows = map_values<xdplb_flow_bucket>(object.maps.flows);
  auto details = map_values<xdplb_flow_detail>(object.maps.flow_details);
  if (!tables) return tables.error();
  if (!flows) return flows.error();
  if (!details) return details.error();
  return BenchMaps{std::move(*tables), std::move(*flows), std::move(*details)};
}

}  // namespace

std::uint32_t row_count_of(const ClusterSpec& cluster) {
  return std::max(kMinRows, std::bit_ceil(cluster.servers * kRowsPerServer));
}

std::uint32_t first_server_of(const TableSpec& spec, std::uint32_t cluster) {
  std::uint32_t first = 1;
  for (std::uint32_t i = 0; i < cluster; ++i) first += 2 * spec.clusters[i].servers;
  return first;
}

std::uint32_t first_row_of(const TableSpec& spec, std::uint32_t cluster) {
  std::uint32_t first = kMinRows;
  for (std::uint32_t i = 0; i < cluster; ++i) {
    first += 4 * row_count_of(spec.clusters[i]);
    if (spec.clusters[i].is_tracked) first += std::bit_ceil(spec.clusters[i].servers);
  }
  return first;
}

Result<BenchMaps> fill_tables(const bench_programs& object, const TableSpec& spec) {
  Result<BenchMaps> maps = open_maps(object);
  if (!maps) return maps;
  xdplb_tables& tables = maps->tables[0];
  Draft draft;
  for (std::uint32_t i = 0; i < spec.clusters.size(); ++i) add_cluster(draft, i, spec.clusters[i], tables);
  const Result<PlacedPorts> placed = place_ports(draft.lines, 0);
  if (!placed) return placed.error();
  for (std::size_t slot = 0; slot < placed->line_of_slot.size(); ++slot) {
    if (const std::uint32_t line = placed->line_of_slot[slot]) tables.ports[slot] = draft.lines[line - 1];
  }
  tables.settings.layout_version = XDPLB_LAYOUT_VERSION;
  tables.settings.port_selector = placed->selector;
  tables.settings.flow_bucket_mask = spec.flows / XDPLB_FLOW_WAYS - 1;
  tables.settings.flow_seeds[0] = draft.random();
  tables.settings.flow_seeds[1] = draft.random() | 1;
  tables.settings.clock_offset = 1000;  // 0 is no stamp
  if (Result<void> filled = fill_egresses(object, spec, tables); !filled) return filled.error();
  return maps;
}

}  // namespace xdplb::bench
