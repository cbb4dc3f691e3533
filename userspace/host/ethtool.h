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

// What CPUs send XDP's frames on.
enum class XdpQueues : std::uint8_t {
  kOwn,          // each has a queue of its own, as far as the driver is known to want one
  kShared,       // they share the queues in use, under locks
  kPastTheLast,  // queues that are not there: the first frame that is sent takes the kernel down
};

// What a native program would find on an interface that has none yet: virtio_net counts XDP's queues among those in
// use.
//
// cpus  possible_cpus()
// Source: virtnet_xdp_set() and virtnet_xdp_get_sq() of drivers/net/virtio_net.c. Where there is no queue for each CPU
// beside those in use, the latter takes "in use > CPUs" for the sign that there is (Linux 6.1 panics in
// virtqueue_get_buf).
XdpQueues xdp_queues(const DriverFacts& driver, unsigned cpus);

// One more than the highest number that a CPU may have here, one that is plugged in later too: the kernel's nr_cpu_ids.
unsigned possible_cpus();

// Errors: os_error of the socket, not of what a driver does not support.
Result<DriverFacts> read_driver(const std::string& interface);

}  // namespace xdplb
