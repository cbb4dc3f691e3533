// SPDX-License-Identifier: GPL-2.0-only
#include "control/problem_json.h"
#include "control/request_encoders.h"
#include "control/uri.h"
#include "model/config_json.h"
#include "model/option_text.h"

#include <nlohmann/json.hpp>

namespace xdplb {
namespace {

using nlohmann::json;

std::string cluster_target(std::string_view name) { return "/v1/clusters/" + encode_segment(name); }

std::string vipa_target(const IpAddress& address) { return "/v1/vipas/" + encode_segment(address.to_string()); }

json admin_body(bool is_disabled) { return {{"admin", is_disabled ? "disabled" : "enabled"}}; }

// With commas between them.
std::string join_list(const std::vector<std::string>& words) {
  std::string text;
  for (const auto& word : words) text += (text.empty() ? "" : ",") + word;
  return text;
}

struct Encoder : AdvisorEncoder {
  using AdvisorEncoder::operator();

  HttpCall operator()(const LoadRequest& request) const {
    json body = {
        {"interfaces", request.interfaces}, {"mode", attach_mode_name(request.mode)}, {"chain", request.chain}};
    if (request.fix_host) body["fix_host"] = true;
    return send("POST", "/v1/interfaces", body);
  }
  HttpCall operator()(const UnloadRequest& request) const {
    std::string target = "/v1/interfaces";
    char separator = '?';
    for (const std::string& name : request.interfaces) {
      target.append(1, separator).append("name=").append(encode_query_value(name));
      separator = '&';
    }
    return remove(std::move(target));
  }
  HttpCall operator()(const StatusRequest&) const { return get("/v1/status"); }
  HttpCall operator()(const StatsRequest&) const { return get("/v1/stats"); }
  HttpCall operator()(const DropsRequest&) const { return get("/v1/drops"); }
  HttpCall operator()(const FlowsRequest& request) const {
    std::string target = "/v1/flows" + query("limit", std::to_string(request.limit));
    if (request.port) target += "&port=" + encode_query_value(request.port->to_string());
    if (request.server) target += "&server=" + encode_query_value(request.server->to_string());
    return get(std::move(target));
  }
  HttpCall operator()(const EventsRequest& request) const {
    return get("/v1/events" + query("after", std::to_string(request.after)));
  }
  HttpCall operator()(const TraceRequest& request) const {
    std::string target =
        "/v1/trace" + query("after", std::to_string(request.after)) + "&sample=" + std::to_string(request.sample);
    if (!request.outcomes.empty()) target += "&outcomes=" + encode_query_value(join_list(request.outcomes));
    return get(std::move(target));
  }
  HttpCall operator()(const ExplainRequest& request) const {
    return get("/v1/explain" + query("source", request.source.to_string()) +
               "&destination=" + encode_query_value(request.destination.to_string()) +
               "&protocol=" + std::string(protocol_name(request.protocol)));
  }

  HttpCall operator()(const ClusterListRequest& request) const {
    return get(request.name ? cluster_target(*request.name) : "/v1/clusters");
  }
  HttpCall operator()(const ClusterAddRequest& request) const {
    return send("POST", "/v1/clusters", encode_cluster(request.cluster));
  }
  HttpCall operator()(const ClusterSetRequest& request) const {
    json body = json::object();
    if (request.addresses) body["addresses"] = address_texts(*request.addresses, request.prefixes);
    if (request.echo) body["echo"] = echo_name(*request.echo);
    return send("PATCH", cluster_target(request.name), body);
  }
  HttpCall operator()(const ClusterRemoveRequest& request) const { return remove(cluster_target(request.name)); }

  HttpCall operator()(const PortListRequest& request) const {
    if (request.path) return get("/v1/ports" + query("path", request.path->to_string()));
    return get(request.cluster ? "/v1/ports" + query("cluster", *request.cluster) : "/v1/ports");
  }
  HttpCall operator()(const PortAddRequest& request) const {
    json body = encode_port(request.port);
    body["cluster"] = request.cluster;
    return send("POST", "/v1/ports", body);
  }
  HttpCall operator()(const PortSetRequest& request) const {
    return send("PATCH", "/v1/ports" + query("path", request.path.to_string()), encode_port_changes(request.changes));
  }
  HttpCall operator()(const PortRemoveRequest& request) const {
    return remove("/v1/ports" + query("path", request.path.to_string()));
  }

