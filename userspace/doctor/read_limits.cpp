// SPDX-License-Identifier: GPL-2.0-only
#include "doctor/read_facts.h"
#include "host/ethtool.h"
#include "host/sysctl.h"

#include <sys/resource.h>
#include <sys/timex.h>
#include <unistd.h>

#include <charconv>
#include <fstream>
#include <string>
#include <string_view>

namespace xdplb {
namespace {

constexpr std::string_view kEffective = "CapEff:\t";

std::optional<std::uint64_t> read_capabilities(int pid) {
  std::ifstream file(pid == 0 ? "/proc/self/status" : "/proc/" + std::to_string(pid) + "/status");
  for (std::string line; std::getline(file, line);) {
    if (!line.starts_with(kEffective)) continue;
    std::uint64_t value = 0;
    const char* end = line.data() + line.size();
    const auto parsed = std::from_chars(line.data() + kEffective.size(), end, value, 16);
    if (parsed.ec == std::errc() && parsed.ptr == end) return value;
  }
  return std::nullopt;
}

// A daemon has raised its own limit already, as far as it may.
std::optional<std::uint64_t> read_descriptors(int pid) {
  rlimit limit{};
  if (::prlimit(pid, RLIMIT_NOFILE, nullptr, &limit) != 0) return std::nullopt;
  return pid == 0 ? limit.rlim_max : limit.rlim_cur;
}

std::optional<bool> read_clock() {
  timex clock{};
  const int state = ::adjtimex(&clock);
  if (state < 0) return std::nullopt;
  return state != TIME_ERROR && (clock.status & STA_UNSYNC) == 0;
}

std::optional<int> read_number(std::string_view name) {
  const auto value = read_sysctl(name);
  return value ? std::optional<int>(*value) : std::nullopt;
}

}  // namespace

LimitFacts read_limits(int daemon) {
  const long cpus = ::sysconf(_SC_NPROCESSORS_ONLN);
  return {
      .cpus = {.online = cpus > 0 ? static_cast<unsigned>(cpus) : 1, .possible = possible_cpus()},
      .process = {.daemon = daemon, .capabilities = read_capabilities(daemon), .descriptors = read_descriptors(daemon)},
      .is_clock_synchronised = read_clock(),
      .tracked_connections = read_number("net/netfilter/nf_conntrack_count"),
      .most_connections = read_number("net/netfilter/nf_conntrack_max")};
}

}  // namespace xdplb
