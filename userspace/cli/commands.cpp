// SPDX-License-Identifier: GPL-2.0-only
#include "cli/commands.h"

#include "cli/command_tree.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <charconv>
#include <sstream>

namespace xdplb {
namespace {

constexpr double kMaxTimeout = 86'400;

void add_options(CLI::App& app, Options& options, std::string& timeout) {
  app.add_option("--instance", options.instance, "Which dispatcher of this host")
      ->envname("XDPLB_INSTANCE")
      ->capture_default_str();
  app.add_flag("-j,--json", options.wants_json, "One JSON document on standard output, errors too");
  app.add_flag("-p,--pretty", options.wants_pretty, "The same with line breaks");
  app.add_flag("-q,--quiet", options.is_quiet, "Neither confirmations nor warnings");
  app.add_flag("-v,--verbose", options.is_verbose, "Say what is asked of the daemon");
  app.add_flag("--offline", options.is_offline, "Look into the maps without the daemon; changes nothing");
  app.add_option("--timeout", timeout, "Seconds to wait for the daemon")->capture_default_str();
}

Result<std::chrono::milliseconds> typed_timeout(const std::string& text) {
  double seconds = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), seconds);
  const bool is_whole = error == std::errc() && end == text.data() + text.size();
  if (is_whole && seconds >= 0.001 && seconds <= kMaxTimeout) {
    return std::chrono::milliseconds(static_cast<std::int64_t>(seconds * 1000));
  }
  return fail(ErrorCode::kUsage, fmt::format("--timeout {}: it is a number of seconds up to {}", text, kMaxTimeout));
}

// "xdplb cluster add", the command that was being typed.
std::string command_of(const CLI::App& app) {
  const CLI::App* at = &app;
  std::string text = "xdplb";
  while (!at->get_subcommands().empty()) {
    at = at->get_subcommands().front();
    text += " " + at->get_name();
  }
  return text;
}

Error usage(std::string_view what, const CLI::App& app) {
  return fail(ErrorCode::kUsage, fmt::format("{}: see `{} --help`", one_line(what), command_of(app)));
}

// The commands a group has, for a line that stops before one.
Error incomplete(const CLI::App& app) {
  const CLI::App* at = &app;
  while (!at->get_subcommands().empty()) at = at->get_subcommands().front();
  std::vector<std::string> names;
  for (const CLI::App* command : at->get_subcommands([](const CLI::App*) { return true; })) {
    names.push_back(command->get_name());
  }
  return usage(fmt::format("a command is missing, one of {}", fmt::join(names, ", ")), app);
}

}  // namespace

Result<ParsedLine> parse_line(int argc, const char* const* argv) {
  ParsedLine line;
  std::string timeout = "10";
  CLI::App app("xdplb controls a layer-4 dispatcher on XDP that forwards by MAC address.", "xdplb");
  app.set_version_flag("--version", "xdplb " XDPLB_VERSION);
  app.fallthrough();
  app.require_subcommand(0, 1);
  app.footer(
      "Exit codes: 0 ok, 1 failed or degraded, 2 usage, 3 not found, 4 daemon not reachable, 5 permission,\n"
      "6 invalid configuration, 7 conflict, 8 timed out.");
  add_options(app, line.options, timeout);
  CommandTree(line.action).add_all(app);
  try {
    app.parse(argc, argv);
  } catch (const CLI::Success& success) {
    std::ostringstream text;
    app.exit(success, text, text);
    line.text = text.str();
    return line;
  } catch (const CLI::ParseError& error) {
    return usage(error.what(), app);
  }
  if (!line.action) return incomplete(app);
  const auto parsed = typed_timeout(timeout);
  if (!parsed) return parsed.error();
  line.options.timeout = *parsed;
  if (app.count("--timeout") != 0) line.options.start_timeout = *parsed;
  line.options.wants_json = line.options.wants_json || line.options.wants_pretty;
  return line;
}

bool asks_for_json(int argc, const char* const* argv) {
  for (int i = 1; i < argc; ++i) {
    const std::string_view word = argv[i];
    if (word == "--") return false;
    if (word == "--json" || word == "--pretty") return true;
    const bool is_short = word.size() > 1 && word[0] == '-' && word.find_first_not_of("jpqv", 1) == word.npos;
    if (is_short && word.find_first_of("jp") != word.npos) return true;
  }
  return false;
}

}  // namespace xdplb
