// SPDX-License-Identifier: GPL-2.0-only
// VIPAs and health of a configuration.
#include "model/config_decoder.h"
#include "model/option_text.h"

#include <array>
#include <utility>

namespace xdplb {

using nlohmann::json;

namespace {

constexpr std::size_t kVipaOptions = 9;
// First the options, then what a VIPA is.
constexpr std::array<std::string_view, kVipaOptions + 1> kVipaKeys = {
    "preferred", "proxy", "local", "backup", "failback", "hold", "on_conflict", "probe", "refresh", "address"};

}  // namespace

bool ConfigDecoder::refresh(const json& value, const std::string& path, unsigned& field) {
  if (value.is_string()) return word<parse_refresh>(value, path, field);
  if (!time<0, kMaxVipaTime>(value, path, field)) return false;
  if (field == 0 || field >= kMinRefresh) return true;
  return reject(path, fmt::format("{} is neither 0, for never, nor in {}..{}", field, kMinRefresh, kMaxVipaTime));
}

bool ConfigDecoder::list_entry(const json& value, const std::string& path, std::string& field) {
  if (!text(value, path, field)) return false;
  const auto good = check_list_entry(field);
  return good || reject(path, good.error().message);
}

bool ConfigDecoder::preferred(const json& value, const std::string& path,
                              std::optional<std::vector<std::string>>& field) {
  if (value == "auto") return true;
  if (value == "none") {
    field.emplace();
    return true;
  }
  if (value.is_string())
    return reject(path, fmt::format("{} is neither \"auto\" nor \"none\" nor a list",
                                    quote(value.get_ref<const std::string&>())));
  return list<std::string, &ConfigDecoder::list_entry>(value, path, field.emplace());
}

bool ConfigDecoder::proxy(const json& value, const std::string& path, std::optional<std::string>& field) {
  if (value == "none") return true;
  if (!text(value, path, field.emplace())) return false;
  const auto good = check_proxy(*field);
  return good || reject(path, good.error().message);
}

bool ConfigDecoder::vipa_options(const json& value, const std::string& path, VipaChanges& changes) {
  using Decoder = ConfigDecoder;
  using Preferred = std::optional<std::vector<std::string>>;
  const auto take = [&](const char* key, auto& field, auto step) { return optional(value, path, key, field, step); };
  return take("preferred", changes.preferred, &Decoder::some<Preferred, &Decoder::preferred>) &&
         take("proxy", changes.proxy, &Decoder::some<std::optional<std::string>, &Decoder::proxy>) &&
         take("local", changes.is_local, &Decoder::some<bool, &Decoder::truth>) &&
         take("backup", changes.is_backup, &Decoder::some<bool, &Decoder::truth>) &&
         take("failback", changes.failback, &Decoder::word<parse_failback, std::optional<Failback>>) &&
         take("hold", changes.hold_s, &Decoder::some<unsigned, &Decoder::time<0, kMaxVipaTime>>) &&
         take("on_conflict", changes.on_conflict, &Decoder::word<parse_on_conflict, std::optional<OnConflict>>) &&
         take("probe", changes.probe, &Decoder::word<parse_duplicate_probe, std::optional<DuplicateProbe>>) &&
         take("refresh", changes.refresh_s, &Decoder::some<unsigned, &Decoder::refresh>);
}

bool ConfigDecoder::vipa_changes(const json& value, const std::string& path, VipaChanges& changes) {
  return keys(value, path, std::span(kVipaKeys).first(kVipaOptions)) && vipa_options(value, path, changes);
}

bool ConfigDecoder::vipa(const json& value, const std::string& path, VipaConfig& vipa) {
  VipaChanges options;
  const bool decoded = keys(value, path, kVipaKeys) &&
                       required(value, path, "address", vipa.address, &ConfigDecoder::address) &&
                       vipa_options(value, path, options);
  options.apply(vipa);
  return decoded;
}

bool ConfigDecoder::health_changes(const json& value, const std::string& path, HealthChanges& changes) {
  using Decoder = ConfigDecoder;
  using Addresses = std::vector<IpAddress>;
  constexpr std::array<std::string_view, 6> kKeys = {"reach_targets", "reach_policy", "reach_interval",
                                                     "reach_missed",  "up_delay",     "down_delay"};
  const auto take = [&](const char* key, auto& field, auto step) { return optional(value, path, key, field, step); };
  return keys(value, path, kKeys) &&
         take("reach_targets", changes.reach_targets,
              &Decoder::some<Addresses, &Decoder::list<IpAddress, &Decoder::address>>) &&
         take("reach_policy", changes.needs_all_targets, &Decoder::word<parse_reach_policy, std::optional<bool>>) &&
         take("reach_interval", changes.reach_interval_s,
              &Decoder::some<unsigned, &Decoder::time<1, kMaxReachInterval>>) &&
         take("reach_missed", changes.reach_missed, &Decoder::some<unsigned, &Decoder::count<1, kMaxReachMissed>>) &&
         take("up_delay", changes.up_delay_s, &Decoder::some<unsigned, &Decoder::time<0, kMaxLinkDelay>>) &&
         take("down_delay", changes.down_delay_s, &Decoder::some<unsigned, &Decoder::time<0, kMaxLinkDelay>>);
}

}  // namespace xdplb
