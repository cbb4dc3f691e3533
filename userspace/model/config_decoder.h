// SPDX-License-Identifier: GPL-2.0-only
// Reads the objects of a configuration from JSON, step by step; config_json.h is what others call.
#pragma once

#include "model/config.h"
#include "model/json_text.h"
#include "model/port_changes.h"
#include "model/text.h"
#include "model/vipa_changes.h"

#include <fmt/format.h>

#include <cstdint>
#include <limits>
#include <nlohmann/json.hpp>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace xdplb {

// "an array", "true", ...: what was found where something else belongs.
std::string_view json_type_text(const nlohmann::json& value);

// Decodes a document from the root down. Each step returns false once something is wrong; failure() then says what and
// failed_path() where. The first problem wins.
class ConfigDecoder {
 public:
  using Json = nlohmann::json;

  bool config(const Json& value, const std::string& path, Config& config);
  bool cluster(const Json& value, const std::string& path, ClusterConfig& cluster);
  bool port(const Json& value, const std::string& path, PortConfig& port);
  bool server(const Json& value, const std::string& path, ServerConfig& server);
  // An object of options of a port and nothing else.
  bool port_changes(const Json& value, const std::string& path, PortChanges& changes);
  bool vipa(const Json& value, const std::string& path, VipaConfig& vipa);
  // An object of options of a VIPA, or of health, and nothing else.
  bool vipa_changes(const Json& value, const std::string& path, VipaChanges& changes);
  bool health_changes(const Json& value, const std::string& path, HealthChanges& changes);

  // One line that begins with the path, unless that is the root.
  const std::string& failure() const { return failure_; }
  const std::string& failed_path() const { return failed_path_; }

 private:
  template <typename T>
  using Step = bool (ConfigDecoder::*)(const Json&, const std::string&, T&);
  struct Range {
    unsigned min = 0;
    unsigned max = std::numeric_limits<unsigned>::max();
  };

  bool reject(const std::string& path, std::string_view text);
  bool check(const std::string& path, const Result<void>& result);
  bool keys(const Json& value, const std::string& path, std::span<const std::string_view> known);
  template <typename T>
  bool optional(const Json& object, const std::string& path, const char* key, T& field, Step<T> step);
  template <typename T>
  bool required(const Json& object, const std::string& path, const char* key, T& field, Step<T> step);
  template <typename T, Step<T> step>
  bool list(const Json& value, const std::string& path, std::vector<T>& field);

  bool text(const Json& value, const std::string& path, std::string& field);
  bool truth(const Json& value, const std::string& path, bool& field);
  bool number(const Json& value, const std::string& path, const Range& range, unsigned& field);
  // A word of an option; `parse` is of model/option_text.h.
  template <auto parse, typename Field>
  bool word(const Json& value, const std::string& path, Field& field);
  // What another step gives, as the value that changes.
  template <typename T, Step<T> step>
  bool some(const Json& value, const std::string& path, std::optional<T>& field);

  bool weight(const Json& value, const std::string& path, unsigned& field);
  bool port_number(const Json& value, const std::string& path, std::uint16_t& field);
  bool limit(const Json& value, const std::string& path, unsigned& field);
  bool duration(const Json& value, const std::string& path, const Range& range, unsigned& field);
  bool stale_timeout(const Json& value, const std::string& path, unsigned& field);
  bool sticky(const Json& value, const std::string& path, unsigned& field);
  bool sticky_mask(const Json& value, const std::string& path, PortChanges& changes);
  bool crossport(const Json& value, const std::string& path, std::optional<std::uint16_t>& field);
  bool vlan(const Json& value, const std::string& path, std::optional<std::uint16_t>& field);
  bool address(const Json& value, const std::string& path, IpAddress& field);
  bool cluster_addresses(const Json& value, const std::string& path, ClusterConfig& cluster);
  bool protocol(const Json& value, const std::string& path, Protocol& field);
  bool family(const Json& value, const std::string& path, std::optional<Family>& field);
  bool cluster_name(const Json& value, const std::string& path, std::string& field);
  bool server_name(const Json& value, const std::string& path, std::string& field);
  bool interfaces(const Json& value, const std::string& path, std::optional<std::vector<std::string>>& field);
  bool server_addresses(const Json& value, const std::string& path, ServerConfig& server);
  bool port_options(const Json& value, const std::string& path, PortChanges& changes);
  // ---- config_decoder_vipa.cpp
  template <unsigned min, unsigned max>
  bool time(const Json& value, const std::string& path, unsigned& field);
  template <unsigned min, unsigned max>
  bool count(const Json& value, const std::string& path, unsigned& field);
  bool refresh(const Json& value, const std::string& path, unsigned& field);
  bool list_entry(const Json& value, const std::string& path, std::string& field);
  bool preferred(const Json& value, const std::string& path, std::optional<std::vector<std::string>>& field);
  bool proxy(const Json& value, const std::string& path, std::optional<std::string>& field);
  bool vipa_options(const Json& value, const std::string& path, VipaChanges& changes);

  std::string failure_;
  std::string failed_path_;
};

template <typename T>
bool ConfigDecoder::optional(const Json& object, const std::string& path, const char* key, T& field, Step<T> step) {
  const auto found = object.find(key);
  return found == object.end() || (this->*step)(*found, child_path(path, key), field);
}

template <typename T>
bool ConfigDecoder::required(const Json& object, const std::string& path, const char* key, T& field, Step<T> step) {
  if (!object.contains(key)) return reject(path, fmt::format("key {} is missing", quote(key)));
  return optional(object, path, key, field, step);
}

template <typename T, ConfigDecoder::Step<T> step>
bool ConfigDecoder::list(const Json& value, const std::string& path, std::vector<T>& field) {
  if (!value.is_array()) return reject(path, fmt::format("expected an array, got {}", json_type_text(value)));
  field.reserve(value.size());
  for (const Json& element : value) {
    const std::string element_at = element_path(path, field.size());
    if (!(this->*step)(element, element_at, field.emplace_back())) return false;
  }
  return true;
}

template <auto parse, typename Field>
bool ConfigDecoder::word(const Json& value, const std::string& path, Field& field) {
  std::string written;
  if (!text(value, path, written)) return false;
  const auto parsed = parse(written);
  if (!parsed) return reject(path, parsed.error().message);
  field = *parsed;
  return true;
}

template <typename T, ConfigDecoder::Step<T> step>
bool ConfigDecoder::some(const Json& value, const std::string& path, std::optional<T>& field) {
  return (this->*step)(value, path, field.emplace());
}

}  // namespace xdplb
