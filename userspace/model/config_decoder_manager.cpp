// SPDX-License-Identifier: GPL-2.0-only
// Managers and user exits of a configuration.
#include "model/advisor_rules.h"
#include "model/config_decoder.h"
#include "model/option_text.h"

#include <array>
#include <numeric>

namespace xdplb {

using nlohmann::json;

namespace {

constexpr unsigned kMaxManagerInterval = 3600;  // seconds

}  // namespace

bool ConfigDecoder::proportions(const json& value, const std::string& path,
                                std::optional<std::array<unsigned, 4>>& field) {
  if (value.is_null()) return true;
  std::vector<unsigned> parts;
  if (!list<unsigned, &ConfigDecoder::count<0, 100>>(value, path, parts)) return false;
  if (parts.size() != 4) return reject(path, fmt::format("expected 4 numbers, got {}", parts.size()));
  const unsigned sum = std::accumulate(parts.begin(), parts.end(), 0U);
  if (sum != 100) return reject(path, fmt::format("they sum to {}, not 100", sum));
  std::copy(parts.begin(), parts.end(), field.emplace().begin());
  return true;
}

// Written as a number: 1.5.
bool ConfigDecoder::smoothing(const json& value, const std::string& path, unsigned& field) {
  if (!value.is_number()) return reject(path, fmt::format("expected a number, got {}", json_type_text(value)));
  const auto parsed = parse_smoothing(value.dump());
  if (!parsed) return reject(path, parsed.error().message);
  field = *parsed;
  return true;
}

bool ConfigDecoder::manager_changes(const json& value, const std::string& path, ManagerChanges& changes) {
  using Decoder = ConfigDecoder;
  using Proportions = std::optional<std::array<unsigned, 4>>;
  constexpr std::array<std::string_view, 7> kKeys = {"enabled",     "proportions", "interval",    "refresh",
                                                     "sensitivity", "smoothing",   "weight_bound"};
  const auto take = [&](const char* key, auto& field, auto step) { return optional(value, path, key, field, step); };
  return keys(value, path, kKeys) && take("enabled", changes.is_on, &Decoder::some<bool, &Decoder::truth>) &&
         take("proportions", changes.proportions, &Decoder::some<Proportions, &Decoder::proportions>) &&
         take("interval", changes.interval_s, &Decoder::some<unsigned, &Decoder::time<1, kMaxManagerInterval>>) &&
         take("refresh", changes.refresh, &Decoder::some<unsigned, &Decoder::count<1, 100>>) &&
         take("sensitivity", changes.sensitivity, &Decoder::some<unsigned, &Decoder::count<0, 100>>) &&
         take("smoothing", changes.smoothing_tenths, &Decoder::some<unsigned, &Decoder::smoothing>) &&
         take("weight_bound", changes.weight_bound, &Decoder::some<unsigned, &Decoder::count<1, 100>>);
}

// Who writes the object wants it on.
bool ConfigDecoder::manager(const json& value, const std::string& path, ManagerConfig& manager) {
  ManagerChanges changes;
  if (!manager_changes(value, path, changes)) return false;
  manager.is_on = true;
  changes.apply(manager);
  return true;
}

bool ConfigDecoder::command(const json& value, const std::string& path, std::vector<std::string>& field) {
  using Decoder = ConfigDecoder;
  if (!list<std::string, &Decoder::ruled<check_argument>>(value, path, field)) return false;
  if (field.empty()) return reject(path, "it is empty, name the program");
  if (const auto good = check_program(field.front()); !good) {
    return reject(element_path(path, 0), good.error().message);
  }
  if (field.size() <= kMaxArguments) return true;
  return reject(path, fmt::format("it has {} words, at most {} are possible", field.size(), kMaxArguments));
}

bool ConfigDecoder::user_exit(const json& value, const std::string& path, ExitConfig& field) {
  constexpr std::array<std::string_view, 3> kKeys = {"command", "user", "timeout"};
  return keys(value, path, kKeys) && required(value, path, "command", field.command, &ConfigDecoder::command) &&
         optional(value, path, "user", field.user, &ConfigDecoder::ruled<check_user>) &&
         optional(value, path, "timeout", field.timeout_s, &ConfigDecoder::time<1, kMaxExitTime>);
}

// In the order of kExitEvents, whatever that of the document is.
bool ConfigDecoder::exits(const json& value, const std::string& path, std::vector<ExitConfig>& exits) {
  std::array<std::string_view, kExitEvents.size()> names{};
  for (std::size_t i = 0; i < names.size(); ++i) names[i] = exit_event_name(kExitEvents[i]);
  if (!keys(value, path, names)) return false;
  for (const ExitEvent event : kExitEvents) {
    const std::string name(exit_event_name(event));
    if (!value.contains(name)) continue;
    ExitConfig& field = exits.emplace_back();
    field.event = event;
    if (!optional(value, path, name.c_str(), field, &ConfigDecoder::user_exit)) return false;
  }
  return true;
}

}  // namespace xdplb
