// SPDX-License-Identifier: GPL-2.0-only
#include "cli/print.h"

#include "cli/cells.h"
#include "model/config.h"

#include <fmt/format.h>

#include <algorithm>
#include <ostream>

namespace xdplb {
namespace {

using nlohmann::json;

// The configured weight and, where it is another, the one in force; "10 -> 5 / 0" where IPv6's differs from IPv4's.
std::string weight_text(const json& server) {
  const std::string weight = text_of(server, "weight");
  const std::string effective = optional_text(server, "effective_weight");
  const std::string six = optional_text(server, "effective_weight_v6");
  if (!six.empty() && six != effective) return fmt::format("{} -> {} / {}", weight, effective, six);
  return effective.empty() || effective == weight ? weight : weight + " -> " + effective;
}

// The first address and, where another adapter carries the flows, that one.
std::string address_text(const json& server) {
  const std::string address = text_of(server, "address");
  const std::string carrier = optional_text(server, "carried_by");
  return carrier.empty() || carrier == address ? address : address + " -> " + carrier;
}

// ", v6 down" where one of its families is not as the whole.
std::string other_family_text(const json& server, const std::string& health) {
  std::string text;
  for (const auto& [family, key] : {std::pair("v4", "health_v4"), std::pair("v6", "health_v6")}) {
    const std::string of_family = optional_text(server, key);
    if (!of_family.empty() && of_family != health) text += fmt::format(", {} {}", family, of_family);
  }
  return text;
}

// "up", "down", "up, v6 down", "up, drain", "up, drain by agent".
Cell health_cell(const json& server) {
  const std::string health = text_of(server, "health");
  const std::string admin = optional_text(server, "admin");
  const std::string source = optional_text(server, "admin_source");
  const std::string partial = other_family_text(server, health);
  std::string text = health + partial;
  if (!admin.empty() && admin != "ready") {
    text += ", " + admin + (source.empty() || source == "operator" ? "" : " by " + source);
  }
  const Colour colour = health == "down"   ? Colour::kRed
                        : !partial.empty() ? Colour::kYellow
                        : health == "up"   ? Colour::kGreen
                                           : Colour::kNone;
  return {.text = std::move(text), .colour = colour};
}

// Of a server a number; of a port {"rows": 1024, "changing": 0, "lookup": 0}.
Cell rows_cell(const json& object, const char* family) {
  const json& rows = member(member(object, "rows"), family);
  if (rows.is_null()) return {.text = "", .is_number = true};
  return rows.is_object() ? count_cell(rows, "rows") : count_cell(member(object, "rows"), family);
}

// Rows of both families that have an old owner, too.
Cell changing_cell(const json& port) {
  const json& rows = member(port, "rows");
  return some_cell(count_of(member(rows, "v4"), "changing") + count_of(member(rows, "v6"), "changing"));
}

// What a server that is on its way out still has.
Cell left_cell(const json& server) {
  const std::string admin = optional_text(server, "admin");
  if (admin.empty() || admin == "ready") return {};
  std::string text = fmt::format("{} rows, {} flows", human_count(total_of(member(server, "base_rows"))),
                                 human_count(count_of(server, "flows")));
  if (member(server, "deadline_s").is_number()) {
    text += fmt::format(", {} to go", human_seconds(count_of(server, "deadline_s")));
  }
  return {.text = std::move(text), .colour = Colour::kYellow};
}

Cell sticky_cell(const json& port) {
  const auto seconds = count_of(port, "sticky_s");
  if (seconds == 0) return {};
  const std::string masks = joined(list_of(port, "sticky_masks"), " ");
  const bool is_whole = masks.empty() || masks == "/32 /128";
  return {.text = is_whole ? human_seconds(seconds) : fmt::format("{} {}", human_seconds(seconds), masks)};
}

// The other options that are not the default, named as on the command line.
Cell options_cell(const json& port) {
  std::vector<std::string> texts;
  const auto add = [&](const char* key, const char* option, std::string_view usual) {
    const std::string value = optional_text(port, key);
    if (!value.empty() && value != usual) texts.push_back(fmt::format("{} {}", option, value));
  };
  const auto stale_s = count_of(port, "stale_timeout_s");
  add("crossport", "crossport", "");
  if (is_true(port, "udp_tracking")) texts.emplace_back("udp-tracking");
  if (stale_s != 0 && stale_s != kDefaultStaleTimeout) texts.push_back(fmt::format("stale-timeout {}s", stale_s));
  add("on_stale", "on-stale", "repick");
  add("no_server", "no-server", "drop");
  add("new_flow_limit", "new-flow-limit", "0");
  add("half_open_limit", "half-open-limit", "0");
  add("min_up", "min-up", "1");
  add("on_all_down", "on-all-down", "rows-stay");
  if (const auto seconds = count_of(port, "slow_start_s"); seconds != 0) {
    texts.push_back(fmt::format("slow-start {}s", seconds));
  }
  return {.text = fmt::format("{}", fmt::join(texts, ", "))};
}

Colour up_colour(std::uint64_t up, std::size_t all, bool is_out) {
  if (is_out) return Colour::kRed;
  return up < all ? Colour::kYellow : Colour::kGreen;
}

// How many servers are up, of all: "2/3", "3/3 v4, 0/3 v6". A family that nobody serves is left out.
Cell up_cell(const json& port) {
  const std::size_t all = list_of(port, "servers").size();
  const json& up = member(port, "up");
  std::vector<std::pair<const char*, std::uint64_t>> counts;
  bool is_out = false;
  for (const char* family : {"v4", "v6"}) {
    const bool is_down = is_true(member(port, "all_down"), family);
    const auto count = count_of(up, family);
    is_out = is_out || is_down;
    if (is_down || count != 0) counts.emplace_back(family, count);
  }
  if (counts.empty()) return {};
  const bool are_equal = counts.size() == 1 || counts[0].second == counts[1].second;
  std::string text;
  for (const auto& [family, count] : counts) {
    if (are_equal) return {.text = fmt::format("{}/{}", count, all), .colour = up_colour(count, all, is_out)};
    text += fmt::format("{}{}/{} {}", text.empty() ? "" : ", ", count, all, family);
  }
  return {.text = std::move(text), .colour = is_out ? Colour::kRed : Colour::kYellow};
}

constexpr std::size_t kServerColumns = 16;

Table server_table() {
  return Table({"PORT", "SERVER", "ADDRESS", "MAC", "INTERFACE", "WEIGHT", "HEALTH", "LEFT", "ROWS V4", "ROWS V6",
                "FLOWS", "ACTIVE", "NEW FLOWS", "PACKETS", "BYTES", "REASON"});
}

// `port` is empty where the path says it.
void add_server(Table& table, std::string port, const char* name_key, const json& server) {
  table.add({{.text = std::move(port)},
             text_cell(server, name_key),
             {.text = address_text(server)},
             text_cell(server, "mac"),
             text_cell(server, "interface"),
             {.text = weight_text(server), .is_number = true},
             health_cell(server),
             left_cell(server),
             rows_cell(server, "v4"),
             rows_cell(server, "v6"),
             some_cell(count_of(server, "flows")),
             some_cell(count_of(server, "active")),
             count_cell(server, "new_flows"),
             count_cell(server, "packets"),
             bytes_cell(server),
             {.text = optional_text(server, "reason")}});
}

void add_port(Table& table, const json& port) {
  const json& servers = list_of(port, "servers");
  for (const json& server : servers) add_server(table, text_of(port, "path"), "name", server);
  if (!servers.empty()) return;
  std::vector<Cell> row(kServerColumns);
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
  Table table({"INTERFACE", "MODE", "ATTACHED BY", "PROGRAM", "LINK", "HEALTH", "REASON"});
  for (const json& interface : interfaces) {
    const bool is_up = is_true(interface, "up");
    table.add({text_cell(interface, "name"),
               text_cell(interface, "mode"),
               attach_cell(interface),
               {.text = text_of(interface, "prog_id"), .is_number = true},
               {.text = is_up ? "up" : "down", .colour = is_up ? Colour::kGreen : Colour::kRed},
               interface_health_cell(interface),
               {.text = optional_text(interface, "state") == "up" ? "" : optional_text(interface, "reason")}});
  }
  table.print(page.out, "", page.has_colour);
}

}  // namespace

void print_cluster(const Page& page, const json& cluster) {
  page.out << paint("cluster " + text_of(cluster, "name"), Colour::kBold, page.has_colour) << "  "
           << joined(list_of(cluster, "addresses"), "  ");
  const std::string echo = optional_text(cluster, "echo");
  if (!echo.empty() && echo != "server") page.out << "  echo " << echo;
  page.out << '\n';
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
  if (const json& vipas = list_of(status, "vipas"); !vipas.empty()) {
    page.out << '\n';
    print_vipas(page, vipas);
  }
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
  Table table({"PORT", "PICK", "STICKY", "ROWS V4", "ROWS V6", "CHANGING", "FLOWS", "HALF-OPEN", "REFUSED", "SERVERS",
               "UP", "TIER", "ADVISOR", "OPTIONS"});
  for (const json& port : as_list(ports)) {
    const std::size_t servers = list_of(port, "servers").size();
    table.add({text_cell(port, "path"),
               text_cell(port, "pick"),
               sticky_cell(port),
               rows_cell(port, "v4"),
               rows_cell(port, "v6"),
               changing_cell(port),
               some_cell(count_of(port, "flows")),
               some_cell(count_of(port, "half_open")),
               some_cell(count_of(port, "refused")),
               {.text = std::to_string(servers), .is_number = true},
               up_cell(port),
               some_cell(count_of(port, "tier")),
               {.text = optional_text(member(port, "advisor"), "type")},
               options_cell(port)});
  }
  table.print(page.out, "", page.has_colour);
}

void print_servers(const Page& page, const json& servers) {
  Table table = server_table();
  for (const json& server : as_list(servers)) add_server(table, "", "path", server);
  table.print(page.out, "", page.has_colour);
}

void print_server(const Page& page, const json& server) {
  print_servers(page, server);
  for (const json& each : as_list(server)) {
    Table table({"ADAPTER", "MAC", "INTERFACE", "HEALTH", "CARRIES", "REASON"});
    for (const json& adapter : list_of(each, "adapters")) {
      const bool is_healthy = is_true(adapter, "healthy");
      table.add({text_cell(adapter, "address"),
                 text_cell(adapter, "mac"),
                 text_cell(adapter, "interface"),
                 {.text = is_healthy ? "healthy" : "failed", .colour = is_healthy ? Colour::kGreen : Colour::kRed},
                 {.text = is_true(adapter, "carries") ? "its flows" : "", .colour = Colour::kBold},
                 {.text = optional_text(adapter, "reason")}});
    }
    if (table.is_empty()) continue;
    page.out << '\n';
    table.print(page.out, "", page.has_colour);
  }
  print_standing(page, server);
}

void print_loaded(const Page& page, const json& interfaces) {
  for (const json& interface : interfaces) {
    page.out << fmt::format("{}: {} mode, {}, program {}\n", text_of(interface, "name"), text_of(interface, "mode"),
                            attach_cell(interface).text, text_of(interface, "prog_id"));
  }
}

void print_lines(const Page& page, const json& lines) {
  for (const json& line : lines) page.out << joined(json::array({line}), "") << '\n';
}

}  // namespace xdplb
