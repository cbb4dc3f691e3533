// SPDX-License-Identifier: GPL-2.0-only
// What routes and their absence make of a probe, and that a mark chooses its way.
#include "probe_runner.h"
#include "sandbox.h"

#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>

namespace xdplb {
namespace {

using ::testing::HasSubstr;

constexpr std::uint16_t kPort = 8080;
constexpr std::uint32_t kMark = 0x58000002;

// A host with the probes and a server with a VIPA that the host has no route to, on one wire.
class ProbeNet : public ::testing::Test {
 protected:
  ProbeNet() : host_(NetworkNamespace::make()), server_(NetworkNamespace::make()) {
    if (!host_.is_open() || !server_.is_open()) return;
    host_.run("ip link add wire type veth peer name wire netns " + server_.path() +
              "; ip address add 192.0.2.1/24 dev wire; ip address add 2001:db8::1/64 dev wire nodad"
              "; ip link set wire up");
    server_.run(
        "ip address add 192.0.2.10/24 dev wire; ip address add 2001:db8::10/64 dev wire nodad; ip link set wire up"
        "; ip address add 198.51.100.1/32 dev lo; ip address add 2001:db8:1::1/128 dev lo nodad");
    listener_ = server_.inside([] { return listen(); });
  }
  void SetUp() override { ASSERT_TRUE(host_.is_open() && server_.is_open()) << "needs root"; }

  static FileDescriptor listen() {
    FileDescriptor fd(::socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_in6 any{};
    any.sin6_family = AF_INET6;
    any.sin6_port = htons(kPort);
    EXPECT_EQ(::bind(fd.get(), reinterpret_cast<const sockaddr*>(&any), sizeof(any)), 0);
    EXPECT_EQ(::listen(fd.get(), 64), 0);
    const timeval patience{.tv_sec = 10, .tv_usec = 0};
    ::setsockopt(fd.get(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
    return fd;
  }
  CheckResult probe_connect(const std::string& address, std::uint32_t mark = 0, std::uint16_t port = kPort) const {
    ProbeTarget target;
    target.destination = *IpAddress::parse(address);
    target.port = port;
    target.mark = mark;
    AdvisorConfig advisor;
    advisor.connect_timeout_ms = 10000;
    return host_.inside([&] { return run_probe(advisor, target); });
  }

  NetworkNamespace host_;
  NetworkNamespace server_;
  FileDescriptor listener_{};
};

TEST_F(ProbeNet, AMarkLeadsToTheServer) {
  host_.run(
      "for f in -4 -6; do ip $f rule add fwmark 0x58000002 lookup 58002; done"
      "; ip route add default via 192.0.2.10 dev wire onlink table 58002"
      "; ip -6 route add default via 2001:db8::10 dev wire onlink table 58002");
  for (const std::string vipa : {"198.51.100.1", "2001:db8:1::1"}) {
    EXPECT_EQ(probe_connect(vipa, kMark).code, CheckCode::kL4Ok) << vipa;
    const CheckResult unmarked = probe_connect(vipa);
    EXPECT_EQ(unmarked.code, CheckCode::kSocketError) << vipa;
    EXPECT_THAT(unmarked.text, HasSubstr("connect to")) << vipa;
    EXPECT_EQ(probe_connect(vipa, kMark, kPort + 1).code, CheckCode::kL4Refused) << vipa;
  }
}

TEST_F(ProbeNet, AMissingMachineIsTheServersFault) {
  const CheckResult result = probe_connect("192.0.2.99");  // nobody answers ARP
  EXPECT_EQ(result.code, CheckCode::kL4Refused);
  EXPECT_EQ(result.text, "No route to host");
}

TEST_F(ProbeNet, WhatARouterCannotReachIsTheServersFault) {
  host_.run("ip route add 203.0.113.0/24 via 192.0.2.10");
  server_.run("sysctl -q net.ipv4.ip_forward=1; ip route add unreachable 203.0.113.0/24");
  const CheckResult result = probe_connect("203.0.113.1");
  EXPECT_EQ(result.code, CheckCode::kL4Refused) << result.text;
  EXPECT_EQ(result.text, "No route to host");
}

TEST_F(ProbeNet, ARouteThatForbidsIsThisHostsFault) {
  for (const std::string kind : {"unreachable", "prohibit", "blackhole"}) {
    host_.run("ip route replace " + kind + " 203.0.113.1");
    EXPECT_EQ(probe_connect("203.0.113.1").code, CheckCode::kSocketError) << kind;
  }
}

TEST_F(ProbeNet, NoFreePortIsThisHostsFault) {
  host_.run("sysctl -q net.ipv4.ip_local_port_range='40000 40000'");
  const FileDescriptor only = host_.inside([] {
    FileDescriptor fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_in server{};
    server.sin_family = AF_INET;
    server.sin_port = htons(kPort);
    ::inet_pton(AF_INET, "192.0.2.10", &server.sin_addr);
    EXPECT_EQ(::connect(fd.get(), reinterpret_cast<const sockaddr*>(&server), sizeof(server)), 0);
    return fd;
  });
  const CheckResult result = probe_connect("192.0.2.10");
  EXPECT_EQ(result.code, CheckCode::kSocketError) << result.text;
  EXPECT_THAT(result.text, HasSubstr("Cannot assign requested address"));
}

TEST_F(ProbeNet, AThousandProbesLeaveNothingBehind) {
  host_.run("sysctl -q net.ipv4.ip_local_port_range='40000 40099'");
  for (int i = 0; i < 1000; ++i) {
    ASSERT_EQ(probe_connect("192.0.2.10").code, CheckCode::kL4Ok) << i;
    const FileDescriptor taken(::accept(listener_.get(), nullptr, nullptr));
    ASSERT_TRUE(taken.is_open()) << i;
  }
  EXPECT_EQ(host_.output("ss -Htan state time-wait"), "");
}

}  // namespace
}  // namespace xdplb
