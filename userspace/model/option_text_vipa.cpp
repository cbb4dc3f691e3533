// SPDX-License-Identifier: GPL-2.0-only
// Options of VIPAs, their lists of interfaces and health as text.
#include "model/option_text.h"
#include "model/text.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

namespace xdplb {
namespace {

constexpr std::size_t kMaxInterfaceName = 15;  // IFNAMSIZ - 1

std::vector<std::string_view> split_list(std::string_view text) {
  std::vector<std::string_view> parts;
  for (std::size_t comma = text.find(','); comma != std::string_view::npos; comma = text.find(',')) {
    parts.push_back(text.substr(0, comma));
    text.remove_prefix(comma + 1);
  }
  parts.push_back(text);
  return parts;
}

// The kernel would take "192.0.2.300" for an interface; the person who wrote it meant an address.
bool looks_like_ipv4(std::string_view text) {
  return text.find_first_not_of("0123456789.") == std::string_view::npos &&
         std::count(text.begin(), text.end(), '.') == 3;
}

std::string switch_text(bool is_on) { return is_on ? "on" : "off"; }

}  // namespace

std::string list_text(std::span<const IpAddress> addresses) {
  return fmt::format("{}", fmt::join(address_texts(addresses, {}), ","));
}

Result<std::vector<IpAddress>> parse_address_list(std::string_view text) {
  std::vector<IpAddress> addresses;
  for (const std::string_view part : split_list(text)) {
    const auto address = IpAddress::parse(part);
    if (!address) return address.error();
    if (std::find(addresses.begin(), addresses.end(), *address) != addresses.end()) {
      return fail(ErrorCode::kUsage, fmt::format("address {}: is named twice", address->to_string()));
    }
    addresses.push_back(*address);
  }
  return addresses;
}

// dev_valid_name in net/core/dev.c: up to 15 bytes, no '/', ':' or space.
bool is_interface_name(std::string_view name) {
  const auto is_good = [](char letter) { return letter > ' ' && letter <= '~' && letter != '/' && letter != ':'; };
  return !name.empty() && name.size() <= kMaxInterfaceName && name != "." && name != ".." &&
         std::all_of(name.begin(), name.end(), is_good);
}

Result<void> check_list_entry(std::string_view text) {
  if (IpAddress::parse(text) || (is_interface_name(text) && !looks_like_ipv4(text))) return {};
  return fail(ErrorCode::kUsage,
              fmt::format("{} is neither the name of an interface nor an address of one", quote(text)));
}

Result<std::optional<std::vector<std::string>>> parse_preferred(std::string_view text) {
  using Preferred = std::optional<std::vector<std::string>>;
  if (text == "auto") return Preferred();
  Preferred preferred(std::in_place);
  if (text == "none") return preferred;
  std::set<std::string_view> seen;
  for (const std::string_view part : split_list(text)) {
    if (const auto good = check_list_entry(part); !good) return good.error();
    if (!seen.insert(part).second) return fail(ErrorCode::kUsage, fmt::format("{} is named twice", part));
    preferred->emplace_back(part);
  }
  return preferred;
}

std::string preferred_text(const std::optional<std::vector<std::string>>& preferred) {
  if (!preferred) return "auto";
  return preferred->empty() ? "none" : fmt::format("{}", fmt::join(*preferred, " "));
}

Result<void> check_proxy(std::string_view text) {
  if (check_name(text, "server") || ServerPath::parse(text)) return {};
  return fail(ErrorCode::kUsage,
              fmt::format("{} is neither the name nor the path nor an address of a server", quote(text)));
}

Result<unsigned> parse_refresh(std::string_view text) {
  auto seconds = parse_duration(text, 0, kMaxVipaTime);
  if (seconds && (*seconds == 0 || *seconds >= kMinRefresh)) return seconds;
  return fail(ErrorCode::kUsage, fmt::format("{} is neither 0, for never, nor a time from {} to {} seconds",
                                             quote(text), kMinRefresh, kMaxVipaTime));
}

OptionTexts option_texts(const VipaConfig& vipa) {
  return {{"preferred", preferred_text(vipa.preferred)},
          {"proxy", vipa.proxy.value_or("none")},
          {"local", switch_text(vipa.is_local)},
          {"backup", switch_text(vipa.is_backup)},
          {"failback", std::string(failback_name(vipa.failback))},
          {"hold", duration_text(vipa.hold_s)},
          {"on_conflict", std::string(on_conflict_name(vipa.on_conflict))},
          {"probe", std::string(duplicate_probe_name(vipa.probe))},
          {"refresh", duration_text(vipa.refresh_s)}};
}

OptionTexts option_texts(const HealthConfig& health) {
  const std::string targets = list_text(health.reach_targets);
  return {{"reach_targets", targets.empty() ? "none" : targets},
          {"reach_policy", std::string(reach_policy_name(health.needs_all_targets))},
          {"reach_interval", duration_text(health.reach_interval_s)},
          {"reach_missed", std::to_string(health.reach_missed)},
          {"up_delay", duration_text(health.up_delay_s)},
          {"down_delay", duration_text(health.down_delay_s)}};
}

}  // namespace xdplb
