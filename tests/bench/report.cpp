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

std::string least(double ratio, std::optional<double> bound) {
  if (!bound) return fmt::format("{:>8} {}", "", "");
  return fmt::format("{:>8} {}", fmt::format(">= {:.2f}", *bound), ratio >= *bound ? "ok" : "under");
}

std::string rivals_text(const std::vector<RivalResult>& rivals) {
  std::string text = fmt::format(
      "Packets over veth, millions per second; one processor does everything. At the end, what a packet costs both "
      "above "
      "the reflector, in the reflector's packets\n"
      "{:<16}{:<12}{:<17}{:>9}{:>9}{:>9}{:>8}{:>9}{:>14}{:>8}\n",
      "what", "rival", "load", "Mpps", "rival", "reflect", "ratio", "bound", "cost", "rival");
  for (const RivalResult& rival : rivals) {
    fmt::format_to(std::back_inserter(text),
                   "{:<16}{:<12}{:<17}{:>9.3f}{:>9.3f}{:>9.3f}{:>8.2f} {:<14}{:>8.2f}{:>8.2f}\n", rival.name,
                   rival.rival, rival.load, rival.mpps, rival.rival_mpps, rival.reflector_mpps, rival.ratio,
                   least(rival.ratio, rival.bound), rival.cost, rival.rival_cost);
  }
  return text;
}

std::string floods_text(const std::vector<FloodResult>& floods, bool is_later) {
  std::string text = fmt::format(
      "{}Connections that broke while others' SYNs came in flood and weights changed; they may not (xdplb: <= 0)\n"
      "{:<26}{:>11}{:>9}{:>7}{:>12}{:>10}{:>12}{:>12}{:>9}\n",
      is_later ? "\n" : "", "design", "watched", "broken", "lost", "flood SYNs", "M a sec.", "recorded", "refused",
      "changes");
  for (const FloodResult& flood : floods) {
    fmt::format_to(std::back_inserter(text), "{:<26}{:>11}{:>9}{:>7}{:>12}{:>10.2f}{:>12}{:>12}{:>9}\n", flood.name,
                   flood.watched, flood.broken, flood.lost, flood.flood, flood.flood_mpps, flood.recorded,
                   flood.refused, flood.changes);
  }
  return text;
}

std::string program_text(const ProgramSize& program, bool is_later) {
  return fmt::format(
      "{}Program: {} bytes of BPF, {} bytes of machine code, {} instructions verified in {:.1f} ms, loaded with its "
      "maps "
      "in {:.1f} ms\n",
      is_later ? "\n" : "", program.xlated_bytes, program.jited_bytes, program.verified_instructions,
      program.verification_ms, program.load_ms);
}

std::string memory_text(const MemoryUse& use) {
  return fmt::format(
      "Memory: {} bytes a flow ({:.1f} MiB for {} flows), {} a port at one address and {} a port, {} for its rows with "
      "up to "
      "8 servers and each family, {} a server of a port; all maps {:.1f} MiB\n",
      use.flow_bytes, static_cast<double>(use.flows_map_bytes) / (1 << 20), +XDPLB_DEFAULT_FLOWS, use.line_bytes,
      use.port_bytes, use.rows_bytes, use.server_bytes, static_cast<double>(use.total_bytes) / (1 << 20));
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
    fmt::format_to(out, "{:<30}{:>6}{:>9}{:>9}{:>8}{:>9}\n", "what", "flows", "ns", "base ns", "ratio", "bound");
  }
  for (const CostResult& cost : report.costs) {
    fmt::format_to(out, "{:<30}{:>6}{:>9.1f}{:>9.1f}{:>8.2f} {:<14} base: {}\n", cost.name, flows_text(cost.flows),
                   cost.ns, cost.floor_ns, cost.ratio, most(cost), cost.against);
  }
  if (!report.rates.empty()) {
    fmt::format_to(out, "{}Packets over veth with native XDP, millions per second; one processor does everything\n",
                   text.empty() ? "" : "\n");
    fmt::format_to(out, "{:<26}{:>6}{:>9}{:>9}{:>8}{:>9}\n", "what", "flows", "Mpps", "reflect", "ratio", "bound");
  }
  for (const RateResult& rate : report.rates) {
    fmt::format_to(out, "{:<26}{:>6}{:>9.2f}{:>9.2f}{:>8.2f} {}\n", rate.name, flows_text(rate.flows), rate.mpps,
                   rate.reflector_mpps, rate.ratio, least(rate.ratio, rate.bound));
  }
  if (!report.rivals.empty()) text += rivals_text(report.rivals);
  if (!report.floods.empty()) text += floods_text(report.floods, !text.empty());
  if (report.program) text += program_text(*report.program, !text.empty());
  if (report.memory) text += memory_text(*report.memory);
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
  for (const RivalResult& rival : report.rivals) {
    list.push_back({{"name", rival.name},
                    {"rival", rival.rival},
                    {"load", rival.load},
                    {"flows", rival.flows},
                    {"mpps", rounded(rival.mpps, 10000)},
                    {"rival_mpps", rounded(rival.rival_mpps, 10000)},
                    {"reflector_mpps", rounded(rival.reflector_mpps, 10000)},
                    {"ratio", rounded(rival.ratio, 1000)},
                    {"cost", rounded(rival.cost, 1000)},
                    {"rival_cost", rounded(rival.rival_cost, 1000)}});
  }
  for (const FloodResult& flood : report.floods) {
    list.push_back({{"name", "flood"},
                    {"design", flood.name},
                    {"watched", flood.watched},
                    {"broken", flood.broken},
                    {"lost", flood.lost},
                    {"checked", flood.checked},
                    {"flood", flood.flood},
                    {"flood_mpps", rounded(flood.flood_mpps, 1000)},
                    {"recorded", flood.recorded},
                    {"refused", flood.refused},
                    {"changes", flood.changes}});
  }
  if (report.program) {
    list.push_back({{"name", "program"},
                    {"xlated_bytes", report.program->xlated_bytes},
                    {"jited_bytes", report.program->jited_bytes},
                    {"verified_instructions", report.program->verified_instructions},
                    {"verification_ms", rounded(report.program->verification_ms, 100)},
                    {"load_ms", rounded(report.program->load_ms, 100)}});
  }
  if (report.memory) {
    list.push_back({{"name", "memory"},
                    {"flow_bytes", report.memory->flow_bytes},
                    {"line_bytes", report.memory->line_bytes},
                    {"port_bytes", report.memory->port_bytes},
                    {"rows_bytes", report.memory->rows_bytes},
                    {"server_bytes", report.memory->server_bytes},
                    {"flows_map_bytes", report.memory->flows_map_bytes},
                    {"total_bytes", report.memory->total_bytes}});
  }
  return list;
}

}  // namespace xdplb::bench
