// SPDX-License-Identifier: GPL-2.0-only
#include "model/plan.h"

#include "model/plan_draft.h"

#include <fmt/format.h>

#include <algorithm>

namespace xdplb {

using draft::Draft;

namespace draft {

bool has_family(const ClusterConfig& cluster, Family family) {
  return std::any_of(cluster.addresses.begin(), cluster.addresses.end(),
                     [family](const IpAddress& address) { return address.family() == family; }) ||
         std::any_of(cluster.prefixes.begin(), cluster.prefixes.end(),
                     [family](const IpPrefix& prefix) { return prefix.address.family() == family; });
}

GroupAdmins group_admins(const Config& config, const std::map<ServerPath, Admin>& admins) {
  GroupAdmins groups;
  for (const auto& [path, admin] : admins) {
    const auto* port = find_port(config, path.port);
    if (port == nullptr) continue;
    auto& word = groups[lead_of(path.port.cluster, *port)][path.server];
    word = std::max(word, admin);
  }
  return groups;
}

Admin admin_of(const GroupAdmins& admins, const PortPath& lead, const std::string& server) {
  const auto group = admins.find(lead);
  if (group == admins.end()) return Admin::kReady;
  const auto found = group->second.find(server);
  return found == group->second.end() ? Admin::kReady : found->second;
}

GroupGrants group_grants(const Config& config, const std::map<ServerPath, ServerGrant>& grants) {
  GroupGrants least;
  GroupGrants most;
  for (const auto& [path, grant] : grants) {
    const auto* port = find_port(config, path.port);
    if (port == nullptr) continue;
    const auto lead = lead_of(path.port.cluster, *port);
    const auto [low, is_first] = least[lead].emplace(path.server, grant);
    const auto high = most[lead].emplace(path.server, grant).first;
    if (is_first) continue;
    for (std::size_t place = 0; place < kFamilies.size(); ++place) {
      low->second.is_in[place] = low->second.is_in[place] && grant.is_in[place];
      low->second.weight[place] = std::min(low->second.weight[place], grant.weight[place]);
      high->second.is_in[place] = high->second.is_in[place] || grant.is_in[place];
      high->second.weight[place] = std::max(high->second.weight[place], grant.weight[place]);
    }
  }
  // Nobody serves all of the ports: better those that serve some.
  for (auto& [lead, servers] : least) {
    for (std::size_t place = 0; place < kFamilies.size(); ++place) {
      if (std::any_of(servers.begin(), servers.end(), [place](const auto& one) { return one.second.is_in[place]; }))
        continue;
      for (auto& [name, grant] : servers) {
        grant.is_in[place] = most[lead].at(name).is_in[place];
        grant.weight[place] = most[lead].at(name).weight[place];
      }
    }
  }
  return least;
}

std::optional<ServerGrant> grant_of(const GroupGrants& grants, const PortPath& lead, const std::string& server) {
  const auto group = grants.find(lead);
  if (group == grants.end()) return std::nullopt;
  const auto found = group->second.find(server);
  return found == group->second.end() ? std::nullopt : std::optional(found->second);
}

bool is_shared(const ClusterConfig& cluster, const PortConfig& port) {
  return port.crossport || std::any_of(cluster.ports.begin(), cluster.ports.end(), [&port](const PortConfig& other) {
           return other.protocol == port.protocol && other.crossport == port.port;
         });
}

PlannedPort begin_port(const ClusterConfig& cluster, const PortConfig& port, std::string_view secret,
                       const std::map<PortPath, ByFamily<std::optional<NoServer>>>& all_down) {
  PlannedPort planned;
  planned.path = {.cluster = cluster.name, .port = port.port, .protocol = port.protocol};
  planned.config = port;
  planned.seeds = derive_seeds(secret, lead_of(cluster.name, port).to_string());
  planned.is_shared = is_shared(cluster, port);
  const auto closed = all_down.find(planned.path);
  for (std::size_t place = 0; place < kFamilies.size(); ++place)
    planned.no_server[place] =
        closed == all_down.end() ? port.no_server : closed->second[place].value_or(port.no_server);
  return planned;
}

void Draft::free_port(const PlannedPort& port) {
  for (const auto& server : port.servers) freed_indexes.push_back(server.index);
  for (const auto& rows : port.rows)
    if (rows) freed_rows.emplace_back(rows->first_row, rows->count());
  for (const auto& members : port.members)
    if (members) freed_rows.emplace_back(members->first_row, members->slice);
  for (const auto options : port.options)
    if (options != 0) freed_options.push_back(options);
}

void Draft::give_back() {
  for (const auto index : freed_indexes) plan.indexes.give_back(index);
  for (const auto index : freed_options) plan.options.give_back(index);
  for (const auto& [first, count] : freed_rows) plan.rows.give_back(first, count);
}

}  // namespace draft

namespace {

// What every port is planned from.
struct Setting {
  const Plan& before;
  const Surroundings& host;
  std::string_view secret;
  draft::GroupAdmins admins;
  draft::GroupGrants grants;
};

// Which address of a server carries its flows.
struct Carrier {
  IpAddress address;
  ServerTarget target;
};

// What is said of a server beside its configuration.
struct Word {
  Admin admin = Admin::kReady;
  std::optional<ServerGrant> grant{};

