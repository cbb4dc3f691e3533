// SPDX-License-Identifier: GPL-2.0-only
// Random valid advisors for property tests.
#pragma once

#include "model/advisor_config.h"
#include "net/address.h"

#include <random>
#include <string>

namespace xdplb::testing {

class RandomAdvisor {
 public:
  explicit RandomAdvisor(std::mt19937_64& random) : random_(random) {}

  // One for a port of a cluster that has an address.
  AdvisorConfig make(std::uint16_t port, Protocol protocol) {
    AdvisorConfig advisor;
    advisor.type = static_cast<AdvisorType>(below(21));
    advisor.way = static_cast<ProbeWay>(below(3));
    if (one_in(2)) advisor.interval_ms = time();
    if (one_in(2)) advisor.fast_interval_ms = time();
    if (one_in(2)) advisor.down_interval_ms = time();
    if (one_in(2)) advisor.fall = 1 + below(100);
    if (one_in(2)) advisor.rise = 1 + below(100);
    if (advisor.type == AdvisorType::kComposite) {
      set_checks(advisor, port, protocol);
    } else {
      set_own(advisor, port, protocol);
    }
    advisor.watches =
        one_in(3) && talks_tcp(advisor) && advisor.type != AdvisorType::kDns && advisor.type != AdvisorType::kAgent;
    return advisor;
  }

 private:
  unsigned below(unsigned limit) { return std::uniform_int_distribution<unsigned>(0, limit - 1)(random_); }
  bool one_in(unsigned count) { return below(count) == 0; }
  unsigned time() { return one_in(2) ? 1000 * (1 + below(3600)) : kMinProbeTime + below(kMaxProbeTime - 20); }
  std::string bytes(unsigned most) {
    std::string bytes;
    for (unsigned i = 1 + below(most); i > 0; --i) bytes += static_cast<char>(below(256));
    return bytes;
  }
  ReplyMatch match() {
    return one_in(2) ? ReplyMatch{.text = bytes(8)}
                     : ReplyMatch{.text = R"((?i)^\\+OK "[a-z]{2}\xff)", .is_regex = true};
  }

  static bool talks_tcp(const AdvisorConfig& advisor) {
    switch (advisor.type) {
      case AdvisorType::kPing:
      case AdvisorType::kUdp:
      case AdvisorType::kExec:
      case AdvisorType::kComposite:
        return false;
      case AdvisorType::kDns:
        return advisor.dns.over_tcp;
      default:
        return true;
    }
  }

  void set_checks(AdvisorConfig& advisor, std::uint16_t port, Protocol protocol) {
    for (unsigned i = 1 + below(kMaxChecks); i > 0; --i) {
      AdvisorConfig& check = advisor.checks.emplace_back();
      check.type = static_cast<AdvisorType>(below(9));  // up to exec
      set_own(check, port, protocol);
    }
    advisor.combine = static_cast<Combine>(below(3));
    if (advisor.combine == Combine::kAtLeast) {
      advisor.at_least = 1 + below(static_cast<unsigned>(advisor.checks.size()));
    }
  }

  // What is no composite's.
  void set_own(AdvisorConfig& advisor, std::uint16_t port, Protocol protocol) {
    if (one_in(2)) advisor.receive_timeout_ms = time();
    if (advisor.type == AdvisorType::kHttp || advisor.type == AdvisorType::kHttps) set_http(advisor.http);
    if (advisor.type == AdvisorType::kTcp) set_steps(advisor);
    if (advisor.type == AdvisorType::kDns) set_dns(advisor.dns);
    if (advisor.type == AdvisorType::kUdp) set_udp(advisor.udp);
    if (advisor.type == AdvisorType::kExec) {
      advisor.exec.command = {"/usr/lib/xdplb/check", "two words"};
      if (one_in(2)) advisor.exec.user = "www-data";
    }
    if ((talks_tcp(advisor) || advisor.type == AdvisorType::kDns) && one_in(2)) advisor.connect_timeout_ms = time();
    const bool is_tcp_option =
        advisor.type == AdvisorType::kConnect || advisor.type == AdvisorType::kTcp || is_preset(advisor.type);
    advisor.use_tls = is_tcp_option && one_in(2);
    if (advisor.use_tls || advisor.type == AdvisorType::kHttps) set_tls(advisor.tls);
    const bool is_portless = advisor.type == AdvisorType::kPing || advisor.type == AdvisorType::kExec;
    const bool fits = is_portless || (port != 0 && talks_tcp(advisor) == (protocol == Protocol::kTcp));
    const bool needs_port = !fits || advisor.type == AdvisorType::kAgent;
    if (needs_port || (!is_portless && one_in(3))) advisor.port = static_cast<std::uint16_t>(1 + below(65535));
  }

  void set_http(HttpOptions& http) {
    if (one_in(2)) http.method = one_in(2) ? "HEAD" : "POST";
    if (one_in(2)) http.path = "/healthz?a=%20b&c=\"d\"";
    if (one_in(2)) http.host = "www.example.com:8080";
    if (one_in(2)) http.headers = {{"Accept", "*/*"}, {"X-A", "b\tc"}};
    if (one_in(2)) http.statuses = {{200, 200}, {300, 399}, {404, 404}};
    if (one_in(2)) http.body = match();
    if (one_in(2)) http.max_bytes = 1 + below(1U << 20U);
  }

  void set_tls(TlsOptions& tls) {
    tls.verify = one_in(2);
    if (one_in(2)) tls.ca_file = "/etc/ssl/our ca.pem";
    if (one_in(2)) tls.server_name = "www.example.com";
    if (one_in(2)) tls.alpn = {"h2", "http/1.1"};
  }

  void set_steps(AdvisorConfig& advisor) {
    for (unsigned i = 1 + below(5); i > 0; --i) {
      TcpStep& step = advisor.steps.emplace_back();
      step.kind = one_in(2) ? TcpStep::Kind::kSend : TcpStep::Kind::kExpect;
      if (step.kind == TcpStep::Kind::kSend) {
        step.bytes = bytes(40);
      } else {
        step.match = match();
      }
    }
  }

  void set_dns(DnsOptions& dns) {
    if (one_in(2)) dns.name = "www.example.com";
    if (one_in(2)) dns.type = "AAAA";
    if (one_in(2)) dns.rcodes = {"NXDOMAIN", "NOERROR"};
    if (one_in(2)) dns.answer = "2001:db8::80";
    dns.over_tcp = one_in(2);
  }

  void set_udp(UdpOptions& udp) {
    if (one_in(2)) udp.payload = bytes(20);
    if (one_in(2)) udp.answer = match();
    udp.silence = one_in(2) ? OnSilence::kUp : OnSilence::kDown;
  }

  std::mt19937_64& random_;
};

}  // namespace xdplb::testing
