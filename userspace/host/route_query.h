// SPDX-License-Identifier: GPL-2.0-only
// Where this host's kernel would send a packet now: `ip route get`.
#pragma once

#include "base/result.h"
#include "host/netlink_socket.h"
#include "net/address.h"

#include <cstdint>

namespace xdplb {

struct RouteAnswer {
  enum class Kind : std::uint8_t {
    kLeaves,  // through `ifindex`
    kLocal,   // it is this host's own
    kNone,    // there is no route, or one that refuses
  };
  Kind kind = Kind::kNone;
  std::uint32_t ifindex = 0;  // of kLeaves
  bool operator==(const RouteAnswer&) const = default;
};

// Of a packet without a mark from an address the kernel chooses. `socket` only asks. Errors: os_error of netlink.
Result<RouteAnswer> ask_route(NetlinkSocket& socket, const IpAddress& destination);

}  // namespace xdplb
