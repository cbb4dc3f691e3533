// SPDX-License-Identifier: GPL-2.0-only
// Probes over TCP against real servers that answer, hang, drip, flood and break.
#include "advisors/probe.h"

#include "loopback_server.h"
#include "probe_runner.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <future>

namespace xdplb {
namespace {

using std::chrono::milliseconds;
using ::testing::HasSubstr;
using ::testing::MatchesRegex;

constexpr unsigned kShortMs = 150;  // a limit that is meant to pass
constexpr std::string_view kOkReply = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

AdvisorConfig connect_advisor() { return {}; }

AdvisorConfig http_advisor() {
  AdvisorConfig advisor;
  advisor.type = AdvisorType::kHttp;
  advisor.http.body = ReplyMatch{.text = "ok"};
  return advisor;
}

AdvisorConfig ping_pong() {
  AdvisorConfig advisor;
  advisor.type = AdvisorType::kTcp;
  advisor.steps = {{.kind = TcpStep::Kind::kSend, .bytes = "PING\r\n"},
                   {.kind = TcpStep::Kind::kExpect, .match = {.text = "PONG"}}};
  return advisor;
}

AdvisorConfig impatient(AdvisorConfig advisor) {
  advisor.receive_timeout_ms = kShortMs;
  return advisor;
}

// The limit held: neither early nor, on a slow machine, much too late.
void expect_timed_out(const CheckResult& result, CheckCode code, unsigned limit_ms = kShortMs) {
  EXPECT_EQ(check_code_name(result.code), check_code_name(code)) << result.text;
  EXPECT_GE(result.latency, milliseconds(limit_ms));
  EXPECT_LT(result.latency, milliseconds(limit_ms) + std::chrono::seconds(3));
}

// A port where nobody listens.
ProbeTarget closed_port() {
  return LoopbackServer([](Peer&) {}).target();
}

TEST(ConnectProbe, FindsAServerUp) {
  LoopbackServer server([](Peer& peer) { peer.wait_for_end(); });
  ProbeLog log;
  const CheckResult result = run_probe(connect_advisor(), server.target(), &log);
  EXPECT_EQ(result.code, CheckCode::kL4Ok) << result.text;
  EXPECT_GT(result.latency.count(), 0);
  EXPECT_EQ(joined(log), "connected");
}

TEST(ConnectProbe, SpeaksIpv6) {
  LoopbackServer server([](Peer& peer) { peer.wait_for_end(); }, AF_INET6);
  EXPECT_EQ(run_probe(connect_advisor(), server.target()).code, CheckCode::kL4Ok);
}

TEST(ConnectProbe, EndsByResetSoThatNoTimeWaitIsLeft) {
  std::promise<bool> was_reset;
  LoopbackServer server([&](Peer& peer) { was_reset.set_value(peer.wait_for_reset()); });
  EXPECT_EQ(run_probe(connect_advisor(), server.target()).code, CheckCode::kL4Ok);
  EXPECT_TRUE(was_reset.get_future().get());
}

TEST(ConnectProbe, WaitsForTheServersGoodbyeWhereAsked) {
  std::promise<bool> was_reset;
  LoopbackServer server([&](Peer& peer) {
    EXPECT_EQ(peer.wait_for_end(), 0);
    peer.send("bye");
    peer.half_close();
    pollfd waited{.fd = peer.fd(), .events = 0, .revents = 0};
    ::poll(&waited, 1, kShortMs);
    was_reset.set_value((waited.revents & POLLERR) != 0);
  });
  auto target = server.target();
  target.waits_for_end = true;
  EXPECT_EQ(run_probe(connect_advisor(), target).code, CheckCode::kL4Ok);
  EXPECT_FALSE(was_reset.get_future().get());
}

TEST(ConnectProbe, WaitsNoLongerThanItsLimit) {
  LoopbackServer server([](Peer& peer) { EXPECT_TRUE(peer.wait_for_reset()); });
  auto target = server.target();
  target.waits_for_end = true;
  auto advisor = connect_advisor();
  advisor.receive_timeout_ms = kShortMs;
  EXPECT_EQ(run_probe(advisor, target).code, CheckCode::kL4Ok);
}

TEST(ConnectProbe, FindsAPortClosed) {
  const CheckResult result = run_probe(connect_advisor(), closed_port());
  EXPECT_EQ(result.code, CheckCode::kL4Refused);
  EXPECT_EQ(result.text, "connection refused");
}

TEST(ConnectProbe, GivesUpOnSilence) {
  // A listener with a full queue drops every further SYN.
  const FileDescriptor listener(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t length = sizeof(address);
  auto* generic = reinterpret_cast<sockaddr*>(&address);
  ASSERT_EQ(::bind(listener.get(), generic, length), 0);
  ASSERT_EQ(::listen(listener.get(), 0), 0);
  ASSERT_EQ(::getsockname(listener.get(), generic, &length), 0);
  const FileDescriptor first(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  ASSERT_EQ(::connect(first.get(), generic, length), 0);

  AdvisorConfig advisor = connect_advisor();
  advisor.connect_timeout_ms = kShortMs;
  ProbeTarget target;
  target.destination = *IpAddress::parse("127.0.0.1");
  target.port = ntohs(address.sin_port);
  const CheckResult result = run_probe(advisor, target);
  expect_timed_out(result, CheckCode::kL4Timeout);
  EXPECT_EQ(result.text, "no answer in 150 ms");
}

TEST(ConnectProbe, AProbeThatCannotBeSentIsThisHostsFault) {
  ProbeTarget target;
  target.destination = *IpAddress::parse("255.255.255.255");  // the kernel has no route for TCP there
  target.port = 80;
  const CheckResult result = run_probe(connect_advisor(), target);
  EXPECT_EQ(result.code, CheckCode::kSocketError);
  EXPECT_THAT(result.text, HasSubstr("connect to 255.255.255.255:80: "));
}

TEST(TcpProbe, HoldsTheConversation) {
  std::promise<std::string> heard;
  LoopbackServer server([&](Peer& peer) {
    heard.set_value(peer.read_until("\r\n"));
    peer.send("+PONG\r\n");
    peer.wait_for_end();
  });
  ProbeLog log;
  const CheckResult result = run_probe(ping_pong(), server.target(), &log);
  EXPECT_EQ(result.code, CheckCode::kL7Ok) << result.text;
  EXPECT_EQ(result.text, "+PONG");
  EXPECT_EQ(heard.get_future().get(), "PING\r\n");
  EXPECT_THAT(joined(log), MatchesRegex("connected; sent 6 bytes; got 7 bytes: .*"));
}

TEST(TcpProbe, TellsWhatItGotInstead) {
  LoopbackServer server([](Peer& peer) {
    peer.read_until("\r\n");
    peer.send("-LOADING\r\n");
    peer.half_close();
    peer.wait_for_end();
  });
  const CheckResult result = run_probe(ping_pong(), server.target());
  EXPECT_EQ(result.code, CheckCode::kL7Response);
  EXPECT_EQ(result.text, "connection ended waiting for \"PONG\" (step 2 of 2), got \"-LOADING\"");
}

TEST(TcpProbe, AGoodbyeThatNobodyHearsDoesNotMatter) {
  AdvisorConfig advisor = ping_pong();
  advisor.steps.push_back({.kind = TcpStep::Kind::kSend, .bytes = "QUIT\r\n"});
  LoopbackServer server([](Peer& peer) {
    peer.read_until("\r\n");
    peer.send("+PONG\r\n");
    peer.reset();
  });
  // The RST may also come ahead of the answer being read, and then it was none.
  const CheckResult result = run_probe(advisor, server.target());
  EXPECT_TRUE(result.code == CheckCode::kL7Ok || result.text.find("connection reset") == 0) << result.text;
}

struct Misdeed {
  std::string description;
  LoopbackServer::Script script;
  CheckCode tcp;   // of ping_pong()
  CheckCode http;  // of http_advisor()
  std::string text{};
};

std::vector<Misdeed> misdeeds() {
  const auto flood = [](Peer& peer, std::string_view head, std::string_view bytes) {
    std::string block;
    while (block.size() < 65536) block += bytes;
    if (!peer.send(head)) return;
    for (std::size_t sent = 0; sent < (100U << 20); sent += block.size()) {
      if (!peer.send(block)) return;
    }
  };
  return {
      {"hangs", [](Peer& peer) { peer.wait_for_end(); }, CheckCode::kL7Timeout, CheckCode::kL7Timeout,
       "timed out waiting for"},
      {"hangs and reads nothing", [](Peer& peer) { peer.wait_for_reset(); }, CheckCode::kL7Timeout,
       CheckCode::kL7Timeout, "timed out"},
      {"drips", [](Peer& peer) { peer.drip("HTTP/1.1 200 OK\r\nA: b\r\n", 20); }, CheckCode::kL7Timeout,
       CheckCode::kL7Timeout, "timed out"},
      {"drips a body",
       [](Peer& peer) {
         peer.send("HTTP/1.1 200 OK\r\n\r\n");
         peer.drip("x", 20);
       },
       CheckCode::kL7Timeout, CheckCode::kL7Timeout, "timed out"},
      {"closes", [](Peer&) {}, CheckCode::kL7Response, CheckCode::kL7Response, ""},
      {"half closes",
       [](Peer& peer) {
         peer.half_close();
         peer.wait_for_end();
       },
       CheckCode::kL7Response, CheckCode::kL7Response, "connection ended"},
      {"resets",
       [](Peer& peer) {
         peer.wait_for_word();
         peer.reset();
       },
       CheckCode::kL7Response, CheckCode::kL7Response, ""},
      {"resets in mid",
       [](Peer& peer) {
         peer.send("HTTP/1.1 200");
         peer.read_until("\n");
         peer.reset();
       },
       CheckCode::kL7Response, CheckCode::kL7Response, "connection reset"},
      {"ends in the header",
       [](Peer& peer) {
         peer.send("HTTP/1.1 200 OK\r\nA:");
         peer.half_close();
         peer.wait_for_end();
       },
       CheckCode::kL7Response, CheckCode::kL7Response, "connection ended"},
      {"sends garbage",
       [](Peer& peer) {
         peer.send(std::string("\0\xff\x1b[31m\r\n\r\n", 12));
         peer.half_close();
         peer.wait_for_end();
       },
       CheckCode::kL7Response, CheckCode::kL7Response, ""},
      {"sends 100 MB",
       [flood](Peer& peer) { flood(peer, "HTTP/1.1 200 OK\r\nContent-Length: 104857600\r\n\r\n", "x"); },
       CheckCode::kL7Response, CheckCode::kL7Response, " in "},
      {"sends an endless header", [flood](Peer& peer) { flood(peer, "HTTP/1.1 200 OK\r\n", "A: b\r\n"); },
       CheckCode::kL7Response, CheckCode::kL7Response, ""},
      {"sends endless interim replies", [flood](Peer& peer) { flood(peer, "", "HTTP/1.1 100 Continue\r\n\r\n"); },
       CheckCode::kL7Response, CheckCode::kL7Response, ""},
  };
}

class Misdeeds : public ::testing::TestWithParam<std::size_t> {};

TEST_P(Misdeeds, EndInTimeWithACodeThatTells) {
  const Misdeed misdeed = misdeeds()[GetParam()];
  SCOPED_TRACE(misdeed.description);
  const auto judge = [&](const AdvisorConfig& advisor, CheckCode code) {
    LoopbackServer server(misdeed.script);
    const bool must_time_out = code == CheckCode::kL7Timeout;
    const CheckResult result = run_probe(must_time_out ? impatient(advisor) : advisor, server.target());
    EXPECT_EQ(check_code_name(result.code), check_code_name(code)) << result.text;
    EXPECT_THAT(result.text, HasSubstr(misdeed.text));
    if (must_time_out) expect_timed_out(result, code);
  };
  judge(ping_pong(), misdeed.tcp);
  judge(http_advisor(), misdeed.http);
}

INSTANTIATE_TEST_SUITE_P(Servers, Misdeeds, ::testing::Range(std::size_t{0}, misdeeds().size()));

TEST(HttpProbe, FindsAServerUp) {
  std::promise<std::string> heard;
  LoopbackServer server([&](Peer& peer) {
    heard.set_value(peer.read_until("\r\n\r\n"));
    peer.send(kOkReply);
    peer.wait_for_end();
  });
  AdvisorConfig advisor = http_advisor();
  advisor.http.path = "/healthz";
  advisor.http.host = "web.example";
  ProbeLog log;
  const CheckResult result = run_probe(advisor, server.target(), &log);
  EXPECT_EQ(result.code, CheckCode::kL7Ok);
  EXPECT_EQ(result.text, "HTTP 200");
  EXPECT_FALSE(result.certificate_end);
  EXPECT_THAT(heard.get_future().get(), HasSubstr("GET /healthz HTTP/1.1\r\nHost: web.example\r\n"));
  EXPECT_THAT(joined(log), MatchesRegex("connected; sent [0-9]+ bytes; HTTP 200, 2 bytes"));
  EXPECT_LE(log.front().at, log.back().at);
}

TEST(HttpProbe, DoesNotReadABodyThatNobodyWants) {
  LoopbackServer server([](Peer& peer) {
    peer.read_until("\r\n\r\n");
    peer.send("HTTP/1.1 200 OK\r\nContent-Length: 104857600\r\n\r\n");
    peer.wait_for_end();
  });
  AdvisorConfig advisor = http_advisor();
  advisor.http.body.reset();
  EXPECT_EQ(run_probe(advisor, server.target()).code, CheckCode::kL7Ok);
}

TEST(HttpProbe, TellsTheStatus) {
  LoopbackServer server([](Peer& peer) {
    peer.read_until("\r\n\r\n");
    peer.send("HTTP/1.1 503 Service Unavailable\r\n\r\n");
  });
  const CheckResult result = run_probe(http_advisor(), server.target());
  EXPECT_EQ(result.code, CheckCode::kL7Status);
  EXPECT_EQ(result.text, "HTTP 503");
}

TEST(HttpProbe, ReadsTheAnswerOfAServerThatReadsNoRequest) {
  LoopbackServer server([](Peer& peer) {
    peer.send("HTTP/1.1 429 Too Many Requests\r\nContent-Length: 0\r\n\r\n");
    peer.half_close();
    peer.wait_for_end();
  });
  EXPECT_EQ(run_probe(http_advisor(), server.target()).text, "HTTP 429");
}

TEST(HttpProbe, ABadExpressionIsNoFaultOfTheServer) {
  AdvisorConfig advisor = http_advisor();
  advisor.http.body = ReplyMatch{.text = "(", .is_regex = true};
  EXPECT_EQ(run_probe(advisor, closed_port()).code, CheckCode::kSocketError);
}

TEST(HttpProbe, ManyAtATimeDoNotDisturbEachOther) {
  LoopbackServer good([](Peer& peer) {
    peer.read_until("\r\n\r\n");
    peer.send(kOkReply);
  });
  LoopbackServer bad([](Peer& peer) { peer.wait_for_end(); });
  boost::asio::io_context io;
  ProbeTools tools(io);
  const AdvisorConfig advisor = http_advisor();
  const AdvisorConfig hasty = impatient(advisor);
  const ProbeTarget up = good.target();
  const ProbeTarget hung = bad.target();
  int ups = 0;
  int timeouts = 0;
  const auto count = [&](std::exception_ptr, const CheckResult& result) {
    ups += result.code == CheckCode::kL7Ok ? 1 : 0;
    timeouts += result.code == CheckCode::kL7Timeout ? 1 : 0;
  };
  for (int i = 0; i < 20; ++i) {
    boost::asio::co_spawn(io, probe(tools, advisor, up), count);
    boost::asio::co_spawn(io, probe(tools, hasty, hung), count);
  }
  io.run_for(std::chrono::seconds(20));
  EXPECT_EQ(ups, 20);
  EXPECT_EQ(timeouts, 20);
}

}  // namespace
}  // namespace xdplb
