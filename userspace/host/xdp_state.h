// SPDX-License-Identifier: GPL-2.0-only
// How XDP stands on interfaces: what is attached in which mode, and what their drivers can do. Plain values, read from
// the kernel.
#pragma once

#include "base/result.h"

#include <cstdint>
#include <map>
#include <optional>

namespace xdplb {

// Ids of the programs that are attached, by mode; 0: none. IFLA_XDP.
struct XdpPrograms {
  std::uint32_t native = 0;
  std::uint32_t generic = 0;
  std::uint32_t hardware = 0;
  bool is_free() const { return native == 0 && generic == 0 && hardware == 0; }
  bool operator==(const XdpPrograms&) const = default;
};

// Of every interface of this network namespace, by index. Errors: os_error of netlink.
Result<std::map<std::uint32_t, XdpPrograms>> read_xdp_programs();

// What a driver can do, as the kernel's "netdev" family tells (Documentation/netlink/specs/netdev.yaml).
struct XdpDriver {
  bool has_native = false;         // a program may run in the driver
  bool can_redirect = false;       // which may send frames out of other interfaces
  bool takes_redirected = false;   // and this one takes such frames (ndo_xdp_xmit)
  bool takes_long_frames = false;  // of several buffers
  bool operator==(const XdpDriver&) const = default;
};

// By interface index; nullopt: the kernel has no such family (it came with Linux 6.3). Errors: os_error of netlink.
Result<std::optional<std::map<std::uint32_t, XdpDriver>>> read_xdp_drivers();

}  // namespace xdplb
