// SPDX-License-Identifier: GPL-2.0-only
// The Controller's clusters, ports and servers: each request is a change of the configuration, committed as a whole.
#include "base/log.h"
#include "daemon/controller.h"

#include <fmt/format.h>

#include <algorithm>

namespace xdplb {
// A document without interfaces leaves them as they are.
std::vector<std::string> Controller::changes_to(const Config& next) const {
  Config whole = next;
  if (!whole.interfaces) whole.interfaces = loaded_names();
  return diff_lines(shown_config(), whole);
}

Result<Change> Controller::change(const ClusterAddRequest& request) {
  if (const auto* present = find_cluster(config_, request.cluster.name)) {
    const bool is_same = present->addresses == request.cluster.addresses &&
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
  cluster->addresses = request.addresses;
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
    if (request.port.servers.empty() || present->servers == request.port.servers) return Change{};
    return fail(ErrorCode::kConflict,
                fmt::format("port {}: it exists with other servers; change them with `xdplb server add|set|remove`",
                            path.to_string()));
  }
  Config next = config_;
  auto* cluster = find_cluster(next, request.cluster);
  if (cluster == nullptr) return absent("cluster", request.cluster);
  cluster->ports.push_back(request.port);
  return commit(std::move(next));
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
  auto* port = find_port(next, request.port);
  if (port == nullptr) return absent("port", request.port.to_string());
  port->servers.push_back(request.server);
  return commit(std::move(next));
}

Result<Change> Controller::change(const ServerSetRequest& request) {
  Config next = config_;
  auto* server = find_server(next, request.path);
  if (server == nullptr) return absent("server", request.path.to_string());
  if (request.weight) server->weight = *request.weight;
  if (request.address) server->address = *request.address;
  return commit(std::move(next));
}

Result<Change> Controller::change(const ServerRemoveRequest& request) {
  Config next = config_;
  if (find_server(next, request.path) == nullptr) return absent("server", request.path.to_string());
  std::erase_if(find_port(next, request.path.port)->servers,
                [&](const ServerConfig& one) { return one.name == request.path.server; });
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
  if (auto fits = check_host(request.config, indexes); !fits) return fits.error();
  if (request.dry_run) return change;

  if (!arriving.empty())
    if (auto attached = load_all(arriving); !attached) return attached.error();
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
  change.changed = committed->changed || !arriving.empty() || !leaving.empty() || loaded != loaded_names();
  return change;
}

}  // namespace xdplb
