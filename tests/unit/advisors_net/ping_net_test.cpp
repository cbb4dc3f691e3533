// SPDX-License-Identifier: GPL-2.0-only
// Ping over real links: by mark, past silence, and what routers say.
#include "probe_runner.h"
#include "sandbox.h"

#include <gtest/gtest.h>

#include <string>

namespace xdplb {
namespace {

constexpr std::uint32_t kMark = 0x58000002;

// A host with the probes and a server with VIPAs that only marked packets find. What is behind the server it refuses.
class PingNet : public ::testing::Test {
 protected:
  PingNet() : host_(NetworkNamespace::make()), server_(NetworkNamespace::make()) {
    if (!host_.is_open() || !server_.is_open()) return;
    host_.run("ip link add wire type veth peer name wire netns " + server_.path() +
              "; ip address add 192.0.2.1/24 dev wire; ip address add 2001:db8::1/64 dev wire nodad"
              "; ip link set wire up");
    server_.run(
        "ip address add 192.0.2.10/24 dev wire; ip address add 2001:db8::10/64 dev wire nodad; ip link set wire up"
        "; ip address add 198.51.100.1/32 dev lo; ip address add 2001:db8:1::1/128 dev lo nodad"
        "; sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1"
        "; ip route add unreachable 203.0.113.0/24; ip -6 route add unreachable 2001:db8:2::/48");
    host_.run(
        "ip rule add fwmark 0x58000002 lookup 7; ip route add default via 192.0.2.10 dev wire onlink table 7"
        "; ip -6 rule add fwmark 0x58000002 lookup 7; ip -6 route add default via 2001:db8::10 dev wire table 7");
  }
  void SetUp() override {
    if (!host_.is_open() || !server_.is_open()) GTEST_SKIP() << "needs root and network namespaces";
  }

  CheckResult ping(const std::string& address, std::uint32_t mark, unsigned timeout_ms = 10000) const {
    ProbeTarget target;
    target.destination = *IpAddress::parse(address);
    target.mark = mark;
    AdvisorConfig advisor;
    advisor.type = AdvisorType::kPing;
    advisor.receive_timeout_ms = timeout_ms;
    return host_.inside([&] { return run_probe(advisor, target); });
  }
  static void expect_code(const CheckResult& result, CheckCode code) {
    EXPECT_EQ(check_code_name(result.code), check_code_name(code)) << result.text;
  }

  NetworkNamespace host_;
  NetworkNamespace server_;
};

TEST_F(PingNet, AMarkLeadsToTheVipa) {
  expect_code(ping("198.51.100.1", kMark), CheckCode::kL3Ok);
  expect_code(ping("2001:db8:1::1", kMark), CheckCode::kL3Ok);
}

TEST_F(PingNet, WithoutARouteNothingIsSent) {
  expect_code(ping("198.51.100.1", 0), CheckCode::kSocketError);
  expect_code(ping("2001:db8:1::1", 0), CheckCode::kSocketError);
}

TEST_F(PingNet, TellsWhatARouterSays) {
  const CheckResult v4 = ping("203.0.113.1", kMark);
  expect_code(v4, CheckCode::kL3Unreachable);
  EXPECT_EQ(v4.text, "No route to host");
  expect_code(ping("2001:db8:2::1", kMark), CheckCode::kL3Unreachable);
}

TEST_F(PingNet, SilenceIsATimeout) {
  server_.run("sysctl -qw net.ipv4.icmp_echo_ignore_all=1");
  const CheckResult result = ping("198.51.100.1", kMark, 150);
  expect_code(result, CheckCode::kL3Timeout);
  EXPECT_EQ(result.text, "no answer in 150 ms");
}

}  // namespace
}  // namespace xdplb
