// SPDX-License-Identifier: GPL-2.0-only
// The real program, run on one frame at a time by BPF_PROG_TEST_RUN. Needs root.
#pragma once

#include "kernel_layout.h"
#include "packet.h"
#include "reference_model.h"
#include "setup.h"

#include "xdplb/maps.h"

#include <gtest/gtest.h>

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <vector>

struct bpf_object;
struct ring_buffer;
struct xdplb_program;  // the skeleton

namespace xdplb::test {

// Two interfaces of a network namespace that this process alone is in: the program reads the ifindex a frame came in
// by and the devmap takes only interfaces that exist.
struct TestInterfaces {
  std::uint32_t ingress = 0;
  std::uint32_t other = 0;
};

// Makes namespace and interfaces at the first call; they end with the process.
const TestInterfaces& test_interfaces();

// What the program made of one frame.
struct Observation {
  int verdict = 0;
  Frame frame{};
  std::map<int, std::uint64_t> outcomes{};            // what was added to the map `outcomes`, without zeros
  std::set<std::uint16_t> options{};                  // to whose line of it
  std::map<std::uint16_t, xdplb_counters> servers{};  // what was added to the map `counters`, without zeros
};

// The maps `outcomes` and `counters`, summed over the CPUs.
struct Totals {
  std::vector<xdplb_outcome_counters> outcomes{};  // by index of options, those of the setup
  std::vector<xdplb_counters> servers{};           // by index, those of the setup
};

// Success when `run` is `journey`: verdict, whole frame unless dropped, outcome and every counter.
testing::AssertionResult same_journey(const Journey& journey, const Observation& run);
// Verdict and frame only.
testing::AssertionResult same_frames(const Journey& journey, const Observation& run);

// What is set before the load.
struct ProgramOptions {
  std::uint32_t flow_buckets = kFlowBuckets;  // power of two
  // 2^clock_shift jiffies are a tick. With this one the clock stands still, and only set_now() moves it: no test
  // depends on when it runs.
  std::uint32_t clock_shift = 40;
};

// A loaded program with empty maps that nobody else uses, nothing pinned; a later test of this process may get it
// again. A failing system call throws: it ends the test that made it.
class Program {
 public:
  static constexpr std::uint64_t kSeed = 0x9e3779b97f4a7c15;

  explicit Program(const ProgramOptions& options = {});
  ~Program();
  Program(const Program&) = delete;
  Program& operator=(const Program&) = delete;

  // Writes the setup, its ports into `half`, and lets packets read that half. Rows, options, servers and egresses are
  // shared by both halves: setup.first_row leaves the rows of an earlier setup alone.
  //
  // seed  of the half's selector; throws when the ports cannot be placed with it
  void install(const DataplaneSetup& setup, std::uint32_t half = 0, std::uint64_t seed = kSeed);
  // The one store that lets packets read the other half.
  void publish(std::uint32_t half);

  // Verdict and frame only. The kernel takes frames of 14 bytes and more.
  Observation dispatch(const Frame& frame, std::uint32_t ingress = test_interfaces().ingress);
  // With what was added to the counters.
  Observation run(const Frame& frame, std::uint32_t ingress = test_interfaces().ingress);

  Totals totals() const;

  // The stamp that packets get now.
  std::uint32_t clock();
  // Packets get this stamp from now on; exactly, while the clock stands still.
  void set_now(std::uint32_t stamp);

  // For tests that write what no setup says. `slot` counts through both halves.
  void write_line(std::uint32_t slot, const xdplb_port& line);
  void erase_line(std::uint32_t slot) { write_line(slot, xdplb_port{}); }
  void write_rows(const RowSlice& slice);
  void write_row(std::uint32_t row, std::uint32_t word) { write_rows({.first_row = row, .rows = {word}}); }
  void write_server(std::uint16_t index, const ServerSetup& server);
  void write_options(std::uint16_t index, const xdplb_options& options);

  // What packets wrote. Tags and values as they lie there; way w of bucket b at XDPLB_FLOW_WAYS * b + w.
  xdplb_tables& tables() { return *tables_; }
  std::span<xdplb_flow> flows();
  std::span<xdplb_flow_detail> flow_details();
  std::span<xdplb_flow> fragments();
  // The value of the entry with this tag in `flows`.
  std::optional<FlowValue> find_flow(std::uint64_t tag);
  // The bucket where it lies.
  std::optional<std::uint32_t> locate_flow(std::uint64_t tag);
  void erase_flow(std::uint64_t tag);
  // Everything that packets wrote but touches and counters.
  void forget();
  // The records of `trace` since the last call.
  std::vector<xdplb_trace_record> traces();

  const bpf_object* object() const;

 private:
  void empty_maps();
  void write_settings(const DataplaneSetup& setup);
  void write_prefixes(const DataplaneSetup& setup);
  void write_ports(const PortLayout& layout, std::uint32_t half, std::uint64_t seed);
  void write_egress(std::uint32_t slot, const EgressSetup& egress);
  std::optional<std::size_t> way_of(std::uint64_t tag);
  Observation test_run(int program, const Frame& frame, std::uint32_t ingress);

  xdplb_program* skeleton_ = nullptr;
  int program_ = -1;
  int clock_program_ = -1;
  std::uint32_t flow_buckets_;
  xdplb_tables* tables_ = nullptr;  // mapped, as the next three
  xdplb_flow_bucket* flows_ = nullptr;
  xdplb_flow_detail* details_ = nullptr;
  xdplb_flow_bucket* fragments_ = nullptr;
  ring_buffer* trace_ = nullptr;
  std::vector<xdplb_trace_record> traced_{};
  std::array<std::uint64_t, 2> selectors_{};                // of each half
  std::array<std::vector<std::uint32_t>, 2> used_slots_{};  // of each half
  std::vector<xdplb_prefix_key> used_prefixes_{};
  std::uint32_t server_count_ = 1;   // highest index in use, plus one
  std::uint32_t options_count_ = 1;  // the same of options
  Frame buffer_;
  std::optional<Totals> known_totals_;  // after the last run()
};

// A test with a program of its own.
class ProgRun : public testing::Test {
 protected:
  const TestInterfaces& interfaces_ = test_interfaces();  // before the program: devmaps know only this namespace
  Program program_;
};

}  // namespace xdplb::test
