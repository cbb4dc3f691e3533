// SPDX-License-Identifier: GPL-2.0-only
#include "daemon/native_hazard.h"

#include "host/ethtool.h"
#include "host/xdp_state.h"

#include <fmt/format.h>

namespace xdplb {

std::string native_hazard(const std::string& name, std::uint32_t ifindex) {
  const auto driver = read_driver(name);
  const unsigned cpus = possible_cpus();
  if (!driver || xdp_queues(*driver, cpus) != XdpQueues::kPastTheLast) return {};
  const auto programs = read_xdp_programs();
  if (!programs) return {};
  // Then the queues in use are XDP's, too, and tell nothing.
  const auto found = programs->find(ifindex);
  if (found != programs->end() && found->second.native != 0) return {};
  return fmt::format(
      "with {} of at most {} queues in use virtio_net has none for the XDP of {} CPUs and would take the kernel down: "
      "`ethtool -L {} combined {}` first",
      driver->channels->now, driver->channels->most, cpus, name, driver->channels->most - cpus);
}

}  // namespace xdplb
