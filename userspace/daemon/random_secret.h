// SPDX-License-Identifier: GPL-2.0-only
// A secret that nobody can guess.
#pragma once

#include "base/result.h"

#include <string>

namespace xdplb {

// 32 hexadecimal digits from the kernel's random source. Errors: os_error.
Result<std::string> random_secret();

}  // namespace xdplb
