// SPDX-License-Identifier: GPL-2.0-only
// Reads what verifying needs of this network namespace.
#pragma once

#include "base/result.h"
#include "verify/verify_plan.h"

namespace xdplb {

// Links, addresses and neighbours as they are now. Errors: os_error of netlink.
Result<VerifyHost> read_verify_host();

}  // namespace xdplb
