// SPDX-License-Identifier: GPL-2.0-only
// Probes of a TCP port: connect, and conversations.
#include "advisors/probe_kinds.h"
#include "advisors/probe_stream.h"
#include "advisors/tcp_dialogue.h"

namespace xdplb {
namespace {

namespace asio = boost::asio;
constexpr std::size_t kReadBytes = 8192;

// Until the dialogue is decided. nullopt, or how the connection failed it.
asio::awaitable<std::optional<CheckResult>> hold(ProbeStream& stream, TcpDialogue& dialogue) {
  std::string bytes;
  while (dialogue.need() != TcpDialogue::Need::kNothing) {
    StreamStatus status = StreamStatus::kDone;
    if (dialogue.need() == TcpDialogue::Need::kSend) {
      status = co_await stream.send(dialogue.to_send());
      if (status == StreamStatus::kDone) dialogue.sent();
    } else {
      bytes.clear();
      status = co_await stream.read_some(bytes, kReadBytes);
      if (status == StreamStatus::kDone) {
        dialogue.take(bytes);
        stream.add_step("got " + std::to_string(bytes.size()) + " bytes: " + quote_bytes(bytes));
      }
    }
    const bool has_ended = status == StreamStatus::kEnded;
    if (has_ended || (status == StreamStatus::kBroken && dialogue.is_at_goodbye())) {
      dialogue.end();
    } else if (status != StreamStatus::kDone) {
      co_return stream.failure(status, dialogue.doing());
    }
  }
  co_return std::nullopt;
}

}  // namespace

asio::awaitable<CheckResult> probe_connect(ProbeTools& tools, const AdvisorConfig& advisor, const ProbeTarget& target,
                                           ProbeLog* log) {
  ProbeStream stream(tools, target, log);
  std::optional<CheckResult> failed = co_await stream.connect(advisor);
  if (!failed && advisor.use_tls) failed = co_await stream.start_tls(advisor.tls, advisor.http.host);
  CheckResult result =
      failed ? std::move(*failed) : stream.result(advisor.use_tls ? CheckCode::kL6Ok : CheckCode::kL4Ok);
  if (!failed && target.waits_for_end) co_await stream.part();
  stream.end();
  co_return result;
}

asio::awaitable<CheckResult> probe_tcp_steps(ProbeTools& tools, const AdvisorConfig& advisor, const ProbeTarget& target,
                                             ProbeLog* log) {
  ProbeStream stream(tools, target, log);
  auto dialogue = TcpDialogue::make(advisor_steps(advisor));
  if (!dialogue) co_return stream.result(CheckCode::kSocketError, dialogue.error().message);
  std::optional<CheckResult> failed = co_await stream.connect(advisor);
  if (!failed && advisor.use_tls) failed = co_await stream.start_tls(advisor.tls, advisor.http.host);
  if (!failed) failed = co_await hold(stream, *dialogue);
  CheckResult result = failed ? std::move(*failed) : stream.result(dialogue->verdict().code, dialogue->verdict().text);
  stream.end();
  co_return result;
}

}  // namespace xdplb
