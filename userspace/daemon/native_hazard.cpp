// SPDX-License-Identifier: GPL-2.0-only
#include "daemon/native_hazard.h"

#include "host/ethtool.h"
#include "host/xdp_state.h"

#include <fmt/format.h>

#include <filesystem>
#include <string_view>
#include <system_error>

namespace xdplb {
namespace {

constexpr std::string_view kLower = "lower_";

std::string hazard_of(const std::string& name) {
  const auto driver = read_driver(name);
  const unsigned cpus = possible_cpus();
  if (!driver || xdp_queues(*driver, cpus) != XdpQueues::kPastTheLast) return {};
  return fmt::format(
      "with {} of at most {} queues in use virtio_net has none for the XDP of {} CPUs and would take the kernel down: "
      "`ethtool -L {} combined {}` first",
      driver->channels->now, driver->channels->most, cpus, name, driver->channels->most - cpus);
}

}  // namespace

std::string native_hazard(const std::string& name, std::uint32_t ifindex) {
  const auto programs = read_xdp_programs();
  if (!programs) return {};
  // Then the queues in use are XDP's, too, and tell nothing.
  const auto found = programs->find(ifindex);
  if (found != programs->end() && found->second.native != 0) return {};
  auto hazard = hazard_of(name);
  const auto folder = std::filesystem::path("/sys/class/net") / name;
  std::error_code failure;
  // A bond hands the program to its members.
  if (!std::filesystem::exists(folder / "bonding", failure)) return hazard;
  for (const auto& entry : std::filesystem::directory_iterator(folder, failure)) {
    const std::string file = entry.path().filename();
    if (hazard.empty() && file.starts_with(kLower)) hazard = hazard_of(file.substr(kLower.size()));
  }
  return hazard;
}

}  // namespace xdplb
