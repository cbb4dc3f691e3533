// SPDX-License-Identifier: GPL-2.0-only
#include "model/config_json.h"

#include "model/advisor_json.h"
#include "model/config_decoder.h"
#include "model/option_text.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

namespace xdplb {
namespace {

using nlohmann::json;

// One object of an API body; its path is already in the failure.
template <typename T>
Result<T> decode_one(const json& object, const std::string& path,
                     bool (ConfigDecoder::*step)(const json&, const std::string&, T&)) {
  ConfigDecoder decoder;
  T result;
  if (!(decoder.*step)(object, path, result)) return fail(ErrorCode::kInvalidConfig, decoder.failure());
  return result;
}

// Decodes and validates; `line_of` turns a failed path into "line N: " or nothing.
template <typename LineOf>
Result<Config> decode_document(const json& document, std::string_view source, const LineOf& line_of) {
  ConfigDecoder decoder;
  Config config;
  if (!decoder.config(document, "", config)) {
    return fail(ErrorCode::kInvalidConfig,
                fmt::format("{}: {}{}", source, line_of(decoder.failed_path()), decoder.failure()));
  }
  if (const auto checked = validate(config); !checked) {
    return fail(checked.error().code, fmt::format("{}: {}", source, checked.error().message));
  }
  return config;
}

}  // namespace

Result<Config> decode_config(const json& document, std::string_view source) {
  return decode_document(document, source, [](const std::string&) { return std::string(); });
}

Result<Config> parse_config(std::string_view text, std::string_view source) {
  const auto document = parse_json(text, source);
  if (!document) return document.error();
  return decode_document(*document, source, [&](const std::string& path) {
    const auto line = find_line(text, path);
    return line ? fmt::format("line {}: ", *line) : std::string();
  });
}

Result<ServerConfig> decode_server(const json& object, const std::string& path) {
  return decode_one<ServerConfig>(object, path, &ConfigDecoder::server);
}

Result<PortConfig> decode_port(const json& object, const std::string& path) {
  return decode_one<PortConfig>(object, path, &ConfigDecoder::port);
}

Result<ClusterConfig> decode_cluster(const json& object, const std::string& path) {
  return decode_one<ClusterConfig>(object, path, &ConfigDecoder::cluster);
}

Result<PortChanges> decode_port_changes(const json& object, const std::string& path) {
  return decode_one<PortChanges>(object, path, &ConfigDecoder::port_changes);
}

Result<VipaChanges> decode_vipa_changes(const json& object, const std::string& path) {
  return decode_one<VipaChanges>(object, path, &ConfigDecoder::vipa_changes);
}

Result<HealthChanges> decode_health_changes(const json& object, const std::string& path) {
  return decode_one<HealthChanges>(object, path, &ConfigDecoder::health_changes);
}

json encode_config(const Config& config) {
  json document = json::object();
  if (config.interfaces) document["interfaces"] = *config.interfaces;
  if (!config.secret.empty()) document["secret"] = config.secret;
  for (const MacAddress& peer : config.peers) document["peers"].push_back(peer.to_string());
  if (config.decrement_ttl) document["decrement_ttl"] = true;
  if (config.fix_host) document["fix_host"] = true;
  if (const HealthChanges health = options_of(config.health); !health.is_empty()) {
    document["health"] = encode_health_changes(health);
  }
  if (!config.has_failure_guard) document["guard"] = false;
  if (!config.exits.empty()) document["exits"] = encode_exits(config.exits);
  json& clusters = document["clusters"] = json::array();
  for (const ClusterConfig& cluster : config.clusters) clusters.push_back(encode_cluster(cluster));
  for (const VipaConfig& vipa : config.vipas) document["vipas"].push_back(encode_vipa(vipa));
  return document;
}

json encode_vlan(const std::optional<std::uint16_t>& vlan) {
  const bool is_id = vlan && *vlan != 0;
  return is_id ? json(*vlan) : json(vlan_text(vlan));
}

void encode_adapters(std::span<const IpAddress> addresses, json& object) {
  if (addresses.size() == 1) {
    object["address"] = addresses.front().to_string();
  } else {
    object["addresses"] = address_texts(addresses, {});
  }
}

json encode_server(const ServerConfig& server) {
  json object = {{"name", server.name}, {"weight", server.weight}};
  encode_adapters(addresses_of(server), object);
  if (server.family) object["family"] = std::string(family_name(*server.family));
  if (server.vlan) object["vlan"] = encode_vlan(server.vlan);
  if (server.tier != 0) object["tier"] = server.tier;
  if (server.has_fixed_weight) object["fixed_weight"] = true;
  if (server.admin != Admin::kReady) object["admin"] = admin_name(server.admin);
  return object;
}

json encode_port_changes(const PortChanges& changes) {
  json object = json::object();
  if (changes.pick) object["pick"] = pick_name(*changes.pick);
  if (changes.stale_timeout_s) object["stale_timeout"] = duration_text(*changes.stale_timeout_s);
  if (changes.on_stale) object["on_stale"] = on_stale_name(*changes.on_stale);
  if (changes.no_server) object["no_server"] = no_server_name(*changes.no_server);
  if (changes.sticky_s) object["sticky"] = duration_text(*changes.sticky_s);
  if (changes.sticky_mask_v4 && changes.sticky_mask_v6) {
    object["sticky_mask"] = {mask_text(*changes.sticky_mask_v4), mask_text(*changes.sticky_mask_v6)};
  } else if (changes.sticky_mask_v4 || changes.sticky_mask_v6) {
    object["sticky_mask"] = mask_text(changes.sticky_mask_v4 ? *changes.sticky_mask_v4 : *changes.sticky_mask_v6);
  }
  if (changes.crossport) object["crossport"] = *changes.crossport ? json(**changes.crossport) : json("none");
  if (changes.udp_tracking) object["udp_tracking"] = *changes.udp_tracking;
  if (changes.new_flow_limit) object["new_flow_limit"] = *changes.new_flow_limit;
  if (changes.half_open_limit) object["half_open_limit"] = *changes.half_open_limit;
  if (changes.min_up) {
    object["min_up"] = changes.min_up->is_percent ? json(min_up_text(*changes.min_up)) : json(changes.min_up->value);
  }
  if (changes.on_all_down) object["on_all_down"] = on_all_down_name(*changes.on_all_down);
  if (changes.slow_start_s) object["slow_start"] = duration_text(*changes.slow_start_s);
  return object;
}

json encode_port(const PortConfig& port) {
  json object = encode_port_changes(options_of(port));
  object["port"] = port.port;
  object["protocol"] = protocol_name(port.protocol);
  if (port.advisor) object["advisor"] = encode_advisor(*port.advisor);
  json& servers = object["servers"] = json::array();
  for (const ServerConfig& server : port.servers) servers.push_back(encode_server(server));
  return object;
}

json encode_cluster(const ClusterConfig& cluster) {
  json object = {{"name", cluster.name}, {"addresses", address_texts(cluster.addresses, cluster.prefixes)}};
  if (cluster.echo != Echo::kServer) object["echo"] = echo_name(cluster.echo);
  if (cluster.manager != ManagerConfig{}) object["manager"] = encode_manager(cluster.manager);
  json& ports = object["ports"] = json::array();
  for (const PortConfig& port : cluster.ports) ports.push_back(encode_port(port));
  return object;
}

json encode_vipa(const VipaConfig& vipa) {
  json object = encode_vipa_changes(options_of(vipa));
  object["address"] = vipa.address.to_string();
  return object;
}

json encode_vipa_changes(const VipaChanges& changes) {
  json object = json::object();
  if (changes.preferred) object["preferred"] = *changes.preferred ? json(**changes.preferred) : json("auto");
  if (changes.proxy) object["proxy"] = changes.proxy->value_or("none");
  if (changes.is_local) object["local"] = *changes.is_local;
  if (changes.is_backup) object["backup"] = *changes.is_backup;
  if (changes.failback) object["failback"] = failback_name(*changes.failback);
  if (changes.hold_s) object["hold"] = duration_text(*changes.hold_s);
  if (changes.on_conflict) object["on_conflict"] = on_conflict_name(*changes.on_conflict);
  if (changes.probe) object["probe"] = duplicate_probe_name(*changes.probe);
  if (changes.refresh_s) object["refresh"] = duration_text(*changes.refresh_s);
  return object;
}

json encode_health_changes(const HealthChanges& changes) {
  json object = json::object();
  if (changes.reach_targets) object["reach_targets"] = address_texts(*changes.reach_targets, {});
  if (changes.needs_all_targets) object["reach_policy"] = reach_policy_name(*changes.needs_all_targets);
  if (changes.reach_interval_s) object["reach_interval"] = duration_text(*changes.reach_interval_s);
  if (changes.reach_missed) object["reach_missed"] = *changes.reach_missed;
  if (changes.up_delay_s) object["up_delay"] = duration_text(*changes.up_delay_s);
  if (changes.down_delay_s) object["down_delay"] = duration_text(*changes.down_delay_s);
  return object;
}

}  // namespace xdplb
