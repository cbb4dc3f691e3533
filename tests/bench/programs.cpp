// SPDX-License-Identifier: GPL-2.0-only
#include "programs.h"

#include "dataplane/clock.h"
#include "skeleton.h"
#include "xdplb/outcomes.h"

#include <linux/if_ether.h>
#include <bpf/bpf.h>
#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstdarg>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>

namespace xdplb::bench {
namespace {

// The verifier's log of a refused program says more than libbpf's summary; its verdict is at the end of many lines.
int print_end_of_warning(libbpf_print_level level, const char* format, va_list arguments) {
  if (level != LIBBPF_WARN) return 0;
  char* text = nullptr;
  const int length = ::vasprintf(&text, format, arguments);
  if (length < 0) return 0;
  constexpr int kShown = 2000;
  std::fputs(text + std::max(0, length - kShown), stderr);
  std::free(text);
  return length;
}

Result<Programs> open_programs(const std::set<std::string>& names, std::uint32_t flows) {
  libbpf_set_print(print_end_of_warning);
  Programs programs(bench_programs__open());
  if (!programs) return os_error("bench: open the BPF object", errno);
  bool with_lru = false, with_owners = false;
  bpf_program* program = nullptr;
  bpf_object__for_each_program(program, programs->obj) {
    const std::string name = bpf_program__name(program);
    const bool is_wanted = names.contains(name);
    bpf_program__set_autoload(program, is_wanted);
    with_lru |= is_wanted && name.find("lru") != std::string::npos;
    with_owners |= is_wanted && (name.starts_with("open_") || name.starts_with("check_"));
  }
  for (bpf_map* map : {programs->maps.lru_services, programs->maps.lru_small, programs->maps.lru_large,
                       programs->maps.lru_ring, programs->maps.lru_servers, programs->maps.lru_counters})
    bpf_map__set_autocreate(map, with_lru);
  bpf_map__set_autocreate(programs->maps.owners, with_owners);
  bpf_map__set_max_entries(programs->maps.flows, flows / XDPLB_FLOW_WAYS);
  bpf_map__set_max_entries(programs->maps.flow_details, flows);
  bpf_map__set_max_entries(programs->maps.lru_large, flows);
  programs->rodata->clock_shift = TickLength::measure().shift;
  return programs;
}

double thread_cpu_ns() {
  timespec now = {};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) * 1e9 + static_cast<double>(now.tv_nsec);
}

bpf_test_run_opts run_options(std::span<const std::uint8_t> frame, std::uint32_t repeat) {
  bpf_test_run_opts options = {};
  options.sz = sizeof(options);
  options.data_in = frame.data();
  options.data_size_in = static_cast<std::uint32_t>(frame.size());
  options.repeat = static_cast<int>(repeat);
  return options;
}

// "verification time 123 usec" of the verifier's statistics.
double verification_ms_in(const char* log) {
  constexpr const char* kWords = "verification time ";
  const char* const found = std::strstr(log, kWords);
  return found ? std::strtod(found + std::strlen(kWords), nullptr) / 1e3 : 0;
}

// Bytes of an element as array maps keep it, in all CPUs' copies of it if they have their own.
std::uint32_t value_bytes(const bpf_map* map) {
  const std::uint32_t bytes = (bpf_map__value_size(map) + 7) & ~7U;
  return bpf_map__type(map) == BPF_MAP_TYPE_PERCPU_ARRAY
             ? bytes * static_cast<std::uint32_t>(libbpf_num_possible_cpus())
             : bytes;
}

}  // namespace

void SkeletonDeleter::operator()(bench_programs* object) const { bench_programs__destroy(object); }

Result<LoadedPrograms> load_programs(const TableSpec& spec, const std::set<std::string>& names) {
  Result<Programs> programs = open_programs(names, spec.flows);
  if (!programs) return programs.error();
  if (bench_programs__load(programs->get())) return os_error("bench: load the BPF object", errno);
  Result<BenchMaps> maps = fill_tables(**programs, spec);
  if (!maps) return maps.error();
  return LoadedPrograms{spec, std::move(*programs), std::move(*maps)};
}

int program_fd(const Programs& programs, std::string_view name) {
  return bpf_program__fd(bpf_object__find_program_by_name(programs->obj, std::string(name).c_str()));
}

