// SPDX-License-Identifier: GPL-2.0-only
// The loaded programs of bench.bpf.c.
#pragma once

#include "base/result.h"
#include "tables.h"

#include <cstdint>
#include <memory>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace xdplb::bench {

struct SkeletonDeleter {
  void operator()(bench_programs* object) const;
};
using Programs = std::unique_ptr<bench_programs, SkeletonDeleter>;

// What the kernel made of the real program.
struct ProgramSize {
  std::uint32_t xlated_bytes = 0;
  std::uint32_t jited_bytes = 0;
  std::uint32_t verified_instructions = 0;  // walked by the verifier over all paths
  double verification_ms = 0;               // as the verifier says
  double load_ms = 0;                       // of xdplb_dispatch alone, with all its maps: verify and compile
};

// What memory the maps of the real program take as they are loaded with the defaults.
struct MemoryUse {
  std::uint32_t flow_bytes = 0;       // an entry with its detail
  std::uint32_t line_bytes = 0;       // a port at one address: its line
  std::uint32_t port_bytes = 0;       // a port: options, state, and outcomes of every CPU
  std::uint32_t rows_bytes = 0;       // a port's rows with one server: words and touches, per family
  std::uint32_t server_bytes = 0;     // a server of a port: way, active, and counters of every CPU
  std::uint64_t flows_map_bytes = 0;  // both maps of flows
  std::uint64_t total_bytes = 0;      // all maps
};

struct LoadedPrograms {
  TableSpec spec;
  Programs object;
  BenchMaps maps;
};

// Loads the named programs of bench.bpf.c, each of which the verifier takes its time for, and fills their maps.
Result<LoadedPrograms> load_programs(const TableSpec& spec, const std::set<std::string>& names);

// Descriptor of a program of bench.bpf.c that was loaded; the name must exist.
int program_fd(const Programs& programs, std::string_view name);

// Runs xdplb_clock. It must be among the loaded programs.
Result<std::uint32_t> present_stamp(const Programs& programs);

Result<ProgramSize> measure_program_size();
Result<MemoryUse> measure_memory();

// One run of a program: the frame as it leaves. Fails when the verdict is not `expected_verdict`, so that nobody
// measures a program that went astray.
Result<std::vector<std::uint8_t>> run_once(int program, std::span<const std::uint8_t> frame,
                                           std::uint32_t expected_verdict);

// CPU time of the calling thread for one run of the program, in nanoseconds, from `repeat` runs in the kernel; the
// harness's own loop is part of it.
Result<double> measure_run_ns(int program, std::span<const std::uint8_t> frame, std::uint32_t repeat);

}  // namespace xdplb::bench
