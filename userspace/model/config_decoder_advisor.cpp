// SPDX-License-Identifier: GPL-2.0-only
// Advisors of a configuration: what all types have, and what belongs to which.
#include "model/advisor_keys.h"
#include "model/advisor_rules.h"
#include "model/config_decoder.h"
#include "model/option_text.h"

#include <algorithm>
#include <array>

namespace xdplb {

using nlohmann::json;

namespace {

constexpr auto kKeyNames = [] {
  std::array<std::string_view, kAdvisorKeys.size()> names{};
  for (std::size_t i = 0; i < names.size(); ++i) names[i] = kAdvisorKeys[i].name;
  return names;
}();

// The key of kAdvisorKeys that `key` of an object is: "path": "own" is another way to write "via". nullptr: unknown.
const AdvisorKey* find_key(std::string_view key, const json& value) {
  const bool is_way = key == "path" && value.is_string() && parse_probe_way(value.get_ref<const std::string&>());
  const std::string_view name = is_way ? "via" : key;
  const auto found =
      std::find_if(kAdvisorKeys.begin(), kAdvisorKeys.end(), [&](const AdvisorKey& each) { return each.name == name; });
  return found == kAdvisorKeys.end() ? nullptr : &*found;
}

}  // namespace

bool ConfigDecoder::probe_time(const json& value, const std::string& path, unsigned& field) {
  if (value.is_number()) {
    if (!number(value, path, {.min = 1, .max = kMaxProbeTime / 1000}, field)) return false;
    field *= 1000;
    return true;
  }
  if (!value.is_string()) {
    return reject(path, fmt::format("expected a time like \"2s\" or \"500ms\", got {}", json_type_text(value)));
  }
  const auto parsed = parse_milliseconds(value.get_ref<const std::string&>(), kMinProbeTime, kMaxProbeTime);
  if (!parsed) return reject(path, parsed.error().message);
  field = *parsed;
  return true;
}

bool ConfigDecoder::probed_port(const json& value, const std::string& path, std::optional<std::uint16_t>& field) {
  unsigned wide = 0;
  if (!number(value, path, {.min = 1, .max = 65535}, wide)) return false;
  field = static_cast<std::uint16_t>(wide);
  return true;
}

// Whether all keys belong to the type, and to where the object is.
bool ConfigDecoder::advisor_keys(const json& value, const std::string& path, const AdvisorConfig& advisor) {
  for (const auto& item : value.items()) {
    const AdvisorKey* const key = find_key(item.key(), item.value());
    if (key == nullptr) continue;  // keys() has seen to it
    const std::string key_at = child_path(path, item.key());
    if (!is_in(key->types, advisor.type)) {
      return reject(key_at, fmt::format("is for {}, the type is {}", key->whose, advisor_type_name(advisor.type)));
    }
    if (is_in_composite_ && key->is_of_composite) return reject(key_at, "is the composite's to say, not a check's");
  }
  return true;
}

bool ConfigDecoder::advisor_way(const json& value, const std::string& path, AdvisorConfig& advisor) {
  const auto written = value.find("path");
  const bool is_in_path = written != value.end() && find_key("path", *written)->name == "via";
  if (is_in_path && value.contains("via")) return reject(child_path(path, "path"), "say it by \"via\" only");
  return optional(value, path, is_in_path ? "path" : "via", advisor.way,
                  &ConfigDecoder::word<parse_probe_way, ProbeWay>);
}

bool ConfigDecoder::advisor_times(const json& value, const std::string& path, AdvisorConfig& advisor) {
  using Decoder = ConfigDecoder;
  constexpr auto kCount = &Decoder::count<1, kMaxContradicting>;
  const auto take = [&](const char* key, auto& field, auto step) { return optional(value, path, key, field, step); };
  return take("interval", advisor.interval_ms, &Decoder::probe_time) &&
         take("fast_interval", advisor.fast_interval_ms, &Decoder::some<unsigned, &Decoder::probe_time>) &&
         take("down_interval", advisor.down_interval_ms, &Decoder::some<unsigned, &Decoder::probe_time>) &&
         take("connect_timeout", advisor.connect_timeout_ms, &Decoder::probe_time) &&
         take("receive_timeout", advisor.receive_timeout_ms, &Decoder::probe_time) &&
         take("fall", advisor.fall, kCount) && take("rise", advisor.rise, kCount) &&
         take("watch", advisor.watches, &Decoder::truth);
}

// What a type cannot do without.
bool ConfigDecoder::advisor_needs(const json& value, const std::string& path, const AdvisorConfig& advisor) {
  struct Need {
    AdvisorType type;
    const char* key;
  };
  constexpr std::array<Need, 5> kNeeds = {{{AdvisorType::kTcp, "steps"},
                                           {AdvisorType::kUdp, "silence"},
                                           {AdvisorType::kAgent, "port"},
                                           {AdvisorType::kExec, "command"},
                                           {AdvisorType::kComposite, "checks"}}};
  for (const Need& need : kNeeds) {
    if (need.type != advisor.type || value.contains(need.key)) continue;
    return reject(path,
                  fmt::format("key {} is missing, type {} needs it", quote(need.key), advisor_type_name(advisor.type)));
  }
  constexpr std::array<const char*, 4> kTlsKeys = {"verify", "ca_file", "server_name", "alpn"};
  if (advisor.type == AdvisorType::kHttps || advisor.use_tls) return true;
  for (const char* const key : kTlsKeys) {
    if (value.contains(key)) return reject(child_path(path, key), "needs \"tls\": true");
  }
  return true;
}

bool ConfigDecoder::composite_check(const json& value, const std::string& path, AdvisorConfig& advisor) {
  is_in_composite_ = true;
  const bool decoded = this->advisor(value, path, advisor);
  is_in_composite_ = false;
  return decoded;
}

bool ConfigDecoder::composite(const json& value, const std::string& path, AdvisorConfig& advisor) {
  using Decoder = ConfigDecoder;
  const std::string checks_at = child_path(path, "checks");
  const std::string at_least_at = child_path(path, "at_least");
  // Of an object that is no array the step says so.
  if (const auto checks = value.find("checks"); checks != value.end() && checks->is_array()) {
    if (checks->empty()) return reject(checks_at, "it is empty, name at least one");
    if (checks->size() > kMaxChecks) {
      return reject(checks_at, fmt::format("there are {}, at most {} are possible", checks->size(), kMaxChecks));
    }
  }
  if (!optional(value, path, "checks", advisor.checks, &Decoder::list<AdvisorConfig, &Decoder::composite_check>) ||
      !optional(value, path, "combine", advisor.combine, &Decoder::word<parse_combine, Combine>) ||
      !optional(value, path, "at_least", advisor.at_least, &Decoder::count<1, kMaxChecks>)) {
    return false;
  }
  if (advisor.combine != Combine::kAtLeast) {
    return advisor.at_least == 0 || reject(at_least_at, "needs \"combine\": \"at-least\"");
  }
  if (advisor.at_least == 0) return reject(path, "key \"at_least\" is missing, combine at-least needs it");
  if (advisor.at_least <= advisor.checks.size()) return true;
  return reject(at_least_at, fmt::format("{} of {} checks are not possible", advisor.at_least, advisor.checks.size()));
}

bool ConfigDecoder::advisor(const json& value, const std::string& path, AdvisorConfig& advisor) {
  using Decoder = ConfigDecoder;
  if (!keys(value, path, kKeyNames) ||
      !required(value, path, "type", advisor.type, &Decoder::word<parse_advisor_type, AdvisorType>)) {
    return false;
  }
  if (is_in_composite_ && advisor.type == AdvisorType::kComposite) {
    return reject(path, "a composite cannot be in another one");
  }
  advisor.dns.over_tcp = advisor.type == AdvisorType::kDns && port_protocol_ == Protocol::kTcp;
  if (!advisor_keys(value, path, advisor) || !advisor_way(value, path, advisor) ||
      !optional(value, path, "port", advisor.port, &Decoder::probed_port) || !advisor_times(value, path, advisor) ||
      !optional(value, path, "tls", advisor.use_tls, &Decoder::truth) || !advisor_needs(value, path, advisor) ||
      !tls(value, path, advisor.tls)) {
    return false;
  }
  switch (advisor.type) {
    case AdvisorType::kHttp:
    case AdvisorType::kHttps:
      return http(value, path, advisor.http);
    case AdvisorType::kTcp:
      return optional(value, path, "steps", advisor.steps, &Decoder::tcp_steps);
    case AdvisorType::kDns:
      return dns(value, path, advisor.dns);
    case AdvisorType::kUdp:
      return udp(value, path, advisor.udp);
    case AdvisorType::kExec:
      return exec(value, path, advisor.exec);
    case AdvisorType::kComposite:
      return composite(value, path, advisor);
    default:
      return true;
  }
}

}  // namespace xdplb
