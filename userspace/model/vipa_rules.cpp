// SPDX-License-Identifier: GPL-2.0-only
#include "model/vipa_rules.h"

#include "model/option_text.h"
#include "model/text.h"

#include <fmt/format.h>

#include <set>
#include <string>
#include <utility>

namespace xdplb {
namespace {

Error invalid(std::string message) { return fail(ErrorCode::kInvalidConfig, std::move(message)); }

Result<void> check_range(std::string_view object, std::string_view what, std::size_t value, unsigned min,
                         unsigned max) {
  if (value >= min && value <= max) return {};
  return invalid(fmt::format("{}: {} {} is not in {}..{}", object, what, value, min, max));
}

// One entry of the preferred list. `seen` holds those before it, addresses in one spelling.
Result<void> check_entry(const VipaConfig& vipa, const std::string& entry, const std::string& object,
                         std::set<std::string>& seen) {
  if (const auto good = check_list_entry(entry); !good) {
    return invalid(fmt::format("{}: preferred: {}", object, good.error().message));
  }
  const auto address = IpAddress::parse(entry);
  if (!seen.insert(address ? address->to_string() : entry).second) {
    return fail(ErrorCode::kConflict, fmt::format("{}: preferred: {} is listed twice", object, entry));
  }
  if (!address) return {};
  if (*address == vipa.address) {
    return invalid(fmt::format("{}: preferred: name an address of the interface's own, not the VIPA", object));
  }
  if (address->family() != vipa.address.family()) {
    return invalid(fmt::format("{}: preferred: {} is of the other family, name the interface instead", object, entry));
  }
  const std::string_view why = unusable_address(*address);
  if (why.empty()) return {};
  return invalid(fmt::format("{}: preferred: {} is {} and cannot be an interface's", object, entry, why));
}

Result<void> check_list(const VipaConfig& vipa, const std::string& object) {
  if (vipa.preferred->size() > kMaxAdapters) {
    return invalid(fmt::format("{}: preferred: there are {} entries, at most {} are possible", object,
                               vipa.preferred->size(), kMaxAdapters));
  }
  std::set<std::string> seen;
  for (const std::string& entry : *vipa.preferred) {
    if (auto checked = check_entry(vipa, entry, object, seen); !checked) return checked;
  }
  return {};
}

Result<void> check_routed(const VipaConfig& vipa, const std::string& object) {
  const bool is_routed = vipa.preferred && vipa.preferred->empty();
  if (!is_routed) {
    return invalid(fmt::format("{}: proxy {} answers only where this host never does: make preferred none", object,
                               quote(*vipa.proxy)));
  }
  if (const auto good = check_proxy(*vipa.proxy); !good) {
    return invalid(fmt::format("{}: proxy: {}", object, good.error().message));
  }
  if (const auto address = IpAddress::parse(*vipa.proxy); !address || *address != vipa.address) return {};
  return invalid(fmt::format("{}: proxy: name the server or an address of its own, not the VIPA", object));
}

Result<void> check_vipa(const VipaConfig& vipa, const std::string& object) {
  if (const std::string_view why = unusable_address(vipa.address); !why.empty()) {
    return invalid(fmt::format("{}: it is {} and cannot be a VIPA", object, why));
  }
  if (vipa.preferred) {
    if (auto checked = check_list(vipa, object); !checked) return checked;
  }
  if (vipa.proxy) {
    if (auto checked = check_routed(vipa, object); !checked) return checked;
  }
  if (vipa.is_local && !vipa.preferred) {
    return invalid(fmt::format("{}: local needs preferred: the adapters that own it", object));
  }
  if (vipa.is_backup && vipa.preferred && vipa.preferred->empty()) {
    return invalid(
        fmt::format("{}: backup is for a VIPA that this host may answer for, and preferred is none", object));
  }
  auto checked = check_range(object, "hold", vipa.hold_s, 0, kMaxVipaTime);
  if (!checked || vipa.refresh_s == 0) return checked;
  return check_range(object, "refresh", vipa.refresh_s, kMinRefresh, kMaxVipaTime);
}

}  // namespace

std::string_view unusable_address(const IpAddress& address) {
  if (address.is_unspecified()) return "the unspecified address";
  if (address.is_loopback()) return "a loopback address";
  if (address.is_multicast()) return "a multicast address";
  if (address.is_broadcast()) return "the broadcast address";
  return {};
}

Result<void> check_health(const HealthConfig& health, const std::function<bool(const IpAddress&)>& is_vipa) {
  std::set<IpAddress> seen;
  for (const IpAddress& target : health.reach_targets) {
    const std::string text = target.to_string();
    if (const std::string_view why = unusable_address(target); !why.empty()) {
      return invalid(fmt::format("health: reach_targets: {} is {} and cannot be asked", text, why));
    }
    if (!seen.insert(target).second) {
      return fail(ErrorCode::kConflict, fmt::format("health: reach_targets: {} is listed twice", text));
    }
    if (is_vipa(target)) {
      return invalid(fmt::format("health: reach_targets: {} is a VIPA, name a machine that is always there", text));
    }
  }
  if (health.reach_targets.size() > kMaxReachTargets) {
    return invalid(fmt::format("health: reach_targets: there are {}, at most {} are possible",
                               health.reach_targets.size(), kMaxReachTargets));
  }
  auto checked = check_range("health", "reach_interval", health.reach_interval_s, 1, kMaxReachInterval);
  if (checked) checked = check_range("health", "reach_missed", health.reach_missed, 1, kMaxReachMissed);
  if (checked) checked = check_range("health", "up_delay", health.up_delay_s, 0, kMaxLinkDelay);
  if (checked) checked = check_range("health", "down_delay", health.down_delay_s, 0, kMaxLinkDelay);
  return checked;
}

Result<void> check_vipas(const std::vector<VipaConfig>& vipas) {
  std::set<IpAddress> seen;
  for (const VipaConfig& vipa : vipas) {
    const std::string object = "vipa " + vipa.address.to_string();
    if (!seen.insert(vipa.address).second) return fail(ErrorCode::kConflict, object + ": defined twice");
    if (auto checked = check_vipa(vipa, object); !checked) return checked;
  }
  return {};
}

}  // namespace xdplb
