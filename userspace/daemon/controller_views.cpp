// SPDX-License-Identifier: GPL-2.0-only
// The Controller's replies: what is true now, its numbers read back from the maps (I1). Shapes: docs/api.md.
#include "daemon/advisor_views.h"
#include "daemon/controller.h"
#include "daemon/explain.h"
#include "daemon/status_problem.h"
#include "daemon/time_text.h"
#include "dataplane/outcome_names.h"
#include "model/config_json.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>

namespace xdplb {
namespace {

using nlohmann::json;

}  // namespace

namespace {

// Every server of a configuration with its port's plan.
template <typename Visitor>
void for_each_planned(const Plan& plan, Visitor&& visit) {
  for (const auto& [name, cluster] : plan.clusters)
    for (const auto& [path, port] : cluster.ports)
      for (const auto& server : port->servers) visit(path, server);
}

}  // namespace

ObjectViews Controller::objects() const {
  return ObjectViews({.forwarding = forwarding_.get(),
                      .resolver = *resolver_,
                      .admins = admins_,
                      .book = book_,
                      .advisors = advisors_.get(),
                      .name = [this](std::uint32_t ifindex) { return interface_name(ifindex); }});
}

std::string Controller::interface_name(std::uint32_t ifindex) const {
  const auto* link = monitor_->find_link(ifindex);
  return link != nullptr ? link->name : fmt::format("interface {}", ifindex);
}

void Controller::add_server_problems(json& found) const {
  for (const auto& cluster : config_.clusters) {
    for (const auto& port : cluster.ports) {
      const PortPath path{.cluster = cluster.name, .port = port.port, .protocol = port.protocol};
      bool any = false;
      for (const auto& server : port.servers) {
        const auto reason = forwarding_ ? resolver_->reason(addresses_of(server)) : std::string();
        any = any || (server.weight > 0 && reason.empty());
        const auto object = ServerPath{.port = path, .server = server.name}.to_string();
        if (!reason.empty()) found.push_back(problem("server_unresolved", object, reason));
        if (!forwarding_ || !reason.empty() || server.further_addresses.empty()) continue;
        for (const auto& address : addresses_of(server))
          if (const auto fault = resolver_->reason(address); !fault.empty())
            found.push_back(problem("adapter_down", object, fault));
      }
      if (!any) found.push_back(problem("port_without_server", path.to_string(), "no server can take new flows"));
    }
  }
}

json Controller::problems() const {
  json found = json::array();
  add_interface_problems(found);
  if (keeper_)
    for (auto& one : vipa_problems(vipa_context(), [this](const VipaConfig& vipa) { return proxy_of(vipa); }))
      found.push_back(std::move(one));
  add_server_problems(found);
  add_claimant_problems(found);
  add_advisor_problems(found);
  return found;
}

Config Controller::shown_config() const {
  Config config = config_;
  config.interfaces = loaded_names();
  return config;
}

Reply Controller::view(const LoadRequest& /*request*/, const Change& change) const {
  json warnings = json::array();
  for (const auto& interface : interfaces_)
    if (interface.attachment)
      for (const auto& warning : interface.attachment->warnings) warnings.push_back(warning);
  return make_reply(
      {{"changed", change.changed}, {"interfaces", interface_views()}, {"warnings", std::move(warnings)}});
}

Reply Controller::view(const UnloadRequest& /*request*/, const Change& change) const {
  return make_reply({{"interfaces", change.lines}, {"stopped", interfaces_.empty() && options_.started_by_load}});
}

Reply Controller::changed_cluster(const std::string& name, const Change& change) const {
  const auto* cluster = find_cluster(config_, name);
  return make_reply({{"changed", change.changed},
                     {"object", cluster != nullptr ? objects().cluster(*cluster) : json{{"name", name}}}});
}

Reply Controller::changed_port(const PortPath& path, const Change& change) const {
  const auto* cluster = find_cluster(config_, path.cluster);
  const auto* port = find_port(config_, path);
  return make_reply({{"changed", change.changed},
                     {"object", port != nullptr ? objects().port(*cluster, *port) : json{{"path", path.to_string()}}}});
}

Reply Controller::changed_server(const ServerPath& path, const Change& change) const {
  json object = {{"path", path.to_string()}};
  if (const auto* port = find_port(config_, path.port))
    for (auto& view : objects().servers(*find_cluster(config_, path.port.cluster), *port))
      if (view["name"] == path.server) object = std::move(view);
  return make_reply({{"changed", change.changed}, {"object", std::move(object)}});
}

Reply Controller::view(const ClusterAddRequest& request, const Change& change) const {
  return changed_cluster(request.cluster.name, change);
}
Reply Controller::view(const ClusterSetRequest& request, const Change& change) const {
  return changed_cluster(request.name, change);
}
Reply Controller::view(const ClusterRemoveRequest& request, const Change& change) const {
  return changed_cluster(request.name, change);
}
Reply Controller::view(const PortAddRequest& request, const Change& change) const {
  return changed_port({.cluster = request.cluster, .port = request.port.port, .protocol = request.port.protocol},
                      change);
}
Reply Controller::view(const PortSetRequest& request, const Change& change) const {
  return changed_port(request.path, change);
}
Reply Controller::view(const PortRemoveRequest& request, const Change& change) const {
  return changed_port(request.path, change);
}
Reply Controller::view(const ServerAddRequest& request, const Change& change) const {
  return changed_server({.port = request.port, .server = request.server.name}, change);
}
Reply Controller::view(const ServerSetRequest& request, const Change& change) const {
  return changed_server(request.path, change);
}
Reply Controller::view(const ServerAdminRequest& request, const Change& change) const {
  return changed_server(request.path, change);
}
Reply Controller::view(const ServerRemoveRequest& request, const Change& change) const {
  return changed_server(request.path, change);
}

namespace {

json health_config_view(const HealthConfig& health) {
  json targets = json::array();
  for (const auto& target : health.reach_targets) targets.push_back(target.to_string());
  return {{"reach_targets", std::move(targets)},
          {"reach_policy", health.needs_all_targets ? "all" : "any"},
          {"reach_interval_s", health.reach_interval_s},
          {"reach_missed", health.reach_missed},
          {"up_delay_s", health.up_delay_s},
          {"down_delay_s", health.down_delay_s}};
}

}  // namespace

Reply Controller::view(const SettingsSetRequest& /*request*/, const Change& change) const {
  json peers = json::array();
  for (const auto& peer : config_.peers) peers.push_back(peer.to_string());
  return make_reply({{"changed", change.changed},
                     {"object",
                      {{"peers", std::move(peers)},
                       {"decrement_ttl", config_.decrement_ttl},
                       {"fix_host", config_.fix_host},
                       {"guard", config_.has_failure_guard},
                       {"health", health_config_view(config_.health)}}}});
}

Reply Controller::view(const ConfigApplyRequest& request, const Change& change) const {
  return make_reply({{"changed", change.changed}, {"changes", change.lines}, {"dry_run", request.dry_run}});
}

Reply Controller::view(const StatusRequest& /*request*/) const {
  const auto uptime = std::chrono::system_clock::now() - started_;
  json clusters = json::array();
  for (const auto& cluster : config_.clusters) clusters.push_back(objects().cluster(cluster));
  return make_reply({{"instance", options_.instance.name},
                     {"pid", ::getpid()},
                     {"version", XDPLB_VERSION},
                     {"started_s", std::chrono::duration_cast<std::chrono::seconds>(uptime).count()},
                     {"interfaces", interface_views()},
                     {"clusters", std::move(clusters)},
                     {"vipas", keeper_ ? vipa_list_view(vipa_context()) : json::array()},
                     {"checks", advisors_ ? lateness_view(advisors_->lateness()) : json(nullptr)},
                     {"problems", problems()}});
}

Result<xdplb_counters> Controller::total() const {
  xdplb_counters sum{};
  if (!forwarding_) return sum;
  std::optional<Error> failure;
  for_each_planned(forwarding_->plan(), [&](const PortPath&, const PlannedServer& server) {
    const auto read = forwarding_->tables().read_counters(server.index);
    if (read)
      add(sum, *read);
    else
      failure = read.error();
  });
  if (failure) return *failure;
  return sum;
}

// Of all ports and clusters, and of packets for no VIPA.
Result<OutcomeSums> Controller::outcome_totals() const {
  auto sums = forwarding_->other_outcomes();
  if (!sums) return sums;
  const auto add_to = [&sums](const Result<OutcomeSums>& more) {
    if (more) add(*sums, *more);
    return more.has_value();
  };
  for (const auto& [name, cluster] : forwarding_->plan().clusters) {
    auto own = forwarding_->cluster_outcomes(name);
    if (!add_to(own)) return own;
    for (const auto& [path, port] : cluster.ports) {
      auto one = forwarding_->port_outcomes(path);
      if (!add_to(one)) return one;
    }
  }
  return sums;
}

Reply Controller::view(const DropsRequest& /*request*/) const {
  json views = json::array();
  std::array<std::uint64_t, XDPLB_OUTCOME_COUNT> counts{};
  if (forwarding_) {
    const auto read = outcome_totals();
    if (!read) return read.error();
    counts = *read;
    const auto sum = total();
    if (!sum) return sum.error();
    // The program counts a forwarded packet once, at its server; what did not go another way went back out.
    const auto others = counts[XDPLB_OUTCOME_REDIRECTED] + counts[XDPLB_OUTCOME_LOCAL];
    counts[XDPLB_OUTCOME_FORWARDED] = sum->packets > others ? sum->packets - others : 0;
  }
  for (const auto& outcome : outcome_names()) {
    views.push_back({{"outcome", outcome.name},
                     {"verdict", outcome.verdict},
                     {"packets", counts[outcome.outcome]},
                     {"meaning", outcome.meaning}});
  }
  return make_reply(std::move(views));
}

Reply Controller::view(const StatsRequest& /*request*/) const {
  const auto sum = total();
  if (!sum) return sum.error();
  auto outcomes = view(DropsRequest{});
  if (!outcomes) return outcomes;
  json servers = json::array();
  if (forwarding_) {
    for_each_planned(forwarding_->plan(), [&](const PortPath& path, const PlannedServer& server) {
      json view = counters_view(objects().counters(server));
      view["path"] = ServerPath{.port = path, .server = server.config.name}.to_string();
      servers.push_back(std::move(view));
    });
  }
  json reply = counters_view(*sum);
  reply["servers"] = std::move(servers);
  reply["outcomes"] = std::move(*outcomes);
  return make_reply(std::move(reply));
}

Reply Controller::view(const ExplainRequest& request) const {
  if (!forwarding_) return fail(ErrorCode::kFailed, "no interface is loaded: `xdplb load IFACE` first");
  if (request.source.address.family() != request.destination.address.family()) {
    return fail(ErrorCode::kUsage, fmt::format("{} and {} are not of one family; give both as IPv4 or both as IPv6",
                                               request.source.to_string(), request.destination.to_string()));
  }
  const auto vipa = keeper_ ? keeper_->status(request.destination.address) : std::nullopt;
  const std::uint32_t ingress = vipa ? vipa->report.owner : 0;
  return explain(request, *forwarding_, ingress, [this](std::uint32_t ifindex) { return interface_name(ifindex); });
}

Reply Controller::view(const FlowsRequest& request) const {
  if (request.port && find_port(config_, *request.port) == nullptr) return absent("port", request.port->to_string());
  if (request.server && find_server(config_, *request.server) == nullptr)
    return absent("server", request.server->to_string());
  return objects().flows(request);
}

Reply Controller::view(const EventsRequest& request) const {
  json views = json::array();
  for (const auto& event : events_.after(request.after)) {
    views.push_back({{"id", event.id},
                     {"time", time_text(event.time)},
                     {"code", event.code},
                     {"object", event.object},
                     {"text", event.text}});
  }
  return make_reply(std::move(views));
}

Reply Controller::view(const TraceRequest& request) {
  if (!forwarding_) return fail(ErrorCode::kFailed, "no interface is loaded: `xdplb load IFACE` first");
  return tracer_.poll(request, *forwarding_, [this](std::uint32_t ifindex) { return interface_name(ifindex); });
}

Reply Controller::view(const ClusterListRequest& request) const {
  if (request.name) {
    const auto* cluster = find_cluster(config_, *request.name);
    if (cluster == nullptr) return absent("cluster", *request.name);
    return make_reply(objects().cluster(*cluster));
  }
  json views = json::array();
  for (const auto& cluster : config_.clusters) views.push_back(objects().cluster(cluster));
  return make_reply(std::move(views));
}

Reply Controller::view(const PortListRequest& request) const {
  if (request.path) {
    const auto* port = find_port(config_, *request.path);
    if (port == nullptr) return absent("port", request.path->to_string());
    return make_reply(objects().port(*find_cluster(config_, request.path->cluster), *port));
  }
  if (request.cluster && find_cluster(config_, *request.cluster) == nullptr) return absent("cluster", *request.cluster);
  json views = json::array();
  for (const auto& cluster : config_.clusters)
    if (!request.cluster || *request.cluster == cluster.name)
      for (const auto& port : cluster.ports) views.push_back(objects().port(cluster, port));
  return make_reply(std::move(views));
}

Reply Controller::view(const ServerListRequest& request) const {
  const auto wanted = request.path ? std::optional(request.path->port) : request.port;
  if (wanted && find_port(config_, *wanted) == nullptr) return absent("port", wanted->to_string());
  if (request.path && find_server(config_, *request.path) == nullptr)
    return absent("server", request.path->to_string());
  json views = json::array();
  for (const auto& cluster : config_.clusters) {
    for (const auto& port : cluster.ports) {
      const PortPath path{.cluster = cluster.name, .port = port.port, .protocol = port.protocol};
      if (wanted && *wanted != path) continue;
      for (auto& view : objects().servers(cluster, port)) {
        if (request.path && view["name"] == request.path->server) return make_reply(std::move(view));
        views.push_back(std::move(view));
      }
    }
  }
  return make_reply(std::move(views));
}

Error Controller::absent(const char* kind, const std::string& name) {
  return fail(ErrorCode::kNotFound,
              fmt::format("{0} {1}: not found; `xdplb {0} list` shows those there are", kind, name));
}

Reply Controller::view(const ConfigShowRequest& /*request*/) const { return make_reply(encode_config(shown_config())); }

Reply Controller::view(const ConfigDiffRequest& request) const {
  const auto lines = changes_to(request.config);
  return make_reply({{"equal", lines.empty()}, {"changes", lines}});
}

}  // namespace xdplb
