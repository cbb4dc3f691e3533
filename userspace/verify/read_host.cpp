// SPDX-License-Identifier: GPL-2.0-only
#include "verify/read_host.h"

#include "host/netlink_socket.h"

#include <linux/rtnetlink.h>

#include <variant>

namespace xdplb {

Result<VerifyHost> read_verify_host() {
  auto socket = NetlinkSocket::open({});
  if (!socket) return socket.error();
  VerifyHost host;
  for (const std::uint16_t table : {RTM_GETLINK, RTM_GETADDR, RTM_GETNEIGH}) {
    const auto messages = socket->dump(table);
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

}  // namespace xdplb
