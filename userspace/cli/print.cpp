// SPDX-License-Identifier: GPL-2.0-only
#include "cli/print.h"

#include "cli/fields.h"
#include "cli/table.h"

#include <fmt/format.h>

#include <algorithm>
#include <ostream>

namespace xdplb {
namespace {

using nlohmann::json;

Cell text_cell(const json& object, const char* key) { return {.text = text_of(object, key)}; }

Cell count_cell(const json& object, const char* key) {
  return {.text = human_count(count_of(object, key)), .is_number = true};
}

Cell bytes_cell(const json& object) { return {.text = human_bytes(count_of(object, "bytes")), .is_number = true}; }

std::string attach_text(const json& interface) {
  const std::string attach = text_of(interface, "attach");
  if (attach == "link") return "pinned link";
  return attach == "dispatcher" ? "libxdp dispatcher" : attach;
}

// The configured weight and, where it is another, the one in force.
std::string weight_text(const json& server) {
  const std::string weight = text_of(server, "weight");
  const std::string effective = optional_text(server, "effective_weight");
  return effective.empty() || effective == weight ? weight : weight + " -> " + effective;
}

Cell health_cell(const json& server) {
  const std::string health = text_of(server, "health");
  const std::string admin = optional_text(server, "admin");
  const Colour colour = health == "up" ? Colour::kGreen : health == "down" ? Colour::kRed : Colour::kNone;
  return {.text = admin.empty() || admin == "ready" ? health : health + ", " + admin, .colour = colour};
}

Cell rows_cell(const json& object, const char* family) {
  const json& rows = member(object, "rows");
  if (member(rows, family).is_null()) return {.text = "", .is_number = true};
  return count_cell(rows, family);
}

Table server_table() {
  return Table({"PORT", "SERVER", "ADDRESS", "MAC", "INTERFACE", "WEIGHT", "HEALTH", "ROWS V4", "ROWS V6", "NEW FLOWS",
                "PACKETS", "BYTES", "REASON"});
}

// `port` is empty where the path says it.
void add_server(Table& table, std::string port, const char* name_key, const json& server) {
  table.add({{.text = std::move(port)},
             text_cell(server, name_key),
             text_cell(server, "address"),
             text_cell(server, "mac"),
             text_cell(server, "interface"),
             {.text = weight_text(server), .is_number = true},
             health_cell(server),
             rows_cell(server, "v4"),
             rows_cell(server, "v6"),
             count_cell(server, "new_flows"),
             count_cell(server, "packets"),
             bytes_cell(server),
             {.text = optional_text(server, "reason")}});
}

void add_port(Table& table, const json& port) {
  const json& servers = list_of(port, "servers");
  for (const json& server : servers) add_server(table, text_of(port, "path"), "name", server);
  if (!servers.empty()) return;
  std::vector<Cell> row(13);
  row[0].text = text_of(port, "path");
  row[1] = {.text = "no servers", .colour = Colour::kYellow};
  table.add(std::move(row));
}

void print_problems(const Page& page, const json& problems) {
  if (problems.empty()) return;
  Table table({"PROBLEM", "OBJECT", "WHAT TO KNOW"});
  for (const json& problem : problems) {
    Cell code = text_cell(problem, "code");
    code.colour = Colour::kRed;
    table.add({std::move(code), text_cell(problem, "object"), text_cell(problem, "text")});
  }
  table.print(page.out, "", page.has_colour);
  page.out << '\n';
}

void print_interfaces(const Page& page, const json& interfaces) {
  if (interfaces.empty()) {
    page.out << "no interface is loaded\n";
    return;
  }
  Table table({"INTERFACE", "MODE", "ATTACHED BY", "PROGRAM", "LINK"});
  for (const json& interface : interfaces) {
    const bool is_up = is_true(interface, "up");
    table.add({text_cell(interface, "name"),
               text_cell(interface, "mode"),
               {.text = attach_text(interface)},
               {.text = text_of(interface, "prog_id"), .is_number = true},
               {.text = is_up ? "up" : "down", .colour = is_up ? Colour::kGreen : Colour::kRed}});
  }
  table.print(page.out, "", page.has_colour);
}

void print_vipas(const Page& page, const json& vipas) {
  if (vipas.empty()) return;
  Table table({"VIPA", "CLUSTER", "STATE", "OWNER", "FOR"});
  for (const json& vipa : vipas) {
    const std::string state = text_of(vipa, "state");
    table.add({text_cell(vipa, "address"),
               text_cell(vipa, "cluster"),
               {.text = state, .colour = state == "owned" ? Colour::kGreen : Colour::kYellow},
               text_cell(vipa, "owner"),
               {.text = human_seconds(count_of(vipa, "since_s"))}});
  }
  page.out << '\n';
  table.print(page.out, "", page.has_colour);
}

}  // namespace

void print_cluster(const Page& page, const json& cluster) {
  page.out << paint("cluster " + text_of(cluster, "name"), Colour::kBold, page.has_colour) << "  "
           << joined(list_of(cluster, "addresses"), "  ") << '\n';
  Table table = server_table();
  for (const json& port : list_of(cluster, "ports")) add_port(table, port);
  if (table.is_empty()) {
    page.out << "  no ports\n";
  } else {
    table.print(page.out, "  ", page.has_colour);
  }
}

void print_status(const Page& page, const json& status) {
  const json& problems = list_of(status, "problems");
  print_problems(page, problems);
  page.out << fmt::format("instance {}: xdplbd {}, pid {}, running for {}, {}\n\n", text_of(status, "instance"),
                          text_of(status, "version"), text_of(status, "pid"),
                          human_seconds(count_of(status, "started_s")), problems.empty() ? "no problems" : "degraded");
  print_interfaces(page, list_of(status, "interfaces"));
  print_vipas(page, list_of(status, "vipas"));
  for (const json& cluster : list_of(status, "clusters")) {
    page.out << '\n';
    print_cluster(page, cluster);
  }
}

void print_clusters(const Page& page, const json& clusters) {
  Table table({"CLUSTER", "ADDRESSES", "PORTS"});
  for (const json& cluster : as_list(clusters)) {
    json ports = json::array();
    for (const json& port : list_of(cluster, "ports")) ports.push_back(text_of(port, "path"));
    table.add({text_cell(cluster, "name"),
               {.text = joined(list_of(cluster, "addresses"), " ")},
               {.text = ports.empty() ? "-" : joined(ports, " ")}});
  }
  table.print(page.out, "", page.has_colour);
}

void print_ports(const Page& page, const json& ports) {
  Table table({"PORT", "PICK", "ROWS V4", "ROWS V6", "SERVERS"});
  for (const json& port : as_list(ports)) {
    const std::size_t servers = list_of(port, "servers").size();
    table.add({text_cell(port, "path"),
               text_cell(port, "pick"),
               rows_cell(port, "v4"),
               rows_cell(port, "v6"),
               {.text = std::to_string(servers), .is_number = true}});
  }
  table.print(page.out, "", page.has_colour);
}

void print_servers(const Page& page, const json& servers) {
  Table table = server_table();
  for (const json& server : as_list(servers)) add_server(table, "", "path", server);
  table.print(page.out, "", page.has_colour);
}

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
  const std::string text = optional_text(explanation, "text");
  if (!text.empty()) page.out << text << '\n';
}

void print_loaded(const Page& page, const json& interfaces) {
  for (const json& interface : interfaces) {
    page.out << fmt::format("{}: {} mode, {}, program {}\n", text_of(interface, "name"), text_of(interface, "mode"),
                            attach_text(interface), text_of(interface, "prog_id"));
  }
}

void print_lines(const Page& page, const json& lines) {
  for (const json& line : lines) page.out << joined(json::array({line}), "") << '\n';
}

}  // namespace xdplb
