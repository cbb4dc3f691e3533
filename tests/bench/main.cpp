// SPDX-License-Identifier: GPL-2.0-only
// xdplb-bench: what a packet costs, always as a ratio of programs measured side by side.
#include "against_ipvs.h"
#include "cost.h"
#include "live.h"
#include "report.h"
#include "shell.h"

#include <CLI/CLI.hpp>
#include <fmt/core.h>

#include <iostream>

namespace xdplb::bench {
namespace {

struct Options {
  bool quick = false;
  bool json = false;
  bool flood = false;
  bool against_ipvs = false;
  std::string only;
};

Result<Report> measure(const Options& options) {
  // Interface 100 is where kBehindOther of comparisons.cpp has its servers.
  if (Result<void> entered = enter_own_namespace(); !entered) return entered.error();
  if (Result<void> made = run_ip("link add bench-other index 100 type veth peer name bench-peer\n"); !made)
    return made.error();
  if (options.against_ipvs) {
    Report report;
    const IpvsEffort effort = options.quick ? IpvsEffort{} : IpvsEffort{.pairs = 15, .packets = 1U << 17};
    Result<std::vector<RivalResult>> rivals = measure_against_ipvs(effort, report.skipped);
    if (!rivals) return rivals.error();
    report.rivals = std::move(*rivals);
    return report;
  }
  const Wanted wanted = [&](std::string_view name) { return name.find(options.only) != std::string_view::npos; };

  Report report;
  if (options.flood || wanted("flood")) {
    const FloodEffort effort = options.quick
                                   ? FloodEffort{.watched = 1U << 18, .seconds = 2, .change_s = 0.5, .flows = 1U << 18}
                                   : FloodEffort{};
    Result<std::vector<FloodResult>> floods = measure_flood(effort);
    if (!floods) return floods.error();
    report.floods = std::move(*floods);
    if (options.flood) return report;
  }
  if (wanted("program")) {
    const Result<ProgramSize> size = measure_program_size();
    if (!size) return size.error();
    report.program = *size;
  }
  if (wanted("memory")) {
    const Result<MemoryUse> use = measure_memory();
    if (!use) return use.error();
    report.memory = *use;
  }
  const CostEffort cost_effort = options.quick ? CostEffort{} : CostEffort{.loads = 15, .pairs = 5};
  Result<std::vector<CostResult>> costs = measure_costs(cost_effort, wanted);
  if (!costs) return costs.error();
  report.costs = std::move(*costs);
  const LiveEffort live_effort = options.quick ? LiveEffort{} : LiveEffort{.pairs = 25, .packets = 1U << 20};
  Result<std::vector<RateResult>> rates = measure_rates(live_effort, wanted, report.skipped);
  if (!rates) return rates.error();
  report.rates = std::move(*rates);
  return report;
}

int run(int argc, char** argv) {
  Options options;
  CLI::App app("xdplb-bench: what a packet costs");
  app.add_flag("--quick", options.quick, "fewer repetitions: ends within a minute");
  app.add_flag("--json", options.json, "a JSON list instead of the table");
  app.add_flag("--flood", options.flood, "nothing but the flood: do established connections stay?");
  app.add_flag("--against-ipvs", options.against_ipvs,
               "nothing but the same packets through the kernel's IPVS in direct-routing mode");
  app.add_option("--only", options.only, "only measurements whose name contains this");
  CLI11_PARSE(app, argc, argv);

  const Result<Report> report = measure(options);
  if (!report) {
    fmt::print(stderr, "{}\n", report.error().message);
    return static_cast<int>(report.error().code);
  }
  if (options.json) {
    std::cout << to_json(*report).dump(2) << '\n';
  } else {
    std::cout << to_table(*report);
  }
  return 0;
}

}  // namespace
}  // namespace xdplb::bench

int main(int argc, char** argv) { return xdplb::bench::run(argc, argv); }
