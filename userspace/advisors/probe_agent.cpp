// SPDX-License-Identifier: GPL-2.0-only
// Probes that ask the agent on a server.
#include "advisors/agent_line.h"
#include "advisors/probe_kinds.h"
#include "advisors/probe_stream.h"
#include "advisors/reply_match.h"

#include <algorithm>
#include <optional>
#include <utility>

namespace xdplb {
namespace {

namespace asio = boost::asio;

bool asks_for_less(const AgentWords& words) { return words.admin && *words.admin != Admin::kReady; }

CheckResult judge(const ProbeStream& stream, const std::string& line) {
  auto parsed = parse_agent_line(line);
  if (!parsed) return stream.result(CheckCode::kL7Response, parsed.error().message);
  CheckCode code = asks_for_less(parsed->words) ? CheckCode::kL7OkConditional : CheckCode::kL7Ok;
  if (!parsed->words.is_up.value_or(true)) code = CheckCode::kL7Status;
  CheckResult result = stream.result(code, line);
  result.agent = parsed->words;
  return result;
}

}  // namespace

asio::awaitable<CheckResult> probe_agent(ProbeTools& tools, const AdvisorConfig& advisor, const ProbeTarget& target,
                                         ProbeLog* log) {
  ProbeStream stream(tools, target, log);
  std::optional<CheckResult> failed = co_await stream.connect(advisor);
  if (failed) co_return std::move(*failed);
  std::string line;
  StreamStatus status = StreamStatus::kDone;
  while (status == StreamStatus::kDone && line.find_first_of("\r\n") == std::string::npos) {
    if (line.size() >= kMaxAgentLine) co_return stream.result(CheckCode::kL7Response, "a line of more than 1 KiB");
    status = co_await stream.read_some(line, kMaxAgentLine - line.size());
  }
  // The end of the connection ends the line, too.
  if (status == StreamStatus::kTimedOut || status == StreamStatus::kBroken) {
    co_return stream.failure(status, "waiting for the agent's line");
  }
  line.resize(std::min(line.find_first_of("\r\n"), line.size()));
  stream.add_step("got " + quote_bytes(line));
  CheckResult result = judge(stream, line);
  stream.end();
  co_return result;
}

}  // namespace xdplb
