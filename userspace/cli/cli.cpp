// SPDX-License-Identifier: GPL-2.0-only
#include "cli/cli.h"

#include "cli/commands.h"
#include "control/problem_json.h"

#include <ostream>

namespace xdplb {
namespace {

int report(const Error& error, bool wants_json, bool wants_pretty, const CliEnvironment& around) {
  if (wants_json) {
    const auto problem = encode_problem(error);
    around.out << (wants_pretty ? dump_json_pretty(problem) : dump_json(problem)) << '\n';
  } else {
    around.err << "xdplb: " << one_line(error.message) << '\n';
  }
  return static_cast<int>(error.code);
}

}  // namespace

int run(int argc, const char* const* argv, const CliEnvironment& around) {
  const auto line = parse_line(argc, argv);
  if (!line) return report(line.error(), asks_for_json(argc, argv), false, around);
  if (line->text) {
    around.out << *line->text;
    return 0;
  }
  const Options& options = line->options;
  const auto instance = Instance::make(options.instance, around.roots);
  if (!instance) return report(instance.error(), options.wants_json, options.wants_pretty, around);
  const auto code = line->action(Context(options, *instance, around));
  if (!code) return report(code.error(), options.wants_json, options.wants_pretty, around);
  return *code;
}

}  // namespace xdplb
