// SPDX-License-Identifier: GPL-2.0-only
// One line per event on stderr: "LEVEL text". The daemon's stderr is its journal or its log file.
#pragma once

#include <string_view>

namespace xdplb {

enum class LogLevel { kDebug, kInfo, kWarning, kError };

// Lines below `level` are not written. Thread-safe.
void set_log_level(LogLevel level);

// Writes one line; an error is logged once, where it is handled. Thread-safe.
void log(LogLevel level, std::string_view text);

inline void log_debug(std::string_view text) { log(LogLevel::kDebug, text); }
inline void log_info(std::string_view text) { log(LogLevel::kInfo, text); }
inline void log_warning(std::string_view text) { log(LogLevel::kWarning, text); }
inline void log_error(std::string_view text) { log(LogLevel::kError, text); }

}  // namespace xdplb
