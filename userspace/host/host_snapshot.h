// SPDX-License-Identifier: GPL-2.0-only
// HostSnapshot: this host's links, addresses and neighbours at one moment, for those who look once.
#pragma once

#include "base/result.h"
#include "host/host_state.h"
#include "host/netlink_socket.h"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace xdplb {

struct HostSnapshot {
  std::vector<Link> links{};
  std::vector<InterfaceAddress> addresses{};
  std::map<MacAddress, std::vector<IpAddress>> known{};  // whose a MAC is, from the kernel's neighbours

  const Link* find_link(std::uint32_t index) const;
  const Link* find_link(const std::string& name) const;
  bool has(const IpAddress& address) const;
  std::vector<MacAddress> macs() const;
  // An address of the interface to ask from: on the network of `target` before all others, no link-local one where
  // there is another. nullopt: the interface has none of this family.
  std::optional<IpAddress> source_for(std::uint32_t ifindex, const IpAddress& target) const;
  std::optional<IpAddress> link_local_of(std::uint32_t ifindex) const;
};

// Errors: as NetlinkSocket::dump.
Result<HostSnapshot> read_host_snapshot(NetlinkSocket& socket);
// The same by a socket of its own. Errors: as NetlinkSocket::open, too.
Result<HostSnapshot> read_host_snapshot();

}  // namespace xdplb
