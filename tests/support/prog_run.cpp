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
#include <cstring>
#include <numeric>
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

// The first `count` values of a per-CPU array become zero on all CPUs.
void clear_per_cpu(const bpf_map* map, std::uint32_t count) {
  const std::size_t value_bytes = (bpf_map__value_size(map) + 7) / 8 * 8;
  const std::vector<std::uint8_t> values(count * value_bytes * static_cast<std::size_t>(libbpf_num_possible_cpus()));
  std::vector<std::uint32_t> keys(count);
  std::iota(keys.begin(), keys.end(), 0);
  bpf_map_batch_opts options{};
  options.sz = sizeof(options);
  require(bpf_map_update_batch(bpf_map__fd(map), keys.data(), values.data(), &count, &options),
          fmt::format("clear map {}", bpf_map__name(map)));
}

// Loaded programs with empty maps that no test uses: the verifier takes its time, under emulation most of a test's.
class IdlePrograms {
 public:
  IdlePrograms() = default;
  IdlePrograms(const IdlePrograms&) = delete;
  IdlePrograms& operator=(const IdlePrograms&) = delete;
  ~IdlePrograms() {
    for (xdplb_program* skeleton : skeletons_) xdplb_program::destroy(skeleton);
  }

  void add(xdplb_program* skeleton) { skeletons_.push_back(skeleton); }
  // One that was loaded with these options; null when there is none.
  xdplb_program* take(const ProgramOptions& options) {
    const auto fits = [&options](const xdplb_program* skeleton) {
      return skeleton->rodata->clock_shift == options.clock_shift &&
             bpf_map__max_entries(skeleton->maps.flows) == options.flow_buckets;
    };
    const auto found = std::find_if(skeletons_.begin(), skeletons_.end(), fits);
    if (found == skeletons_.end()) return nullptr;
    xdplb_program* const skeleton = *found;
    skeletons_.erase(found);
    return skeleton;
  }

 private:
  std::vector<xdplb_program*> skeletons_;
};

IdlePrograms& idle_programs() {
  static IdlePrograms programs;
  return programs;
}

