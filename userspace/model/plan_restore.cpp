// SPDX-License-Identifier: GPL-2.0-only
#include "model/plan_restore.h"

#include "model/plan_draft.h"

#include <algorithm>
#include <bit>

namespace xdplb {
namespace {

std::vector<RowHome> homes_of(const PlannedRows& rows) {
  std::vector<RowHome> homes;
  if (!rows.has_homes) return homes;
  for (std::uint32_t row = 0; row < rows.count(); ++row) {
    if (rows.table.homes[row] == 0) continue;
    homes.push_back({.row = row,
                     .home = rows.table.homes[row],
                     .last_home = rows.table.last_homes.empty() ? 0 : rows.table.last_homes[row]});
  }
  return homes;
}

// Indexes that restored ports and clusters have claimed so far.
struct Claims {
  std::set<std::uint16_t> servers;
  std::set<std::uint16_t> options;

  // Takes all of `wanted` that are not 0, or none of them.
  static bool take(std::set<std::uint16_t>& used, std::vector<std::uint16_t> wanted) {
    std::erase(wanted, std::uint16_t{0});
    std::set<std::uint16_t> mine;
    for (const auto index : wanted)
      if (used.contains(index) || !mine.insert(index).second) return false;
    used.merge(mine);
    return true;
  }
};

RowTable restore_table(const PortAssignment& assignment, std::size_t place, const MapReader& maps) {
  const auto& slice = *assignment.rows[place];
  RowTable table{.owners = maps.rows(slice.first_row, slice.count), .homes = {}};
  table.homes.assign(slice.count, 0);
  for (const auto& home : assignment.homes[place]) {
    if (home.row >= slice.count) continue;
    table.homes[home.row] = home.home;
    if (home.last_home == 0) continue;
    if (table.last_homes.empty()) table.last_homes.assign(slice.count, 0);
    table.last_homes[home.row] = home.last_home;
  }
  return table;
}

// Takes the slices of a port; false when one of them is taken already.
bool claim_slices(const PortAssignment& assignment, Plan& plan) {
  for (const auto* slices : {&assignment.rows, &assignment.members})
    for (const auto& slice : *slices)
      if (slice && !plan.rows.claim(slice->first_row, slice->count)) return false;
  return true;
}

// Builds one port from its numbers; false when they contradict the configuration or what is claimed already.
bool restore_port(const ClusterConfig& cluster, const PortAssignment& assignment, const draft::GroupAdmins& admins,
                  const draft::GroupGrants& grants, const MapReader& maps, Plan& plan, Claims& claims,
                  PlannedPort& port) {
  const auto lead = lead_of(cluster.name, port.config);
  std::vector<std::uint16_t> indexes;
  for (const auto& server : port.config.servers) {
    const auto index = assignment.servers.find(server.name);
    if (index == assignment.servers.end() || index->second == 0) return false;
    indexes.push_back(index->second);
    const auto admin = draft::admin_of(admins, lead, server.name);
    const auto target = admin == Admin::kDown ? std::nullopt : maps.target(index->second);
    PlannedServer planned{.config = server, .index = index->second, .target = target, .admin = admin};
    planned.grant = draft::grant_of(grants, lead, server.name);
    // Of several adapters the maps do not tell which one it was.
    if (target && server.further_addresses.empty()) planned.carrier = server.address;
    port.servers.push_back(std::move(planned));
  }
  for (const Family family : kFamilies) {
    const auto place = static_cast<std::size_t>(family);
    if ((assignment.options[place] != 0) != draft::has_family(cluster, family)) return false;
  }
  if (!Claims::take(claims.servers, indexes)) return false;
  if (!Claims::take(claims.options, {assignment.options.begin(), assignment.options.end()})) return false;
  if (!claim_slices(assignment, plan)) return false;
  port.options = assignment.options;
  for (const Family family : kFamilies) {
    const auto place = static_cast<std::size_t>(family);
    if (assignment.rows[place]) {
      PlannedRows rows{.first_row = assignment.rows[place]->first_row, .table = restore_table(assignment, place, maps)};
      // The last change before the daemon died may have been published and not kept: its servers are strangers here.
      rows.table = repair_rows(rows.table, draft::row_servers(port.servers, family), rows.count());
      rows.has_homes =
          std::any_of(rows.table.homes.begin(), rows.table.homes.end(), [](std::uint64_t home) { return home != 0; });
      port.rows[place] = std::move(rows);
    }
    if (const auto& members = assignment.members[place]) {
      port.members[place] = {.first_row = members->first_row,
                             .slice = members->count,
                             .words = draft::member_words(port, family).value_or(std::vector<std::uint32_t>{})};
    }
  }
  return true;
}

}  // namespace

Assignments assignments_of(const Plan& plan) {
  Assignments assignments;
  for (const auto& [name, cluster] : plan.clusters) {
    assignments.clusters.emplace(name, cluster.options);
    for (const auto& [path, port] : cluster.ports) {
      auto& assignment = assignments.ports[path];
      for (const auto& server : port->servers) assignment.servers.emplace(server.config.name, server.index);
      assignment.options = port->options;
      for (std::size_t place = 0; place < kFamilies.size(); ++place) {
        if (const auto& rows = port->rows[place]) {
          assignment.rows[place] = {.first_row = rows->first_row, .count = rows->count()};
          assignment.homes[place] = homes_of(*rows);
        }
        if (const auto& members = port->members[place])
          assignment.members[place] = {.first_row = members->first_row, .count = members->slice};
      }
    }
  }
  return assignments;
}

Plan restore_plan(const Config& config, const std::map<ServerPath, Admin>& admins,
                  const std::map<ServerPath, ServerGrant>& grants, const Assignments& assignments,
                  const MapReader& maps, std::string_view secret, Capacity capacity) {
  Plan plan(capacity);
  Claims claims;
  const auto words = draft::group_admins(config, admins);
  const auto granted = draft::group_grants(config, grants);
  plan.decrement_ttl = config.decrement_ttl;
  plan.peers = config.peers;
  for (const auto& cluster : config.clusters) {
    auto& planned = plan.clusters[cluster.name];
    planned.addresses = cluster.addresses;
    planned.prefixes = cluster.prefixes;
    planned.echo = cluster.echo;
    if (const auto kept = assignments.clusters.find(cluster.name); kept != assignments.clusters.end())
      if (Claims::take(claims.options, {kept->second.begin(), kept->second.end()})) planned.options = kept->second;
    for (const auto& config_port : cluster.ports) {
      auto port = std::make_shared<PlannedPort>(draft::begin_port(cluster, config_port, secret));
      const auto found = assignments.ports.find(port->path);
      if (found == assignments.ports.end()) continue;
      if (!restore_port(cluster, found->second, words, granted, maps, plan, claims, *port)) continue;
      planned.ports.emplace(port->path, std::move(port));
    }
    for (auto& [path, port] : planned.ports) {
      if (port->config.sticky_s == 0) continue;
      const auto lead = planned.ports.find(lead_of(cluster.name, port->config));
      if (lead == planned.ports.end()) continue;
      auto copy = std::make_shared<PlannedPort>(*port);
      copy->affinity = lead->second->options;
      port = std::move(copy);
    }
  }
  plan.indexes = IndexPool(capacity.servers, claims.servers);
  plan.options = IndexPool(capacity.options, claims.options);
  return plan;
}

}  // namespace xdplb
