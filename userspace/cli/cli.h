// SPDX-License-Identifier: GPL-2.0-only
// The `xdplb` command but for main(): argv in, text and exit code out.
#pragma once

#include "control/instance.h"

#include <filesystem>
#include <iosfwd>

namespace xdplb {

// The process around a command.
struct CliEnvironment {
  std::istream& in;   // read where FILE is "-"
  std::ostream& out;  // data, and the problem object with --json
  std::ostream& err;  // talk
  bool has_colour = false;
  bool has_utf8 = false;              // the terminal shows more than ASCII
  std::filesystem::path program_dir;  // where xdplbd is looked for before $PATH; may be empty
  InstanceRoots roots;
};

// Runs one command line. Reads XDPLB_INSTANCE and, to find xdplbd, PATH from the environment.
//
// Returns the exit code of docs/cli.md: 0, or the number of an ErrorCode.
int run(int argc, const char* const* argv, const CliEnvironment& around);

}  // namespace xdplb