xdplb_program* load_program(const ProgramOptions& options) {
  xdplb_program* const skeleton = xdplb_program::open();
  if (skeleton == nullptr) throw std::system_error(errno, std::generic_category(), "open the BPF program");
  skeleton->rodata->clock_shift = options.clock_shift;
  bpf_map__set_max_entries(skeleton->maps.flows, options.flow_buckets);
  bpf_map__set_max_entries(skeleton->maps.flow_details, options.flow_buckets * XDPLB_FLOW_WAYS);
  const int error = xdplb_program::load(skeleton);
  if (error != 0) xdplb_program::destroy(skeleton);
  require(error, "load the BPF program");
  return skeleton;
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

testing::AssertionResult same_frames(const Journey& journey, const Observation& run) {
  if (journey.verdict != run.verdict) {
    return testing::AssertionFailure() << fmt::format("  verdict: expected {} ({}), seen {}\n",
                                                      verdict_name(journey.verdict), outcome_name(journey.outcome),
                                                      verdict_name(run.verdict));
  }
  return journey.frame ? same_frame(*journey.frame, run.frame) : testing::AssertionSuccess();
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

  if (journey.options && !run.options.empty() && *run.options.begin() != *journey.options) {
    differ("counted for options", *journey.options, *run.options.begin());
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

Program::Program(const ProgramOptions& options) : flow_buckets_(options.flow_buckets) {
  skeleton_ = idle_programs().take(options);
  if (skeleton_ == nullptr) skeleton_ = load_program(options);
  program_ = bpf_program__fd(skeleton_->progs.xdplb_dispatch);
  clock_program_ = bpf_program__fd(skeleton_->progs.xdplb_clock);
  tables_ = map_memory<xdplb_tables>(skeleton_->maps.bss, 1);
  flows_ = map_memory<xdplb_flow_bucket>(skeleton_->maps.flows, flow_buckets_);
  details_ = map_memory<xdplb_flow_detail>(skeleton_->maps.flow_details, flow_buckets_ * XDPLB_FLOW_WAYS);
  fragments_ = map_memory<xdplb_flow_bucket>(skeleton_->maps.fragments, XDPLB_FRAGMENT_BUCKETS);
  selectors_ = {make_selector(0, kSeed), make_selector(1, kSeed)};
  xdplb_settings& settings = tables_->settings;
  settings.flow_bucket_mask = flow_buckets_ - 1;
  std::copy(kFlowSeeds.begin(), kFlowSeeds.end(), settings.flow_seeds);
  settings.layout_version = XDPLB_LAYOUT_VERSION;
  set_now(kFirstStamp);
  publish(0);
}

Program::~Program() {
  bool is_empty = false;
  try {
    empty_maps();
    is_empty = true;
  } catch (const std::exception&) {
    // The next test gets a new one.
  }
  ring_buffer__free(trace_);
  munmap(tables_, sizeof(*tables_));
  munmap(flows_, flow_buckets_ * sizeof(*flows_));
  munmap(details_, flow_buckets_ * XDPLB_FLOW_WAYS * sizeof(*details_));
  munmap(fragments_, XDPLB_FRAGMENT_BUCKETS * sizeof(*fragments_));
  if (is_empty)
    idle_programs().add(skeleton_);
  else
    xdplb_program::destroy(skeleton_);
}

void Program::empty_maps() {
  traces();
  std::memset(static_cast<void*>(tables_), 0, sizeof(*tables_));
  std::memset(static_cast<void*>(flows_), 0, flow_buckets_ * sizeof(*flows_));
  std::memset(static_cast<void*>(details_), 0, flow_buckets_ * XDPLB_FLOW_WAYS * sizeof(*details_));
  std::memset(static_cast<void*>(fragments_), 0, XDPLB_FRAGMENT_BUCKETS * sizeof(*fragments_));
  write_prefixes({});
  for (std::uint32_t slot = 0; slot < XDPLB_MAX_EGRESSES; ++slot)
    bpf_map_delete_elem(bpf_map__fd(skeleton_->maps.devices), &slot);
  clear_per_cpu(skeleton_->maps.outcomes, options_count_);
  clear_per_cpu(skeleton_->maps.counters, server_count_);
}

const bpf_object* Program::object() const { return skeleton_->obj; }

void Program::install(const DataplaneSetup& setup, std::uint32_t half, std::uint64_t seed) {
  const PortLayout layout = layout_ports(setup);
  write_settings(setup);
  write_prefixes(setup);
  for (const auto& [slot, egress] : setup.egresses) write_egress(slot, egress);
  for (const auto& [index, server] : setup.servers) write_server(index, server);
  for (const auto& [index, options] : layout.options) write_options(index, options);
  write_ports(layout, half, seed);
  publish(half);
}

void Program::publish(std::uint32_t half) {
  std::atomic_ref<__u64>(tables_->settings.port_selector).store(selectors_.at(half));
}

void Program::write_settings(const DataplaneSetup& setup) {
  xdplb_settings& settings = tables_->settings;
  settings.traced_outcomes = setup.traced_outcomes;
  settings.trace_sample = setup.trace_sample;
  settings.peer_filter = 0;
  std::fill(std::begin(settings.peers), std::end(settings.peers), 0);
  for (std::size_t i = 0; i < setup.peers.size(); ++i) {
    settings.peers[i] = mac_word(setup.peers[i]);
    settings.peer_filter |= std::uint64_t{1} << (setup.peers[i].bytes[5] & 63);
  }
}

void Program::write_prefixes(const DataplaneSetup& setup) {
  const int map = bpf_map__fd(skeleton_->maps.prefixes);
  for (const xdplb_prefix_key& key : std::exchange(used_prefixes_, {})) {
    require(bpf_map_delete_elem(map, &key), "map prefixes, delete");
  }
  for (const ClusterSetup& cluster : setup.clusters) {
    for (const IpPrefix& prefix : cluster.prefixes) {
      const xdplb_prefix_key key = make_prefix_key(prefix);
      const xdplb_port_key line = make_key(prefix, 0, 0);
      require(bpf_map_update_elem(map, &key, &line, BPF_ANY), "map prefixes, " + prefix.to_string());
      used_prefixes_.push_back(key);
    }
  }
  tables_->settings.flags = used_prefixes_.empty() ? 0 : XDPLB_SETTING_PREFIXES;
}

void Program::write_ports(const PortLayout& layout, std::uint32_t half, std::uint64_t seed) {
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
  const int map = bpf_map__fd(skeleton_->maps.devices);
  if (egress.has_device) {
    require(bpf_map_update_elem(map, &slot, &egress.ifindex, BPF_ANY), fmt::format("map devices, slot {}", slot));
  } else if (bpf_map_delete_elem(map, &slot) < 0 && errno != ENOENT) {
    require(-1, fmt::format("map devices, slot {}", slot));
  }
}

void Program::write_server(std::uint16_t index, const ServerSetup& server) {
  store_word(tables_->servers[index], make_server(server));
  server_count_ = std::max(server_count_, index + 1U);
  known_totals_.reset();
}

void Program::write_options(std::uint16_t index, const xdplb_options& options) {
  tables_->options[index] = options;
  options_count_ = std::max(options_count_, index + 1U);
  known_totals_.reset();
}

void Program::write_rows(const RowSlice& slice) {
  for (std::size_t i = 0; i < slice.rows.size(); ++i) {
    std::atomic_ref<__u32>(tables_->rows[slice.first_row + i]).store(slice.rows[i]);
  }
}

void Program::write_line(std::uint32_t slot, const xdplb_port& line) { tables_->ports[slot] = line; }

std::span<xdplb_flow> Program::flows() { return {flows_->ways, std::size_t{flow_buckets_} * XDPLB_FLOW_WAYS}; }

std::span<xdplb_flow_detail> Program::flow_details() {
  return {details_, std::size_t{flow_buckets_} * XDPLB_FLOW_WAYS};
}

std::span<xdplb_flow> Program::fragments() {
  return {fragments_->ways, std::size_t{XDPLB_FRAGMENT_BUCKETS} * XDPLB_FLOW_WAYS};
}

std::optional<std::size_t> Program::way_of(std::uint64_t tag) {
  const std::span<xdplb_flow> all = flows();
  for (const std::uint32_t bucket : FlowTable(flow_buckets_).buckets_of(tag)) {
    for (std::size_t way = 0; way < XDPLB_FLOW_WAYS; ++way) {
      if (all[bucket * XDPLB_FLOW_WAYS + way].tag == tag) return bucket * XDPLB_FLOW_WAYS + way;
    }
  }
  return std::nullopt;
}

std::optional<FlowValue> Program::find_flow(std::uint64_t tag) {
  const auto way = way_of(tag);
  if (!way) return std::nullopt;
  return flow_value(flows()[*way].value);
}

std::optional<std::uint32_t> Program::locate_flow(std::uint64_t tag) {
  const auto way = way_of(tag);
  if (!way) return std::nullopt;
  return static_cast<std::uint32_t>(*way / XDPLB_FLOW_WAYS);
}

void Program::forget() {
  std::fill_n(flows_, flow_buckets_, xdplb_flow_bucket{});
  std::fill_n(fragments_, XDPLB_FRAGMENT_BUCKETS, xdplb_flow_bucket{});
  std::fill_n(tables_->states, options_count_, xdplb_state{});
  std::fill_n(tables_->active, server_count_, 0);
}

void Program::erase_flow(std::uint64_t tag) {
  const auto way = way_of(tag);
  if (!way) return;
  const FlowValue value = flow_value(flows()[*way].value);
  const bool is_counted = value.state != XDPLB_FLOW_CLOSING && flow_details()[*way].kind == XDPLB_KIND_FLOW;
  if (is_counted) --tables_->active[value.server];
  flows()[*way] = {};
}

Observation Program::test_run(int program, const Frame& frame, std::uint32_t ingress) {
  buffer_.resize(std::max(buffer_.size(), frame.size() + 256));
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
  require(bpf_prog_test_run_opts(program, &options), fmt::format("run the program on {} bytes", frame.size()));
  const auto end = buffer_.begin() + static_cast<std::ptrdiff_t>(options.data_size_out);
  return {.verdict = static_cast<int>(options.retval), .frame = Frame(buffer_.begin(), end)};
}

Observation Program::dispatch(const Frame& frame, std::uint32_t ingress) {
  known_totals_.reset();
  return test_run(program_, frame, ingress);
}

std::uint32_t Program::clock() {
  return static_cast<std::uint32_t>(test_run(clock_program_, Frame(14), test_interfaces().ingress).verdict);
}

void Program::set_now(std::uint32_t stamp) {
  const std::uint32_t difference = stamp - clock();
  tables_->settings.clock_offset += difference;
}

Totals Program::totals() const {
  const auto cpus = static_cast<std::size_t>(libbpf_num_possible_cpus());
  const auto outcomes = load_per_cpu<xdplb_outcome_counters>(skeleton_->maps.outcomes, options_count_);
  const auto counters = load_per_cpu<xdplb_counters>(skeleton_->maps.counters, server_count_);
  Totals totals{.outcomes = std::vector<xdplb_outcome_counters>(options_count_),
                .servers = std::vector<xdplb_counters>(server_count_)};
  for (std::size_t i = 0; i < outcomes.size(); ++i) {
    for (int outcome = 0; outcome < XDPLB_OUTCOME_COUNT; ++outcome) {
      totals.outcomes[i / cpus].packets[outcome] += outcomes[i].packets[outcome];
    }
  }
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
    for (int outcome = 0; outcome < XDPLB_OUTCOME_COUNT; ++outcome) {
      const std::uint64_t delta = after.outcomes[i].packets[outcome] - before.outcomes[i].packets[outcome];
      if (delta == 0) continue;
      result.outcomes[outcome] += delta;
      result.options.insert(static_cast<std::uint16_t>(i));
    }
  }
  for (std::size_t i = 0; i < after.servers.size(); ++i) {
    const xdplb_counters delta = difference(after.servers[i], before.servers[i]);
    if (!is_zero(delta)) result.servers[static_cast<std::uint16_t>(i)] = delta;
  }
  known_totals_ = std::move(after);
  return result;
}

std::vector<xdplb_trace_record> Program::traces() {
  if (trace_ == nullptr) {
    const ring_buffer_sample_fn take = [](void* records, void* data, std::size_t size) {
      if (size != sizeof(xdplb_trace_record)) return -EINVAL;
      static_cast<std::vector<xdplb_trace_record>*>(records)->push_back(*static_cast<const xdplb_trace_record*>(data));
      return 0;
    };
    trace_ = ring_buffer__new(bpf_map__fd(skeleton_->maps.trace), take, &traced_, nullptr);
    if (trace_ == nullptr) throw std::system_error(errno, std::generic_category(), "ring buffer trace");
  }
  require(ring_buffer__consume(trace_), "read the ring buffer trace");
  return std::exchange(traced_, {});
}

}  // namespace xdplb::test
