// SPDX-License-Identifier: GPL-2.0-only
#include "daemon/object_views.h"

#include "dataplane/outcome_names.h"
#include "model/option_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <utility>

namespace xdplb {
namespace {

using nlohmann::json;

// Rows per server index of one port and family.
std::map<std::uint16_t, std::uint32_t> rows_by_server(const PlannedPort* port, Family family) {
  std::map<std::uint16_t, std::uint32_t> counts;
  if (port == nullptr || !port->rows_of(family)) return counts;
  std::vector<std::uint32_t> flat(XDPLB_MAX_SERVERS);
  for (const auto owner : port->rows_of(family)->table.owners) ++flat[owner];
  for (const auto& server : port->servers) counts[server.index] = flat[server.index];
  return counts;
}

// Only those that occurred.
json outcomes_view(const Result<OutcomeSums>& sums) {
  json view = json::object();
  if (!sums) return view;
  for (const auto& outcome : outcome_names())
    if ((*sums)[outcome.outcome] != 0) view[std::string(outcome.name)] = (*sums)[outcome.outcome];
  return view;
}

}  // namespace

std::map<std::uint16_t, ServerPath> server_paths(const Plan& plan) {
  std::map<std::uint16_t, ServerPath> paths;
  for (const auto& [name, cluster] : plan.clusters)
    for (const auto& [path, port] : cluster.ports)
      for (const auto& server : port->servers)
        paths.emplace(server.index, ServerPath{.port = path, .server = server.config.name});
  return paths;
}

json counters_view(const xdplb_counters& counters) {
  return {{"packets", counters.packets},
          {"bytes", counters.bytes},
          {"new_flows", counters.new_flows},
          {"closed_flows", counters.closed_flows}};
}

void add(xdplb_counters& sum, const xdplb_counters& more) {
  sum.packets += more.packets;
  sum.bytes += more.bytes;
  sum.new_flows += more.new_flows;
  sum.closed_flows += more.closed_flows;
}

json flow_view(const FlowRecord& flow, const std::string& server) {
  return {{"kind", flow.is_client ? "client" : "flow"},
          {"client", flow.is_client ? flow.client.address.to_string() : flow.client.to_string()},
          {"vipa", flow.is_client ? json(nullptr) : json(flow.vipa.to_string())},
          {"protocol", protocol_name(flow.protocol)},
          {"server", server},
          {"state", flow.phase == FlowPhase::kOpen       ? "open"
                    : flow.phase == FlowPhase::kHalfOpen ? "half-open"
                                                         : "closing"},
          {"idle_s", flow.idle_s},
          {"age_s", flow.age_s},
          {"row", flow.row}};
}

std::shared_ptr<const PlannedPort> ObjectViews::plan_of(const PortPath& path) const {
  return forwarding_ != nullptr ? forwarding_->plan().find(path) : nullptr;
}

// Of its addresses and of its ports.
json ObjectViews::cluster_outcomes(const ClusterConfig& cluster) const {
  if (forwarding_ == nullptr) return json::object();
  auto sums = forwarding_->cluster_outcomes(cluster.name);
  for (const auto& port : cluster.ports) {
    const auto more =
        forwarding_->port_outcomes({.cluster = cluster.name, .port = port.port, .protocol = port.protocol});
    if (sums && more) add(*sums, *more);
  }
  return outcomes_view(sums);
}

json ObjectViews::cluster(const ClusterConfig& cluster) const {
  json ports = json::array();
  for (const auto& one : cluster.ports) ports.push_back(port(cluster.name, one));
  return {{"name", cluster.name},
          {"addresses", address_texts(cluster.addresses, cluster.prefixes)},
          {"echo", echo_name(cluster.echo)},
          {"outcomes", cluster_outcomes(cluster)},
          {"ports", std::move(ports)}};
}

json ObjectViews::rows(const PlannedPort* port, Family family) const {
  json view = {{"rows", 0}, {"changing", 0}, {"lookup", 0}};
  if (port == nullptr || !port->rows_of(family)) return view;
  const auto& rows = *port->rows_of(family);
  std::uint32_t changing = 0, lookup = 0;
  for (std::uint32_t i = 0; i < rows.count(); ++i) {
    const RowState state = decode_row(forwarding_->tables().row(rows.first_row + i));
    if (state.base != state.cur)
      ++changing;
    else if (state.lookup)
      ++lookup;
  }
  return {{"rows", rows.count()}, {"changing", changing}, {"lookup", lookup}};
}

json ObjectViews::port(const std::string& cluster, const PortConfig& config) const {
  const PortPath path{.cluster = cluster, .port = config.port, .protocol = config.protocol};
  const auto planned = plan_of(path);
  json servers = json::array();
  for (auto& one : this->servers(path, config)) servers.push_back(std::move(one));
  json view = {{"path", path.to_string()},
               {"port", config.port},
               {"protocol", protocol_name(config.protocol)},
               {"pick", pick_name(config.pick)},
               {"sticky_s", config.sticky_s},
               {"sticky_masks", json::array({mask_text(config.sticky_mask_v4), mask_text(config.sticky_mask_v6)})},
               {"stale_timeout_s", config.stale_timeout_s},
               {"on_stale", on_stale_name(config.on_stale)},
               {"no_server", no_server_name(config.no_server)},
               {"crossport", config.crossport ? json(*config.crossport) : json(nullptr)},
               {"udp_tracking", config.udp_tracking},
               {"new_flow_limit", config.new_flow_limit},
               {"half_open_limit", config.half_open_limit},
               {"rows", {{"v4", rows(planned.get(), Family::kV4)}, {"v6", rows(planned.get(), Family::kV6)}}},
               {"flows", 0},
               {"half_open", 0},
               {"recorded", 0},
               {"refused", 0},
               {"outcomes", json::object()},
               {"servers", std::move(servers)}};
  if (forwarding_ == nullptr || !planned) return view;
  const auto& sweep = forwarding_->last_sweep();
  if (const auto counts = sweep.ports.find(path); counts != sweep.ports.end()) {
    view["flows"] = counts->second.flows;
    view["half_open"] = counts->second.half_open;
  }
  if (const auto totals = forwarding_->port_totals(path)) {
    view["recorded"] = totals->recorded;
    view["refused"] = totals->refused;
  }
  view["outcomes"] = outcomes_view(forwarding_->port_outcomes(path));
  return view;
}

std::vector<json> ObjectViews::servers(const PortPath& path, const PortConfig& config) const {
  const auto planned = plan_of(path);
  const auto v4 = rows_by_server(planned.get(), Family::kV4);
  const auto v6 = rows_by_server(planned.get(), Family::kV6);
  std::vector<json> views;
  for (const auto& server : config.servers) {
    const auto* known = planned ? planned->server_named(server.name) : nullptr;
    const auto rows_in = [known](const auto& rows) {
      const auto found = known != nullptr ? rows.find(known->index) : rows.end();
      return found == rows.end() ? 0U : found->second;
    };
    views.push_back(this->server(path, server, known));
    views.back()["rows"] = {{"v4", rows_in(v4)}, {"v6", rows_in(v6)}};
  }
  return views;
}

xdplb_counters ObjectViews::counters(const PlannedServer& server) const {
  const auto read = forwarding_->tables().read_counters(server.index);
  return read ? *read : xdplb_counters{};
}

// What the server still has, by the last sweep.
void ObjectViews::add_flow_numbers(const PortPath& path, const PlannedServer* known, json& view) const {
  view["base_rows"] = 0;
  view["flows"] = 0;
  view["active"] = nullptr;
  if (known == nullptr) return;
  const auto& sweep = forwarding_->last_sweep();
  if (known->index < sweep.servers.size()) {
    view["base_rows"] = sweep.servers[known->index].base_rows;
    view["flows"] = sweep.servers[known->index].flows;
  }
  const auto port = plan_of(path);
  if (port && port->config.is_tracked()) view["active"] = forwarding_->tables().active(known->index);
}

// Which of a server's addresses carries its flows, and why not a better one.
void ObjectViews::add_adapters(const ServerConfig& config, const PlannedServer* known, json& view) const {
  const auto carrier = known != nullptr && known->target ? known->carrier : std::nullopt;
  view["carried_by"] = carrier ? json(carrier->to_string()) : json(nullptr);
  if (config.further_addresses.empty()) return;
  json adapters = json::array();
  for (const auto& address : addresses_of(config)) {
    const auto reason = forwarding_ != nullptr ? resolver_.reason(address) : std::string("no interface is loaded");
    const auto* target = resolver_.find_known(address);
    const auto ifindex = resolver_.interface_of(address);
    const bool carries = carrier == address;
    adapters.push_back({{"address", address.to_string()},
                        {"mac", target != nullptr ? json(target->mac.to_string()) : json(nullptr)},
                        {"interface", ifindex != 0 ? json(name_(ifindex)) : json(nullptr)},
                        {"healthy", reason.empty()},
                        {"reason", !reason.empty() ? reason
                                   : carries       ? "first healthy one"
                                                   : "healthy, not needed"},
                        {"carries", carries}});
  }
  view["adapters"] = std::move(adapters);
}

json ObjectViews::server(const PortPath& path, const ServerConfig& config, const PlannedServer* known) const {
  // I1: where its frames go is what the map says, not what was meant to be there.
  const auto stored = known != nullptr ? forwarding_->tables().server(known->index) : std::nullopt;
  const std::uint32_t ifindex = stored ? forwarding_->ifindex_of(stored->first & XDPLB_SERVER_EGRESS_MASK) : 0;
  const bool is_local = known != nullptr && known->target && known->target->is_local;
  const ServerPath own{.port = path, .server = config.name};
  const auto admin = admins_.of(own);
  std::string reason = forwarding_ != nullptr ? resolver_.reason(config) : "no interface is loaded";
  const bool is_reachable = reason.empty() || is_local;
  json view = counters_view(known != nullptr ? counters(*known) : xdplb_counters{});
  view["path"] = own.to_string();
  view["name"] = config.name;
  view["address"] = config.address.to_string();
  add_adapters(config, known, view);
  view["mac"] = stored && !is_local ? json(stored->second.to_string()) : json(nullptr);
  view["interface"] = is_local ? json("local") : ifindex != 0 ? json(name_(ifindex)) : json(nullptr);
  view["weight"] = config.weight;
  view["effective_weight"] = known != nullptr ? known->weight(Family::kV4) : 0;
  view["family"] = config.family ? json(family_name(*config.family)) : json(nullptr);
  view["vlan"] = config.vlan ? (*config.vlan == 0 ? json("none") : json(*config.vlan)) : json(nullptr);
  view["admin"] = admin_name(admin.admin);
  const auto left = seconds_left(admin, AdminStates::Clock::now());
  view["deadline_s"] = left ? json(*left) : json(nullptr);
  view["health"] = is_reachable ? "unknown" : "down";
  if (admin.admin != Admin::kReady) {
    reason = admin.admin == Admin::kDown ? "the operator took it down" : "the operator drains it";
  } else if (is_reachable) {
    reason = is_local ? "this host itself" : "no advisor probes it";
  }
  view["reason"] = reason;
  add_flow_numbers(path, known, view);
  return view;
}

Reply ObjectViews::flows(const FlowsRequest& request) const {
  json list = json::array();
  std::uint64_t total = 0, half_open = 0, closing = 0;
  if (forwarding_ == nullptr) {
    return make_reply({{"total", 0}, {"capacity", 0}, {"half_open", 0}, {"closing", 0}, {"flows", std::move(list)}});
  }
  const auto paths = server_paths(forwarding_->plan());
  const auto port = request.server ? std::optional(request.server->port) : request.port;
  const auto read = forwarding_->read_flows([&](const FlowRecord& flow) {
    const auto owner = paths.find(flow.server);
    if (port && (owner == paths.end() || owner->second.port != *port)) return true;
    if (request.server && owner->second.server != request.server->server) return true;
    ++total;
    half_open += flow.phase == FlowPhase::kHalfOpen ? 1 : 0;
    closing += flow.phase == FlowPhase::kClosing ? 1 : 0;
    if (list.size() >= request.limit) return true;
    list.push_back(
        flow_view(flow, owner == paths.end() ? fmt::format("index {}", flow.server) : owner->second.to_string()));
    return true;
  });
  if (!read) return read.error();
  return make_reply({{"total", total},
                     {"capacity", forwarding_->tables().flow_details().size()},
                     {"half_open", half_open},
                     {"closing", closing},
                     {"flows", std::move(list)}});
}

}  // namespace xdplb
