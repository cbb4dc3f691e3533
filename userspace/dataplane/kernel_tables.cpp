// SPDX-License-Identifier: GPL-2.0-only
#include "dataplane/kernel_tables.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <fmt/format.h>

#include <atomic>
#include <bit>
#include <cstring>

namespace xdplb {
namespace {

std::atomic_ref<std::uint64_t> word_of(xdplb_server& server) {
  return std::atomic_ref<std::uint64_t>(*reinterpret_cast<std::uint64_t*>(&server));
}

}  // namespace

Result<KernelTables> KernelTables::open(MapDescriptors maps) {
  KernelTables tables;
  tables.maps_ = std::move(maps);
  const int cpus = libbpf_num_possible_cpus();
  if (cpus < 0) return os_error("number of CPUs", -cpus);
  tables.cpus_ = cpus;
  auto shared = MappedArray<xdplb_tables>::open(tables.maps_.tables.get(), 1, XDPLB_MAP_TABLES);
  if (!shared) return shared.error();
  auto rows = MappedArray<xdplb_row_chunk>::open(tables.maps_.rows.get(), XDPLB_ROW_CHUNKS, XDPLB_MAP_ROWS);
  if (!rows) return rows.error();
  tables.tables_ = std::move(*shared);
  tables.rows_ = std::move(*rows);
  return tables;
}

std::uint32_t KernelTables::active_half() const {
  const auto selector = std::atomic_ref<__u64>(settings().port_selector).load(std::memory_order_relaxed);
  return (selector & XDPLB_SELECTOR_HALF) != 0 ? 1 : 0;
}

void KernelTables::store_selector(std::uint64_t selector) const {
  std::atomic_ref<__u64>(settings().port_selector).store(selector, std::memory_order_release);
}

std::uint32_t KernelTables::row(std::uint32_t number) const {
  auto& word = rows_[number / XDPLB_ROWS_PER_CHUNK].rows[number % XDPLB_ROWS_PER_CHUNK];
  return std::atomic_ref<std::uint32_t>(word).load(std::memory_order_acquire);
}

void KernelTables::store_row(std::uint32_t number, std::uint32_t word) const {
  auto& place = rows_[number / XDPLB_ROWS_PER_CHUNK].rows[number % XDPLB_ROWS_PER_CHUNK];
  std::atomic_ref<std::uint32_t>(place).store(word, std::memory_order_release);
}

std::optional<std::pair<std::uint16_t, MacAddress>> KernelTables::server(std::uint16_t index) const {
  const auto value = std::bit_cast<xdplb_server>(word_of(tables_[0].servers[index]).load(std::memory_order_acquire));
  if (value.egress == 0) return std::nullopt;
  MacAddress mac;
  std::copy(std::begin(value.mac), std::end(value.mac), mac.bytes.begin());
  return std::pair{value.egress, mac};
}

void KernelTables::store_server(std::uint16_t index, std::uint16_t egress, const MacAddress& mac) const {
  xdplb_server value{};
  std::copy(mac.bytes.begin(), mac.bytes.end(), value.mac);
  value.egress = egress;
  const auto word = std::bit_cast<std::uint64_t>(value);
  // A store that changes nothing would still take the cache line from the CPUs that forward.
  if (word_of(tables_[0].servers[index]).load(std::memory_order_relaxed) != word)
    word_of(tables_[0].servers[index]).store(word, std::memory_order_release);
}

void KernelTables::clear_server(std::uint16_t index) const {
  word_of(tables_[0].servers[index]).store(0, std::memory_order_release);
}

Result<void> KernelTables::store_egress(std::uint32_t slot, std::uint32_t ifindex, const MacAddress& mac) const {
  const int error = bpf_map_update_elem(maps_.devices.get(), &slot, &ifindex, BPF_ANY);
  if (error != 0) return os_error(fmt::format("map \"{}\": interface {}", XDPLB_MAP_DEVICES, ifindex), -error);
  auto& egress = tables_[0].egresses[slot];
  // A packet in between may leave with half of the old source address; only switches look at it.
  std::copy(mac.bytes.begin(), mac.bytes.end(), egress.mac);
  std::atomic_ref<__u32>(egress.ifindex).store(ifindex, std::memory_order_release);
  return {};
}

void KernelTables::clear_egress(std::uint32_t slot) const {
  std::atomic_ref<__u32>(tables_[0].egresses[slot].ifindex).store(0, std::memory_order_release);
  // The kernel empties the slot by itself when the device goes away: absent is as good.
  bpf_map_delete_elem(maps_.devices.get(), &slot);
}

Result<xdplb_counters> KernelTables::read_counters(std::uint16_t index) const {
  std::vector<xdplb_counters> per_cpu(static_cast<std::size_t>(cpus_));
  const std::uint32_t key = index;
  const int error = bpf_map_lookup_elem(maps_.counters.get(), &key, per_cpu.data());
  if (error != 0) return os_error(fmt::format("map \"{}\": server {}", XDPLB_MAP_COUNTERS, index), -error);
  xdplb_counters sum{};
  for (const auto& value : per_cpu) {
    sum.packets += value.packets;
    sum.bytes += value.bytes;
    sum.new_flows += value.new_flows;
    sum.closed_flows += value.closed_flows;
  }
  return sum;
}

Result<void> KernelTables::zero_counters(std::uint16_t index) const {
  const std::vector<xdplb_counters> zeros(static_cast<std::size_t>(cpus_));
  const std::uint32_t key = index;
  const int error = bpf_map_update_elem(maps_.counters.get(), &key, zeros.data(), BPF_ANY);
  if (error != 0) return os_error(fmt::format("map \"{}\": server {}", XDPLB_MAP_COUNTERS, index), -error);
  return {};
}

Result<std::array<std::uint64_t, XDPLB_OUTCOME_COUNT>> KernelTables::read_outcomes() const {
  std::array<std::uint64_t, XDPLB_OUTCOME_COUNT> sums{};
  std::vector<std::uint64_t> per_cpu(static_cast<std::size_t>(cpus_));
  for (std::uint32_t outcome = 0; outcome < XDPLB_OUTCOME_COUNT; ++outcome) {
    const int error = bpf_map_lookup_elem(maps_.outcomes.get(), &outcome, per_cpu.data());
    if (error != 0) return os_error(fmt::format("map \"{}\": outcome {}", XDPLB_MAP_OUTCOMES, outcome), -error);
    for (const auto value : per_cpu) sums[outcome] += value;
  }
  return sums;
}

}  // namespace xdplb
