// SPDX-License-Identifier: GPL-2.0-only
// rtnetlink messages as values: what the kernel says of links, addresses and neighbours, and what we ask of it. Pure.
#pragma once

#include "host/host_state.h"

#include <linux/netlink.h>

#include <cstdint>
#include <optional>
#include <variant>
#include <vector>

namespace xdplb {

struct LinkMessage {
  bool is_gone = false;
  Link link;
  // The kernel told why it speaks (IFLA_EVENT): a bond's active member changed, peers are to be notified, or groups
  // joined anew. The table may hold no change at all.
  bool neighbours_must_learn = false;
};
struct AddressMessage {
  bool is_gone = false;
  InterfaceAddress address;
};
struct NeighborMessage {
  Neighbor neighbor;  // kGone when the kernel dropped it
};
// The kernel refused a request of ours.
struct RefusalMessage {
  int number = 0;                       // errno, positive
  std::optional<NeighborKey> neighbor;  // which one, for a request about a neighbour
};
// monostate: nothing we follow (another family, a bridge's own table, a successful acknowledgement).
using NetlinkMessage = std::variant<std::monostate, LinkMessage, AddressMessage, NeighborMessage, RefusalMessage>;

// `message` must be whole, as mnl_nlmsg_ok() checks.
NetlinkMessage parse_netlink(const nlmsghdr& message);

enum class NeighborRequestKind : std::uint8_t {
  kManage,  // make it when absent, resolve it now, keep it resolved (NTF_EXT_MANAGED, kernel 5.16)
  kProbe,   // make it when absent, resolve it now; for kernels that refuse kManage
  kLetGo,   // an ordinary entry again, which ages; nothing is made
  kForget,  // delete the entry
};
struct NeighborRequest {
  NeighborRequestKind kind = NeighborRequestKind::kManage;
  NeighborKey key;
};

// Appends one request to `out`, aligned, so that many may go in one send. The kernel answers only a request it refuses.
void append_neighbor_request(std::vector<std::uint8_t>& out, const NeighborRequest& request);

// A dump request for all entries of `type` (RTM_GETLINK, RTM_GETADDR or RTM_GETNEIGH), all families.
std::vector<std::uint8_t> make_dump_request(std::uint16_t type, std::uint32_t sequence);

}  // namespace xdplb
