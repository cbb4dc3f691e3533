// SPDX-License-Identifier: GPL-2.0-only
#include "daemon/manager_keeper.h"

#include <algorithm>
#include <set>

namespace xdplb {
namespace {

// A program beside other checks tells the load of the machine.
bool tells_system_load(const AdvisorConfig& advisor) {
  return std::any_of(advisor.checks.begin(), advisor.checks.end(),
                     [](const AdvisorConfig& check) { return check.type == AdvisorType::kExec; });
}

}  // namespace

ManagerKeeper::ManagerKeeper(Surroundings surroundings) : host_(std::move(surroundings)) {}

ManagerKeeper::~ManagerKeeper() { close(); }

void ManagerKeeper::close() {
  *alive_ = false;
  clusters_.clear();
}

void ManagerKeeper::configure(const Config& config) {
  std::map<std::string, Cluster> next;
  std::set<ServerPath> steered;
  for (const auto& one : config.clusters) {
    if (!one.manager.is_on) continue;
    auto& cluster = next[one.name];
    const auto known = clusters_.find(one.name);
    if (known != clusters_.end()) cluster = std::move(known->second);
    const bool is_new_pace = !cluster.timer || cluster.config.interval_s != one.manager.interval_s;
    cluster.config = one.manager;
    cluster.has_advisor = cluster.has_agent = false;
    std::map<PortPath, Port> ports;
    for (const auto& port : one.ports) {
      if (port.advisor && port.advisor->type != AdvisorType::kAgent) cluster.has_advisor = true;
      if (port.advisor && tells_system_load(*port.advisor)) cluster.has_agent = true;
      // Ports that share their affinity share their rows: the lead's weights count.
      if (port.crossport) continue;
      const PortPath path{.cluster = one.name, .port = port.port, .protocol = port.protocol};
      const auto old = cluster.ports.find(path);
      auto& place = ports[path];
      if (old != cluster.ports.end()) {
        place = std::move(old->second);
      } else {
        place.manager.adopt(weights_of(path));
      }
      place.config = port;
      place.report.port = path;
      for (const auto& server : port.servers) steered.insert({.port = path, .server = server.name});
    }
    cluster.ports = std::move(ports);
    if (!is_new_pace) continue;
    cluster.timer = std::make_unique<boost::asio::steady_timer>(host_.io);
  }
  std::swap(clusters_, next);
  std::erase_if(weights_, [&](const auto& entry) { return !steered.contains(entry.first); });
  for (auto& [name, cluster] : clusters_) {
    if (cluster.timer->expiry() > std::chrono::steady_clock::now()) continue;
    // The first weights are there at once.
    for (auto& [path, port] : cluster.ports) run(cluster, port, true);
    arm(name);
  }
}

std::map<std::string, unsigned> ManagerKeeper::weights_of(const PortPath& port) const {
  std::map<std::string, unsigned> weights;
  for (const auto& [path, weight] : weights_)
    if (path.port == port) weights.emplace(path.server, weight);
  return weights;
}

void ManagerKeeper::arm(const std::string& name) {
  auto& cluster = clusters_.at(name);
  cluster.timer->expires_after(std::chrono::seconds(cluster.config.interval_s));
  cluster.timer->async_wait([this, name, alive = alive_](const boost::system::error_code& error) {
    if (error || !*alive || !clusters_.contains(name)) return;
    auto& due = clusters_.at(name);
    const bool fresh = ++due.cycles >= due.config.refresh;
    if (fresh) due.cycles = 0;
    for (auto& [path, port] : due.ports) run(due, port, fresh);
    arm(name);
  });
}

void ManagerKeeper::hurry(const PortPath& path) {
  const auto cluster = clusters_.find(path.cluster);
  if (cluster == clusters_.end()) return;
  const auto port = cluster->second.ports.find(path);
  if (port != cluster->second.ports.end()) run(cluster->second, port->second, false);
}

std::vector<ManagedLoad> ManagerKeeper::read(Port& port, bool fresh) const {
  const auto* forwarding = host_.forwarding();
  const auto planned = forwarding != nullptr ? forwarding->plan().find(port.report.port) : nullptr;
  std::vector<ManagedLoad> loads;
  for (const auto& config : port.config.servers) {
    const ServerPath path{.port = port.report.port, .server = config.name};
    auto load = host_.load(path, config);
    load.name = config.name;
    load.configured_weight = config.weight;
    if (config.has_fixed_weight) load.fixed = config.weight;
    const auto before = std::find_if(port.loads.begin(), port.loads.end(),
                                     [&](const ManagedLoad& one) { return one.name == config.name; });
    if (before != port.loads.end()) {
      load.active = before->active;
      load.new_connections = before->new_connections;
    }
    const auto results = host_.results(path);
    load.is_advisor_fresh = std::exchange(port.results[config.name], results) != results;
    const auto* server = planned ? planned->server_named(config.name) : nullptr;
    // After agent and slow start.
    if (server != nullptr) load.weight_in_force = std::max(server->weight(Family::kV4), server->weight(Family::kV6));
    if (fresh && server != nullptr) {
      const auto counters = forwarding->tables().read_counters(server->index);
      const auto totals = counters ? *counters : xdplb_counters{};
      const auto known = port.new_before.find(config.name);
      load.new_connections = known != port.new_before.end() && totals.new_flows >= known->second
                                 ? static_cast<double>(totals.new_flows - known->second)
                                 : 0;
      port.new_before[config.name] = totals.new_flows;
      const double estimate = port.active[config.name].update(totals.new_flows, totals.closed_flows,
                                                              std::chrono::seconds(port.config.stale_timeout_s),
                                                              std::chrono::steady_clock::now());
      load.active = port.config.is_tracked() ? forwarding->tables().active(server->index) : estimate;
    }
    loads.push_back(std::move(load));
  }
  return loads;
}

void ManagerKeeper::run(Cluster& cluster, Port& port, bool fresh) {
  port.loads = read(port, fresh);
  auto config = cluster.config;
  config.proportions = proportions_of(config, cluster.has_advisor, cluster.has_agent);
  const auto* forwarding = host_.forwarding();
  const bool is_calm = forwarding == nullptr || !forwarding->last_sweep().is_crowded;
  port.report.cycle = port.manager.cycle(config, port.loads, fresh, is_calm);
  bool changed = false;
  for (const auto& [name, weight] : port.report.cycle.weights) {
    const auto [known, is_new] = weights_.try_emplace({.port = port.report.port, .server = name}, weight);
    changed = changed || is_new || known->second != weight;
    known->second = weight;
  }
  if (!changed) return;
  port.report.pushed_at = std::chrono::steady_clock::now();
  host_.on_push();
}

std::optional<unsigned> ManagerKeeper::weight(const ServerPath& server) const {
  const auto found = weights_.find(server);
  return found == weights_.end() ? std::nullopt : std::optional(found->second);
}

std::vector<ManagerKeeper::PortReport> ManagerKeeper::report(const std::string& name) const {
  std::vector<PortReport> reports;
  const auto cluster = clusters_.find(name);
  if (cluster == clusters_.end()) return reports;
  for (const auto& [path, port] : cluster->second.ports) reports.push_back(port.report);
  return reports;
}

}  // namespace xdplb
