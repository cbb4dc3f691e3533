// SPDX-License-Identifier: GPL-2.0-only
// New values for some options of a port, the others left as they are.
#pragma once

#include "model/config.h"

#include <cstdint>
#include <optional>

namespace xdplb {

// The options of a PortConfig that can be changed, under their names and with their ranges there.
struct PortChanges {
  std::optional<Pick> pick{};
  std::optional<unsigned> stale_timeout_s{};
  std::optional<OnStale> on_stale{};
  std::optional<NoServer> no_server{};
  std::optional<unsigned> sticky_s{};
  std::optional<std::uint8_t> sticky_mask_v4{};
  std::optional<std::uint8_t> sticky_mask_v6{};             // documents can say one up to 32 only beside sticky_mask_v4
  std::optional<std::optional<std::uint16_t>> crossport{};  // nullopt inside: share with no other port
  std::optional<bool> udp_tracking{};
  std::optional<unsigned> new_flow_limit{};
  std::optional<unsigned> half_open_limit{};
  std::optional<MinUp> min_up{};
  std::optional<OnAllDown> on_all_down{};
  std::optional<unsigned> slow_start_s{};
  bool operator==(const PortChanges&) const = default;

  bool is_empty() const { return *this == PortChanges{}; }
  void apply(PortConfig& port) const;
};

// What of `port` is not the default. Documents can say it: a mask of IPv6 comes with that of IPv4.
PortChanges options_of(const PortConfig& port);

}  // namespace xdplb
