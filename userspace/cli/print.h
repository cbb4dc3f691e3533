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
};

// One screen: problems first, then the daemon, interfaces, VIPAs, clusters with their ports and servers.
void print_status(const Page& page, const nlohmann::json& status);

// `list` or, for one object, the object itself.
void print_clusters(const Page& page, const nlohmann::json& clusters);
void print_cluster(const Page& page, const nlohmann::json& cluster);
void print_ports(const Page& page, const nlohmann::json& ports);
void print_servers(const Page& page, const nlohmann::json& servers);

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