  HttpCall operator()(const ServerListRequest& request) const {
    if (request.path) return get("/v1/servers" + query("path", request.path->to_string()));
    return get(request.port ? "/v1/servers" + query("port", request.port->to_string()) : "/v1/servers");
  }
  HttpCall operator()(const ServerAddRequest& request) const {
    json body = encode_server(request.server);
    body["port"] = request.port.to_string();
    return send("POST", "/v1/servers", body);
  }
  HttpCall operator()(const ServerSetRequest& request) const {
    json body = json::object();
    if (request.weight) body["weight"] = *request.weight;
    if (!request.addresses.empty()) encode_adapters(request.addresses, body);
    if (request.vlan) body["vlan"] = encode_vlan(*request.vlan);
    if (request.tier) body["tier"] = *request.tier;
    if (request.has_fixed_weight) body["fixed_weight"] = *request.has_fixed_weight;
    if (request.admin) body["admin"] = admin_name(*request.admin);
    return send("PATCH", "/v1/servers" + query("path", request.path.to_string()), body);
  }
  HttpCall operator()(const ServerAdminRequest& request) const {
    json body = {{"admin", admin_name(request.admin)}};
    if (request.deadline_s) body["deadline_s"] = *request.deadline_s;
    if (request.source != AdminSource::kOperator) body["source"] = admin_source_name(request.source);
    if (request.daily) body["daily"] = {request.daily->first, request.daily->last};
    return send("PUT", "/v1/servers/admin" + query("path", request.path.to_string()), body);
  }
  HttpCall operator()(const ServerRemoveRequest& request) const {
    return remove("/v1/servers" + query("path", request.path.to_string()));
  }

  HttpCall operator()(const SettingsSetRequest& request) const {
    json body = json::object();
    if (request.peers) {
      json& peers = body["peers"] = json::array();
      for (const MacAddress& peer : *request.peers) peers.push_back(peer.to_string());
    }
    if (request.decrement_ttl) body["decrement_ttl"] = *request.decrement_ttl;
    if (request.fix_host) body["fix_host"] = *request.fix_host;
    const HealthChanges health = request.health();
    if (!health.is_empty()) body["health"] = encode_health_changes(health);
    if (request.has_failure_guard) body["guard"] = *request.has_failure_guard;
    return send("PATCH", "/v1/settings", body);
  }

  HttpCall operator()(const InterfaceListRequest&) const { return get("/v1/interfaces"); }
  HttpCall operator()(const InterfaceAdminRequest& request) const {
    return send("PUT", "/v1/interfaces/" + encode_segment(request.name) + "/admin", admin_body(request.is_disabled));
  }

  HttpCall operator()(const VipaListRequest& request) const {
    return get(request.address ? vipa_target(*request.address) : "/v1/vipas");
  }
  HttpCall operator()(const VipaSetRequest& request) const {
    return send("PATCH", vipa_target(request.address), encode_vipa_changes(request.changes));
  }
  HttpCall operator()(const VipaMoveRequest& request) const {
    return send("PUT", vipa_target(request.address) + "/owner", {{"entry", request.entry}});
  }
  HttpCall operator()(const VipaResumeRequest& request) const {
    return remove(vipa_target(request.address) + "/owner");
  }
  HttpCall operator()(const VipaAdminRequest& request) const {
    return send("PUT", vipa_target(request.address) + "/admin", admin_body(request.is_disabled));
  }
  HttpCall operator()(const VipaRemoveRequest& request) const { return remove(vipa_target(request.address)); }

  HttpCall operator()(const ConfigShowRequest&) const { return get("/v1/config"); }
  HttpCall operator()(const ConfigDiffRequest& request) const {
    return send("POST", "/v1/config/diff", encode_config(request.config));
  }
  HttpCall operator()(const ConfigApplyRequest& request) const {
    return send("PUT", request.dry_run ? "/v1/config?dry_run=1" : "/v1/config", encode_config(request.config));
  }
};

}  // namespace

std::string query(std::string_view key, std::string_view value) {
  return "?" + std::string(key) + "=" + encode_query_value(value);
}

HttpCall get(std::string target) { return {.method = "GET", .target = std::move(target), .body = {}}; }

HttpCall remove(std::string target) { return {.method = "DELETE", .target = std::move(target), .body = {}}; }

HttpCall send(std::string method, std::string target, const json& body) {
  return {.method = std::move(method), .target = std::move(target), .body = dump_json(body)};
}

HttpCall encode_request(const Request& request) { return std::visit(Encoder{}, request); }

}  // namespace xdplb
