// SPDX-License-Identifier: GPL-2.0-only
// The settings that `setup` has to change: those whose change judge_server() tells to type. Pure.
#pragma once

#include "server/setup_plan.h"

#include <linux/if_addr.h>

#include <cstdint>
#include <vector>

namespace xdplb {

// The kernel does not use an address yet, or never.
inline constexpr std::uint32_t kAddressHeldBack = IFA_F_TENTATIVE | IFA_F_DADFAILED;

// For one VIPA. Interfaces that are down count for ARP as if they were up, and where there is none yet, "all" is set
// right for those to come. kNft needs no silence: there is no address to give away. is_lasting: files bring the alias
// back after a reboot; none of their formats knows its scope, so arp_ignore may not depend on that.
std::vector<SetSysctl> plan_settings(const ServerFacts& facts, const ServerWish& wish, const IpAddress& vipa,
                                     ServerMethod method, bool is_lasting);

}  // namespace xdplb
