// SPDX-License-Identifier: GPL-2.0-only
// The `xdplb-server` command but for main(): argv in, text and exit code out.
#pragma once

#include <iosfwd>

namespace xdplb {

// The process around a command.
struct ServerStreams {
  std::ostream& out;  // data
  std::ostream& err;  // an error, one line; what could not be looked at
};

// Runs one command line. With --netns the calling thread, which must be the only one, stays in that network namespace.
//
// Returns the exit code: 0 ok (also with warnings), 1 a fault or a failure, 2 usage, 3 not found, 5 permission.
int run_server(int argc, const char* const* argv, const ServerStreams& streams);

}  // namespace xdplb
