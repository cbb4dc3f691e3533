// SPDX-License-Identifier: GPL-2.0-only
// The loaded programs of bench.bpf.c.
#pragma once

#include "base/result.h"
#include "tables.h"

#include <cstdint>
#include <memory>
#include <span>
#include <string_view>

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
  double load_ms = 0;                       // of xdplb_dispatch alone: verify and compile
};

// Loads all programs and fills their maps. dispatch_clusters spreads its packets over spec.clusters.
Result<Programs> load_programs(const TableSpec& spec);

// Descriptor of a program of bench.bpf.c; the name must exist.
int program_fd(const Programs& programs, std::string_view name);

Result<ProgramSize> measure_program_size();

// One run of a program: what it did with the frame. Fails when the verdict is not `expected_verdict`, so that nobody
// measures a program that went astray.
Result<void> check_verdict(int program, std::span<const std::uint8_t> frame, std::uint32_t expected_verdict);

// CPU time of the calling thread for one run of the program, in nanoseconds, from `repeat` runs in the kernel; the
// harness's own loop is part of it.
Result<double> measure_run_ns(int program, std::span<const std::uint8_t> frame, std::uint32_t repeat);

}  // namespace xdplb::bench
