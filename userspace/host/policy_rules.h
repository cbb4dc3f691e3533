// SPDX-License-Identifier: GPL-2.0-only
// Every policy rule of this network namespace, whatever its conditions and action: for looking, not for changing.
#pragma once

#include "base/result.h"
#include "net/address.h"

#include <cstdint>
#include <vector>

namespace xdplb {

struct PolicyRule {
  Family family = Family::kV4;
  std::uint32_t priority = 0;
  std::uint32_t mark = 0;
  std::uint32_t mark_mask = 0;    // 0: any mark
  std::uint8_t protocol = 0;      // who made it: 0 unknown, 2 the kernel, 88 (kRouteProtocol) us
  std::uint8_t action = 0;        // FR_ACT_*
  std::uint32_t table = 0;        // for FR_ACT_TO_TBL; 0 where a device chooses it
  bool is_for_everything = true;  // no condition but perhaps a mark
  bool is_inverted = false;       // for what does not meet all of the conditions
  auto operator<=>(const PolicyRule&) const = default;
};

// In the kernel's order; IPv4 first. Errors: os_error of netlink. A kernel without IPv6 has none of those.
Result<std::vector<PolicyRule>> read_policy_rules();

}  // namespace xdplb
