// SPDX-License-Identifier: GPL-2.0-only
#include "dataplane/flow_table.h"

#include <array>
#include <cstring>

namespace xdplb {
namespace {

IpAddress address_of(const __be32 (&words)[4], std::uint8_t family) {
  std::array<std::uint8_t, 16> bytes{};
  std::memcpy(bytes.data(), words, bytes.size());
  if (family == 6) return IpAddress::v6(bytes);
  return IpAddress::v4({bytes[0], bytes[1], bytes[2], bytes[3]});
}

void remove_active(std::uint32_t& active) {
  const std::atomic_ref<std::uint32_t> count(active);
  std::uint32_t present = count.load(std::memory_order_relaxed);
  // Below 0 is a server with four billion connections: nobody would pick it again.
  while (present != 0 && !count.compare_exchange_weak(present, present - 1, std::memory_order_relaxed)) {
  }
}

bool is_connection(const KernelTables& tables, std::size_t place) {
  return tables.flow_details()[place].kind == XDPLB_KIND_FLOW;
}

// Value first: from then on packets do not see the entry, and its claimant cannot write it any more.
bool clear_entry(xdplb_flow& flow, std::uint64_t value) {
  __u64 expected = value;
  if (!std::atomic_ref<__u64>(flow.value).compare_exchange_strong(expected, 0, std::memory_order_acq_rel)) return false;
  std::atomic_ref<__u64>(flow.tag).store(0, std::memory_order_release);
  return true;
}

}  // namespace

FlowValue FlowValue::decode(std::uint64_t value) {
  FlowValue decoded{.server = static_cast<std::uint16_t>(value & XDPLB_ROW_SERVER_MASK),
                    .phase = FlowPhase::kOpen,
                    .stamp = static_cast<std::uint32_t>(value >> XDPLB_FLOW_STAMP_SHIFT)};
  const auto state = (value & XDPLB_FLOW_STATE_MASK) >> XDPLB_FLOW_STATE_SHIFT;
  if (state == XDPLB_FLOW_HALF_OPEN) decoded.phase = FlowPhase::kHalfOpen;
  if (state == XDPLB_FLOW_CLOSING) decoded.phase = FlowPhase::kClosing;
  return decoded;
}

Endpoint client_of(const xdplb_flow_detail& detail) {
  return {.address = address_of(detail.client, detail.family), .port = __builtin_bswap16(detail.client_port)};
}

std::uint32_t row_of(const xdplb_flow_detail& detail, const PlannedPort& port) {
  const auto family = detail.family == 6 ? Family::kV6 : Family::kV4;
  const auto& rows = port.rows_of(family);
  if (!rows) return 0;
  return rows->first_row + client_row(client_of(detail), port.seeds, rows->count() - 1, port.shape_of(family));
}

bool give_up(const KernelTables& tables, std::size_t place, xdplb_flow& flow, std::uint64_t value) {
  const auto decoded = FlowValue::decode(value);
  const bool was_active = decoded.phase != FlowPhase::kClosing && is_connection(tables, place);
  if (!clear_entry(flow, value)) return false;
  if (was_active) remove_active(tables.active(decoded.server));
  return true;
}

void FlowChanges::add_gone(std::uint16_t server) {
  for (const Family family : kFamilies) add_gone(server, family);
}

void FlowChanges::add_gone(std::uint16_t server, Family family) {
  gone[static_cast<std::size_t>(family)][server] = true;
  is_empty = false;
}

void FlowChanges::add_moved(const std::shared_ptr<const PlannedPort>& port) {
  for (const auto& server : port->servers) moved[server.index] = port;
  is_empty = false;
}

void settle_flows(const KernelTables& tables, const FlowChanges& changes) {
  scan_flows(tables.flows(), [&](std::size_t place, xdplb_flow& flow, std::uint64_t, std::uint64_t value) {
    if (value == 0) return;
    auto server = FlowValue::decode(value).server;
    const auto& gone = changes.gone[tables.flow_details()[place].family == 6 ? 1 : 0];
    // Packets that refresh the entry lose: they know its server from the entry alone.
    while (gone[server] && !give_up(tables, place, flow, value)) {
      value = std::atomic_ref<__u64>(flow.value).load(std::memory_order_acquire);
      if (value == 0) return;
      server = FlowValue::decode(value).server;
    }
    if (gone[server] || changes.moved[server] == nullptr) return;
    auto& detail = tables.flow_details()[place];
    detail.row = row_of(detail, *changes.moved[server]);
  });
  scan_flows(tables.fragments(), [&](std::size_t, xdplb_flow& flow, std::uint64_t, std::uint64_t value) {
    if (value == 0) return;
    const auto server = FlowValue::decode(value).server;
    // Their family is not noted; they live for a second.
    if (changes.gone[0][server] && changes.gone[1][server]) clear_entry(flow, value);
  });
}

void recount_active(const KernelTables& tables) {
  std::vector<std::uint32_t> counts(XDPLB_MAX_SERVERS, 0);
  scan_flows(tables.flows(), [&](std::size_t place, const xdplb_flow&, std::uint64_t, std::uint64_t value) {
    const auto decoded = FlowValue::decode(value);
    if (value != 0 && decoded.phase != FlowPhase::kClosing && is_connection(tables, place)) ++counts[decoded.server];
  });
  for (std::uint32_t server = 0; server < XDPLB_MAX_SERVERS; ++server) {
    auto& active = tables.active(static_cast<std::uint16_t>(server));
    if (active != counts[server]) std::atomic_ref<std::uint32_t>(active).store(counts[server]);
  }
}

Result<void> read_flows(const KernelTables& tables, const std::function<bool(const FlowRecord&)>& visit) {
  const auto now = tables.now();
  if (!now) return now.error();
  const auto& length = tables.clock().length();
  bool goes_on = true;
  scan_flows(tables.flows(), [&](std::size_t place, const xdplb_flow&, std::uint64_t, std::uint64_t value) {
    if (value == 0 || !goes_on) return;
    const auto& detail = tables.flow_details()[place];
    const auto decoded = FlowValue::decode(value);
    goes_on =
        visit({.is_client = detail.kind == XDPLB_KIND_CLIENT,
               .protocol = static_cast<Protocol>(detail.protocol),
               .client = client_of(detail),
               .vipa = {.address = address_of(detail.vipa, detail.family), .port = __builtin_bswap16(detail.port)},
               .server = decoded.server,
               .phase = decoded.phase,
               .idle_s = length.seconds(age_of(*now, decoded.stamp)),
               .age_s = length.seconds(age_of(*now, detail.since)),
               .row = detail.row});
  });
  return {};
}

}  // namespace xdplb
