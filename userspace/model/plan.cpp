// SPDX-License-Identifier: GPL-2.0-only
#include "model/plan.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>

namespace xdplb {
namespace {

constexpr std::array kFamilies = {Family::kV4, Family::kV6};

// What one make_plan works on: the plan in the making and what is given back at its end.
struct Draft {
  Plan plan;
  std::vector<std::uint16_t> freed_indexes;
  std::vector<std::pair<std::uint32_t, std::uint32_t>> freed_rows;
};

bool has_family(const ClusterConfig& cluster, Family family) {
  return std::any_of(cluster.addresses.begin(), cluster.addresses.end(),
                     [family](const IpAddress& address) { return address.family() == family; });
}

bool serves(const PlannedServer& server, Family family) {
  return !server.config.family || *server.config.family == family;
}

std::optional<ServerTarget> find_target(const ServerTargets& targets, const IpAddress& address) {
  const auto found = targets.find(address);
  if (found == targets.end()) return std::nullopt;
  return found->second;
}

// When no server can be reached, those that could last keep their target.
void keep_last_targets(const PlannedPort& before, const Surroundings& host, std::vector<PlannedServer>& servers) {
  const bool any_resolved = std::any_of(servers.begin(), servers.end(),
                                        [](const PlannedServer& server) { return server.target.has_value(); });
  if (any_resolved) return;
  for (auto& server : servers) {
    const auto* old = before.server_at(server.index);
    if (old == nullptr || !old->target || old->config.address != server.config.address) continue;
    if (host.interfaces.contains(old->target->ifindex)) server.target = old->target;
  }
}

// Servers that keep their name keep their index, others get a new one.
Result<std::vector<PlannedServer>> plan_servers(const PortConfig& port, const PlannedPort* before,
                                                const Surroundings& host, Draft& draft) {
  std::map<std::string_view, const PlannedServer*> known;
  if (before != nullptr)
    for (const auto& server : before->servers) known.emplace(server.config.name, &server);
  std::vector<PlannedServer> servers;
  servers.reserve(port.servers.size());
  for (const auto& config : port.servers) {
    PlannedServer server{.config = config, .index = 0, .target = find_target(host.targets, config.address)};
    const auto found = known.find(config.name);
    if (found != known.end()) {
      server.index = found->second->index;
      known.erase(found);
    } else {
      const auto index = draft.plan.indexes.take();
      if (!index) return fail(ErrorCode::kFailed, "all server indexes are in use; remove a server first");
      server.index = *index;
    }
    servers.push_back(std::move(server));
  }
  for (const auto& [name, server] : known) draft.freed_indexes.push_back(server->index);
  if (before != nullptr) keep_last_targets(*before, host, servers);
  return servers;
}

// Who takes part in the rows of a family; one that cannot be reached does so without weight.
std::vector<RowServer> row_servers(const std::vector<PlannedServer>& servers, Family family) {
  std::vector<RowServer> chosen;
  for (const auto& server : servers) {
    if (!serves(server, family)) continue;
    const unsigned weight = server.target ? server.config.weight : 0;
    chosen.push_back({.name = server.config.name, .index = server.index, .weight = weight});
  }
  return chosen;
}

Result<std::optional<PlannedRows>> plan_rows(const PlannedPort& port, Family family, const PlannedRows* before,
                                             Draft& draft) {
  const auto servers = row_servers(port.servers, family);
  const std::uint32_t size = before != nullptr ? static_cast<std::uint32_t>(before->table.owners.size()) : 0;
  const std::uint32_t wanted = std::max(size, rows_for(servers.size()));
  PlannedRows next;
  next.table = repair_rows(before != nullptr ? before->table : RowTable{}, servers, wanted);
  const auto count = static_cast<std::uint32_t>(next.table.owners.size());
  if (count == size) {
    next.first_row = before->first_row;
    return std::optional<PlannedRows>(std::move(next));
  }
  const auto first = draft.plan.rows.take(count);
  if (!first) {
    return fail(ErrorCode::kFailed, fmt::format("port {}: no room for {} more rows ({} are free); remove a port first",
                                                port.path.to_string(), count, draft.plan.rows.free_count()));
  }
  next.first_row = *first;
  if (before != nullptr) draft.freed_rows.emplace_back(before->first_row, size);
  return std::optional<PlannedRows>(std::move(next));
}

void free_port(const PlannedPort& port, Draft& draft) {
  for (const auto& server : port.servers) draft.freed_indexes.push_back(server.index);
  for (const auto& rows : port.rows)
    if (rows) draft.freed_rows.emplace_back(rows->first_row, static_cast<std::uint32_t>(rows->table.owners.size()));
}

// True when nothing that this port's plan is made from differs.
bool is_current(const PlannedPort& before, const ClusterConfig& cluster, const PortConfig& port,
                const ServerTargets& targets) {
  if (before.servers.size() != port.servers.size()) return false;
  for (std::size_t i = 0; i < port.servers.size(); ++i) {
    const auto& server = before.servers[i];
    if (server.config != port.servers[i] || server.target != find_target(targets, port.servers[i].address))
      return false;
  }
  return std::all_of(kFamilies.begin(), kFamilies.end(), [&](Family family) {
    return before.rows_of(family).has_value() == (has_family(cluster, family) && !port.servers.empty());
  });
}

Result<std::shared_ptr<const PlannedPort>> plan_port(const ClusterConfig& cluster, const PortConfig& port,
                                                     const std::shared_ptr<const PlannedPort>& before,
                                                     const Surroundings& host, std::string_view secret, Draft& draft) {
  const PortPath path{.cluster = cluster.name, .port = port.port, .protocol = port.protocol};
  const HashSeeds seeds = derive_seeds(secret, path.to_string());
  if (before && before->seeds == seeds && is_current(*before, cluster, port, host.targets)) return before;
  auto next = std::make_shared<PlannedPort>();
  next->path = path;
  next->seeds = seeds;
  auto servers = plan_servers(port, before.get(), host, draft);
  if (!servers) return servers.error();
  next->servers = std::move(*servers);
  for (const Family family : kFamilies) {
    const PlannedRows* old = before && before->rows_of(family) ? &*before->rows_of(family) : nullptr;
    if (!has_family(cluster, family) || port.servers.empty()) {
      if (old != nullptr)
        draft.freed_rows.emplace_back(old->first_row, static_cast<std::uint32_t>(old->table.owners.size()));
      continue;
    }
    auto rows = plan_rows(*next, family, old, draft);
    if (!rows) return rows.error();
    next->rows_of(family) = std::move(*rows);
  }
  return std::shared_ptr<const PlannedPort>(std::move(next));
}

}  // namespace

const PlannedServer* PlannedPort::server_at(std::uint16_t index) const {
  const auto found = std::find_if(servers.begin(), servers.end(),
                                  [index](const PlannedServer& server) { return server.index == index; });
  return found == servers.end() ? nullptr : &*found;
}

std::shared_ptr<const PlannedPort> Plan::find(const PortPath& path) const {
  const auto cluster = clusters.find(path.cluster);
  if (cluster == clusters.end()) return nullptr;
  const auto port = cluster->second.ports.find(path);
  return port == cluster->second.ports.end() ? nullptr : port->second;
}

Result<Plan> make_plan(const Plan& before, const Config& config, const Surroundings& host, std::string_view secret) {
  Draft draft{.plan = before, .freed_indexes = {}, .freed_rows = {}};
  draft.plan.clusters.clear();
  for (const auto& cluster : config.clusters) {
    PlannedCluster planned{.addresses = cluster.addresses, .ports = {}};
    for (const auto& port : cluster.ports) {
      const PortPath path{.cluster = cluster.name, .port = port.port, .protocol = port.protocol};
      auto next = plan_port(cluster, port, before.find(path), host, secret, draft);
      if (!next) return next.error();
      planned.ports.emplace(path, std::move(*next));
    }
    draft.plan.clusters.emplace(cluster.name, std::move(planned));
  }
  for (const auto& [name, cluster] : before.clusters)
    for (const auto& [path, port] : cluster.ports)
      if (!draft.plan.find(path)) free_port(*port, draft);
  for (const auto index : draft.freed_indexes) draft.plan.indexes.give_back(index);
  for (const auto& [first, count] : draft.freed_rows) draft.plan.rows.give_back(first, count);
  return std::move(draft.plan);
}

Assignments assignments_of(const Plan& plan) {
  Assignments assignments;
  for (const auto& [name, cluster] : plan.clusters) {
    for (const auto& [path, port] : cluster.ports) {
      auto& assignment = assignments[path];
      for (const auto& server : port->servers) assignment.servers.emplace(server.config.name, server.index);
      for (const Family family : kFamilies) {
        const auto& rows = port->rows_of(family);
        if (!rows) continue;
        assignment.rows[static_cast<std::size_t>(family)] = {rows->first_row,
                                                             static_cast<std::uint32_t>(rows->table.owners.size())};
      }
    }
  }
  return assignments;
}

namespace {

// Builds one port from its numbers; false when they contradict the configuration or what is claimed already.
bool restore_port(const PortConfig& config, const PortAssignment& assignment, const MapReader& maps, Plan& plan,
                  std::set<std::uint16_t>& used, PlannedPort& port) {
  std::set<std::uint16_t> mine;
  for (const auto& server : config.servers) {
    const auto index = assignment.servers.find(server.name);
    if (index == assignment.servers.end() || used.contains(index->second)) return false;
    if (!mine.insert(index->second).second) return false;
    port.servers.push_back({.config = server, .index = index->second, .target = maps.target(index->second)});
  }
  for (const Family family : kFamilies) {
    const auto& slice = assignment.rows[static_cast<std::size_t>(family)];
    if (!slice) continue;
    const auto [first, count] = *slice;
    if (!plan.rows.claim(first, count)) return false;
    PlannedRows rows{.first_row = first, .table = {.owners = maps.rows(first, count), .homes = {}}};
    rows.table.homes.assign(count, 0);
    // The last change before the daemon died may have been published and not kept: its servers are strangers here.
    rows.table = repair_rows(rows.table, row_servers(port.servers, family), count);
    port.rows_of(family) = std::move(rows);
  }
  used.merge(mine);
  return true;
}

}  // namespace

Plan restore_plan(const Config& config, const Assignments& assignments, const MapReader& maps, std::string_view secret,
                  Capacity capacity) {
  Plan plan(capacity);
  std::set<std::uint16_t> used;
  for (const auto& cluster : config.clusters) {
    auto& planned = plan.clusters[cluster.name];
    planned.addresses = cluster.addresses;
    for (const auto& config_port : cluster.ports) {
      auto port = std::make_shared<PlannedPort>();
      port->path = {.cluster = cluster.name, .port = config_port.port, .protocol = config_port.protocol};
      port->seeds = derive_seeds(secret, port->path.to_string());
      const auto found = assignments.find(port->path);
      if (found == assignments.end() || !restore_port(config_port, found->second, maps, plan, used, *port)) continue;
      planned.ports.emplace(port->path, std::move(port));
    }
  }
  plan.indexes = IndexPool(capacity.servers, used);
  return plan;
}

}  // namespace xdplb
