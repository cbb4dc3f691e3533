// SPDX-License-Identifier: GPL-2.0-only
// Asking xdplbd without a daemon: it runs once as a child, answers on its standard output and ends.
#pragma once

#include "control/request.h"

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace xdplb {

// Runs `xdplbd WORDS...` and returns the JSON that it prints. What it says on standard error goes to ours. When this
// process dies the child is told to end (SIGTERM), so that it takes back what it made.
//
// program_dir  where xdplbd is looked for before $PATH
// input        its standard input
// Errors: kNotFound without xdplbd; kFailed when it does not answer; xdplbd's own, from the problem object it prints.
Reply ask_program(const std::filesystem::path& program_dir, const std::vector<std::string>& words,
                  std::string_view input);

}  // namespace xdplb
