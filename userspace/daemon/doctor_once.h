// SPDX-License-Identifier: GPL-2.0-only
// `xdplbd --doctor`: looks once whether this host is ready, without being a daemon.
#pragma once

#include <iosfwd>

namespace xdplb {

// Reads a task (doctor/doctor_task.h) and writes the report as JSON; an error is the problem object.
//
// Returns the exit code: 0 with a report, whatever it says; else the number of the ErrorCode.
int doctor_once(std::istream& in, std::ostream& out);

}  // namespace xdplb
