// SPDX-License-Identifier: GPL-2.0-only
// ServerResolver: server addresses -> MAC and interface, from the kernel's neighbour table.
#pragma once

#include "host/host_monitor.h"
#include "model/plan.h"

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

namespace xdplb {

class ServerResolver {
 public:
  // The monitor must outlive the resolver. At the end the kernel goes on keeping the neighbours: forwarding outlives
  // the daemon (I5), and the next one finds them fresh.
  explicit ServerResolver(HostMonitor& monitor) : monitor_(&monitor) {}
  ServerResolver(const ServerResolver&) = delete;
  ServerResolver& operator=(const ServerResolver&) = delete;

  // The addresses to keep resolved and the loaded interfaces in order of preference. An address lives on the first
  // interface that has a subnet it belongs to.
  void update(const std::set<IpAddress>& addresses, const std::vector<std::uint32_t>& interfaces);

  // Targets that outlived the daemon: they hold until the kernel knows better. Call it before the first update.
  void seed(ServerTargets targets) { targets_ = std::move(targets); }

  void on_neighbor(const Neighbor& neighbor);

  const ServerTargets& targets() const { return targets_; }
  // Addresses of this host: a server that has one of them is the host itself, and is not asked for.
  std::set<IpAddress> own_addresses() const;
  // Asked, and neither answered nor given up by the kernel yet.
  bool is_pending(const IpAddress& address) const;
  // Why the address has no target, in words for people; empty when it has one.
  std::string reason(const IpAddress& address) const;

 private:
  void place(const IpAddress& address, const std::vector<std::uint32_t>& interfaces);
  void take_over(const Neighbor& neighbor);
  bool is_own(const IpAddress& address) const;

  HostMonitor* monitor_;
  std::map<IpAddress, std::uint32_t> places_;  // address -> interface, 0 = on none, or this host's own
  ServerTargets targets_;
};

}  // namespace xdplb
