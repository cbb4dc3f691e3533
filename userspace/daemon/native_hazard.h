// SPDX-License-Identifier: GPL-2.0-only
// When native XDP must not even be tried.
#pragma once

#include <cstdint>
#include <string>

namespace xdplb {

// Why a native program would take this kernel down on an interface or on a member of a bond, with the way out; empty:
// nothing is known against it. Asks the driver and the kernel.
std::string native_hazard(const std::string& name, std::uint32_t ifindex);

}  // namespace xdplb
