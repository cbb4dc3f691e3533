// SPDX-License-Identifier: GPL-2.0-only
#include "report.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <iterator>

namespace xdplb::bench {
namespace {

double rounded(double value, double digits) { return std::round(value * digits) / digits; }

std::string flows_text(std::uint32_t flows) {
  if (flows % (1U << 20) == 0) return fmt::format("{} Mi", flows >> 20);
  if (flows % (1U << 10) == 0) return fmt::format("{} Ki", flows >> 10);
  return fmt::format("{}", flows);
}

std::string most(const CostResult& cost) {
  if (!cost.bound) return fmt::format("{:>8} {}", "", "");
  return fmt::format("{:>8} {}", fmt::format("<= {:.2f}", *cost.bound), cost.ratio <= *cost.bound ? "ok" : "over");
}

std::string least(const RateResult& rate) {
  if (!rate.bound) return fmt::format("{:>8} {}", "", "");
  return fmt::format("{:>8} {}", fmt::format(">= {:.2f}", *rate.bound), rate.ratio >= *rate.bound ? "ok" : "under");
}

}  // namespace

double median_of(std::vector<double> values) {
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::ranges::nth_element(values, middle);
  return *middle;
}

std::string to_table(const Report& report) {
  std::string text;
  auto out = std::back_inserter(text);
  if (!report.costs.empty()) {
    fmt::format_to(out, "Time of one packet (BPF_PROG_RUN; both columns include the harness's loop)\n");
    fmt::format_to(out, "{:<26}{:>6}{:>9}{:>9}{:>8}{:>9}\n", "what", "flows", "ns", "base ns", "ratio", "bound");
  }
  for (const CostResult& cost : report.costs) {
    fmt::format_to(out, "{:<26}{:>6}{:>9.1f}{:>9.1f}{:>8.2f} {:<14} base: {}\n", cost.name, flows_text(cost.flows),
                   cost.ns, cost.floor_ns, cost.ratio, most(cost), cost.against);
  }
  if (!report.rates.empty()) {
    fmt::format_to(out, "{}Packets over veth with native XDP, millions per second; one processor does everything\n",
                   text.empty() ? "" : "\n");
    fmt::format_to(out, "{:<26}{:>6}{:>9}{:>9}{:>8}{:>9}\n", "what", "flows", "Mpps", "reflect", "ratio", "bound");
  }
  for (const RateResult& rate : report.rates) {
    fmt::format_to(out, "{:<26}{:>6}{:>9.2f}{:>9.2f}{:>8.2f} {}\n", rate.name, flows_text(rate.flows), rate.mpps,
                   rate.reflector_mpps, rate.ratio, least(rate));
  }
  if (report.program) {
    fmt::format_to(
        out, "{}Program: {} bytes of BPF, {} bytes of machine code, {} instructions verified, loaded in {:.1f} ms\n",
        text.empty() ? "" : "\n", report.program->xlated_bytes, report.program->jited_bytes,
        report.program->verified_instructions, report.program->load_ms);
  }
  for (const Skipped& skipped : report.skipped) fmt::format_to(out, "Skipped {}: {}\n", skipped.name, skipped.reason);
  return text;
}

nlohmann::ordered_json to_json(const Report& report) {
  nlohmann::ordered_json list = nlohmann::ordered_json::array();
  for (const CostResult& cost : report.costs) {
    list.push_back({{"name", cost.name},
                    {"flows", cost.flows},
                    {"ns", rounded(cost.ns, 100)},
                    {"floor_ns", rounded(cost.floor_ns, 100)},
                    {"ratio", rounded(cost.ratio, 1000)}});
  }
  for (const RateResult& rate : report.rates) {
    list.push_back({{"name", rate.name},
                    {"flows", rate.flows},
                    {"mpps", rounded(rate.mpps, 1000)},
                    {"reflector_mpps", rounded(rate.reflector_mpps, 1000)},
                    {"ratio", rounded(rate.ratio, 1000)}});
  }
  if (report.program) {
    list.push_back({{"name", "program"},
                    {"xlated_bytes", report.program->xlated_bytes},
                    {"jited_bytes", report.program->jited_bytes},
                    {"verified_instructions", report.program->verified_instructions},
                    {"load_ms", rounded(report.program->load_ms, 100)}});
  }
  return list;
}

}  // namespace xdplb::bench
