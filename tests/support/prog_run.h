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
#include <string>
#include <vector>

struct bpf_object;
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
  std::map<std::uint16_t, xdplb_counters> servers{};  // what was added to the map `counters`, without zeros
};

// The maps `outcomes` and `counters`, summed over the CPUs.
struct Totals {
  std::vector<std::uint64_t> outcomes{};
  std::vector<xdplb_counters> servers{};  // only those of the setup; by index
};

// Success when `run` is `journey`: verdict, whole frame unless dropped, outcome and every counter.
testing::AssertionResult same_journey(const Journey& journey, const Observation& run);

// One loaded program with maps of its own, nothing pinned. A failing system call throws: it ends the test that made it.
class Program {
 public:
  static constexpr std::uint64_t kSeed = 0x9e3779b97f4a7c15;

  Program();
  ~Program();
  Program(const Program&) = delete;
  Program& operator=(const Program&) = delete;

  // Writes the setup, its ports into `half`, and lets packets read that half. Rows, servers and egresses are shared by
  // both halves: `first_row` leaves the rows of an earlier setup alone.
  //
  // seed  of the half's selector; throws when the ports cannot be placed with it
  void install(const DataplaneSetup& setup, std::uint32_t half = 0, std::uint64_t seed = kSeed,
               std::uint32_t first_row = 1);
  // The one store that lets packets read the other half.
  void publish(std::uint32_t half);

  // Verdict and frame only. The kernel takes frames of 14 bytes and more.
  Observation dispatch(const Frame& frame, std::uint32_t ingress = test_interfaces().ingress);
  // With what was added to the counters.
  Observation run(const Frame& frame, std::uint32_t ingress = test_interfaces().ingress);

  Totals totals() const;

  // For tests that write what no setup says. `slot` counts through both halves.
  void write_line(std::uint32_t slot, const xdplb_port& line);
  void erase_line(std::uint32_t slot) { write_line(slot, xdplb_port{}); }
  void write_rows(const RowSlice& slice);
  void write_server(std::uint16_t index, const ServerSetup& server);
  const bpf_object* object() const;

 private:
  void write_ports(const DataplaneSetup& setup, std::uint32_t half, std::uint64_t seed, std::uint32_t first_row);
  void write_egress(std::uint32_t slot, const EgressSetup& egress);

  xdplb_program* skeleton_ = nullptr;
  int program_ = -1;
  xdplb_tables* tables_ = nullptr;                          // mapped
  xdplb_row_chunk* chunks_ = nullptr;                       // mapped
  std::array<std::uint64_t, 2> selectors_{};                // of each half
  std::array<std::vector<std::uint32_t>, 2> used_slots_{};  // of each half
  std::uint32_t server_count_ = 1;                          // highest index in use, plus one
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
