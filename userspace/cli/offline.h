// SPDX-License-Identifier: GPL-2.0-only
// Asking without a daemon: xdplbd reads the maps and the state once, answers and ends.
#pragma once

#include "control/instance.h"
#include "control/request.h"

#include <filesystem>

namespace xdplb {

// Runs `xdplbd --instance NAME --answer TARGET`.
//
// program_dir  where xdplbd is looked for before $PATH
// Errors: kUsage for a request that is no question; kNotFound without xdplbd; xdplbd's own.
Reply call_offline(const Instance& instance, const std::filesystem::path& program_dir, const Request& request);

}  // namespace xdplb
