// SPDX-License-Identifier: GPL-2.0-only
// What the driver of an interface says of itself, by ethtool's ioctl.
#pragma once

#include "base/result.h"

#include <cstdint>
#include <optional>
#include <string>

namespace xdplb {

struct DriverFeature {
  bool is_on = false;
  bool can_change = false;
};

struct DriverChannels {
  std::uint32_t now = 0;  // queues that receive: combined and receive-only ones
  std::uint32_t most = 0;
  bool are_combined = true;  // else `ethtool -L` sets them by "rx"
};

struct DriverRing {
  std::uint32_t now = 0;  // descriptors
  std::uint32_t most = 0;
};

// What the driver does not tell is absent.
struct DriverFacts {
  std::string driver{};                         // "virtio_net"; empty: unknown
  std::optional<DriverFeature> lro{};           // "rx-lro": the card glues received frames together
  std::optional<DriverFeature> gro_hw{};        // "rx-gro-hw": so it does, in a way that can be undone
  std::optional<DriverFeature> vlan_offload{};  // "rx-vlan-hw-parse": it takes VLAN tags out of frames
  std::optional<DriverChannels> channels{};
  std::optional<DriverRing> receive_ring{};
};

// Errors: os_error of the socket, not of what a driver does not support.
Result<DriverFacts> read_driver(const std::string& interface);

}  // namespace xdplb
