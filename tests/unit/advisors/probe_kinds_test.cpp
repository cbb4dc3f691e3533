// SPDX-License-Identifier: GPL-2.0-only
// Probes over UDP, of agents, by programs, by ping, and several at once, against real services on loopback.
#include "datagram_server.h"
#include "loopback_server.h"
#include "probe_runner.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <string>
#include <vector>

namespace xdplb {
namespace {

using namespace std::string_literals;
using std::chrono::milliseconds;
using ::testing::HasSubstr;

constexpr unsigned kShortMs = 150;  // a limit that is meant to pass

void expect_code(const CheckResult& result, CheckCode code, const std::string& text) {
  EXPECT_EQ(check_code_name(result.code), check_code_name(code)) << result.text;
  EXPECT_THAT(result.text, HasSubstr(text));
}

AdvisorConfig udp_advisor() {
  AdvisorConfig advisor;
  advisor.type = AdvisorType::kUdp;
  advisor.receive_timeout_ms = 5000;
  advisor.udp.payload = "ping";
  advisor.udp.silence = OnSilence::kDown;
  return advisor;
}

AdvisorConfig dns_advisor() {
  AdvisorConfig advisor;
  advisor.type = AdvisorType::kDns;
  advisor.receive_timeout_ms = 5000;
  advisor.dns.name = "www.example.com";
  advisor.dns.type = "A";
  return advisor;
}

// A reply to the query with these flags and, when there is one, the address 192.0.2.80.
std::string reply_to(const std::string& query, const std::string& flags, bool has_answer) {
  std::string reply = query.substr(0, 2) + flags + "\0\1"s + (has_answer ? "\0\1"s : "\0\0"s) + "\0\0\0\0"s;
  reply += query.substr(12);
  if (has_answer) reply += "\xc0\x0c\0\1\0\1\0\0\0\x3c\0\4\xc0\0\2\x50"s;
  return reply;
}

// A port of UDP where nobody listens.
ProbeTarget closed_udp_port() {
  return DatagramServer([](const std::string&) { return std::vector<std::string>{}; }).target();
}

TEST(UdpProbe, TakesAnyAnswer) {
  std::string heard;
  CheckResult result;
  {
    DatagramServer server([&](const std::string& bytes) {
      heard = bytes;
      return std::vector{"pong"s};
    });
    ProbeLog log;
    result = run_probe(udp_advisor(), server.target(), &log);
    EXPECT_EQ(joined(log), "sent 4 bytes; got 4 bytes: \"pong\"");
  }
  expect_code(result, CheckCode::kL7Ok, "4 bytes: \"pong\"");
  EXPECT_EQ(heard, "ping");
}

TEST(UdpProbe, LooksForTheAnswer) {
  DatagramServer server([](const std::string&) { return std::vector{"status=7 ok"s}; });
  AdvisorConfig advisor = udp_advisor();
  advisor.udp.answer = ReplyMatch{.text = "ok"};
  expect_code(run_probe(advisor, server.target()), CheckCode::kL7Ok, "status=7");
  advisor.udp.answer = ReplyMatch{.text = "status=[0-6]", .is_regex = true};
  expect_code(run_probe(advisor, server.target()), CheckCode::kL7Response, "/status=[0-6]/ is not in the answer of 11");
  advisor.udp.answer = ReplyMatch{.text = "(", .is_regex = true};
  EXPECT_EQ(run_probe(advisor, server.target()).code, CheckCode::kSocketError);
}

TEST(UdpProbe, TakesSilenceAsItIsTold) {
  DatagramServer server([](const std::string&) { return std::vector<std::string>{}; });
  AdvisorConfig advisor = udp_advisor();
  advisor.receive_timeout_ms = kShortMs;
  const CheckResult down = run_probe(advisor, server.target());
  expect_code(down, CheckCode::kL4Timeout, "no answer in 150 ms");
  EXPECT_GE(down.latency, milliseconds(kShortMs));
  advisor.udp.silence = OnSilence::kUp;
  expect_code(run_probe(advisor, server.target()), CheckCode::kL4Ok, "no answer in 150 ms");
}

TEST(UdpProbe, AClosedPortIsDownWhateverSilenceMeans) {
  AdvisorConfig advisor = udp_advisor();
  advisor.udp.silence = OnSilence::kUp;
  const CheckResult result = run_probe(advisor, closed_udp_port());
  expect_code(result, CheckCode::kL4Refused, "ICMP port unreachable");
  EXPECT_LT(result.latency, std::chrono::seconds(4));
}

TEST(DnsProbe, FindsTheAnswer) {
  DatagramServer server([](const std::string& query) { return std::vector{reply_to(query, "\x81\x80"s, true)}; });
  AdvisorConfig advisor = dns_advisor();
  expect_code(run_probe(advisor, server.target()), CheckCode::kL7Ok, "NOERROR, 1 answer: 192.0.2.80");
  advisor.dns.answer = "192.0.2.80";
  EXPECT_EQ(run_probe(advisor, server.target()).code, CheckCode::kL7Ok);
  advisor.dns.answer = "192.0.2.81";
  expect_code(run_probe(advisor, server.target()), CheckCode::kL7Response, "192.0.2.81 is not among NOERROR, 1 answer");
}

TEST(DnsProbe, AcceptsTheRcodesThatItIsTold) {
  DatagramServer server([](const std::string& query) { return std::vector{reply_to(query, "\x81\x83"s, false)}; });
  AdvisorConfig advisor = dns_advisor();
  expect_code(run_probe(advisor, server.target()), CheckCode::kL7Status, "NXDOMAIN, no answer");
  advisor.dns.rcodes = {"NOERROR", "NXDOMAIN"};
  EXPECT_EQ(run_probe(advisor, server.target()).code, CheckCode::kL7Ok);
}

TEST(DnsProbe, PassesOverWhatIsNoReplyToIt) {
  DatagramServer server([](const std::string& query) {
    std::string forged = reply_to(query, "\x81\x82"s, false);
    forged[0] = static_cast<char>(forged[0] ^ 1);
    return std::vector{forged, "?"s, reply_to(query, "\x81\x80"s, true)};
  });
  EXPECT_EQ(run_probe(dns_advisor(), server.target()).code, CheckCode::kL7Ok);
}

TEST(DnsProbe, TellsGarbageFromSilence) {
  AdvisorConfig advisor = dns_advisor();
  advisor.receive_timeout_ms = kShortMs;
  DatagramServer garbage([](const std::string&) { return std::vector{"garbage"s}; });
  expect_code(run_probe(advisor, garbage.target()), CheckCode::kL7Response, "shorter than a DNS header");
  DatagramServer silence([](const std::string&) { return std::vector<std::string>{}; });
  expect_code(run_probe(advisor, silence.target()), CheckCode::kL4Timeout, "no answer in 150 ms");
  expect_code(run_probe(advisor, closed_udp_port()), CheckCode::kL4Refused, "ICMP port unreachable");
}

TEST(DnsProbe, AsksOverTcp) {
  AdvisorConfig advisor = dns_advisor();
  advisor.dns.over_tcp = true;
  LoopbackServer server([](Peer& peer) {
    const std::string query = peer.read_until("\0\1\0\1"s).substr(2);
    const std::string reply = reply_to(query, "\x81\x80"s, true);
    peer.send("\0"s + static_cast<char>(reply.size()) + reply.substr(0, 5));
    peer.send(reply.substr(5));
    peer.wait_for_end();
  });
  expect_code(run_probe(advisor, server.target()), CheckCode::kL7Ok, "192.0.2.80");
  LoopbackServer cut([](Peer& peer) { peer.send("\0\x50short"s); });
  expect_code(run_probe(advisor, cut.target()), CheckCode::kL7Response, "waiting for the reply");
}

CheckResult ask_agent(const std::string& line) {
  LoopbackServer server([&](Peer& peer) {
    peer.send(line);
    peer.half_close();
    peer.wait_for_end();
  });
  AdvisorConfig advisor;
  advisor.type = AdvisorType::kAgent;
  return run_probe(advisor, server.target());
}

TEST(AgentProbe, TellsTheAgentsWords) {
  const CheckResult up = ask_agent("up 75%\n");
  expect_code(up, CheckCode::kL7Ok, "up 75%");
  EXPECT_EQ(up.agent, (AgentWords{.weight_percent = 75, .is_up = true}));
  const CheckResult down = ask_agent("down#no database\r\nup\n");
  expect_code(down, CheckCode::kL7Status, "down#no database");
  EXPECT_EQ(down.agent.is_up, false);
  expect_code(ask_agent("drain"), CheckCode::kL7OkConditional, "drain");
}

TEST(AgentProbe, TakesNothingButItsLanguage) {
  expect_code(ask_agent("hello there\n"), CheckCode::kL7Response, "no word of an agent: hello");
  expect_code(ask_agent(""), CheckCode::kL7Response, "an empty line");
  expect_code(ask_agent(std::string(5000, 'a')), CheckCode::kL7Response, "more than 1 KiB");
}

TEST(AgentProbe, DoesNotWaitForALineForEver) {
  LoopbackServer server([](Peer& peer) {
    peer.send("up");
    peer.wait_for_end();
  });
  AdvisorConfig advisor;
  advisor.type = AdvisorType::kAgent;
  advisor.receive_timeout_ms = kShortMs;
  expect_code(run_probe(advisor, server.target()), CheckCode::kL7Timeout, "waiting for the agent's line");
}

CheckResult run_program(const std::vector<std::string>& command, unsigned timeout_ms = 10000) {
  AdvisorConfig advisor;
  advisor.type = AdvisorType::kExec;
  advisor.exec.command = command;
  advisor.receive_timeout_ms = timeout_ms;
  ProbeTarget target;
  target.destination = IpAddress::v4({192, 0, 2, 21});
  target.port = 80;
  target.mark = 7;
  target.server = "web/80/s1";
  return run_probe(advisor, target);
}

TEST(ExecProbe, IsUpWhenTheProgramEndsWith0) {
  const CheckResult result = run_program({"/bin/sh", "-c", "echo 12; echo more"});
  expect_code(result, CheckCode::kProcOk, "exit 0: 12");
  EXPECT_EQ(result.load, 12U);
  EXPECT_EQ(run_program({"/bin/sh", "-c", "echo 12 apples"}).load, std::nullopt);
}

TEST(ExecProbe, IsDownWhenItEndsWithAnythingElse) {
  expect_code(run_program({"/bin/sh", "-c", "echo no database; exit 1"}), CheckCode::kProcError, "exit 1: no database");
  expect_code(run_program({"/bin/sh", "-c", "echo broken >&2; exit 7"}), CheckCode::kProcError, "exit 7: broken");
  expect_code(run_program({"/bin/sh", "-c", "kill -9 $$"}), CheckCode::kProcError, "killed by signal 9");
  expect_code(run_program({"/bin/sleep", "60"}, kShortMs), CheckCode::kProcTimeout, "no end in 150 ms");
  EXPECT_EQ(run_program({"/nonexistent/check"}).code, CheckCode::kSocketError);
}

TEST(ExecProbe, TellsTheProgramWhatToProbe) {
  const CheckResult result =
      run_program({"/bin/sh", "-c", "echo $XDPLB_SERVER $XDPLB_ADDRESS $XDPLB_PORT $XDPLB_MARK"});
  expect_code(result, CheckCode::kProcOk, "exit 0: web/80/s1 192.0.2.21 80 7");
}

TEST(CompositeProbe, RunsAllChecksAtOnce) {
  LoopbackServer agent([](Peer& peer) {
    peer.send("50%\n");
    peer.wait_for_end();
  });
  DatagramServer silent([](const std::string&) { return std::vector<std::string>{}; });
  AdvisorConfig composite;
  composite.type = AdvisorType::kComposite;
  composite.checks.resize(3);
  composite.checks[0].type = AdvisorType::kAgent;
  composite.checks[1] = composite.checks[2] = udp_advisor();
  for (std::size_t i : {1U, 2U}) {
    composite.checks[i].port = silent.target().port;
    composite.checks[i].receive_timeout_ms = 300;
  }
  ProbeLog log;
  const CheckResult all = run_probe(composite, agent.target(), &log);
  const std::string udp = "udp " + std::to_string(silent.target().port);
  expect_code(all, CheckCode::kL4Timeout, udp + ": no answer in 300 ms (1 of 3 are up)");
  EXPECT_GE(all.latency, milliseconds(300));
  EXPECT_LT(all.latency, milliseconds(600)) << "one after the other they would take as long";
  EXPECT_EQ(all.agent.weight_percent, 50U);
  EXPECT_THAT(joined(log), HasSubstr(udp + ": sent 4 bytes"));
  composite.combine = Combine::kAny;
  expect_code(run_probe(composite, agent.target()), CheckCode::kL7Ok, ": 50% (1 of 3 are up)");
}

TEST(PingProbe, HearsTheServerItself) {
  if (::geteuid() != 0) GTEST_SKIP() << "needs root: raw sockets";
  AdvisorConfig advisor;
  advisor.type = AdvisorType::kPing;
  for (const char* address : {"127.0.0.1", "::1"}) {
    ProbeTarget target;
    target.destination = *IpAddress::parse(address);
    target.mark = 7;
    ProbeLog log;
    expect_code(run_probe(advisor, target, &log), CheckCode::kL3Ok, "");
    EXPECT_EQ(joined(log), "sent an echo request; got the echo reply");
  }
}

TEST(PingProbe, ManyAtOnceAreToldApart) {
  if (::geteuid() != 0) GTEST_SKIP() << "needs root: raw sockets";
  boost::asio::io_context io;
  ProbeTools tools(io);
  AdvisorConfig advisor;
  advisor.type = AdvisorType::kPing;
  std::vector<ProbeTarget> targets(200);
  unsigned answered = 0;
  for (std::size_t i = 0; i < targets.size(); ++i) {
    targets[i].destination = IpAddress::v4({127, 0, 0, static_cast<std::uint8_t>(1 + i)});
    boost::asio::co_spawn(io, probe(tools, advisor, targets[i]), [&](std::exception_ptr, const CheckResult& result) {
      if (result.code == CheckCode::kL3Ok) ++answered;
    });
  }
  io.run_for(std::chrono::seconds(20));
  EXPECT_EQ(answered, targets.size());
}

}  // namespace
}  // namespace xdplb
