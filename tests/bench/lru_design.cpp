// SPDX-License-Identifier: GPL-2.0-only
#include "lru_design.h"

#include "flow_filler.h"
#include "frames.h"
#include "skeleton.h"

#include <bpf/bpf.h>
#include <arpa/inet.h>
#include <netinet/in.h>

#include <algorithm>
#include <bit>
#include <cerrno>
#include <vector>

namespace xdplb::bench {
namespace {

// As in bpf/lru.bpf.h.
struct ServiceKey {
  std::uint32_t address;
  std::uint16_t port;
  std::uint16_t protocol;
};
struct FlowKey {
  std::uint32_t client;
  std::uint32_t vipa;
  std::uint16_t client_port;
  std::uint16_t port;
};
static_assert(sizeof(FlowKey) == 12);

Result<void> fill_flow_map(const LoadedPrograms& programs, const bpf_map* map, std::uint32_t flows) {
  std::vector<FlowKey> keys(flows);
  std::vector<std::uint32_t> servers(flows);
  for (std::uint32_t i = 0; i < flows; ++i) {
    const Client client = client_at(i, flows);
    keys[i] = {htonl(client.address), vipa_of(0), htons(client.port), htons(kPort)};
    servers[i] = written_server(programs.spec, 0, client);
  }
  std::uint32_t count = flows;
  if (bpf_map_update_batch(bpf_map__fd(map), keys.data(), servers.data(), &count, nullptr))
    return os_error("bench: fill the map of the LRU design", errno);
  return {};
}

}  // namespace

Result<void> fill_lru_ring(const LoadedPrograms& programs) {
  const bpf_map* map = programs.object->maps.lru_ring;
  const auto ring = MappedArray<std::uint64_t>::open(bpf_map__fd(map), bpf_map__max_entries(map), "lru_ring");
  if (!ring) return ring.error();
  const std::uint32_t rows = row_count_of(programs.spec.clusters[0]), first = first_row_of(programs.spec, 0);
  for (std::uint32_t i = 0; i < rows; ++i) (*ring)[i] = programs.maps.tables[0].rows[first + i] & XDPLB_ROW_SERVER_MASK;
  return {};
}

Result<void> fill_lru_service(const LoadedPrograms& programs) {
  const auto& maps = programs.object->maps;
  const ServiceKey key = {vipa_of(0), htons(kPort), IPPROTO_TCP};
  const std::uint32_t ring_mask = row_count_of(programs.spec.clusters[0]) - 1;
  if (bpf_map_update_elem(bpf_map__fd(maps.lru_services), &key, &ring_mask, BPF_ANY))
    return os_error("bench: service of the LRU design", errno);
  const auto servers = MappedArray<std::uint64_t>::open(bpf_map__fd(maps.lru_servers),
                                                        bpf_map__max_entries(maps.lru_servers), "lru_servers");
  if (!servers) return servers.error();
  const std::uint32_t end = first_server_of(programs.spec, 0) + programs.spec.clusters[0].servers;
  for (std::uint32_t i = 1; i < end; ++i)
    (*servers)[i] = std::bit_cast<std::uint64_t>(programs.maps.tables[0].servers[i]);
  return fill_lru_ring(programs);
}

Result<void> fill_lru_flows(const LoadedPrograms& programs) {
  const auto& maps = programs.object->maps;
  if (Result<void> filled = fill_flow_map(programs, maps.lru_small, 1U << 16); !filled) return filled;
  return fill_flow_map(programs, maps.lru_large, 1U << 20);
}

}  // namespace xdplb::bench