Result<std::uint32_t> present_stamp(const Programs& programs) {
  const std::array<std::uint8_t, ETH_HLEN> frame = {};
  bpf_test_run_opts options = run_options(frame, 1);
  if (bpf_prog_test_run_opts(program_fd(programs, "xdplb_clock"), &options))
    return os_error("bench: xdplb_clock", errno);
  return options.retval;
}

Result<ProgramSize> measure_program_size() {
  Result<Programs> programs = open_programs({"xdplb_dispatch"}, XDPLB_DEFAULT_FLOWS);
  if (!programs) return programs.error();
  bpf_program* const dispatch = (*programs)->progs.xdplb_dispatch;
  constexpr std::uint32_t kStatisticsOnly = 4;  // BPF_LOG_STATS of the kernel
  std::array<char, 4096> log = {};
  bpf_program__set_log_level(dispatch, kStatisticsOnly);
  bpf_program__set_log_buf(dispatch, log.data(), log.size());
  const auto start = std::chrono::steady_clock::now();
  if (bench_programs__load(programs->get())) return os_error("bench: load the BPF object", errno);
  const std::chrono::duration<double, std::milli> took = std::chrono::steady_clock::now() - start;

  bpf_prog_info info = {};
  std::uint32_t info_bytes = sizeof(info);
  if (bpf_obj_get_info_by_fd(bpf_program__fd(dispatch), &info, &info_bytes))
    return os_error("bench: ask for the size of the program", errno);
  return ProgramSize{.xlated_bytes = info.xlated_prog_len,
                     .jited_bytes = info.jited_prog_len,
                     .verified_instructions = info.verified_insns,
                     .verification_ms = verification_ms_in(log.data()),
                     .load_ms = took.count()};
}

Result<MemoryUse> measure_memory() {
  const Result<Programs> programs = open_programs({"xdplb_dispatch"}, XDPLB_DEFAULT_FLOWS);
  if (!programs) return programs.error();
  const auto& maps = (*programs)->maps;
  constexpr std::uint32_t kRows = 1024;  // of a port with up to eight servers
  MemoryUse use = {
      .flow_bytes = sizeof(xdplb_flow) + sizeof(xdplb_flow_detail),
      .line_bytes = sizeof(xdplb_port),
      .port_bytes =
          static_cast<std::uint32_t>(sizeof(xdplb_options) + sizeof(xdplb_state)) + value_bytes(maps.outcomes),
      .rows_bytes = kRows * (sizeof(xdplb_tables::rows[0]) + sizeof(xdplb_tables::touches[0])),
      .server_bytes = static_cast<std::uint32_t>(sizeof(xdplb_server) + sizeof(xdplb_tables::active[0])) +
                      value_bytes(maps.counters),
  };
  use.flows_map_bytes = std::uint64_t{XDPLB_DEFAULT_FLOWS} * use.flow_bytes;
  for (const bpf_map* map : {maps.bss, maps.flows, maps.flow_details, maps.fragments, maps.counters, maps.outcomes})
    use.total_bytes += std::uint64_t{value_bytes(map)} * bpf_map__max_entries(map);
  use.total_bytes += bpf_map__max_entries(maps.trace);  // a ring: its entries are bytes
  return use;
}

Result<std::vector<std::uint8_t>> run_once(int program, std::span<const std::uint8_t> frame,
                                           std::uint32_t expected_verdict) {
  std::vector<std::uint8_t> result(frame.size());
  bpf_test_run_opts options = run_options(frame, 1);
  options.data_out = result.data();
  options.data_size_out = static_cast<std::uint32_t>(result.size());
  if (bpf_prog_test_run_opts(program, &options)) return os_error("bench: BPF_PROG_RUN", errno);
  if (options.retval == expected_verdict) return result;
  return fail(ErrorCode::kFailed, fmt::format("bench: a program answered a frame with verdict {} instead of {}",
                                              options.retval, expected_verdict));
}

Result<double> measure_run_ns(int program, std::span<const std::uint8_t> frame, std::uint32_t repeat) {
  bpf_test_run_opts options = run_options(frame, repeat);
  const double start = thread_cpu_ns();
  if (bpf_prog_test_run_opts(program, &options)) return os_error("bench: BPF_PROG_RUN", errno);
  return (thread_cpu_ns() - start) / repeat;
}

}  // namespace xdplb::bench
