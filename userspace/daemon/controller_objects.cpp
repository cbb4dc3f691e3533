// SPDX-License-Identifier: GPL-2.0-only
// The Controller's clusters, ports and servers: each request is a change of the configuration, committed as a whole.
#include "base/log.h"
#include "daemon/controller.h"

#include <fmt/format.h>

#include <algorithm>

namespace xdplb {
namespace {

// The port, and those that share its affinity: their servers are equal, so a change of one is a change of all.
std::vector<PortConfig*> sharing_ports(Config& config, const PortPath& path) {
  auto* cluster = find_cluster(config, path.cluster);
  const auto* port = find_port(config, path);
  std::vector<PortConfig*> ports;
  if (cluster == nullptr || port == nullptr) return ports;
  const auto lead = port->crossport.value_or(port->port);
  for (auto& one : cluster->ports)
    if (one.protocol == path.protocol && one.crossport.value_or(one.port) == lead) ports.push_back(&one);
  return ports;
}

}  // namespace

// A document without interfaces leaves them as they are.
std::vector<std::string> Controller::changes_to(const Config& next) const {
  Config whole = next;
  if (!whole.interfaces) whole.interfaces = loaded_names();
  return diff_lines(shown_config(), whole);
}

Result<Change> Controller::change(const ClusterAddRequest& request) {
  if (const auto* present = find_cluster(config_, request.cluster.name)) {
    const bool is_same = present->addresses == request.cluster.addresses &&
                         present->prefixes == request.cluster.prefixes && present->echo == request.cluster.echo &&
                         (request.cluster.manager == ManagerConfig{} || present->manager == request.cluster.manager) &&
                         (request.cluster.ports.empty() || present->ports == request.cluster.ports);
    if (is_same) return Change{};
    return fail(ErrorCode::kConflict,
                fmt::format("cluster {0}: it exists with other values; change it with `xdplb cluster set {0}`",
                            request.cluster.name));
  }
  Config next = config_;
  next.clusters.push_back(request.cluster);
  return commit(std::move(next));
}

Result<Change> Controller::change(const ClusterSetRequest& request) {
  Config next = config_;
  auto* cluster = find_cluster(next, request.name);
  if (cluster == nullptr) return absent("cluster", request.name);
  if (request.addresses) {
    cluster->addresses = *request.addresses;
    cluster->prefixes = request.prefixes;
  }
  if (request.echo) cluster->echo = *request.echo;
  return commit(std::move(next));
}

Result<Change> Controller::change(const ClusterRemoveRequest& request) {
  Config next = config_;
  const auto removed = std::erase_if(next.clusters, [&](const ClusterConfig& one) { return one.name == request.name; });
  if (removed == 0) return absent("cluster", request.name);
  return commit(std::move(next));
}

Result<Change> Controller::change(const PortAddRequest& request) {
  const PortPath path{.cluster = request.cluster, .port = request.port.port, .protocol = request.port.protocol};
  if (const auto* present = find_port(config_, path)) {
    PortConfig same = request.port;
    if (same.servers.empty()) same.servers = present->servers;
    if (!same.advisor) same.advisor = present->advisor;
    if (same == *present) return Change{};
    return fail(ErrorCode::kConflict,
                fmt::format("port {0}: it exists with other values; change it with `xdplb port set {0}` and `xdplb "
                            "server add|set|remove`",
                            path.to_string()));
  }
  Config next = config_;
  auto* cluster = find_cluster(next, request.cluster);
  if (cluster == nullptr) return absent("cluster", request.cluster);
  cluster->ports.push_back(request.port);
  return commit(std::move(next));
}

Result<Change> Controller::change(const PortSetRequest& request) {
  Config next = config_;
  auto* port = find_port(next, request.path);
  if (port == nullptr) return absent("port", request.path.to_string());
  const PortConfig before = *port;
  request.changes.apply(*port);
  const bool rehashes = before.crossport != port->crossport || (before.sticky_s == 0) != (port->sticky_s == 0) ||
                        before.sticky_mask_v4 != port->sticky_mask_v4 || before.sticky_mask_v6 != port->sticky_mask_v6;
  auto changed = commit(std::move(next));
  if (changed && changed->changed && rehashes) {
    events_.add("flows_may_move", fmt::format("port {}", request.path.to_string()),
                "its clients are hashed in another way now: running flows may go to another server");
  }
  return changed;
}

Result<Change> Controller::change(const PortRemoveRequest& request) {
  Config next = config_;
  if (find_port(next, request.path) == nullptr) return absent("port", request.path.to_string());
  std::erase_if(find_cluster(next, request.path.cluster)->ports, [&](const PortConfig& one) {
    return one.port == request.path.port && one.protocol == request.path.protocol;
  });
  return commit(std::move(next));
}

Result<Change> Controller::change(const ServerAddRequest& request) {
  const ServerPath path{.port = request.port, .server = request.server.name};
  if (const auto* present = find_server(config_, path)) {
    if (*present == request.server) return Change{};
    return fail(ErrorCode::kConflict,
                fmt::format("server {0}: it exists with other values; change it with `xdplb server set {0}`",
                            path.to_string()));
  }
  Config next = config_;
  if (find_cluster(next, request.port.cluster) == nullptr) return absent("cluster", request.port.cluster);
  if (find_port(next, request.port) == nullptr) return absent("port", request.port.to_string());
  for (auto* one : sharing_ports(next, request.port)) one->servers.push_back(request.server);
  return commit(std::move(next));
}

Result<Change> Controller::change(const ServerSetRequest& request) {
  Config next = config_;
  if (find_server(next, request.path) == nullptr) return absent("server", request.path.to_string());
  for (auto* port : sharing_ports(next, request.path.port)) {
    for (auto& server : port->servers) {
      if (server.name != request.path.server) continue;
      if (request.weight) server.weight = *request.weight;
      if (!request.addresses.empty()) {
        server.address = request.addresses.front();
        server.further_addresses.assign(request.addresses.begin() + 1, request.addresses.end());
      }
      if (request.vlan) server.vlan = *request.vlan;
      // Each port has its own.
      if (port != find_port(next, request.path.port)) continue;
      if (request.tier) server.tier = *request.tier;
      if (request.has_fixed_weight) server.has_fixed_weight = *request.has_fixed_weight;
      if (request.admin) server.admin = *request.admin;
    }
  }
  return commit(std::move(next));
}

Result<Change> Controller::change(const ServerAdminRequest& request) {
  if (find_server(config_, request.path) == nullptr) return absent("server", request.path.to_string());
  AdminState next{.admin = request.admin, .daily = request.daily, .deadline = std::nullopt};
  if (request.deadline_s) next.deadline = AdminStates::Clock::now() + std::chrono::seconds(*request.deadline_s);
  const AdminState now = admins_.of(request.path, request.source);
  if (next == now) return Change{};
  const auto before = admins_;
  admins_.set(request.path, request.source, next);
  if (auto written = write_through(config_); !written) {
    admins_ = before;
    return written.error();
  }
  events_.add(std::string(admin_name(request.admin)), fmt::format("server {}", request.path.to_string()),
              fmt::format("the {} says {}{}", admin_source_name(request.source), admin_name(request.admin),
                          request.deadline_s ? fmt::format(", for {} s", *request.deadline_s) : std::string()));
  follow_standings();
  const bool drains = request.admin == Admin::kDrain || request.admin == Admin::kDrainNow;
  const bool is_now = !request.daily || request.daily->contains(local_hour(AdminStates::Clock::now()));
  if (drains && is_now) {
    draining_.insert(request.path);
  } else {
    draining_.erase(request.path);
  }
  // So that the reply tells what is left.
  if (forwarding_)
    if (auto swept = forwarding_->sweep(); !swept) return swept.error();
  return Change{.changed = true,
                .lines = {fmt::format("~ server {} admin {} -> {}", request.path.to_string(), admin_name(now.admin),
                                      admin_name(next.admin))}};
}

Result<Change> Controller::change(const SettingsSetRequest& request) {
  Config next = config_;
  if (request.peers) next.peers = *request.peers;
  const auto take = [](const auto& said, auto& field) {
    if (said) field = *said;
  };
  take(request.decrement_ttl, next.decrement_ttl);
  take(request.fix_host, next.fix_host);
  take(request.reach_targets, next.health.reach_targets);
  take(request.needs_all_targets, next.health.needs_all_targets);
  take(request.reach_interval_s, next.health.reach_interval_s);
  take(request.reach_missed, next.health.reach_missed);
  take(request.up_delay_s, next.health.up_delay_s);
  take(request.down_delay_s, next.health.down_delay_s);
  take(request.has_failure_guard, next.has_failure_guard);
  return commit(std::move(next));
}

Result<Change> Controller::change(const ServerRemoveRequest& request) {
  Config next = config_;
  if (find_server(next, request.path) == nullptr) return absent("server", request.path.to_string());
  for (auto* port : sharing_ports(next, request.path.port))
    std::erase_if(port->servers, [&](const ServerConfig& one) { return one.name == request.path.server; });
  return commit(std::move(next));
}

Result<Change> Controller::change(const ConfigApplyRequest& request) {
  if (auto valid = validate(request.config); !valid) return valid.error();
  Change change{.changed = false, .lines = changes_to(request.config)};
  const auto loaded = loaded_names();
  const auto wanted = request.config.interfaces.value_or(loaded);
  std::vector<InterfaceState> arriving;
  std::vector<std::uint32_t> indexes;
  for (const auto& name : wanted) {
    auto ifindex = find_loadable(name);
    const bool is_loaded = std::find(loaded.begin(), loaded.end(), name) != loaded.end();
    if (!ifindex && !is_loaded) return ifindex.error();
    if (ifindex) indexes.push_back(*ifindex);
    if (!is_loaded) arriving.push_back({.name = name, .mode = AttachMode::kAuto, .chain = false});
  }
  if (auto fits = fits_host(request.config, indexes); !fits) return fits.error();
  if (request.dry_run) return change;

  if (!arriving.empty()) {
    if (auto attached = load_all(arriving); !attached) return attached.error();
    if (auto fresh = monitor_->refresh(); !fresh) log_error(fresh.error().message);
  }
  auto committed = commit(request.config);
  if (!committed) {
    std::vector<std::string> undone;
    undone.reserve(arriving.size());
    for (const auto& one : arriving) undone.push_back(one.name);
    if (!undone.empty())
      if (auto unloaded = unload_all(undone); !unloaded) log_error(unloaded.error().message);
    return committed.error();
  }
  std::vector<std::string> leaving;
  for (const auto& name : loaded)
    if (std::find(wanted.begin(), wanted.end(), name) == wanted.end()) leaving.push_back(name);
  if (!leaving.empty())
    if (auto unloaded = unload_all(leaving); !unloaded) return unloaded.error();
  if (auto ordered = order_interfaces(wanted); !ordered) return ordered.error();
  if (!arriving.empty() && forwarding_) update_advisors();
  change.changed = committed->changed || !arriving.empty() || !leaving.empty() || loaded != loaded_names();
  return change;
}

}  // namespace xdplb
