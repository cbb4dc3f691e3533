// SPDX-License-Identifier: GPL-2.0-only
#include "daemon/object_views.h"

#include "daemon/advisor_views.h"
#include "dataplane/outcome_names.h"
#include "model/advisor_json.h"
#include "model/option_text.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

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

// A standing's reason names the family it is about; where it is said of both, it need not.
std::string without_family(std::string reason) {
  for (const std::string_view name : {" (IPv4)", " (IPv6)"})
    if (const auto at = reason.find(name); at != std::string::npos) reason.erase(at, name.size());
  return reason;
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
  for (const auto& one : cluster.ports) ports.push_back(port(cluster, one));
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

json ObjectViews::port(const ClusterConfig& cluster, const PortConfig& config) const {
  const PortPath path{.cluster = cluster.name, .port = config.port, .protocol = config.protocol};
  const auto planned = plan_of(path);
  const auto standing = standing_of(cluster, config);
  json servers = json::array();
  for (auto& one : this->servers(cluster, config)) servers.push_back(std::move(one));
  json view = {
      {"path", path.to_string()},
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
      {"min_up", config.min_up.is_percent ? json(fmt::format("{}%", config.min_up.value)) : json(config.min_up.value)},
      {"on_all_down", on_all_down_name(config.on_all_down)},
      {"slow_start_s", config.slow_start_s},
      {"up", {{"v4", standing.up[0]}, {"v6", standing.up[1]}}},
      {"all_down", {{"v4", standing.all_down[0]}, {"v6", standing.all_down[1]}}},
      {"tier", standing.tier},
      {"advisor", config.advisor ? encode_advisor(*config.advisor) : json(nullptr)},
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

PortStanding ObjectViews::standing_of(const ClusterConfig& cluster, const PortConfig& port) const {
  std::vector<ServerFacts> facts;
  facts.reserve(port.servers.size());
  for (const auto& server : port.servers) facts.push_back(book_.facts(cluster, port, server, forwarding_ != nullptr));
  return stand(port, facts, HealthClock::now());
}

std::vector<json> ObjectViews::servers(const ClusterConfig& cluster, const PortConfig& config) const {
  const PortPath path{.cluster = cluster.name, .port = config.port, .protocol = config.protocol};
  const auto standing = standing_of(cluster, config);
  const PortFacts facts{.cluster = cluster, .port = config, .path = path, .standing = standing};
  const auto planned = plan_of(path);
  const auto v4 = rows_by_server(planned.get(), Family::kV4);
  const auto v6 = rows_by_server(planned.get(), Family::kV6);
  std::vector<json> views;
  for (std::size_t place = 0; place < config.servers.size(); ++place) {
    const auto* known = planned ? planned->server_named(config.servers[place].name) : nullptr;
    const auto rows_in = [known](const auto& rows) {
      const auto found = known != nullptr ? rows.find(known->index) : rows.end();
      return found == rows.end() ? 0U : found->second;
    };
    views.push_back(this->server(facts, place, known));
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

// The merged word, who said it, and what each source says.
void ObjectViews::add_admin(const ServerPath& path, const ServerConfig& config, json& view) const {
  const auto words = book_.words(path, config);
  const auto source = words.source();
  view["admin"] = admin_name(words.admin());
  view["admin_source"] = source ? json(admin_source_name(*source)) : json(nullptr);
  json all = json::object();
  for (const auto one : kAdminSources) all[std::string(admin_source_name(one))] = admin_name(words.of(one));
  view["admins"] = std::move(all);
  const auto said = admins_.of(path);
  const auto left = seconds_left(said, AdminStates::Clock::now());
  view["deadline_s"] = left ? json(*left) : json(nullptr);
  view["daily"] = said.daily ? json({said.daily->first, said.daily->last}) : json(nullptr);
}

// Why it gets what it gets, by family where they differ.
void ObjectViews::add_health(const PortFacts& port, std::size_t place, const PlannedServer* known, json& view) const {
  const auto& config = port.port.servers[place];
  const auto facts = book_.facts(port.cluster, port.port, config, forwarding_ != nullptr);
  const bool is_local = known != nullptr && known->target && known->target->is_local;
  const std::string unreachable =
      forwarding_ != nullptr ? resolver_.reason(addresses_of(config)) : "no interface is loaded";
  bool is_checked = false;
  ByFamily<std::string> whys;
  std::vector<Family> served;
  for (const Family family : kFamilies) {
    const auto at = static_cast<std::size_t>(family);
    const bool is_served = serves_family(port.cluster, config, family);
    is_checked = is_checked || facts.is_checked[at];
    view[family == Family::kV4 ? "health_v4" : "health_v6"] =
        is_served ? json(health_name(facts.health[at])) : json(nullptr);
    if (!is_served) continue;
    served.push_back(family);
    whys[at] = without_family(port.standing.servers[place][at].reason);
  }
  std::vector<std::string> reasons;
  if (served.size() == 2 && whys[0] != whys[1]) {
    for (const Family family : served)
      if (const auto& why = whys[static_cast<std::size_t>(family)]; !why.empty())
        reasons.push_back(fmt::format("{}: {}", family == Family::kV4 ? "IPv4" : "IPv6", why));
  } else if (!served.empty() && !whys[static_cast<std::size_t>(served.front())].empty()) {
    reasons.push_back(whys[static_cast<std::size_t>(served.front())]);
  }
  const bool is_reachable = unreachable.empty() || is_local;
  view["health"] = !is_reachable ? "down" : std::string(health_name(overall_health(facts)));
  if (forwarding_ == nullptr) reasons = {unreachable};
  if (reasons.empty()) reasons = {is_local ? "this host itself" : is_checked ? "" : "no advisor probes it"};
  view["reason"] = fmt::format("{}", fmt::join(reasons, "; "));
  view["check"] =
      advisors_ != nullptr ? worst_check_view({.port = port.path, .server = config.name}, *advisors_) : json(nullptr);
}

json ObjectViews::server(const PortFacts& port, std::size_t place, const PlannedServer* known) const {
  const auto& config = port.port.servers[place];
  // I1: where its frames go is what the map says, not what was meant to be there.
  const auto stored = known != nullptr ? forwarding_->tables().server(known->index) : std::nullopt;
  const std::uint32_t ifindex = stored ? forwarding_->ifindex_of(stored->first & XDPLB_SERVER_EGRESS_MASK) : 0;
  const bool is_local = known != nullptr && known->target && known->target->is_local;
  const ServerPath own{.port = port.path, .server = config.name};
  json view = counters_view(known != nullptr ? counters(*known) : xdplb_counters{});
  view["path"] = own.to_string();
  view["name"] = config.name;
  view["address"] = config.address.to_string();
  add_adapters(config, known, view);
  view["mac"] = stored && !is_local ? json(stored->second.to_string()) : json(nullptr);
  view["interface"] = is_local ? json("local") : ifindex != 0 ? json(name_(ifindex)) : json(nullptr);
  view["weight"] = config.weight;
  const auto weight = [known](Family family) { return known != nullptr ? known->weight(family) : 0; };
  const bool has_v4 = serves_family(port.cluster, config, Family::kV4);
  view["effective_weight"] = weight(has_v4 ? Family::kV4 : Family::kV6);
  view["effective_weight_v6"] = weight(Family::kV6);
  view["tier"] = config.tier;
  view["fixed_weight"] = config.has_fixed_weight;
  view["family"] = config.family ? json(family_name(*config.family)) : json(nullptr);
  view["vlan"] = config.vlan ? (*config.vlan == 0 ? json("none") : json(*config.vlan)) : json(nullptr);
  add_admin(own, config, view);
  add_health(port, place, known, view);
  add_flow_numbers(port.path, known, view);
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
