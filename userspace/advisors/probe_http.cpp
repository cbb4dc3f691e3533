// SPDX-License-Identifier: GPL-2.0-only
#include "advisors/http_reply.h"
#include "advisors/probe_kinds.h"
#include "advisors/probe_stream.h"

namespace xdplb {
namespace {

namespace asio = boost::asio;
constexpr std::size_t kReadBytes = 8192;
constexpr std::uint16_t kHttpPort = 80;
constexpr std::uint16_t kHttpsPort = 443;

// Until the reply is judged. nullopt, or how the connection failed it.
asio::awaitable<std::optional<CheckResult>> read_reply(ProbeStream& stream, HttpReply& reply) {
  std::string bytes;
  while (reply.verdict().code == CheckCode::kNone) {
    bytes.clear();
    const StreamStatus status = co_await stream.read_some(bytes, kReadBytes);
    if (status == StreamStatus::kDone) {
      reply.take(bytes);
    } else if (status == StreamStatus::kEnded) {
      reply.end();
    } else {
      co_return stream.failure(status, reply.doing());
    }
  }
  co_return std::nullopt;
}

}  // namespace

asio::awaitable<CheckResult> probe_http(ProbeTools& tools, const AdvisorConfig& advisor, const ProbeTarget& target,
                                        ProbeLog* log) {
  ProbeStream stream(tools, target, log);
  const bool has_tls = advisor.type == AdvisorType::kHttps;
  auto reply = HttpReply::make(advisor.http);
  if (!reply) co_return stream.result(CheckCode::kSocketError, reply.error().message);
  std::optional<CheckResult> failed = co_await stream.connect(advisor);
  if (!failed && has_tls) failed = co_await stream.start_tls(advisor.tls, advisor.http.host);
  if (!failed) {
    std::string request = http_request(advisor.http, target.destination, target.port, has_tls ? kHttpsPort : kHttpPort);
    const StreamStatus status = co_await stream.send(std::move(request));
    // A server that refuses a request may have answered before it ended the connection.
    if (status == StreamStatus::kTimedOut) failed = stream.failure(status, "sending the request");
  }
  if (!failed) failed = co_await read_reply(stream, *reply);
  if (const std::string summary = reply->summary(); !summary.empty()) stream.add_step(summary);
  CheckResult result = failed ? std::move(*failed) : stream.result(reply->verdict().code, reply->verdict().text);
  stream.end();
  co_return result;
}

}  // namespace xdplb
