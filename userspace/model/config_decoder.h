// SPDX-License-Identifier: GPL-2.0-only
// Reads the objects of a configuration from JSON, step by step; config_json.h is what others call.
#pragma once

#include "model/config.h"
#include "model/json_text.h"
#include "model/port_changes.h"
#include "model/text.h"
#include "model/vipa_changes.h"

#include <fmt/format.h>

#include <array>
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
  bool advisor(const Json& value, const std::string& path, AdvisorConfig& advisor);
  bool manager_changes(const Json& value, const std::string& path, ManagerChanges& changes);
  bool exits(const Json& value, const std::string& path, std::vector<ExitConfig>& exits);

  // Of the port that an advisor is for, where it is not told by the document: dns asks a TCP port over TCP.
  void set_port_protocol(Protocol protocol) { port_protocol_ = protocol; }

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
  template <unsigned min, unsigned max>
  bool time(const Json& value, const std::string& path, unsigned& field);
  template <unsigned min, unsigned max>
  bool count(const Json& value, const std::string& path, unsigned& field);
  // ---- config_decoder_vipa.cpp
  bool refresh(const Json& value, const std::string& path, unsigned& field);
  bool list_entry(const Json& value, const std::string& path, std::string& field);
  bool preferred(const Json& value, const std::string& path, std::optional<std::vector<std::string>>& field);
  bool proxy(const Json& value, const std::string& path, std::optional<std::string>& field);
  bool vipa_options(const Json& value, const std::string& path, VipaChanges& changes);
  bool min_up(const Json& value, const std::string& path, std::optional<MinUp>& field);
  bool tier(const Json& value, const std::string& path, unsigned& field);
  // ---- config_decoder_manager.cpp
  bool manager(const Json& value, const std::string& path, ManagerConfig& manager);
  bool proportions(const Json& value, const std::string& path, std::optional<std::array<unsigned, 4>>& field);
  bool smoothing(const Json& value, const std::string& path, unsigned& field);
  bool user_exit(const Json& value, const std::string& path, ExitConfig& field);
  // A text that a rule of model/advisor_rules.h takes.
  template <auto rule>
  bool ruled(const Json& value, const std::string& path, std::string& field);
  bool command(const Json& value, const std::string& path, std::vector<std::string>& field);
  // ---- config_decoder_advisor.cpp
  bool advisor_keys(const Json& value, const std::string& path, const AdvisorConfig& advisor);
  bool advisor_times(const Json& value, const std::string& path, AdvisorConfig& advisor);
  bool advisor_way(const Json& value, const std::string& path, AdvisorConfig& advisor);
  bool advisor_needs(const Json& value, const std::string& path, const AdvisorConfig& advisor);
  bool probe_time(const Json& value, const std::string& path, unsigned& field);
  bool probed_port(const Json& value, const std::string& path, std::optional<std::uint16_t>& field);
  bool composite(const Json& value, const std::string& path, AdvisorConfig& advisor);
  bool composite_check(const Json& value, const std::string& path, AdvisorConfig& advisor);
  // ---- config_decoder_probe.cpp
  bool bytes(const Json& value, const std::string& path, std::string& field);
  bool match_text(const Json& value, const std::string& path, ReplyMatch& match);
  bool match_regex(const Json& value, const std::string& path, ReplyMatch& match);
  bool match(const Json& value, const std::string& path, std::optional<ReplyMatch>& field);
  bool http(const Json& value, const std::string& path, HttpOptions& http);
  bool http_headers(const Json& value, const std::string& path, HttpOptions& http);
  bool status(const Json& value, const std::string& path, StatusRange& field);
  bool statuses(const Json& value, const std::string& path, std::vector<StatusRange>& field);
  bool tls(const Json& value, const std::string& path, TlsOptions& tls);
  bool tcp_step(const Json& value, const std::string& path, TcpStep& field);
  bool tcp_steps(const Json& value, const std::string& path, std::vector<TcpStep>& field);
  bool dns(const Json& value, const std::string& path, DnsOptions& dns);
  bool udp(const Json& value, const std::string& path, UdpOptions& udp);
  bool payload(const Json& value, const std::string& path, std::string& field);
  bool exec(const Json& value, const std::string& path, ExecOptions& exec);

  std::string failure_;
  std::string failed_path_;
  Protocol port_protocol_ = Protocol::kUdp;
  bool is_in_composite_ = false;
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

template <unsigned min, unsigned max>
bool ConfigDecoder::time(const Json& value, const std::string& path, unsigned& field) {
  return duration(value, path, {.min = min, .max = max}, field);
}

template <unsigned min, unsigned max>
bool ConfigDecoder::count(const Json& value, const std::string& path, unsigned& field) {
  return number(value, path, {.min = min, .max = max}, field);
}

template <auto rule>
bool ConfigDecoder::ruled(const Json& value, const std::string& path, std::string& field) {
  if (!text(value, path, field)) return false;
  const auto good = rule(field);
  return good || reject(path, good.error().message);
}

template <typename T, ConfigDecoder::Step<T> step>
bool ConfigDecoder::some(const Json& value, const std::string& path, std::optional<T>& field) {
  return (this->*step)(value, path, field.emplace());
}

}  // namespace xdplb
