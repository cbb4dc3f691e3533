// SPDX-License-Identifier: GPL-2.0-only
#include "model/config_json.h"

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

json encode_config(const Config& config) {
  json document = json::object();
  if (config.interfaces) document["interfaces"] = *config.interfaces;
  if (!config.secret.empty()) document["secret"] = config.secret;
  for (const MacAddress& peer : config.peers) document["peers"].push_back(peer.to_string());
  if (config.decrement_ttl) document["decrement_ttl"] = true;
  json& clusters = document["clusters"] = json::array();
  for (const ClusterConfig& cluster : config.clusters) clusters.push_back(encode_cluster(cluster));
  return document;
}

json encode_vlan(const std::optional<std::uint16_t>& vlan) {
  const bool is_id = vlan && *vlan != 0;
  return is_id ? json(*vlan) : json(vlan_text(vlan));
}

json encode_server(const ServerConfig& server) {
  json object = {{"name", server.name}, {"address", server.address.to_string()}, {"weight", server.weight}};
  if (server.family) object["family"] = std::string(family_name(*server.family));
  if (server.vlan) object["vlan"] = encode_vlan(server.vlan);
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
  return object;
}

json encode_port(const PortConfig& port) {
  json object = encode_port_changes(options_of(port));
  object["port"] = port.port;
  object["protocol"] = protocol_name(port.protocol);
  json& servers = object["servers"] = json::array();
  for (const ServerConfig& server : port.servers) servers.push_back(encode_server(server));
  return object;
}

json encode_cluster(const ClusterConfig& cluster) {
  json object = {{"name", cluster.name}, {"addresses", address_texts(cluster.addresses, cluster.prefixes)}};
  if (cluster.echo != Echo::kServer) object["echo"] = echo_name(cluster.echo);
  json& ports = object["ports"] = json::array();
  for (const PortConfig& port : cluster.ports) ports.push_back(encode_port(port));
  return object;
}

}  // namespace xdplb
