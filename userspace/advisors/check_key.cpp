// SPDX-License-Identifier: GPL-2.0-only
// The identities of a check.
#include "advisors/check_scheduler.h"

#include <fmt/format.h>

#include <concepts>
#include <string_view>

namespace xdplb {
namespace {

// FNV-1a, 64 bits, over what an advisor asks, every part with its length: a number that stays the same over restarts
// and versions of the compiler.
class Fingerprint {
 public:
  void add(std::unsigned_integral auto value) {
    for (std::size_t i = 0; i < sizeof(value); ++i)
      add_byte(static_cast<std::uint8_t>(std::uint64_t{value} >> (8 * i)));
  }
  void add(std::string_view text) {
    add(std::uint64_t{text.size()});
    for (const char letter : text) add_byte(static_cast<std::uint8_t>(letter));
  }
  void add(const ReplyMatch& match) {
    add(std::string_view(match.text));
    add(static_cast<std::uint8_t>(match.is_regex));
  }
  void add(const std::optional<ReplyMatch>& match) {
    add(static_cast<std::uint8_t>(match.has_value()));
    if (match) add(*match);
  }
  void add(const std::vector<std::string>& texts) {
    add(std::uint64_t{texts.size()});
    for (const std::string& text : texts) add(std::string_view(text));
  }
  std::uint64_t value() const { return value_; }

 private:
  void add_byte(std::uint8_t byte) { value_ = (value_ ^ byte) * 0x100000001b3U; }

  std::uint64_t value_ = 0xcbf29ce484222325U;
};

void add_http(Fingerprint& print, const HttpOptions& http) {
  print.add(std::string_view(http.method));
  print.add(std::string_view(http.path));
  print.add(std::string_view(http.host));
  print.add(std::uint64_t{http.headers.size()});
  for (const auto& [name, value] : http.headers) {
    print.add(std::string_view(name));
    print.add(std::string_view(value));
  }
  print.add(std::uint64_t{http.statuses.size()});
  for (const StatusRange& range : http.statuses) {
    print.add(range.first);
    print.add(range.last);
  }
  print.add(http.body);
  print.add(http.max_bytes);
}

void add_tls(Fingerprint& print, const TlsOptions& tls) {
  print.add(static_cast<std::uint8_t>(tls.verify));
  print.add(std::string_view(tls.ca_file));
  print.add(std::string_view(tls.server_name));
  print.add(tls.alpn);
}

void add_steps(Fingerprint& print, const std::vector<TcpStep>& steps) {
  print.add(std::uint64_t{steps.size()});
  for (const TcpStep& step : steps) {
    print.add(static_cast<std::uint8_t>(step.kind));
    print.add(std::string_view(step.bytes));
    print.add(step.match);
  }
}

void add_datagrams(Fingerprint& print, const DnsOptions& dns, const UdpOptions& udp) {
  print.add(std::string_view(dns.name));
  print.add(std::string_view(dns.type));
  print.add(dns.rcodes);
  print.add(std::string_view(dns.answer));
  print.add(static_cast<std::uint8_t>(dns.over_tcp));
  print.add(std::string_view(udp.payload));
  print.add(udp.answer);
  print.add(static_cast<std::uint8_t>(udp.silence.has_value()));
  if (udp.silence) print.add(static_cast<std::uint8_t>(*udp.silence));
}

// All but the times between probes, fall, rise, the way and the port, which the check says itself.
void add_question(Fingerprint& print, const AdvisorConfig& advisor) {
  print.add(advisor_type_name(advisor.type));
  print.add(advisor.connect_timeout_ms);
  print.add(advisor.receive_timeout_ms);
  print.add(static_cast<std::uint8_t>(advisor.watches));
  print.add(static_cast<std::uint8_t>(advisor.use_tls));
  add_http(print, advisor.http);
  add_tls(print, advisor.tls);
  add_steps(print, advisor.steps);
  add_datagrams(print, advisor.dns, advisor.udp);
  print.add(advisor.exec.command);
  print.add(std::string_view(advisor.exec.user));
  print.add(combine_name(advisor.combine));
  print.add(advisor.at_least);
  print.add(std::uint64_t{advisor.checks.size()});
  for (const AdvisorConfig& one : advisor.checks) {
    print.add(std::uint32_t{one.port.value_or(0)});
    add_question(print, one);
  }
}

}  // namespace

std::string Check::key() const {
  Fingerprint print;
  add_question(print, advisor);
  return fmt::format("{} {} {:016x}", subject(), advisor_type_name(advisor.type), print.value());
}

std::string Check::subject() const {
  return server.to_string() + ' ' + Endpoint{.address = destination, .port = port}.to_string();
}

}  // namespace xdplb
