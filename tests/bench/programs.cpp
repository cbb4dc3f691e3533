// SPDX-License-Identifier: GPL-2.0-only
#include "programs.h"

#include "skeleton.h"

#include <bpf/bpf.h>
#include <fmt/core.h>

#include <cerrno>
#include <chrono>
#include <ctime>
#include <string>

namespace xdplb::bench {
namespace {

Result<Programs> open_programs() {
  // The kernel's verifier log of a refused program says more than libbpf's summary, but only on demand.
  libbpf_set_print([](libbpf_print_level level, const char* format, va_list arguments) {
    return level == LIBBPF_WARN ? std::vfprintf(stderr, format, arguments) : 0;
  });
  Programs programs(bench_programs__open());
  if (!programs) return os_error("bench: open the BPF object", errno);
  return programs;
}

double thread_cpu_ns() {
  timespec now = {};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) * 1e9 + static_cast<double>(now.tv_nsec);
}

}  // namespace

void SkeletonDeleter::operator()(bench_programs* object) const { bench_programs__destroy(object); }

Result<Programs> load_programs(const TableSpec& spec) {
  Result<Programs> programs = open_programs();
  if (!programs) return programs;
  (*programs)->rodata->cluster_count = spec.clusters;
  if (bench_programs__load(programs->get())) return os_error("bench: load the BPF object", errno);
  if (Result<void> filled = fill_tables(**programs, spec); !filled) return filled.error();
  return programs;
}

int program_fd(const Programs& programs, std::string_view name) {
  return bpf_program__fd(bpf_object__find_program_by_name(programs->obj, std::string(name).c_str()));
}

Result<ProgramSize> measure_program_size() {
  Result<Programs> programs = open_programs();
  if (!programs) return programs.error();
  bpf_program* program = nullptr;
  bpf_object__for_each_program(program, (*programs)->obj) {
    bpf_program__set_autoload(program, program == (*programs)->progs.xdplb_dispatch);
  }
  const auto start = std::chrono::steady_clock::now();
  if (bench_programs__load(programs->get())) return os_error("bench: load the BPF object", errno);
  const std::chrono::duration<double, std::milli> took = std::chrono::steady_clock::now() - start;

  bpf_prog_info info = {};
  std::uint32_t info_bytes = sizeof(info);
  if (bpf_obj_get_info_by_fd(bpf_program__fd((*programs)->progs.xdplb_dispatch), &info, &info_bytes)) {
    return os_error("bench: ask for the size of the program", errno);
  }
  return ProgramSize{.xlated_bytes = info.xlated_prog_len,
                     .jited_bytes = info.jited_prog_len,
                     .verified_instructions = info.verified_insns,
                     .load_ms = took.count()};
}

Result<void> check_verdict(int program, std::span<const std::uint8_t> frame, std::uint32_t expected_verdict) {
  bpf_test_run_opts options = {};
  options.sz = sizeof(options);
  options.data_in = frame.data();
  options.data_size_in = static_cast<std::uint32_t>(frame.size());
  options.repeat = 1;
  if (bpf_prog_test_run_opts(program, &options)) return os_error("bench: BPF_PROG_RUN", errno);
  if (options.retval == expected_verdict) return {};
  return fail(ErrorCode::kFailed, fmt::format("bench: a program answered a frame with verdict {} instead of {}",
                                              options.retval, expected_verdict));
}

Result<double> measure_run_ns(int program, std::span<const std::uint8_t> frame, std::uint32_t repeat) {
  bpf_test_run_opts options = {};
  options.sz = sizeof(options);
  options.data_in = frame.data();
  options.data_size_in = static_cast<std::uint32_t>(frame.size());
  options.repeat = static_cast<int>(repeat);
  const double start = thread_cpu_ns();
  if (bpf_prog_test_run_opts(program, &options)) return os_error("bench: BPF_PROG_RUN", errno);
  return (thread_cpu_ns() - start) / repeat;
}

}  // namespace xdplb::bench
