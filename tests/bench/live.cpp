// SPDX-License-Identifier: GPL-2.0-only
#include "live.h"

#include "shell.h"
#include "veth_line.h"

#include <fmt/core.h>
#include <net/if.h>

#include <fstream>
#include <utility>

namespace xdplb::bench {
namespace {

constexpr std::uint32_t k1Mi = 1U << 20;
constexpr int kServers = 100;

struct Line {
  const char* name;
  const char* program;  // at the far end
  std::uint32_t flows;
  std::optional<double> bound;
};

// Every new client goes to one of the servers by a hash, and connection tracking keeps it there.
std::string nft_balancer() {
  std::string servers;
  for (int i = 0; i < kServers; ++i) servers += fmt::format("{}{} : 203.0.113.{}", i ? ", " : "", i, i + 10);
  return fmt::format(
      "table ip bench {{\n chain prerouting {{\n  type nat hook prerouting priority dstnat;\n"
      "  ip daddr 10.99.0.0 tcp dport {} dnat to jhash ip saddr . tcp sport mod {} map {{ {} }}\n }}\n}}\n",
      kPort, kServers, servers);
}

// The largest power of 4 of connections that half of the kernel's table holds.
std::uint32_t tracked_flows() {
  std::uint32_t limit = 0;
  std::ifstream("/proc/sys/net/netfilter/nf_conntrack_max") >> limit;
  std::uint32_t flows = 1;
  while (flows < k1Mi && flows * 4 <= limit / 2) flows *= 4;
  return flows;
}

// Packets that came back per microsecond.
Result<double> measure_line(const Programs& programs, const Line& line, std::uint32_t packets) {
  if (Result<void> attached = attach(kFar, program_fd(programs, line.program)); !attached) return attached.error();
  const Result<Slice> slice = send_slice(programs, kAnyClient, {.flows = line.flows}, packets);
  if (!slice) return slice.error();
  return static_cast<double>(slice->arrived) / slice->us;
}

Result<RateResult> measure_rate(const Programs& programs, const Line& line, const LiveEffort& effort) {
  const Line reflector = {.name = "reflector", .program = "reflect", .flows = line.flows, .bound = {}};
  std::vector<double> rates, reflected, ratios;
  for (int pair = 0; pair < effort.pairs; ++pair) {
    const Result<double> base = measure_line(programs, reflector, effort.packets);
    if (!base) return base.error();
    const Result<double> rate = measure_line(programs, line, effort.packets);
    if (!rate) return rate.error();
    rates.push_back(*rate);
    reflected.push_back(*base);
    ratios.push_back(*rate / *base);
  }
  return RateResult{.name = line.name,
                    .flows = line.flows,
                    .mpps = median_of(rates),
                    .reflector_mpps = median_of(reflected),
                    .ratio = median_of(ratios),
                    .bound = line.bound};
}

}  // namespace

Result<std::vector<RateResult>> measure_rates(const LiveEffort& effort, const Wanted& wanted,
                                              std::vector<Skipped>& skipped) {
  std::vector<Line> lines;
  for (const std::uint32_t flows : {1U, k1Mi}) {
    lines.push_back({"veth-tx", "xdplb_dispatch", flows, 0.85});
    lines.push_back({"veth-ip-forward", kStack, flows, {}});
  }
  std::erase_if(lines, [&](const Line& line) { return !wanted(line.name); });
  const bool with_nft = wanted("veth-nft-dnat");
  if (lines.empty() && !with_nft) return std::vector<RateResult>{};

  if (Result<void> made = make_veth(kServers); !made) return made.error();
  const TableSpec tables = {.clusters = {{.servers = kServers}}, .back_ifindex = ::if_nametoindex(kFar)};
  const Result<LoadedPrograms> loaded =
      load_programs(tables, {"xdplb_dispatch", "reflect", kAnyClient, "count_arrived", kStack});
  if (!loaded) return loaded.error();
  const Programs& programs = loaded->object;
  if (Result<void> attached = attach(kNear, program_fd(programs, "count_arrived")); !attached) return attached.error();

  if (with_nft) {
    lines.push_back({"veth-nft-dnat", kStack, 1, {}});
    lines.push_back({"veth-nft-dnat", kStack, tracked_flows(), {}});
  }
  std::vector<RateResult> results;
  bool rules_loaded = false;
  for (const Line& line : lines) {
    // The balancer's rules last to the end of the namespace, hence it comes last.
    if (line.name == std::string_view("veth-nft-dnat") && !std::exchange(rules_loaded, true)) {
      if (Result<void> ruled = run_nft(nft_balancer()); !ruled) {
        skipped.push_back({line.name, ruled.error().message});
        break;
      }
    }
    Result<RateResult> rate = measure_rate(programs, line, effort);
    if (!rate) return rate.error();
    results.push_back(*rate);
  }
  return results;
}

}  // namespace xdplb::bench
