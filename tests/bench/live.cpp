// SPDX-License-Identifier: GPL-2.0-only
#include "live.h"

#include "frames.h"
#include "shell.h"
#include "skeleton.h"

#include <linux/if_link.h>
#include <bpf/bpf.h>
#include <fmt/core.h>
#include <net/if.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <fstream>

namespace xdplb::bench {
namespace {

constexpr const char* kNear = "bench-near";  // the generator sends here, what comes back is counted here
constexpr const char* kFar = "bench-far";    // carries the program under test
constexpr std::uint32_t k1Mi = 1U << 20;
constexpr int kServers = 100;
constexpr const char* kStack = "hand_to_stack";  // the kernel forwards

struct Line {
  const char* name;
  const char* program;  // at the far end
  std::uint32_t flows;
  std::optional<double> bound;
};

Result<void> attach(const char* interface, int program) {
  const auto ifindex = static_cast<int>(::if_nametoindex(interface));
  const int error = bpf_xdp_attach(ifindex, program, XDP_FLAGS_DRV_MODE, nullptr);
  if (error) return os_error(fmt::format("bench: native XDP on {}", interface), -error);
  return {};
}

// Both ends in one namespace: only the far one has addresses, so that the kernel forwards out of it again.
Result<void> make_veth() {
  std::string batch = fmt::format(
      "link add {0} address 02:00:00:00:00:20 type veth peer name {1} address 02:00:00:00:00:10\n"
      "link set {0} up\nlink set {1} up\naddress add 203.0.113.254/24 dev {1}\n"
      "neighbour add 203.0.113.1 lladdr 02:00:00:00:01:00 dev {1} nud permanent\n"
      "route add 10.99.0.0/16 via 203.0.113.1 dev {1}\nroute add 198.18.0.0/15 via 203.0.113.1 dev {1}\n",
      kNear, kFar);
  for (int i = 0; i < kServers; ++i) {
    batch +=
        fmt::format("neighbour add 203.0.113.{0} lladdr 02:00:00:00:01:{0:02x} dev {1} nud permanent\n", i + 10, kFar);
  }
  if (Result<void> made = run_ip(batch); !made) return made;
  for (const char* setting : {"ipv4/conf/all/send_redirects", "ipv4/conf/bench-far/send_redirects",
                              "ipv4/conf/all/rp_filter", "ipv4/conf/bench-far/rp_filter"}) {
    if (Result<void> written = write_setting(setting, "0"); !written) return written;
  }
  return write_setting("ipv4/ip_forward", "1");
}

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

// One slice: packets that came back per microsecond.
Result<double> measure_slice(const Programs& programs, const Line& line, std::uint32_t packets) {
  const std::vector<std::uint8_t> frame = make_frame({.flows = line.flows});
  std::memcpy(programs->data_bench->headers, frame.data(), sizeof(programs->data_bench->headers));
  xdp_md context = {};
  context.data_end = static_cast<std::uint32_t>(frame.size());
  context.ingress_ifindex = ::if_nametoindex(kNear);
  bpf_test_run_opts options = {};
  options.sz = sizeof(options);
  options.data_in = frame.data();
  options.data_size_in = static_cast<std::uint32_t>(frame.size());
  options.ctx_in = &context;
  options.ctx_size_in = sizeof(context);
  options.repeat = static_cast<int>(packets);
  options.flags = BPF_F_TEST_XDP_LIVE_FRAMES;
  const std::uint64_t before = programs->data_bench->arrived;
  if (bpf_prog_test_run_opts(program_fd(programs, "generate"), &options))
    return os_error("bench: send live frames", errno);
  // `duration` leaves out the set-up of the call; it is per packet.
  return static_cast<double>(programs->data_bench->arrived - before) * 1e3 /
         (static_cast<double>(options.duration) * packets);
}

Result<double> measure_line(const Programs& programs, const Line& line, std::uint32_t packets) {
  if (Result<void> attached = attach(kFar, program_fd(programs, line.program)); !attached) return attached.error();
  return measure_slice(programs, line, packets);
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

  if (Result<void> made = make_veth(); !made) return made.error();
  const TableSpec tables = {.clusters = {{.servers = kServers}}, .back_ifindex = ::if_nametoindex(kFar)};
  const Result<LoadedPrograms> loaded =
      load_programs(tables, {"xdplb_dispatch", "reflect", "generate", "count_arrived", kStack});
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
