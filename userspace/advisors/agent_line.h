// SPDX-License-Identifier: GPL-2.0-only
// The line of an agent on a server: HAProxy's agent-check language. Pure.
#pragma once

#include "base/result.h"
#include "model/check_result.h"

#include <cstddef>
#include <string>
#include <string_view>

namespace xdplb {

inline constexpr std::size_t kMaxAgentLine = 1024;

struct AgentLine {
  AgentWords words{};
  std::string reason{};  // what follows '#', cleaned
};

// Words in any order, either case, between spaces, tabs and commas, to the end of the line (CR, LF) or to '#', which
// begins a reason: "up", "ready", "75%" (0..256), "drain", "maint", "down", "fail", "failed", "stopped", "maxconn:30"
// (no meaning here). "ready" takes back drain and maint. Of words that contradict each other the last counts.
//
// line  one line, with or without its end; what follows the end is not read
//
// Errors: kFailed: no word, or one that is not known: all or nothing. Source: HAProxy configuration.txt, agent-check.
Result<AgentLine> parse_agent_line(std::string_view line);

}  // namespace xdplb
