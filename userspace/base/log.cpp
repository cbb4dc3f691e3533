// SPDX-License-Identifier: GPL-2.0-only
#include "base/log.h"

#include <unistd.h>

#include <array>
#include <atomic>
#include <cstdio>
#include <ctime>
#include <string>

namespace xdplb {
namespace {

std::atomic<LogLevel> g_level{LogLevel::kInfo};
constexpr std::array<const char*, 4> kNames = {"debug", "info", "warning", "error"};

}  // namespace

void set_log_level(LogLevel level) { g_level = level; }

void log(LogLevel level, std::string_view text) {
  if (level < g_level.load()) return;
  std::timespec now{};
  std::timespec_get(&now, TIME_UTC);
  std::tm utc{};
  gmtime_r(&now.tv_sec, &utc);
  std::array<char, 32> stamp{};
  std::strftime(stamp.data(), stamp.size(), "%Y-%m-%dT%H:%M:%SZ", &utc);
  std::string line = std::string(stamp.data()) + " " + kNames[static_cast<std::size_t>(level)] + " ";
  line.append(text).push_back('\n');
  // One write per line keeps lines of several threads whole; a full disk must not stop the daemon.
  [[maybe_unused]] const auto written = ::write(STDERR_FILENO, line.data(), line.size());
}

}  // namespace xdplb
