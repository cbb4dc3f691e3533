// SPDX-License-Identifier: GPL-2.0-only
// What happened to packets and flows.
#include "cli/cells.h"
#include "cli/print.h"

#include <fmt/format.h>

#include <ostream>

namespace xdplb {
namespace {

using nlohmann::json;

// The entry of `flows` in a few words, "" for none.
std::string flow_text(const json& flow) {
  if (!flow.is_object()) return "";
  return fmt::format("{} of {}, {}, idle for {}, since {}", text_of(flow, "kind"), text_of(flow, "server"),
                     text_of(flow, "state"), human_seconds(count_of(flow, "idle_s")),
                     human_seconds(count_of(flow, "age_s")));
}

}  // namespace

void print_drops(const Page& page, const json& outcomes) {
  Table table({"OUTCOME", "VERDICT", "PACKETS", "MEANING"});
  for (const json& outcome : as_list(outcomes)) {
    const bool is_drop = text_of(outcome, "verdict") == "drop" && count_of(outcome, "packets") != 0;
    Cell name = text_cell(outcome, "outcome");
    name.colour = is_drop ? Colour::kRed : Colour::kNone;
    table.add({std::move(name),
               text_cell(outcome, "verdict"),
               count_cell(outcome, "packets"),
               {.text = optional_text(outcome, "meaning")}});
  }
  table.print(page.out, "", page.has_colour);
}

void print_stats(const Page& page, const json& stats) {
  page.out << fmt::format("{} packets, {}, {} new flows, {} closed flows\n\n", human_count(count_of(stats, "packets")),
                          human_bytes(count_of(stats, "bytes")), human_count(count_of(stats, "new_flows")),
                          human_count(count_of(stats, "closed_flows")));
  Table table({"SERVER", "PACKETS", "BYTES", "NEW FLOWS", "CLOSED FLOWS"});
  for (const json& server : list_of(stats, "servers")) {
    table.add({text_cell(server, "path"), count_cell(server, "packets"), bytes_cell(server),
               count_cell(server, "new_flows"), count_cell(server, "closed_flows")});
  }
  if (!table.is_empty()) {
    table.print(page.out, "", page.has_colour);
    page.out << '\n';
  }
  print_drops(page, list_of(stats, "outcomes"));
}

void print_flows(const Page& page, const json& reply) {
  const json& flows = list_of(reply, "flows");
  page.out << fmt::format("{} of {} flows, {} half-open, {} closing\n", human_count(count_of(reply, "total")),
                          human_count(count_of(reply, "capacity")), human_count(count_of(reply, "half_open")),
                          human_count(count_of(reply, "closing")));
  if (flows.empty()) return;
  page.out << '\n';
  Table table({"KIND", "CLIENT", "VIPA", "PROTOCOL", "SERVER", "STATE", "IDLE", "AGE", "ROW"});
  for (const json& flow : flows) {
    table.add({text_cell(flow, "kind"),
               text_cell(flow, "client"),
               text_cell(flow, "vipa"),
               text_cell(flow, "protocol"),
               text_cell(flow, "server"),
               text_cell(flow, "state"),
               {.text = human_seconds(count_of(flow, "idle_s")), .is_number = true},
               {.text = human_seconds(count_of(flow, "age_s")), .is_number = true},
               {.text = text_of(flow, "row"), .is_number = true}});
  }
  table.print(page.out, "", page.has_colour);
}

void print_events(const Page& page, const json& events) {
  for (const json& event : as_list(events)) {
    page.out << fmt::format("{}  {}  {}: {}\n", text_of(event, "time"), text_of(event, "code"),
                            text_of(event, "object"), text_of(event, "text"));
  }
}

void print_explain(const Page& page, const json& explanation) {
  const auto line = [&page](const char* name, const std::string& value) {
    page.out << fmt::format("{:<10} {}\n", name, value);
  };
  const std::string row = optional_text(explanation, "row");
  line("cluster", text_of(explanation, "cluster"));
  line("port", text_of(explanation, "port"));
  line("matched", text_of(explanation, "matched") + (row.empty() ? "" : " " + row));
  line("base, cur", text_of(explanation, "base") + ", " + text_of(explanation, "cur"));
  line("server", text_of(explanation, "server"));
  line("MAC", text_of(explanation, "mac"));
  line("interface", text_of(explanation, "interface"));
  line("verdict", text_of(explanation, "verdict"));
  line("outcome", text_of(explanation, "outcome"));
  const auto some_line = [&line](const char* name, const std::string& value) {
    if (!value.empty()) line(name, value);
  };
  const json& how = member(explanation, "how");
  some_line("how", how.is_array() ? joined(how, ", ") : optional_text(explanation, "how"));
  some_line("flow", flow_text(member(explanation, "flow")));
  some_line("client", flow_text(member(explanation, "client")));
  some_line("new flows", optional_text(explanation, "new_server"));
  some_line("wildcard", optional_text(explanation, "wildcard"));
  const std::string text = optional_text(explanation, "text");
  if (!text.empty()) page.out << text << '\n';
}

}  // namespace xdplb
