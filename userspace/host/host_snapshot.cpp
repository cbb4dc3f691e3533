// SPDX-License-Identifier: GPL-2.0-only
#include "host/host_snapshot.h"

#include <linux/rtnetlink.h>

#include <algorithm>
#include <variant>

namespace xdplb {

const Link* HostSnapshot::find_link(std::uint32_t index) const {
  const auto found = std::find_if(links.begin(), links.end(), [&](const Link& link) { return link.index == index; });
  return found != links.end() ? &*found : nullptr;
}

const Link* HostSnapshot::find_link(const std::string& name) const {
  const auto found = std::find_if(links.begin(), links.end(), [&](const Link& link) { return link.name == name; });
  return found != links.end() ? &*found : nullptr;
}

bool HostSnapshot::has(const IpAddress& address) const {
  return std::any_of(addresses.begin(), addresses.end(),
                     [&](const InterfaceAddress& entry) { return entry.prefix.address == address; });
}

std::vector<MacAddress> HostSnapshot::macs() const {
  std::vector<MacAddress> all;
  for (const auto& link : links)
    if (!link.mac.is_zero()) all.push_back(link.mac);
  return all;
}

std::optional<IpAddress> HostSnapshot::source_for(std::uint32_t ifindex, const IpAddress& target) const {
  std::optional<IpAddress> best;
  int best_rank = -1;
  for (const auto& entry : addresses) {
    const auto& own = entry.prefix.address;
    if (entry.ifindex != ifindex || own.family() != target.family()) continue;
    const int rank = entry.prefix.contains(target) ? 2 : own.is_link_local() ? 0 : 1;
    if (rank <= best_rank) continue;
    best_rank = rank;
    best = own;
  }
  return best;
}

std::optional<IpAddress> HostSnapshot::link_local_of(std::uint32_t ifindex) const {
  for (const auto& entry : addresses)
    if (entry.ifindex == ifindex && entry.prefix.address.is_v6() && entry.prefix.address.is_link_local())
      return entry.prefix.address;
  return std::nullopt;
}

Result<HostSnapshot> read_host_snapshot(NetlinkSocket& socket) {
  HostSnapshot host;
  for (const std::uint16_t table : {RTM_GETLINK, RTM_GETADDR, RTM_GETNEIGH}) {
    const auto messages = socket.dump(table);
    if (!messages) return messages.error();
    for (const auto& message : *messages) {
      if (const auto* link = std::get_if<LinkMessage>(&message)) host.links.push_back(link->link);
      if (const auto* address = std::get_if<AddressMessage>(&message)) host.addresses.push_back(address->address);
      const auto* neighbor = std::get_if<NeighborMessage>(&message);
      if (neighbor != nullptr && neighbor->neighbor.state == NeighborState::kValid)
        host.known[neighbor->neighbor.mac].push_back(neighbor->neighbor.address);
    }
  }
  return host;
}

Result<HostSnapshot> read_host_snapshot() {
  auto socket = NetlinkSocket::open({});
  if (!socket) return socket.error();
  return read_host_snapshot(*socket);
}

}  // namespace xdplb
