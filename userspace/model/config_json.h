// SPDX-License-Identifier: GPL-2.0-only
// Config <-> JSON text, with errors that name line and column or the path of the key.
#pragma once

#include "model/config.h"
#include "model/json_text.h"
#include "model/port_changes.h"
#include "model/vipa_changes.h"

#include <nlohmann/json_fwd.hpp>

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace xdplb {

// Decodes a configuration document and validates it (model/config.h). Unknown keys are errors that name the path
// ("SOURCE: clusters[0].ports[1].servers[0].wieght: unknown key, did you mean \"weight\"?"), so are wrong types and
// ranges. Only "clusters", a cluster's "name" and "addresses", a port's "port", a VIPA's "address" and a server's
// "address" or "addresses" must be there: a server without a name gets its (first) address as its name; protocol
// defaults to tcp, weight to 10. Errors: kInvalidConfig, kConflict.
Result<Config> decode_config(const nlohmann::json& document, std::string_view source);

// parse_json + decode_config; where decoding fails the message names the line, too ("SOURCE: line 7: clusters[0]...").
Result<Config> parse_config(std::string_view text, std::string_view source);

// Decoders of one object, used for API bodies; `path` prefixes the messages. They do not validate across objects.
Result<ServerConfig> decode_server(const nlohmann::json& object, const std::string& path);
Result<PortConfig> decode_port(const nlohmann::json& object, const std::string& path);
Result<ClusterConfig> decode_cluster(const nlohmann::json& object, const std::string& path);
// Only options; none is an object without keys.
Result<PortChanges> decode_port_changes(const nlohmann::json& object, const std::string& path);
Result<VipaChanges> decode_vipa_changes(const nlohmann::json& object, const std::string& path);
Result<HealthChanges> decode_health_changes(const nlohmann::json& object, const std::string& path);

// The document that decode_config accepts and that gives `config` again. Protocol and weight are always written out,
// other options when they are not the default; "secret" when it is not empty.
nlohmann::json encode_config(const Config& config);
nlohmann::json encode_server(const ServerConfig& server);
nlohmann::json encode_vlan(const std::optional<std::uint16_t>& vlan);  // 100, "none" or "keep"
nlohmann::json encode_port_changes(const PortChanges& changes);
nlohmann::json encode_port(const PortConfig& port);
nlohmann::json encode_cluster(const ClusterConfig& cluster);
nlohmann::json encode_vipa(const VipaConfig& vipa);
nlohmann::json encode_vipa_changes(const VipaChanges& changes);
nlohmann::json encode_health_changes(const HealthChanges& changes);
// {"address": "192.0.2.21"}, or with several {"addresses": [...]}, added to the object.
void encode_adapters(std::span<const IpAddress> addresses, nlohmann::json& object);

}  // namespace xdplb
