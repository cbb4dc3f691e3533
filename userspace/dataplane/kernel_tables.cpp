// SPDX-License-Identifier: GPL-2.0-only
#include "dataplane/kernel_tables.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <bit>
#include <cstring>

namespace xdplb {
namespace {

std::atomic_ref<std::uint64_t> word_of(xdplb_server& server) {
  return std::atomic_ref<std::uint64_t>(*reinterpret_cast<std::uint64_t*>(&server));
}

// What a way out does to a frame, one word for packets: interface, tag and flags.
struct EgressPolicy {
  std::uint32_t ifindex;
  std::uint16_t tag;
  std::uint16_t flags;
};
static_assert(sizeof(EgressPolicy) == sizeof(std::uint64_t) && offsetof(xdplb_egress, ifindex) % 8 == 0);

void store_policy(xdplb_egress& egress, const EgressPolicy& policy) {
  auto* word = static_cast<std::uint64_t*>(static_cast<void*>(&egress.ifindex));
  std::atomic_ref<std::uint64_t>(*word).store(std::bit_cast<std::uint64_t>(policy), std::memory_order_release);
}

// Entries of an array map.
Result<std::size_t> entries_of(int fd, const char* name) {
  bpf_map_info info{};
  std::uint32_t length = sizeof(info);
  const int error = bpf_obj_get_info_by_fd(fd, &info, &length);
  if (error != 0) return os_error(fmt::format("map \"{}\": its size", name), -error);
  return std::size_t{info.max_entries};
}

template <typename T>
Result<MappedArray<T>> map_all(const FileDescriptor& fd, const char* name) {
  const auto entries = entries_of(fd.get(), name);
  if (!entries) return entries.error();
  return MappedArray<T>::open(fd.get(), *entries, name);
}

}  // namespace

void add(OutcomeSums& sums, const OutcomeSums& more) {
  for (std::size_t outcome = 0; outcome < sums.size(); ++outcome) sums[outcome] += more[outcome];
}

Result<KernelTables> KernelTables::open(MapDescriptors maps, Clock clock) {
  KernelTables tables;
  tables.maps_ = std::move(maps);
  tables.clock_ = std::move(clock);
  const int cpus = libbpf_num_possible_cpus();
  if (cpus < 0) return os_error("number of CPUs", -cpus);
  tables.cpus_ = cpus;
  auto shared = MappedArray<xdplb_tables>::open(tables.maps_.tables.get(), 1, XDPLB_MAP_TABLES);
  if (!shared) return shared.error();
  auto flows = map_all<xdplb_flow_bucket>(tables.maps_.flows, XDPLB_MAP_FLOWS);
  if (!flows) return flows.error();
  auto details = map_all<xdplb_flow_detail>(tables.maps_.flow_details, XDPLB_MAP_FLOW_DETAILS);
  if (!details) return details.error();
  auto fragments = map_all<xdplb_flow_bucket>(tables.maps_.fragments, XDPLB_MAP_FRAGMENTS);
  if (!fragments) return fragments.error();
  if (details->values().size() != flows->values().size() * XDPLB_FLOW_WAYS) {
    return fail(ErrorCode::kFailed,
                fmt::format("maps \"{}\" and \"{}\" do not fit each other", XDPLB_MAP_FLOWS, XDPLB_MAP_FLOW_DETAILS));
  }
  tables.tables_ = std::move(*shared);
  tables.flows_ = std::move(*flows);
  tables.details_ = std::move(*details);
  tables.fragments_ = std::move(*fragments);
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
  return std::atomic_ref<__u32>(tables_[0].rows[number]).load(std::memory_order_acquire);
}

void KernelTables::store_row(std::uint32_t number, std::uint32_t word) const {
  std::atomic_ref<__u32>(tables_[0].rows[number]).store(word, std::memory_order_release);
}

std::uint16_t KernelTables::touch(std::uint32_t row) const {
  return std::atomic_ref<__u16>(tables_[0].touches[row]).load(std::memory_order_relaxed);
}

void KernelTables::store_touch(std::uint32_t row, std::uint32_t stamp) const {
  std::atomic_ref<__u16>(tables_[0].touches[row]).store(static_cast<__u16>(stamp), std::memory_order_release);
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

Result<void> KernelTables::store_egress(std::uint32_t slot, const xdplb_egress& egress) const {
  // A frame for the host's own stack needs no device.
  if ((egress.flags & XDPLB_EGRESS_LOCAL) == 0) {
    const int error = bpf_map_update_elem(maps_.devices.get(), &slot, &egress.ifindex, BPF_ANY);
    if (error != 0) return os_error(fmt::format("map \"{}\": interface {}", XDPLB_MAP_DEVICES, egress.ifindex), -error);
  }
  auto& place = tables_[0].egresses[slot];
  // A packet in between may leave with half of the old source address; only switches look at it.
  std::copy(std::begin(egress.mac), std::end(egress.mac), place.mac);
  store_policy(place, {.ifindex = egress.ifindex, .tag = egress.tag, .flags = egress.flags});
  return {};
}

void KernelTables::clear_egress(std::uint32_t slot) const {
  store_policy(tables_[0].egresses[slot], {.ifindex = 0, .tag = 0, .flags = 0});
  // The kernel empties the slot by itself when the device goes away: absent is as good.
  bpf_map_delete_elem(maps_.devices.get(), &slot);
}

void KernelTables::store_options(std::uint16_t index, const xdplb_options& options) const {
  auto& place = tables_[0].options[index];
  if (std::memcmp(&place, &options, sizeof(options)) == 0) return;
  // Another slice, or a shorter one: nobody picks among members until both words are of the same record.
  if (place.first_member != options.first_member || place.member_count > options.member_count)
    std::atomic_ref<__u32>(place.member_count).store(0, std::memory_order_release);
  std::atomic_ref<__u32>(place.first_member).store(options.first_member, std::memory_order_release);
  std::memcpy(&place, &options, sizeof(options));
}

Result<void> KernelTables::store_prefix(const xdplb_prefix_key& key, const xdplb_port_key& line) const {
  const int error = bpf_map_update_elem(maps_.prefixes.get(), &key, &line, BPF_ANY);
  if (error != 0) return os_error(fmt::format("map \"{}\"", XDPLB_MAP_PREFIXES), -error);
  return {};
}

void KernelTables::remove_prefix(const xdplb_prefix_key& key) const {
  // Absent is as good.
  bpf_map_delete_elem(maps_.prefixes.get(), &key);
}

std::vector<xdplb_prefix_key> KernelTables::prefixes() const {
  std::vector<xdplb_prefix_key> keys;
  xdplb_prefix_key next{};
  const xdplb_prefix_key* last = nullptr;
  while (keys.size() < XDPLB_MAX_PREFIXES && bpf_map_get_next_key(maps_.prefixes.get(), last, &next) == 0) {
    keys.push_back(next);
    last = &keys.back();
  }
  return keys;
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

Result<OutcomeSums> KernelTables::read_outcomes(std::uint16_t options) const {
  std::vector<xdplb_outcome_counters> per_cpu(static_cast<std::size_t>(cpus_));
  const std::uint32_t key = options;
  const int error = bpf_map_lookup_elem(maps_.outcomes.get(), &key, per_cpu.data());
  if (error != 0) return os_error(fmt::format("map \"{}\": options {}", XDPLB_MAP_OUTCOMES, options), -error);
  OutcomeSums sums{};
  for (const auto& value : per_cpu)
    for (std::size_t outcome = 0; outcome < sums.size(); ++outcome) sums[outcome] += value.packets[outcome];
  return sums;
}

Result<void> KernelTables::zero_outcomes(std::uint16_t options) const {
  const std::vector<xdplb_outcome_counters> zeros(static_cast<std::size_t>(cpus_));
  const std::uint32_t key = options;
  const int error = bpf_map_update_elem(maps_.outcomes.get(), &key, zeros.data(), BPF_ANY);
  if (error != 0) return os_error(fmt::format("map \"{}\": options {}", XDPLB_MAP_OUTCOMES, options), -error);
  return {};
}

}  // namespace xdplb
