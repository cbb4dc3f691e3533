// SPDX-License-Identifier: GPL-2.0-only
#include "model/config_json.h"

#include "model/text.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <cmath>
#include <initializer_list>
#include <span>
#include <utility>

namespace xdplb {
namespace {

using nlohmann::json;

std::string_view type_text(const json& value) {
  switch (value.type()) {
    case json::value_t::null:
      return "null";
    case json::value_t::object:
      return "an object";
    case json::value_t::array:
      return "an array";
    case json::value_t::string:
      return "a string";
    case json::value_t::boolean:
      return value.get<bool>() ? "true" : "false";
    default:
      return "a number";
  }
}

// Decodes a document from the root down. Each step returns false once something is wrong; failure() then says what and
// failed_path() where. The first problem wins.
class Decoder {
 public:
  bool config(const json& value, const std::string& path, Config& config);
  bool cluster(const json& value, const std::string& path, ClusterConfig& cluster);
  bool port(const json& value, const std::string& path, PortConfig& port);
  bool server(const json& value, const std::string& path, ServerConfig& server);

  // One line that begins with the path, unless that is the root.
  const std::string& failure() const { return failure_; }
  const std::string& failed_path() const { return failed_path_; }

 private:
  template <typename T>
  using Step = bool (Decoder::*)(const json&, const std::string&, T&);

  bool reject(const std::string& path, std::string_view text);
  bool check(const std::string& path, const Result<void>& result);
  bool keys(const json& value, const std::string& path, std::initializer_list<std::string_view> known);
  template <typename T>
  bool optional(const json& object, const std::string& path, const char* key, T& field, Step<T> step);
  template <typename T>
  bool required(const json& object, const std::string& path, const char* key, T& field, Step<T> step);
  template <typename T, Step<T> step>
  bool list(const json& value, const std::string& path, std::vector<T>& field);

  bool text(const json& value, const std::string& path, std::string& field);
  bool number(const json& value, const std::string& path, unsigned max, unsigned& field);
  bool weight(const json& value, const std::string& path, unsigned& field);
  bool port_number(const json& value, const std::string& path, std::uint16_t& field);
  bool address(const json& value, const std::string& path, IpAddress& field);
  bool protocol(const json& value, const std::string& path, Protocol& field);
  bool family(const json& value, const std::string& path, std::optional<Family>& field);
  bool cluster_name(const json& value, const std::string& path, std::string& field);
  bool server_name(const json& value, const std::string& path, std::string& field);
  bool interfaces(const json& value, const std::string& path, std::optional<std::vector<std::string>>& field);

