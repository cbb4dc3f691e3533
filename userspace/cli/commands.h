// SPDX-License-Identifier: GPL-2.0-only
// The command line of `xdplb`: what can be typed, bound to the functions of actions.h.
#pragma once

#include "cli/context.h"

#include <optional>
#include <string>

namespace xdplb {

struct ParsedLine {
  Options options;
  Action action;
  std::optional<std::string> text;  // set for --help and --version: only this is to be printed
};

// Errors: kUsage, in one line that ends with the --help to read. `options` is filled as far as it goes in any case, so
// that the error can be shown the way it was asked for.
Result<ParsedLine> parse_line(int argc, const char* const* argv);

// Whether the line asks for JSON, for the errors of lines that do not parse.
bool asks_for_json(int argc, const char* const* argv);

}  // namespace xdplb
