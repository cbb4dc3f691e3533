// SPDX-License-Identifier: GPL-2.0-only
#include "flow_filler.h"

#include "frames.h"

#include <arpa/inet.h>
#include <fmt/core.h>
#include <netinet/in.h>

#include <algorithm>
#include <bit>
#include <cstring>
#include <span>

namespace xdplb::bench {
namespace {

// bpf/flows.bpf.h, for IPv4 and TCP; cost.cpp checks that the program finds what is written here.
std::uint64_t mix(std::uint64_t hash, std::uint64_t word, const xdplb_settings& settings) {
  hash = (hash + word) * settings.flow_seeds[1];
  return hash ^ hash >> 32;
}

std::uint64_t tag_of(const Client& client, std::uint32_t vipa, const xdplb_settings& settings) {
  std::uint64_t hash = settings.flow_seeds[0];
  hash = mix(hash, 4U << 16 | IPPROTO_TCP << 8 | XDPLB_KIND_FLOW, settings);
  hash = mix(hash, std::uint32_t{kPort} << 16 | client.port, settings);
  hash = mix(hash, std::uint64_t{ntohl(vipa)} << 32 | client.address, settings);
  return hash ? hash : 1;
}

xdplb_flow* find_free(std::span<xdplb_flow_bucket> buckets, std::uint64_t tag, std::uint32_t mask) {
  for (const auto half : {static_cast<std::uint32_t>(tag), static_cast<std::uint32_t>(tag >> 32)}) {
    xdplb_flow_bucket& bucket = buckets[half & mask];
    xdplb_flow* const way = std::ranges::find(bucket.ways, 0U, &xdplb_flow::tag);
    if (way != std::end(bucket.ways)) return way;
  }
  return nullptr;
}

void write_down(const BenchMaps& maps, const TableSpec& spec, const FlowFill& fill, std::uint32_t stamp) {
  xdplb_settings& settings = maps.tables[0].settings;
  for (std::uint32_t i = 0; i < fill.flows; ++i) {
    const Client client = client_at(i, fill.flows);
    const std::uint64_t tag = tag_of(client, vipa_of(fill.cluster), settings);
    xdplb_flow* const way = find_free(maps.flows.values(), tag, settings.flow_bucket_mask);
    if (!way) continue;
    way->tag = tag;
    way->value = std::uint64_t{stamp} << XDPLB_FLOW_STAMP_SHIFT | written_server(spec, fill.cluster, client);
    const auto place = (reinterpret_cast<std::byte*>(way) - reinterpret_cast<std::byte*>(maps.flows.values().data())) /
                       sizeof(xdplb_flow);
    maps.details[place] = {.client = {htonl(client.address)},
                           .vipa = {vipa_of(fill.cluster)},
                           .client_port = htons(client.port),
                           .port = htons(kPort),
                           .protocol = IPPROTO_TCP,
                           .family = 4,
                           .kind = XDPLB_KIND_FLOW,
                           .zero = 0,
                           .row = 0,
                           .since = stamp};
  }
}

}  // namespace

Client client_at(std::uint32_t number, std::uint32_t flows) {
  const int bits = std::countr_zero(flows) / 2;
  const std::uint32_t address = number >> bits;
  return {.address = 0xc6120000 | (address & 0xff) << 8 | address >> 8,
          .port = static_cast<std::uint16_t>(kFirstClientPort + (number & ((1U << bits) - 1)))};
}

std::uint32_t written_server(const TableSpec& spec, std::uint32_t cluster, const Client& client) {
  const std::uint32_t half = spec.clusters[cluster].servers / 2;
  return first_server_of(spec, cluster) + half + (client.address * 31 + client.port) % half;
}

Result<void> fill_flows(const BenchMaps& maps, const TableSpec& spec, const FlowFill& fill, std::uint32_t stamp) {
  if (fill.fill == Fill::kAny) return {};
  const std::span<xdplb_flow_bucket> buckets = maps.flows.values();
  const bool is_written = fill.fill == Fill::kWritten;
  const std::size_t entries = is_written ? std::max<std::size_t>(XDPLB_MIN_FLOWS, std::bit_ceil(fill.flows * 2))
                                         : buckets.size() * XDPLB_FLOW_WAYS;
  if (entries > buckets.size() * XDPLB_FLOW_WAYS)
    return fail(ErrorCode::kFailed, fmt::format("bench: the table has no {} entries", entries));
  maps.tables[0].settings.flow_bucket_mask = static_cast<std::uint32_t>(entries / XDPLB_FLOW_WAYS) - 1;
  // No client's tag is that; as a value it names a server that there is.
  std::memset(buckets.data(), fill.fill == Fill::kFull ? 1 : 0, buckets.size_bytes());
  if (is_written) write_down(maps, spec, fill, stamp);
  return {};
}

}  // namespace xdplb::bench