  std::string failure_;
  std::string failed_path_;
};

bool Decoder::reject(const std::string& path, std::string_view text) {
  failed_path_ = path;
  failure_ = path.empty() ? std::string(text) : fmt::format("{}: {}", path, text);
  return false;
}

// `result` names the path itself.
bool Decoder::check(const std::string& path, const Result<void>& result) {
  if (result) return true;
  failed_path_ = path;
  failure_ = result.error().message;
  return false;
}

bool Decoder::keys(const json& value, const std::string& path, std::initializer_list<std::string_view> known) {
  if (!value.is_object()) return reject(path, fmt::format("expected an object, got {}", type_text(value)));
  for (const auto& item : value.items()) {
    const std::string& key = item.key();
    if (std::find(known.begin(), known.end(), key) != known.end()) continue;
    const auto meant = nearest(key, std::span(known.begin(), known.size()));
    const std::string hint = meant ? fmt::format(", did you mean {}?", quote(*meant)) : "";
    return reject(child_path(path, key), "unknown key" + hint);
  }
  return true;
}

template <typename T>
bool Decoder::optional(const json& object, const std::string& path, const char* key, T& field, Step<T> step) {
  const auto found = object.find(key);
  return found == object.end() || (this->*step)(*found, child_path(path, key), field);
}

template <typename T>
bool Decoder::required(const json& object, const std::string& path, const char* key, T& field, Step<T> step) {
  if (!object.contains(key)) return reject(path, fmt::format("key {} is missing", quote(key)));
  return optional(object, path, key, field, step);
}

template <typename T, Decoder::Step<T> step>
bool Decoder::list(const json& value, const std::string& path, std::vector<T>& field) {
  if (!value.is_array()) return reject(path, fmt::format("expected an array, got {}", type_text(value)));
  field.reserve(value.size());
  for (const json& element : value) {
    const std::string element_at = element_path(path, field.size());
    if (!(this->*step)(element, element_at, field.emplace_back())) return false;
  }
  return true;
}

bool Decoder::text(const json& value, const std::string& path, std::string& field) {
  if (!value.is_string()) return reject(path, fmt::format("expected a string, got {}", type_text(value)));
  field = value.get_ref<const std::string&>();
  return true;
}

bool Decoder::number(const json& value, const std::string& path, unsigned max, unsigned& field) {
  if (!value.is_number()) {
    return reject(path, fmt::format("expected a whole number in 0..{}, got {}", max, type_text(value)));
  }
  if (value.is_number_float()) {
    // A whole number too large for 64 bits arrives as a float, too.
    const auto real = value.get<double>();
    const bool huge = std::fabs(real) >= 9.2e18;
    return reject(path, fmt::format("{} is not {}in 0..{}", value.dump(), huge ? "" : "a whole number ", max));
  }
  // A negative number wraps to one above any `max`.
  if (value.get<std::uint64_t>() > max) {
    return reject(path, fmt::format("{} is not in 0..{}", value.dump(), max));
  }
  field = value.get<unsigned>();
  return true;
}

bool Decoder::weight(const json& value, const std::string& path, unsigned& field) {
  return number(value, path, kMaxWeight, field);
}

bool Decoder::port_number(const json& value, const std::string& path, std::uint16_t& field) {
  unsigned wide = 0;
  if (!number(value, path, 65535, wide)) return false;
  field = static_cast<std::uint16_t>(wide);
  return true;
}

bool Decoder::address(const json& value, const std::string& path, IpAddress& field) {
  std::string written;
  if (!text(value, path, written)) return false;
  const auto parsed = IpAddress::parse(written);
  if (!parsed) return reject(path, fmt::format("{} is not an IPv4 or IPv6 address", quote(written)));
  field = *parsed;
  return true;
}

bool Decoder::protocol(const json& value, const std::string& path, Protocol& field) {
  std::string written;
  if (!text(value, path, written)) return false;
  const auto parsed = parse_protocol(written);
  if (!parsed) return reject(path, fmt::format("{} is neither \"tcp\" nor \"udp\"", quote(written)));
  field = *parsed;
  return true;
}

bool Decoder::family(const json& value, const std::string& path, std::optional<Family>& field) {
  std::string written;
  if (!text(value, path, written)) return false;
  for (const Family family : {Family::kV4, Family::kV6}) {
    if (written == family_name(family)) field = family;
  }
  return field.has_value() || reject(path, fmt::format("{} is neither \"v4\" nor \"v6\"", quote(written)));
}

bool Decoder::cluster_name(const json& value, const std::string& path, std::string& field) {
  return text(value, path, field) && check(path, check_cluster_name(field, path));
}

bool Decoder::server_name(const json& value, const std::string& path, std::string& field) {
  return text(value, path, field) && check(path, check_name(field, path));
}

bool Decoder::interfaces(const json& value, const std::string& path, std::optional<std::vector<std::string>>& field) {
  return list<std::string, &Decoder::text>(value, path, field.emplace());
}

bool Decoder::server(const json& value, const std::string& path, ServerConfig& server) {
  const bool decoded = keys(value, path, {"name", "address", "weight", "family"}) &&
                       optional(value, path, "name", server.name, &Decoder::server_name) &&
                       required(value, path, "address", server.address, &Decoder::address) &&
                       optional(value, path, "weight", server.weight, &Decoder::weight) &&
                       optional(value, path, "family", server.family, &Decoder::family);
  if (decoded && server.name.empty()) server.name = server.address.to_string();
  return decoded;
}

bool Decoder::port(const json& value, const std::string& path, PortConfig& port) {
  return keys(value, path, {"port", "protocol", "servers"}) &&
         required(value, path, "port", port.port, &Decoder::port_number) &&
         optional(value, path, "protocol", port.protocol, &Decoder::protocol) &&
         optional(value, path, "servers", port.servers, &Decoder::list<ServerConfig, &Decoder::server>);
}

bool Decoder::cluster(const json& value, const std::string& path, ClusterConfig& cluster) {
  return keys(value, path, {"name", "addresses", "ports"}) &&
         required(value, path, "name", cluster.name, &Decoder::cluster_name) &&
         required(value, path, "addresses", cluster.addresses, &Decoder::list<IpAddress, &Decoder::address>) &&
         optional(value, path, "ports", cluster.ports, &Decoder::list<PortConfig, &Decoder::port>);
}

bool Decoder::config(const json& value, const std::string& path, Config& config) {
  return keys(value, path, {"interfaces", "secret", "clusters"}) &&
         optional(value, path, "interfaces", config.interfaces, &Decoder::interfaces) &&
         optional(value, path, "secret", config.secret, &Decoder::text) &&
         required(value, path, "clusters", config.clusters, &Decoder::list<ClusterConfig, &Decoder::cluster>);
}

// One object of an API body; its path is already in the failure.
template <typename T>
Result<T> decode_one(const json& object, const std::string& path,
                     bool (Decoder::*step)(const json&, const std::string&, T&)) {
  Decoder decoder;
  T result;
  if (!(decoder.*step)(object, path, result)) return fail(ErrorCode::kInvalidConfig, decoder.failure());
  return result;
}

// Decodes and validates; `line_of` turns a failed path into "line N: " or nothing.
template <typename LineOf>
Result<Config> decode_document(const json& document, std::string_view source, const LineOf& line_of) {
  Decoder decoder;
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
  return decode_one<ServerConfig>(object, path, &Decoder::server);
}

Result<PortConfig> decode_port(const json& object, const std::string& path) {
  return decode_one<PortConfig>(object, path, &Decoder::port);
}

Result<ClusterConfig> decode_cluster(const json& object, const std::string& path) {
  return decode_one<ClusterConfig>(object, path, &Decoder::cluster);
}

json encode_config(const Config& config) {
  json document = json::object();
  if (config.interfaces) document["interfaces"] = *config.interfaces;
  if (!config.secret.empty()) document["secret"] = config.secret;
  json& clusters = document["clusters"] = json::array();
  for (const ClusterConfig& cluster : config.clusters) clusters.push_back(encode_cluster(cluster));
  return document;
}

json encode_server(const ServerConfig& server) {
  json object = {{"name", server.name}, {"address", server.address.to_string()}, {"weight", server.weight}};
  if (server.family) object["family"] = std::string(family_name(*server.family));
  return object;
}

json encode_port(const PortConfig& port) {
  json object = {{"port", port.port}, {"protocol", std::string(protocol_name(port.protocol))}};
  json& servers = object["servers"] = json::array();
  for (const ServerConfig& server : port.servers) servers.push_back(encode_server(server));
  return object;
}

json encode_cluster(const ClusterConfig& cluster) {
  json object = {{"name", cluster.name}};
  json& addresses = object["addresses"] = json::array();
  for (const IpAddress& address : cluster.addresses) addresses.push_back(address.to_string());
  json& ports = object["ports"] = json::array();
  for (const PortConfig& port : cluster.ports) ports.push_back(encode_port(port));
  return object;
}

}  // namespace xdplb
