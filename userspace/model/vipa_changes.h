// SPDX-License-Identifier: GPL-2.0-only
// What a person changes of how a VIPA is owned, or of health: the options said, the others stay.
#pragma once

#include "model/config.h"

#include <optional>
#include <string>
#include <vector>

namespace xdplb {

struct VipaChanges {
  // Outside: said at all. Inside: nullopt is the loaded interfaces ("auto"), an empty list is nobody ("none").
  std::optional<std::optional<std::vector<std::string>>> preferred{};
  std::optional<std::optional<std::string>> proxy{};  // inside: nullopt is "none"
  std::optional<bool> is_local{};
  std::optional<bool> is_backup{};
  std::optional<Failback> failback{};
  std::optional<unsigned> hold_s{};
  std::optional<OnConflict> on_conflict{};
  std::optional<DuplicateProbe> probe{};
  std::optional<unsigned> refresh_s{};
  bool operator==(const VipaChanges&) const = default;

  // A list ends a proxy, as a proxy needs the empty one; one said beside a list stays, for validate() to refuse.
  void apply(VipaConfig& vipa) const;
};

// All options of a VIPA as changes to the defaults; for documents.
VipaChanges options_of(const VipaConfig& vipa);

// The options of a HealthConfig, under their names and with their ranges there.
struct HealthChanges {
  std::optional<std::vector<IpAddress>> reach_targets{};  // replaces the list
  std::optional<bool> needs_all_targets{};
  std::optional<unsigned> reach_interval_s{};
  std::optional<unsigned> reach_missed{};
  std::optional<unsigned> up_delay_s{};
  std::optional<unsigned> down_delay_s{};
  bool operator==(const HealthChanges&) const = default;

  bool is_empty() const { return *this == HealthChanges{}; }
  void apply(HealthConfig& health) const;
};

// What of `health` is not the default; for documents.
HealthChanges options_of(const HealthConfig& health);

}  // namespace xdplb
