// SPDX-License-Identifier: GPL-2.0-only
// A task on standard input, its report on standard output: what `xdplbd --verify` and `--doctor` have in common.
#pragma once

#include "control/request.h"

#include <nlohmann/json_fwd.hpp>

#include <functional>
#include <iosfwd>

namespace xdplb {

// Reads one JSON document, writes the reply to it or the problem object. Returns the exit code.
int answer_task(std::istream& in, std::ostream& out, const std::function<Reply(const nlohmann::json&)>& answer);

}  // namespace xdplb
