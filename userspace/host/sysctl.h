// SPDX-License-Identifier: GPL-2.0-only
// Kernel settings of /proc/sys: one whole number each.
#pragma once

#include "base/result.h"

#include <string>
#include <string_view>

namespace xdplb {

// "net/ipv4/conf/eth0.100/arp_ignore": with slashes, for an interface name may hold dots. Settings under net/ are those
// of the network namespace the calling thread is in.
//
// Errors: kUsage for a name that leaves /proc/sys, kNotFound when the kernel has no such setting, kFailed when it is no
// number, else os_error; all name the setting.
Result<int> read_sysctl(std::string_view name);

// Errors: as read_sysctl; kPermission without root.
Result<void> write_sysctl(std::string_view name, int value);

// The larger of net/ipv4/conf/all/KEY and net/ipv4/conf/INTERFACE/KEY: what the kernel goes by for arp_ignore,
// arp_announce and rp_filter (Documentation/networking/ip-sysctl.rst). Errors: as read_sysctl.
Result<int> read_effective_ipv4_conf(std::string_view interface, std::string_view key);

}  // namespace xdplb
