// SPDX-License-Identifier: GPL-2.0-only
// Probes by a program of the operator's.
#include "advisors/probe_kinds.h"
#include "host/child_process.h"

#include <fmt/format.h>

#include <charconv>
#include <optional>
#include <string_view>
#include <utility>

namespace xdplb {
namespace {

namespace asio = boost::asio;

std::string_view first_line(std::string_view text) { return text.substr(0, text.find_first_of("\r\n")); }

// A whole number alone on the first line.
std::optional<unsigned> load_of(const std::string& output) {
  const std::string line = clean_text(first_line(output), 16);
  unsigned load = 0;
  const auto [end, error] = std::from_chars(line.data(), line.data() + line.size(), load);
  if (error != std::errc() || end != line.data() + line.size()) return std::nullopt;
  return load;
}

ChildCommand command_of(const AdvisorConfig& advisor, const ProbeTarget& target) {
  ChildCommand command;
  command.argv = advisor.exec.command;
  command.user = advisor.exec.user;
  command.environment = {{"XDPLB_SERVER", target.server},
                         {"XDPLB_ADDRESS", target.destination.to_string()},
                         {"XDPLB_PORT", std::to_string(target.port)},
                         {"XDPLB_MARK", std::to_string(target.mark)}};
  command.timeout = std::chrono::milliseconds(advisor.receive_timeout_ms);
  return command;
}

// "exit 1: what it said".
std::string describe(const ChildOutcome& outcome) {
  std::string text = outcome.exit_code ? fmt::format("exit {}", *outcome.exit_code)
                                       : fmt::format("killed by signal {}", outcome.signal);
  const std::string_view said = first_line(outcome.output.empty() ? outcome.errors : outcome.output);
  if (!said.empty()) text += fmt::format(": {}", said);
  return text;
}

}  // namespace

asio::awaitable<CheckResult> probe_exec(ProbeTools& /*tools*/, const AdvisorConfig& advisor, const ProbeTarget& target,
                                        ProbeLog* log) {
  const auto began = ProbeClock::now();
  ChildCommand command = command_of(advisor, target);
  std::string what = "exec advisor of " + target.server;
  const auto outcome = co_await run_child(std::move(command), std::move(what));
  // A program that cannot be started tells nothing of the server.
  if (!outcome) co_return make_result(CheckCode::kSocketError, began, outcome.error().message);
  if (outcome->timed_out) {
    co_return make_result(CheckCode::kProcTimeout, began, fmt::format("no end in {} ms", advisor.receive_timeout_ms));
  }
  const std::string text = describe(*outcome);
  add_step(log, began, text);
  const bool is_up = outcome->exit_code == 0;
  CheckResult result = make_result(is_up ? CheckCode::kProcOk : CheckCode::kProcError, began, text);
  if (is_up) result.load = load_of(outcome->output);
  co_return result;
}

}  // namespace xdplb
