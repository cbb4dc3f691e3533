// SPDX-License-Identifier: GPL-2.0-only
// The API's documents as text for people. A field that is missing or has another type prints as "-", never as a
// failure.
#pragma once

#include <nlohmann/json_fwd.hpp>

#include <iosfwd>
#include <string>

namespace xdplb {

struct Page {
  std::ostream& out;
  bool has_colour = false;
  bool has_utf8 = false;
};

// One screen: problems first, then the daemon, interfaces, VIPAs, clusters with their ports and servers.
void print_status(const Page& page, const nlohmann::json& status);

// `list` or, for one object, the object itself.
void print_clusters(const Page& page, const nlohmann::json& clusters);
void print_cluster(const Page& page, const nlohmann::json& cluster);
void print_ports(const Page& page, const nlohmann::json& ports);
void print_servers(const Page& page, const nlohmann::json& servers);
// One server, with its adapters where it has several.
void print_server(const Page& page, const nlohmann::json& server);

// ---- print_vipas.cpp
// A line a VIPA: its list with a '*' behind what is not healthy now.
void print_vipas(const Page& page, const nlohmann::json& vipas);
// All that is known of one.
void print_vipa(const Page& page, const nlohmann::json& vipa);
// A line an interface: its health and what it owns.
void print_interface_list(const Page& page, const nlohmann::json& interfaces);

// ---- print_standing.cpp
// Why each server gets what it gets, below a table of them; nothing where the document does not tell.
void print_standing(const Page& page, const nlohmann::json& servers);

// ---- print_advisors.cpp
// A line a port.
void print_advisor_list(const Page& page, const nlohmann::json& advisors);
// A block a check.
void print_advisors(const Page& page, const nlohmann::json& advisors);
// Each step of each probe with its time, then the verdict.
void print_advisor_run(const Page& page, const nlohmann::json& run);
void print_exits(const Page& page, const nlohmann::json& exits);

// ---- print_manager.cpp
// The classic report: a table a port.
void print_managers(const Page& page, const nlohmann::json& managers);

// ---- print_doctor.cpp
// A line a check, the worst first, with what cures it beneath, and how many there are. hides_good: only what is not ok.
void print_doctor(const Page& page, const nlohmann::json& report, bool hides_good);

// ---- print_verify.cpp
// A line a server and VIPA with a mark a step, then faults with what cures them.
void print_verify(const Page& page, const nlohmann::json& report);

void print_drops(const Page& page, const nlohmann::json& outcomes);
void print_stats(const Page& page, const nlohmann::json& stats);
// The table of flows and its totals.
void print_flows(const Page& page, const nlohmann::json& reply);
// One line an event; `events` is a list or one of them.
void print_events(const Page& page, const nlohmann::json& events);
void print_explain(const Page& page, const nlohmann::json& explanation);

// One line an interface: "eth0: native mode, pinned link, program 42".
void print_loaded(const Page& page, const nlohmann::json& interfaces);

// "lines": an array of strings.
void print_lines(const Page& page, const nlohmann::json& lines);

}  // namespace xdplb
