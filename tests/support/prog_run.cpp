// SPDX-License-Identifier: GPL-2.0-only
#include "prog_run.h"

#include <linux/bpf.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "xdplb_program.skel.h"

#include <fmt/format.h>

#include <net/if.h>
#include <sched.h>
#include <sys/mman.h>

#include <algorithm>
#include <atomic>
#include <bit>
#include <cerrno>
#include <cstdlib>
#include <set>
#include <stdexcept>
#include <system_error>

namespace xdplb::test {
namespace {

void require(int result, const std::string& what) {
  if (result < 0) throw std::system_error(errno != 0 ? errno : -result, std::generic_category(), what);
}

// The first `count` values of a per-CPU array, as the kernel lays them out: the CPUs of value 0, of value 1, ...
template <typename Value>
std::vector<Value> load_per_cpu(const bpf_map* map, std::uint32_t count) {
  std::vector<Value> values(static_cast<std::size_t>(count) * static_cast<std::size_t>(libbpf_num_possible_cpus()));
  std::vector<std::uint32_t> keys(count);
  std::uint32_t next = 0;
  std::uint32_t got = count;
  bpf_map_batch_opts options{};
  options.sz = sizeof(options);
  const int result = bpf_map_lookup_batch(bpf_map__fd(map), nullptr, &next, keys.data(), values.data(), &got, &options);
  // ENOENT is the end of the map, not a failure.
  if (result < 0 && errno != ENOENT) require(result, fmt::format("read map {}", bpf_map__name(map)));
  if (got != count) throw std::runtime_error(fmt::format("map {}: {} of {} values", bpf_map__name(map), got, count));
  return values;
}

xdplb_counters difference(const xdplb_counters& after, const xdplb_counters& before) {
  return {.packets = after.packets - before.packets,
          .bytes = after.bytes - before.bytes,
          .new_flows = after.new_flows - before.new_flows,
          .closed_flows = after.closed_flows - before.closed_flows};
}

bool is_zero(const xdplb_counters& counters) {
  return counters.packets == 0 && counters.bytes == 0 && counters.new_flows == 0 && counters.closed_flows == 0;
}

std::string describe(std::uint32_t server, const xdplb_counters& counters) {
  return fmt::format("server {}: {} packets, {} bytes, {} new, {} closed", server, counters.packets, counters.bytes,
                     counters.new_flows, counters.closed_flows);
}

TestInterfaces make_interfaces() {
  require(unshare(CLONE_NEWNET), "a network namespace (tests with the label prog_run need root)");
  if (std::system(
          "ip link set lo up && ip link add in0 type veth peer name in1 && ip link add out0 type veth peer name "
          "out1") != 0) {
    throw std::runtime_error("ip link add failed: is iproute2 installed, does the kernel have veth?");
  }
  return {.ingress = if_nametoindex("in0"), .other = if_nametoindex("out0")};
}

// The memory of a map that may be mapped.
template <typename Value>
Value* map_memory(const bpf_map* map, std::size_t count) {
  void* memory = mmap(nullptr, count * sizeof(Value), PROT_READ | PROT_WRITE, MAP_SHARED, bpf_map__fd(map), 0);
  if (memory == MAP_FAILED) require(-1, fmt::format("mmap of map {}", bpf_map__name(map)));
  return static_cast<Value*>(memory);
}

// One store of a word that the program loads as one.
template <typename Value>
void store_word(Value& place, const Value& value) {
  static_assert(sizeof(Value) == sizeof(std::uint64_t) && alignof(Value) == alignof(std::uint64_t));
  std::atomic_ref<std::uint64_t>(reinterpret_cast<std::uint64_t&>(place)).store(std::bit_cast<std::uint64_t>(value));
}

}  // namespace

const TestInterfaces& test_interfaces() {
  static const TestInterfaces kInterfaces = make_interfaces();
  return kInterfaces;
}

testing::AssertionResult same_journey(const Journey& journey, const Observation& run) {
  std::string text;
  const auto differ = [&text](std::string_view what, const auto& expected, const auto& seen) {
    text += fmt::format("  {}: expected {}, seen {}\n", what, expected, seen);
  };
  if (journey.verdict != run.verdict) differ("verdict", verdict_name(journey.verdict), verdict_name(run.verdict));

  std::map<int, std::uint64_t> outcomes;
  if (journey.outcome != XDPLB_OUTCOME_FORWARDED) outcomes[journey.outcome] = 1;
  if (outcomes != run.outcomes) {
    std::string seen;
    for (const auto& [outcome, count] : run.outcomes) seen += fmt::format("{} +{} ", outcome_name(outcome), count);
    differ("outcome", outcome_name(journey.outcome), seen.empty() ? "none counted" : seen);
  }

  std::set<std::string> expected_servers;
  std::set<std::string> seen_servers;
  if (journey.server != 0) expected_servers.insert(describe(journey.server, journey.counters));
  for (const auto& [server, counters] : run.servers) seen_servers.insert(describe(server, counters));
  if (expected_servers != seen_servers) {
    differ("counted", journey.server != 0 ? *expected_servers.begin() : "none",
           seen_servers.empty() ? "none" : *seen_servers.begin());
  }

  if (journey.frame) {
    const testing::AssertionResult frames = same_frame(*journey.frame, run.frame);
    if (!frames) text += frames.message();
  }
  if (text.empty()) return testing::AssertionSuccess();
  return testing::AssertionFailure() << text;
}

Program::Program() {
  skeleton_ = xdplb_program::open_and_load();
  if (skeleton_ == nullptr) throw std::system_error(errno, std::generic_category(), "load the BPF program");
  program_ = bpf_program__fd(skeleton_->progs.xdplb_dispatch);
  tables_ = map_memory<xdplb_tables>(skeleton_->maps.bss, 1);
  chunks_ = map_memory<xdplb_row_chunk>(skeleton_->maps.rows, XDPLB_ROW_CHUNKS);
  selectors_ = {make_selector(0, kSeed), make_selector(1, kSeed)};
  tables_->settings.layout_version = XDPLB_LAYOUT_VERSION;
  publish(0);
}

Program::~Program() {
  munmap(tables_, sizeof(*tables_));
  munmap(chunks_, XDPLB_ROW_CHUNKS * sizeof(*chunks_));
  xdplb_program::destroy(skeleton_);
}

const bpf_object* Program::object() const { return skeleton_->obj; }

void Program::install(const DataplaneSetup& setup, std::uint32_t half, std::uint64_t seed, std::uint32_t first_row) {
  for (const auto& [slot, egress] : setup.egresses) write_egress(slot, egress);
  for (const auto& [index, server] : setup.servers) write_server(index, server);
  write_ports(setup, half, seed, first_row);
  publish(half);
}

void Program::publish(std::uint32_t half) {
  std::atomic_ref<__u64>(tables_->settings.port_selector).store(selectors_.at(half));
}

void Program::write_ports(const DataplaneSetup& setup, std::uint32_t half, std::uint64_t seed,
                          std::uint32_t first_row) {
  const PortLayout layout = layout_ports(setup, first_row);
  PortTable table(make_selector(half, seed));
  for (const xdplb_port& line : layout.lines) {
    if (!table.insert(line)) throw std::runtime_error(fmt::format("the ports do not fit with seed {:#x}", seed));
  }
  for (const RowSlice& slice : layout.slices) write_rows(slice);
  for (const std::uint32_t slot : std::exchange(used_slots_.at(half), {})) erase_line(slot);
  for (const auto& [slot, line] : table.lines()) {
    write_line(half * XDPLB_PORT_SLOTS + slot, line);
    used_slots_.at(half).push_back(half * XDPLB_PORT_SLOTS + slot);
  }
  selectors_.at(half) = make_selector(half, seed);
}

void Program::write_egress(std::uint32_t slot, const EgressSetup& egress) {
  tables_->egresses[slot] = make_egress(egress);
  if (!egress.has_device) return;
  require(bpf_map_update_elem(bpf_map__fd(skeleton_->maps.devices), &slot, &egress.ifindex, BPF_ANY),
          fmt::format("map devices, slot {}", slot));
}

void Program::write_server(std::uint16_t index, const ServerSetup& server) {
  store_word(tables_->servers[index], make_server(server));
  server_count_ = std::max(server_count_, index + 1U);
  known_totals_.reset();
}

void Program::write_rows(const RowSlice& slice) {
  for (std::size_t i = 0; i < slice.rows.size(); ++i) {
    const std::size_t row = slice.first_row + i;
    chunks_[row / XDPLB_ROWS_PER_CHUNK].rows[row % XDPLB_ROWS_PER_CHUNK] = slice.rows[i];
  }
}

void Program::write_line(std::uint32_t slot, const xdplb_port& line) { tables_->ports[slot] = line; }

Observation Program::dispatch(const Frame& frame, std::uint32_t ingress) {
  known_totals_.reset();
  buffer_.assign(frame.size() + 256, 0xa5);
  xdp_md context{};
  context.data_end = static_cast<std::uint32_t>(frame.size());
  context.ingress_ifindex = ingress;
  bpf_test_run_opts options{};
  options.sz = sizeof(options);
  options.data_in = frame.data();
  options.data_size_in = static_cast<std::uint32_t>(frame.size());
  options.data_out = buffer_.data();
  options.data_size_out = static_cast<std::uint32_t>(buffer_.size());
  options.ctx_in = &context;
  options.ctx_size_in = sizeof(context);
  options.repeat = 1;
  require(bpf_prog_test_run_opts(program_, &options), fmt::format("run the program on {} bytes", frame.size()));
  const auto end = buffer_.begin() + static_cast<std::ptrdiff_t>(options.data_size_out);
  return {.verdict = static_cast<int>(options.retval), .frame = Frame(buffer_.begin(), end)};
}

Totals Program::totals() const {
  const auto cpus = static_cast<std::size_t>(libbpf_num_possible_cpus());
  const auto outcomes = load_per_cpu<std::uint64_t>(skeleton_->maps.outcomes, XDPLB_OUTCOME_COUNT);
  const auto counters = load_per_cpu<xdplb_counters>(skeleton_->maps.counters, server_count_);
  Totals totals{.outcomes = std::vector<std::uint64_t>(XDPLB_OUTCOME_COUNT),
                .servers = std::vector<xdplb_counters>(server_count_)};
  for (std::size_t i = 0; i < outcomes.size(); ++i) totals.outcomes[i / cpus] += outcomes[i];
  for (std::size_t i = 0; i < counters.size(); ++i) {
    xdplb_counters& sum = totals.servers[i / cpus];
    sum.packets += counters[i].packets;
    sum.bytes += counters[i].bytes;
    sum.new_flows += counters[i].new_flows;
    sum.closed_flows += counters[i].closed_flows;
  }
  return totals;
}

Observation Program::run(const Frame& frame, std::uint32_t ingress) {
  const Totals before = known_totals_ ? *std::exchange(known_totals_, std::nullopt) : totals();
  Observation result = dispatch(frame, ingress);
  Totals after = totals();
  for (std::size_t i = 0; i < after.outcomes.size(); ++i) {
    const std::uint64_t delta = after.outcomes[i] - before.outcomes[i];
    if (delta != 0) result.outcomes[static_cast<int>(i)] = delta;
  }
  for (std::size_t i = 0; i < after.servers.size(); ++i) {
    const xdplb_counters delta = difference(after.servers[i], before.servers[i]);
    if (!is_zero(delta)) result.servers[static_cast<std::uint16_t>(i)] = delta;
  }
  known_totals_ = std::move(after);
  return result;
}

}  // namespace xdplb::test
