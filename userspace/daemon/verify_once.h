// SPDX-License-Identifier: GPL-2.0-only
// `xdplbd --verify`: looks once whether servers are set up right, without being a daemon.
#pragma once

#include <iosfwd>

namespace xdplb {

// Reads a task (verify/verify_task.h) and writes the report as JSON; an error is the problem object. SIGINT and SIGTERM
// end it; rules and routes are gone at return in any case.
//
// Returns the exit code: 0 with a report, whatever it says; else the number of the ErrorCode.
int verify_once(std::istream& in, std::ostream& out);

}  // namespace xdplb
