// SPDX-License-Identifier: GPL-2.0-only
// The table of flows that are written down, seen from user space: reading, giving up, moving (xdplb/maps.h).
#pragma once

#include "dataplane/kernel_tables.h"
#include "model/flow_age.h"
#include "model/plan.h"
#include "net/address.h"

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <vector>

namespace xdplb {

// The value of an entry.
struct FlowValue {
  std::uint16_t server = 0;
  FlowPhase phase = FlowPhase::kOpen;
  std::uint32_t stamp = 0;  // of its last packet

  static FlowValue decode(std::uint64_t value);
};

// One entry in full, for people.
struct FlowRecord {
  bool is_client = false;  // affinity: a client's server; vipa and ports are 0 then
  Protocol protocol = Protocol::kTcp;
  Endpoint client{};
  Endpoint vipa{};
  std::uint16_t server = 0;  // index
  FlowPhase phase = FlowPhase::kOpen;
  std::uint32_t idle_s = 0;
  std::uint32_t age_s = 0;
  std::uint32_t row = 0;  // of the map
};

// Calls visit(place, flow, tag, value) for every entry that is claimed, in the order of memory; place counts the ways.
template <typename Visitor>
void scan_flows(std::span<xdplb_flow_bucket> buckets, Visitor visit) {
  for (std::size_t bucket = 0; bucket < buckets.size(); ++bucket) {
    for (std::size_t way = 0; way < XDPLB_FLOW_WAYS; ++way) {
      auto& flow = buckets[bucket].ways[way];
      const std::uint64_t tag = std::atomic_ref<__u64>(flow.tag).load(std::memory_order_relaxed);
      if (tag == 0) continue;
      visit(bucket * XDPLB_FLOW_WAYS + way, flow, tag,
            std::atomic_ref<__u64>(flow.value).load(std::memory_order_acquire));
    }
  }
}

// Whose address a detail tells, and from which port.
Endpoint client_of(const xdplb_flow_detail& detail);

// Row of the map that an entry of this port belongs to now.
std::uint32_t row_of(const xdplb_flow_detail& detail, const PlannedPort& port);

// Gives an entry up unless a packet changed it since `value` was read. True when it is gone.
bool give_up(const KernelTables& tables, std::size_t place, xdplb_flow& flow, std::uint64_t value);

// What a change of plans asks of the entries. Call it when no packet is on its way that knows the old plan.
struct FlowChanges {
  // By family and server index. Entries of these are given up.
  ByFamily<std::vector<bool>> gone{std::vector<bool>(XDPLB_MAX_SERVERS, false),
                                   std::vector<bool>(XDPLB_MAX_SERVERS, false)};
  // Ports whose rows moved to another slice: their entries are noted by the new rows. nullptr: leave them.
  std::vector<std::shared_ptr<const PlannedPort>> moved =
      std::vector<std::shared_ptr<const PlannedPort>>(XDPLB_MAX_SERVERS);
  bool is_empty = true;

  void add_gone(std::uint16_t server);
  void add_gone(std::uint16_t server, Family family);
  void add_moved(const std::shared_ptr<const PlannedPort>& port);
};
void settle_flows(const KernelTables& tables, const FlowChanges& changes);

// Sets `active` of all servers to the flows there are.
void recount_active(const KernelTables& tables);

// Reads the entries in the order of memory until `visit` returns false. Errors: os_error.
Result<void> read_flows(const KernelTables& tables, const std::function<bool(const FlowRecord&)>& visit);

}  // namespace xdplb
