// SPDX-License-Identifier: GPL-2.0-only
#include "model/config_decoder.h"

#include "model/option_text.h"
#include "model/text.h"

#include <algorithm>
#include <array>
#include <cmath>

namespace xdplb {

using nlohmann::json;

namespace {

constexpr unsigned kMaxPort = 65535;
constexpr std::size_t kOptionKeys = 13;
// First the options, then what a port is.
constexpr std::array<std::string_view, kOptionKeys + 4> kPortKeys = {
    "pick",       "stale_timeout", "on_stale",       "no_server",       "sticky", "sticky_mask",
    "crossport",  "udp_tracking",  "new_flow_limit", "half_open_limit", "min_up", "on_all_down",
    "slow_start", "port",          "protocol",       "servers",         "advisor"};

}  // namespace

std::string_view json_type_text(const json& value) {
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

bool ConfigDecoder::reject(const std::string& path, std::string_view text) {
  failed_path_ = path;
  failure_ = path.empty() ? std::string(text) : fmt::format("{}: {}", path, text);
  return false;
}

// `result` names the path itself.
bool ConfigDecoder::check(const std::string& path, const Result<void>& result) {
  if (result) return true;
  failed_path_ = path;
  failure_ = result.error().message;
  return false;
}

bool ConfigDecoder::keys(const json& value, const std::string& path, std::span<const std::string_view> known) {
  if (!value.is_object()) return reject(path, fmt::format("expected an object, got {}", json_type_text(value)));
  for (const auto& item : value.items()) {
    const std::string& key = item.key();
    if (std::find(known.begin(), known.end(), key) != known.end()) continue;
    const auto meant = nearest(key, known);
    const std::string hint = meant ? fmt::format(", did you mean {}?", quote(*meant)) : "";
    return reject(child_path(path, key), "unknown key" + hint);
  }
  return true;
}

bool ConfigDecoder::text(const json& value, const std::string& path, std::string& field) {
  if (!value.is_string()) return reject(path, fmt::format("expected a string, got {}", json_type_text(value)));
  field = value.get_ref<const std::string&>();
  return true;
}

bool ConfigDecoder::truth(const json& value, const std::string& path, bool& field) {
  if (!value.is_boolean()) return reject(path, fmt::format("expected true or false, got {}", json_type_text(value)));
  field = value.get<bool>();
  return true;
}

bool ConfigDecoder::number(const json& value, const std::string& path, const Range& range, unsigned& field) {
  const std::string wanted = fmt::format("in {}..{}", range.min, range.max);
  if (!value.is_number()) {
    return reject(path, fmt::format("expected a whole number {}, got {}", wanted, json_type_text(value)));
  }
  if (value.is_number_float()) {
    // A whole number too large for 64 bits arrives as a float, too.
    const auto real = value.get<double>();
    const bool huge = std::fabs(real) >= 9.2e18;
    return reject(path, fmt::format("{} is not {}{}", value.dump(), huge ? "" : "a whole number ", wanted));
  }
  // A negative number wraps to one above any range.
  const auto wide = value.get<std::uint64_t>();
  if (wide < range.min || wide > range.max) return reject(path, fmt::format("{} is not {}", value.dump(), wanted));
  field = static_cast<unsigned>(wide);
  return true;
}

bool ConfigDecoder::weight(const json& value, const std::string& path, unsigned& field) {
  return number(value, path, {.min = 0, .max = kMaxWeight}, field);
}

bool ConfigDecoder::port_number(const json& value, const std::string& path, std::uint16_t& field) {
  unsigned wide = 0;
  if (!number(value, path, {.min = 0, .max = kMaxPort}, wide)) return false;
  field = static_cast<std::uint16_t>(wide);
  return true;
}

bool ConfigDecoder::limit(const json& value, const std::string& path, unsigned& field) {
  return number(value, path, {}, field);
}

bool ConfigDecoder::duration(const json& value, const std::string& path, const Range& range, unsigned& field) {
  if (value.is_number()) return number(value, path, range, field);
  if (!value.is_string()) {
    return reject(path, fmt::format("expected a time like \"90s\", got {}", json_type_text(value)));
  }
  const auto parsed = parse_duration(value.get_ref<const std::string&>(), range.min, range.max);
  if (!parsed) return reject(path, parsed.error().message);
  field = *parsed;
  return true;
}

bool ConfigDecoder::stale_timeout(const json& value, const std::string& path, unsigned& field) {
  return duration(value, path, {.min = 1, .max = kMaxTimeout}, field);
}

bool ConfigDecoder::sticky(const json& value, const std::string& path, unsigned& field) {
  return duration(value, path, {.min = 0, .max = kMaxTimeout}, field);
}

bool ConfigDecoder::sticky_mask(const json& value, const std::string& path, PortChanges& changes) {
  std::vector<std::string> texts;
  const bool is_read = value.is_array() ? list<std::string, &ConfigDecoder::text>(value, path, texts)
                                        : text(value, path, texts.emplace_back());
  if (!is_read) return false;
  const auto masks = parse_sticky_masks(texts);
  if (!masks) return reject(path, masks.error().message);
  changes.sticky_mask_v4 = masks->v4;
  changes.sticky_mask_v6 = masks->v6;
  return true;
}

bool ConfigDecoder::crossport(const json& value, const std::string& path, std::optional<std::uint16_t>& field) {
  if (value == "none") return true;
  return port_number(value, path, field.emplace());
}

bool ConfigDecoder::min_up(const json& value, const std::string& path, std::optional<MinUp>& field) {
  if (value.is_string()) return word<parse_min_up>(value, path, field);
  return number(value, path, {.min = 1, .max = kMaxMinUp}, field.emplace().value);
}

bool ConfigDecoder::tier(const json& value, const std::string& path, unsigned& field) {
  return number(value, path, {.min = 0, .max = kMaxTier}, field);
}

bool ConfigDecoder::vlan(const json& value, const std::string& path, std::optional<std::uint16_t>& field) {
  if (value.is_string()) return word<parse_vlan>(value, path, field);
  unsigned wide = 0;
  if (!number(value, path, {.min = 1, .max = kMaxVlan}, wide)) return false;
  field = static_cast<std::uint16_t>(wide);
  return true;
}

bool ConfigDecoder::address(const json& value, const std::string& path, IpAddress& field) {
  std::string written;
  if (!text(value, path, written)) return false;
  const auto parsed = IpAddress::parse(written);
  if (!parsed) return reject(path, fmt::format("{} is not an IPv4 or IPv6 address", quote(written)));
  field = *parsed;
  return true;
}

bool ConfigDecoder::cluster_addresses(const json& value, const std::string& path, ClusterConfig& cluster) {
  std::vector<std::string> texts;
  if (!list<std::string, &ConfigDecoder::text>(value, path, texts)) return false;
  for (std::size_t i = 0; i < texts.size(); ++i) {
    const auto added = add_cluster_address(texts[i], cluster.addresses, cluster.prefixes);
    if (!added) return reject(element_path(path, i), added.error().message);
  }
  return true;
}

bool ConfigDecoder::protocol(const json& value, const std::string& path, Protocol& field) {
  std::string written;
  if (!text(value, path, written)) return false;
  const auto parsed = parse_protocol(written);
  if (!parsed) return reject(path, fmt::format("{} is neither \"tcp\" nor \"udp\"", quote(written)));
  field = *parsed;
  return true;
}

bool ConfigDecoder::family(const json& value, const std::string& path, std::optional<Family>& field) {
  std::string written;
  if (!text(value, path, written)) return false;
  for (const Family family : {Family::kV4, Family::kV6}) {
    if (written == family_name(family)) field = family;
  }
  return field.has_value() || reject(path, fmt::format("{} is neither \"v4\" nor \"v6\"", quote(written)));
}

bool ConfigDecoder::cluster_name(const json& value, const std::string& path, std::string& field) {
  return text(value, path, field) && check(path, check_cluster_name(field, path));
}

bool ConfigDecoder::server_name(const json& value, const std::string& path, std::string& field) {
  return text(value, path, field) && check(path, check_name(field, path));
}

bool ConfigDecoder::interfaces(const json& value, const std::string& path,
                               std::optional<std::vector<std::string>>& field) {
  return list<std::string, &ConfigDecoder::text>(value, path, field.emplace());
}

bool ConfigDecoder::server(const json& value, const std::string& path, ServerConfig& server) {
  constexpr std::array<std::string_view, 9> kKeys = {"name", "address", "addresses",    "weight", "family",
                                                     "vlan", "tier",    "fixed_weight", "admin"};
  const bool decoded =
      keys(value, path, kKeys) && optional(value, path, "name", server.name, &ConfigDecoder::server_name) &&
      server_addresses(value, path, server) && optional(value, path, "weight", server.weight, &ConfigDecoder::weight) &&
      optional(value, path, "family", server.family, &ConfigDecoder::family) &&
      optional(value, path, "vlan", server.vlan, &ConfigDecoder::vlan) &&
      optional(value, path, "tier", server.tier, &ConfigDecoder::tier) &&
      optional(value, path, "fixed_weight", server.has_fixed_weight, &ConfigDecoder::truth) &&
      optional(value, path, "admin", server.admin, &ConfigDecoder::word<parse_admin, Admin>);
  if (decoded && server.name.empty()) server.name = server.address.to_string();
  return decoded;
}

// "address" or "addresses".
bool ConfigDecoder::server_addresses(const json& value, const std::string& path, ServerConfig& server) {
  if (!value.contains("addresses")) return required(value, path, "address", server.address, &ConfigDecoder::address);
  if (value.contains("address")) return reject(path, "say either \"address\" or \"addresses\"");
  std::vector<IpAddress> addresses;
  if (!optional(value, path, "addresses", addresses, &ConfigDecoder::list<IpAddress, &ConfigDecoder::address>)) {
    return false;
  }
  if (addresses.empty()) return reject(child_path(path, "addresses"), "it is empty, name at least one");
  server.address = addresses.front();
  server.further_addresses.assign(addresses.begin() + 1, addresses.end());
  return true;
}

bool ConfigDecoder::port_options(const json& value, const std::string& path, PortChanges& changes) {
  using Decoder = ConfigDecoder;
  const auto take = [&](const char* key, auto& field, auto step) { return optional(value, path, key, field, step); };
  return take("pick", changes.pick, &Decoder::word<parse_pick, std::optional<Pick>>) &&
         take("stale_timeout", changes.stale_timeout_s, &Decoder::some<unsigned, &Decoder::stale_timeout>) &&
         take("on_stale", changes.on_stale, &Decoder::word<parse_on_stale, std::optional<OnStale>>) &&
         take("no_server", changes.no_server, &Decoder::word<parse_no_server, std::optional<NoServer>>) &&
         take("sticky", changes.sticky_s, &Decoder::some<unsigned, &Decoder::sticky>) &&
         take("sticky_mask", changes, &Decoder::sticky_mask) &&
         take("crossport", changes.crossport, &Decoder::some<std::optional<std::uint16_t>, &Decoder::crossport>) &&
         take("udp_tracking", changes.udp_tracking, &Decoder::some<bool, &Decoder::truth>) &&
         take("new_flow_limit", changes.new_flow_limit, &Decoder::some<unsigned, &Decoder::limit>) &&
         take("half_open_limit", changes.half_open_limit, &Decoder::some<unsigned, &Decoder::limit>) &&
         take("min_up", changes.min_up, &Decoder::min_up) &&
         take("on_all_down", changes.on_all_down, &Decoder::word<parse_on_all_down, std::optional<OnAllDown>>) &&
         take("slow_start", changes.slow_start_s, &Decoder::some<unsigned, &Decoder::time<0, kMaxTimeout>>);
}

bool ConfigDecoder::port_changes(const json& value, const std::string& path, PortChanges& changes) {
  return keys(value, path, std::span(kPortKeys).first(kOptionKeys)) && port_options(value, path, changes);
}

bool ConfigDecoder::port(const json& value, const std::string& path, PortConfig& port) {
  using Decoder = ConfigDecoder;
  PortChanges options;
  const bool decoded =
      keys(value, path, kPortKeys) && required(value, path, "port", port.port, &Decoder::port_number) &&
      optional(value, path, "protocol", port.protocol, &Decoder::protocol) && port_options(value, path, options);
  options.apply(port);
  set_port_protocol(port.protocol);
  return decoded && optional(value, path, "advisor", port.advisor, &Decoder::some<AdvisorConfig, &Decoder::advisor>) &&
         optional(value, path, "servers", port.servers, &Decoder::list<ServerConfig, &Decoder::server>);
}

bool ConfigDecoder::cluster(const json& value, const std::string& path, ClusterConfig& cluster) {
  constexpr std::array<std::string_view, 5> kKeys = {"name", "addresses", "echo", "manager", "ports"};
  return keys(value, path, kKeys) && required(value, path, "name", cluster.name, &ConfigDecoder::cluster_name) &&
         required(value, path, "addresses", cluster, &ConfigDecoder::cluster_addresses) &&
         optional(value, path, "echo", cluster.echo, &ConfigDecoder::word<parse_echo, Echo>) &&
         optional(value, path, "manager", cluster.manager, &ConfigDecoder::manager) &&
         optional(value, path, "ports", cluster.ports, &ConfigDecoder::list<PortConfig, &ConfigDecoder::port>);
}

bool ConfigDecoder::config(const json& value, const std::string& path, Config& config) {
  constexpr std::array<std::string_view, 10> kKeys = {"interfaces", "secret", "peers", "decrement_ttl", "fix_host",
                                                      "health",     "guard",  "exits", "clusters",      "vipas"};
  using Mac = MacAddress;
  HealthChanges health;
  const bool decoded =
      keys(value, path, kKeys) && optional(value, path, "interfaces", config.interfaces, &ConfigDecoder::interfaces) &&
      optional(value, path, "secret", config.secret, &ConfigDecoder::text) &&
      optional(value, path, "peers", config.peers,
               &ConfigDecoder::list<Mac, &ConfigDecoder::word<MacAddress::parse, Mac>>) &&
      optional(value, path, "decrement_ttl", config.decrement_ttl, &ConfigDecoder::truth) &&
      optional(value, path, "fix_host", config.fix_host, &ConfigDecoder::truth) &&
      optional(value, path, "health", health, &ConfigDecoder::health_changes) &&
      optional(value, path, "guard", config.has_failure_guard, &ConfigDecoder::truth) &&
      optional(value, path, "exits", config.exits, &ConfigDecoder::exits) &&
      required(value, path, "clusters", config.clusters,
               &ConfigDecoder::list<ClusterConfig, &ConfigDecoder::cluster>) &&
      optional(value, path, "vipas", config.vipas, &ConfigDecoder::list<VipaConfig, &ConfigDecoder::vipa>);
  health.apply(config.health);
  return decoded;
}

}  // namespace xdplb