  // In no family that it could serve.
  bool is_out(const ClusterConfig& cluster, const ServerConfig& server) const {
    if (admin == Admin::kDown) return true;
    return grant && std::none_of(kFamilies.begin(), kFamilies.end(), [&](Family family) {
             return grant->is_in[static_cast<std::size_t>(family)] && draft::has_family(cluster, family) &&
                    (!server.family || *server.family == family);
           });
  }
};

Word word_of(const Setting& setting, const PortPath& lead, const std::string& server) {
  return {.admin = draft::admin_of(setting.admins, lead, server),
          .grant = draft::grant_of(setting.grants, lead, server)};
}

// The first that frames can go to, in the order of the configuration; this host's own before all others.
std::optional<Carrier> find_carrier(const ClusterConfig& cluster, const Surroundings& host, const ServerConfig& server,
                                    const Word& word) {
  if (word.is_out(cluster, server)) return std::nullopt;
  const auto addresses = addresses_of(server);
  for (const auto& address : addresses)
    if (host.own.contains(address)) return Carrier{address, {.mac = {}, .ifindex = 0, .is_local = true}};
  for (const auto& address : addresses)
    if (const auto found = host.targets.find(address); found != host.targets.end())
      return Carrier{address, found->second};
  return std::nullopt;
}

// When no server can be reached, those that could last keep their target.
void keep_last_targets(const PlannedPort& before, const ClusterConfig& cluster, const Surroundings& host,
                       std::vector<PlannedServer>& servers) {
  const bool any_resolved = std::any_of(servers.begin(), servers.end(),
                                        [](const PlannedServer& server) { return server.target.has_value(); });
  if (any_resolved) return;
  for (auto& server : servers) {
    const auto* old = before.server_at(server.index);
    if (old == nullptr || !old->target || addresses_of(old->config) != addresses_of(server.config)) continue;
    const Word word{.admin = server.admin, .grant = server.grant};
    if (word.is_out(cluster, server.config) || !host.interfaces.contains(old->target->ifindex)) continue;
    server.target = old->target;
    server.carrier = old->carrier;
  }
}

// Servers that keep their name keep their index, others get a new one.
Result<void> plan_servers(PlannedPort& port, const ClusterConfig& cluster, const PlannedPort* before,
                          const Setting& setting, Draft& draft) {
  const auto lead = lead_of(port.path.cluster, port.config);
  std::map<std::string_view, const PlannedServer*> known;
  if (before != nullptr)
    for (const auto& server : before->servers) known.emplace(server.config.name, &server);
  port.servers.reserve(port.config.servers.size());
  for (const auto& config : port.config.servers) {
    const auto word = word_of(setting, lead, config.name);
    PlannedServer server{
        .config = config, .index = 0, .target = std::nullopt, .admin = word.admin, .grant = word.grant};
    if (const auto carrier = find_carrier(cluster, setting.host, config, word)) {
      server.target = carrier->target;
      server.carrier = carrier->address;
    }
    const auto found = known.find(config.name);
    if (found != known.end()) {
      server.index = found->second->index;
      known.erase(found);
    } else {
      const auto index = draft.plan.indexes.take();
      if (!index) return fail(ErrorCode::kFailed, "all server indexes are in use; remove a server first");
      server.index = *index;
    }
    port.servers.push_back(std::move(server));
  }
  for (const auto& [name, server] : known) draft.freed_indexes.push_back(server->index);
  if (before != nullptr) keep_last_targets(*before, cluster, setting.host, port.servers);
  return {};
}

Result<void> plan_options(const ClusterConfig& cluster, const std::string& name, const ByFamily<std::uint16_t>& before,
                          ByFamily<std::uint16_t>& next, Draft& draft) {
  for (const Family family : kFamilies) {
    const auto place = static_cast<std::size_t>(family);
    if (!draft::has_family(cluster, family)) {
      if (before[place] != 0) draft.freed_options.push_back(before[place]);
      continue;
    }
    next[place] = before[place];
    if (next[place] != 0) continue;
    const auto index = draft.plan.options.take();
    if (!index) {
      return fail(ErrorCode::kFailed,
                  fmt::format("{}: there are too many ports and clusters; remove a port first", name));
    }
    next[place] = *index;
  }
  return {};
}

// True when nothing that this port's plan is made from differs.
bool is_current(const PlannedPort& before, const PlannedPort& next, const ClusterConfig& cluster,
                const Setting& setting) {
  if (before.seeds != next.seeds || before.is_shared != next.is_shared || before.config != next.config ||
      before.no_server != next.no_server)
    return false;
  const auto lead = lead_of(cluster.name, next.config);
  for (const auto& server : before.servers) {
    const auto word = word_of(setting, lead, server.config.name);
    const auto carrier = find_carrier(cluster, setting.host, server.config, word);
    if (server.admin != word.admin || server.grant != word.grant || server.target.has_value() != carrier.has_value())
      return false;
    if (carrier && (*server.target != carrier->target || server.carrier != carrier->address)) return false;
  }
  return std::all_of(kFamilies.begin(), kFamilies.end(), [&](Family family) {
    const bool is_served = draft::has_family(cluster, family);
    return (before.options_of(family) != 0) == is_served &&
           before.rows_of(family).has_value() == (is_served && !next.config.servers.empty());
  });
}

// lead_before, lead  the port whose affinity this one shares, then and now; nullptr for a port of its own
Result<std::shared_ptr<const PlannedPort>> plan_port(const ClusterConfig& cluster, const PortConfig& config,
                                                     const PlannedPort* lead_before, const PlannedPort* lead,
                                                     const Setting& setting, Draft& draft) {
  auto next = std::make_shared<PlannedPort>(draft::begin_port(cluster, config, setting.secret, setting.host.all_down));
  const auto before = setting.before.find(next->path);
  if (before && lead_before == lead && is_current(*before, *next, cluster, setting)) return before;
  const PlannedPort* old = before.get();
  const auto options_before = old != nullptr ? old->options : ByFamily<std::uint16_t>{};
  if (auto planned = plan_options(cluster, "port " + next->path.to_string(), options_before, next->options, draft);
      !planned)
    return planned.error();
  if (config.sticky_s > 0) next->affinity = lead != nullptr ? lead->affinity : next->options;
  if (auto planned = plan_servers(*next, cluster, old, setting, draft); !planned) return planned.error();
  for (const Family family : kFamilies) {
    if (!draft::has_family(cluster, family) || config.servers.empty()) {
      if (old != nullptr && old->rows_of(family))
        draft.freed_rows.emplace_back(old->rows_of(family)->first_row, old->rows_of(family)->count());
    } else if (auto planned = draft::plan_rows(*next, family, old, lead, draft); !planned) {
      return planned.error();
    }
    if (auto planned = draft::plan_members(*next, family, old, draft); !planned) return planned.error();
  }
  return std::shared_ptr<const PlannedPort>(std::move(next));
}

Result<PlannedCluster> plan_cluster(const ClusterConfig& cluster, const Setting& setting, Draft& draft) {
  PlannedCluster planned{
      .addresses = cluster.addresses, .prefixes = cluster.prefixes, .echo = cluster.echo, .options = {}, .ports = {}};
  const auto old = setting.before.clusters.find(cluster.name);
  const auto options_before = old != setting.before.clusters.end() ? old->second.options : ByFamily<std::uint16_t>{};
  if (auto done = plan_options(cluster, "cluster " + cluster.name, options_before, planned.options, draft); !done)
    return done.error();
  // Ports that lead first: those that share their affinity have their rows.
  for (const bool follows : {false, true}) {
    for (const auto& port : cluster.ports) {
      if (port.crossport.has_value() != follows) continue;
      const PlannedPort* lead = nullptr;
      const PlannedPort* lead_before = nullptr;
      if (follows) {
        const auto path = lead_of(cluster.name, port);
        const auto found = planned.ports.find(path);
        lead = found != planned.ports.end() ? found->second.get() : nullptr;
        lead_before = setting.before.find(path).get();
      }
      auto next = plan_port(cluster, port, lead_before, lead, setting, draft);
      if (!next) return next.error();
      const auto path = (*next)->path;
      planned.ports.emplace(path, std::move(*next));
    }
  }
  return planned;
}

}  // namespace

HashShape PlannedPort::shape_of(Family family) const {
  if (config.sticky_s == 0) return {};
  return affinity_shape(family, family == Family::kV4 ? config.sticky_mask_v4 : config.sticky_mask_v6);
}

const PlannedServer* PlannedPort::server_at(std::uint16_t index) const {
  const auto found = std::find_if(servers.begin(), servers.end(),
                                  [index](const PlannedServer& server) { return server.index == index; });
  return found == servers.end() ? nullptr : &*found;
}

const PlannedServer* PlannedPort::server_named(std::string_view name) const {
  const auto found = std::find_if(servers.begin(), servers.end(),
                                  [name](const PlannedServer& server) { return server.config.name == name; });
  return found == servers.end() ? nullptr : &*found;
}

std::shared_ptr<const PlannedPort> Plan::find(const PortPath& path) const {
  const auto cluster = clusters.find(path.cluster);
  if (cluster == clusters.end()) return nullptr;
  const auto port = cluster->second.ports.find(path);
  return port == cluster->second.ports.end() ? nullptr : port->second;
}

PortPath lead_of(const std::string& cluster, const PortConfig& port) {
  return {.cluster = cluster, .port = port.crossport.value_or(port.port), .protocol = port.protocol};
}

Result<Plan> make_plan(const Plan& before, const Config& config, const Surroundings& host, std::string_view secret) {
  Draft draft{.plan = before};
  draft.plan.clusters.clear();
  draft.plan.decrement_ttl = config.decrement_ttl;
  draft.plan.peers = config.peers;
  const Setting setting{.before = before,
                        .host = host,
                        .secret = secret,
                        .admins = draft::group_admins(config, host.admins),
                        .grants = draft::group_grants(config, host.grants)};
  for (const auto& cluster : config.clusters) {
    auto planned = plan_cluster(cluster, setting, draft);
    if (!planned) return planned.error();
    draft.plan.clusters.emplace(cluster.name, std::move(*planned));
  }
  for (const auto& [name, cluster] : before.clusters) {
    for (const auto& [path, port] : cluster.ports)
      if (!draft.plan.find(path)) draft.free_port(*port);
    if (draft.plan.clusters.contains(name)) continue;
    for (const auto options : cluster.options)
      if (options != 0) draft.freed_options.push_back(options);
  }
  draft.give_back();
  return std::move(draft.plan);
}

}  // namespace xdplb
