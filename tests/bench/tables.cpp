// SPDX-License-Identifier: GPL-2.0-only
#include "tables.h"

#include "dataplane/mapped_array.h"
#include "dataplane/port_table.h"
#include "frames.h"
#include "skeleton.h"

#include <bpf/bpf.h>
#include <arpa/inet.h>
#include <fmt/core.h>
#include <netinet/in.h>

#include <algorithm>
#include <bit>
#include <cerrno>
#include <random>
#include <span>
#include <vector>

namespace xdplb::bench {
namespace {

constexpr std::uint32_t kRowsPerServer = 128;
constexpr std::uint32_t kMinRows = 1024;
constexpr std::uint32_t kEgress = 1;

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

struct Ports {
  std::vector<xdplb_port> lines;
  std::uint32_t used_rows = kMinRows;  // row 0 belongs to nobody
  std::uint32_t used_servers = 1;      // so does server 0
};

// Lines of one cluster: address, TCP and UDP port, each for both families. Fills the rows of each port and family.
void add_cluster(Ports& ports, std::uint32_t cluster, const TableSpec& spec, std::span<std::uint32_t> rows) {
  const std::uint32_t row_count = std::max(kMinRows, std::bit_ceil(spec.servers * kRowsPerServer));
  std::mt19937_64 random(cluster);
  for (const std::uint8_t protocol : {std::uint8_t{IPPROTO_TCP}, std::uint8_t{IPPROTO_UDP}}) {
    for (const std::uint8_t family : {std::uint8_t{4}, std::uint8_t{6}}) {
      xdplb_port line = {};
      line.key = key_of(family, cluster, protocol, kPort);
      line.first_row = ports.used_rows;
      line.row_chunk = ports.used_rows / XDPLB_ROWS_PER_CHUNK;
      line.row_mask = row_count - 1;
      std::ranges::generate(line.seeds, [&] { return random() | 1; });
      ports.lines.push_back(line);
      for (std::uint32_t i = 0; i < row_count; ++i) {
        const std::uint32_t server = ports.used_servers + static_cast<std::uint32_t>(random() % spec.servers);
        rows[ports.used_rows + i] = server << XDPLB_ROW_BASE_SHIFT | server;
      }
      ports.used_rows += row_count;
    }
    ports.used_servers += spec.servers;
  }
  for (const std::uint8_t family : {std::uint8_t{4}, std::uint8_t{6}}) {
    xdplb_port line = {};
    line.key = key_of(family, cluster, 0, 0);
    ports.lines.push_back(line);
  }
}

Result<void> fill_egress(const bench_programs& object, std::uint32_t ifindex, xdplb_tables& tables) {
  const std::uint32_t slot = kEgress;
  tables.egresses[slot] = {.mac = {2, 0, 0, 0, 0, 0x10}, .zero = {}, .ifindex = ifindex, .zero_2 = 0};
  if (bpf_map_update_elem(bpf_map__fd(object.maps.devices), &slot, &ifindex, BPF_ANY)) {
    return os_error(fmt::format("bench: put interface {} into the map devices", ifindex), errno);
  }
  return {};
}

template <typename T>
Result<MappedArray<T>> map_values(const bpf_map* map) {
  return MappedArray<T>::open(bpf_map__fd(map), bpf_map__max_entries(map), bpf_map__name(map));
}

}  // namespace

Result<void> fill_tables(const bench_programs& object, const TableSpec& spec) {
  const auto mapped = map_values<xdplb_tables>(object.maps.bss);
  const auto chunks = map_values<xdplb_row_chunk>(object.maps.rows);
  if (!mapped) return mapped.error();
  if (!chunks) return chunks.error();
  xdplb_tables& tables = (*mapped)[0];
  Ports ports;
  for (std::uint32_t cluster = 0; cluster < spec.clusters; ++cluster) {
    add_cluster(ports, cluster, spec, std::span((*chunks)[0].rows, XDPLB_MAX_ROWS));
  }
  for (std::uint32_t i = 1; i < ports.used_servers; ++i) {
    tables.servers[i] = {.egress = kEgress,
                         .mac = {2, 0, 0, 1, static_cast<std::uint8_t>(i >> 8), static_cast<std::uint8_t>(i)}};
  }
  const Result<PlacedPorts> placed = place_ports(ports.lines, 0);
  if (!placed) return placed.error();
  for (std::size_t slot = 0; slot < placed->line_of_slot.size(); ++slot) {
    if (const std::uint32_t line = placed->line_of_slot[slot]) tables.ports[slot] = ports.lines[line - 1];
  }
  tables.settings = {.layout_version = XDPLB_LAYOUT_VERSION, .zero = 0, .port_selector = placed->selector};
  return fill_egress(object, spec.egress_ifindex, tables);
}

}  // namespace xdplb::bench
