// SPDX-License-Identifier: GPL-2.0-only
// Probes of a name server, over UDP and TCP.
#include "advisors/dns_message.h"
#include "advisors/probe_datagrams.h"
#include "advisors/probe_kinds.h"
#include "advisors/probe_stream.h"
#include "advisors/verdict.h"
#include "net/wire.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <random>
#include <utility>

namespace xdplb {
namespace {

namespace asio = boost::asio;

struct Query {
  std::uint16_t id = 0;
  DnsQuestion question{};
  std::string bytes{};
};

std::uint16_t random_id() {
  static thread_local std::mt19937 random{std::random_device{}()};
  return static_cast<std::uint16_t>(random());
}

Result<Query> make_query(const DnsOptions& options) {
  const auto type = dns_type(options.type);
  if (!type) return fail(ErrorCode::kUsage, "DNS type \"" + options.type + "\" is not known");
  Query query{.id = random_id(), .question = {.name = options.name, .type = *type}};
  auto bytes = encode_dns_query(query.id, query.question);
  if (!bytes) return bytes.error();
  query.bytes = std::move(*bytes);
  return query;
}

bool is_listed(const std::vector<std::string>& rcodes, const std::string& rcode) {
  return std::find(rcodes.begin(), rcodes.end(), rcode) != rcodes.end();
}

std::string describe(const DnsReply& reply) {
  std::string text = dns_rcode_name(reply.rcode) + (reply.is_truncated ? ", truncated" : "");
  if (reply.answers.empty()) return text + ", no answer";
  text += fmt::format(", {} answer{}: {}", reply.answers.size(), reply.answers.size() == 1 ? "" : "s",
                      fmt::join(reply.answers, ", "));
  return text;
}

Verdict judge(const DnsReply& reply, const DnsOptions& options) {
  if (!is_listed(options.rcodes, dns_rcode_name(reply.rcode))) return {CheckCode::kL7Status, describe(reply)};
  const auto is_wanted = [&](const std::string& answer) { return is_dns_answer(answer, options.answer); };
  if (options.answer.empty() || std::any_of(reply.answers.begin(), reply.answers.end(), is_wanted)) {
    return {CheckCode::kL7Ok, describe(reply)};
  }
  return {CheckCode::kL7Response, options.answer + " is not among " + describe(reply)};
}

// What is no reply to this query is passed over: anybody can send it.
asio::awaitable<CheckResult> ask_by_udp(ProbeTools& tools, const AdvisorConfig& advisor, const ProbeTarget& target,
                                        const Query& query, ProbeLog* log) {
  ProbeDatagrams datagrams(tools, target, log);
  auto failed = datagrams.send(query.bytes, std::chrono::milliseconds(advisor.receive_timeout_ms));
  if (failed) co_return std::move(*failed);
  std::string bytes;
  std::string fault;
  while (true) {
    const DatagramStatus status = co_await datagrams.receive(bytes);
    if (status == DatagramStatus::kTimedOut) break;
    if (status != DatagramStatus::kDone) co_return datagrams.failure(status);
    datagrams.add_step(fmt::format("got {} bytes", bytes.size()));
    const auto reply = decode_dns_reply(bytes, query.id, query.question);
    if (reply) {
      const Verdict verdict = judge(*reply, advisor.dns);
      co_return datagrams.result(verdict.code, verdict.text);
    }
    fault = reply.error().message;
    datagrams.add_step(fault);
  }
  if (!fault.empty()) co_return datagrams.result(CheckCode::kL7Response, fault);
  co_return datagrams.result(CheckCode::kL4Timeout, fmt::format("no answer in {} ms", advisor.receive_timeout_ms));
}

// The bytes of the message behind its length of two bytes; nullopt: not all are there.
std::optional<std::string_view> framed(const std::string& bytes) {
  if (bytes.size() < 2) return std::nullopt;
  const std::size_t size = load_be16(reinterpret_cast<const std::uint8_t*>(bytes.data()));
  if (bytes.size() < 2 + size) return std::nullopt;
  return std::string_view(bytes).substr(2, size);
}

asio::awaitable<CheckResult> ask_by_tcp(ProbeTools& tools, const AdvisorConfig& advisor, const ProbeTarget& target,
                                        const Query& query, ProbeLog* log) {
  constexpr std::size_t kReadBytes = 4096;
  ProbeStream stream(tools, target, log);
  std::optional<CheckResult> failed = co_await stream.connect(advisor);
  if (failed) co_return std::move(*failed);
  std::string bytes(2, '\0');
  store_be16(reinterpret_cast<std::uint8_t*>(bytes.data()), static_cast<std::uint16_t>(query.bytes.size()));
  bytes += query.bytes;
  StreamStatus status = co_await stream.send(std::move(bytes));
  bytes.clear();
  while (status == StreamStatus::kDone && !framed(bytes)) status = co_await stream.read_some(bytes, kReadBytes);
  if (status != StreamStatus::kDone) co_return stream.failure(status, "waiting for the reply");
  stream.add_step(fmt::format("got {} bytes", bytes.size()));
  const auto reply = decode_dns_reply(*framed(bytes), query.id, query.question);
  if (!reply) co_return stream.result(CheckCode::kL7Response, reply.error().message);
  const Verdict verdict = judge(*reply, advisor.dns);
  CheckResult result = stream.result(verdict.code, verdict.text);
  stream.end();
  co_return result;
}

}  // namespace

asio::awaitable<CheckResult> probe_dns(ProbeTools& tools, const AdvisorConfig& advisor, const ProbeTarget& target,
                                       ProbeLog* log) {
  const auto query = make_query(advisor.dns);
  if (!query) co_return make_result(CheckCode::kSocketError, ProbeClock::now(), query.error().message);
  CheckResult result;
  if (advisor.dns.over_tcp) {
    result = co_await ask_by_tcp(tools, advisor, target, *query, log);
  } else {
    result = co_await ask_by_udp(tools, advisor, target, *query, log);
  }
  co_return result;
}

}  // namespace xdplb
