// SPDX-License-Identifier: GPL-2.0-only
// KernelTables: the maps of one instance as typed memory. Who holds it is the only writer (I1).
#pragma once

#include "base/file_descriptor.h"
#include "base/result.h"
#include "dataplane/mapped_array.h"
#include "model/plan.h"
#include "xdplb/maps.h"
#include "xdplb/outcomes.h"

#include <array>
#include <cstdint>
#include <vector>

namespace xdplb {

struct MapDescriptors {
  FileDescriptor tables, rows, devices, counters, outcomes;
};

class KernelTables {
 public:
  // Takes the descriptors of the five maps and maps the shared ones. Errors: os_error.
  static Result<KernelTables> open(MapDescriptors maps);

  xdplb_settings& settings() const { return tables_[0].settings; }
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

  // One server: {egress slot, MAC}, nullopt when it has nowhere to go.
  std::optional<std::pair<std::uint16_t, MacAddress>> server(std::uint16_t index) const;
  void store_server(std::uint16_t index, std::uint16_t egress, const MacAddress& mac) const;
  void clear_server(std::uint16_t index) const;

  // Ways out. Errors: os_error.
  const xdplb_egress& egress(std::uint32_t slot) const { return tables_[0].egresses[slot]; }
  Result<void> store_egress(std::uint32_t slot, std::uint32_t ifindex, const MacAddress& mac) const;
  void clear_egress(std::uint32_t slot) const;

  // Sums over all CPUs. Errors: os_error.
  Result<xdplb_counters> read_counters(std::uint16_t index) const;
  Result<void> zero_counters(std::uint16_t index) const;
  Result<std::array<std::uint64_t, XDPLB_OUTCOME_COUNT>> read_outcomes() const;

 private:
  KernelTables() = default;

  MapDescriptors maps_;
  int cpus_ = 1;  // possible CPUs: the kernel copies one value for each
  MappedArray<xdplb_tables> tables_;
  MappedArray<xdplb_row_chunk> rows_;
};

}  // namespace xdplb
