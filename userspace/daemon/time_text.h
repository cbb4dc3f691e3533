// SPDX-License-Identifier: GPL-2.0-only
// Points in time as the API tells them.
#pragma once

#include <chrono>
#include <string>

namespace xdplb {

// RFC 3339, UTC, milliseconds: "2026-11-28T16:00:00.000Z".
std::string time_text(std::chrono::system_clock::time_point time);

}  // namespace xdplb
