// SPDX-License-Identifier: GPL-2.0-only
// KernelTables: the maps of one instance as typed memory. Who holds it is the only writer (I1).
#pragma once

#include "base/file_descriptor.h"
#include "base/result.h"
#include "dataplane/clock.h"
#include "dataplane/mapped_array.h"
#include "net/address.h"
#include "xdplb/maps.h"
#include "xdplb/outcomes.h"

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <utility>
#include <vector>

namespace xdplb {

struct MapDescriptors {
  FileDescriptor tables, flows, flow_details, fragments, prefixes, devices, counters, outcomes, trace;
};

using OutcomeSums = std::array<std::uint64_t, XDPLB_OUTCOME_COUNT>;
void add(OutcomeSums& sums, const OutcomeSums& more);

class KernelTables {
 public:
  // Takes the descriptors of all maps and maps the shared ones. Errors: os_error.
  static Result<KernelTables> open(MapDescriptors maps, Clock clock);

  xdplb_settings& settings() const { return tables_[0].settings; }
  const Clock& clock() const { return clock_; }
  // The present stamp, as packets get it. Errors: os_error.
  Result<std::uint32_t> now() const { return clock_.now(); }

  // The half that packets read, and its lines.
  std::uint32_t active_half() const;
  std::span<xdplb_port> half(std::uint32_t number) const {
    return {tables_[0].ports + static_cast<std::size_t>(number) * XDPLB_PORT_SLOTS, XDPLB_PORT_SLOTS};
  }
  // Lets packets read the half that the selector names: the one store that publishes a set of ports.
  void store_selector(std::uint64_t selector) const;

  // One row: reads and stores of the whole word.
  std::uint32_t row(std::uint32_t number) const;
  void store_row(std::uint32_t number, std::uint32_t word) const;
  // The low half of the stamp of the last packet that base of a changing row got.
  std::uint16_t touch(std::uint32_t row) const;
  void store_touch(std::uint32_t row, std::uint32_t stamp) const;

  // One server: {egress slot with its flags, MAC}, nullopt when it has nowhere to go.
  std::optional<std::pair<std::uint16_t, MacAddress>> server(std::uint16_t index) const;
  void store_server(std::uint16_t index, std::uint16_t egress, const MacAddress& mac) const;
  void clear_server(std::uint16_t index) const;

  // Ways out. Errors: os_error.
  const xdplb_egress& egress(std::uint32_t slot) const { return tables_[0].egresses[slot]; }
  Result<void> store_egress(std::uint32_t slot, const xdplb_egress& egress) const;
  void clear_egress(std::uint32_t slot) const;

  // Options of a port or a cluster, and what the program notes of it. A store of the same is none.
  const xdplb_options& options(std::uint16_t index) const { return tables_[0].options[index]; }
  void store_options(std::uint16_t index, const xdplb_options& options) const;
  xdplb_state& state(std::uint16_t index) const { return tables_[0].states[index]; }
  std::uint32_t& active(std::uint16_t server) const { return tables_[0].active[server]; }

  // Networks whose addresses are a cluster's: key of the trie -> key of the line. Errors: os_error.
  Result<void> store_prefix(const xdplb_prefix_key& key, const xdplb_port_key& line) const;
  void remove_prefix(const xdplb_prefix_key& key) const;
  std::vector<xdplb_prefix_key> prefixes() const;

  // Flows that are written down; detail i tells of way i % XDPLB_FLOW_WAYS of bucket i / XDPLB_FLOW_WAYS.
  std::span<xdplb_flow_bucket> flows() const { return flows_.values(); }
  std::span<xdplb_flow_detail> flow_details() const { return details_.values(); }
  std::span<xdplb_flow_bucket> fragments() const { return fragments_.values(); }
  // Ring buffer of struct xdplb_trace_record; stays owned by this.
  int trace_descriptor() const { return maps_.trace.get(); }

  // Sums over all CPUs. Errors: os_error.
  Result<xdplb_counters> read_counters(std::uint16_t index) const;
  Result<void> zero_counters(std::uint16_t index) const;
  // Of one port or cluster; 0: of packets for no VIPA.
  Result<OutcomeSums> read_outcomes(std::uint16_t options) const;
  Result<void> zero_outcomes(std::uint16_t options) const;

 private:
  KernelTables() = default;

  MapDescriptors maps_;
  Clock clock_;
  int cpus_ = 1;  // possible CPUs: the kernel copies one value for each
  MappedArray<xdplb_tables> tables_;
  MappedArray<xdplb_flow_bucket> flows_;
  MappedArray<xdplb_flow_detail> details_;
  MappedArray<xdplb_flow_bucket> fragments_;
};

}  // namespace xdplb
