// SPDX-License-Identifier: GPL-2.0-only
// Probes over TLS: what is wrong with a server's certificate is told, and no misdeed holds a probe up.
#include "certificates.h"
#include "probe_runner.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <future>

namespace xdplb {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::MatchesRegex;

constexpr std::string_view kOkReply = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
constexpr auto kNewYear2030 = std::chrono::seconds(1893456000);  // 2030-01-01 00:00 UTC

// An authority and what it signs.
class TlsProbe : public ::testing::Test {
 protected:
  TlsProbe() : authority_(make_identity({.name = "Lab CA", .is_ca = true})), ca_file_(authority_) {}

  Identity make_server(CertificateSpec spec = {}) const {
    if (spec.alternatives.empty()) spec.alternatives = "DNS:" + spec.name;
    return make_identity(spec, &authority_);
  }
  // Serves one reply of HTTP over TLS with each connection.
  static LoopbackServer::Script https(const Identity& identity, TlsPeer::Options options = {}) {
    return [&identity, options](Peer& peer) {
      TlsPeer tls(peer, identity, options);
      if (!tls.accept()) return;
      tls.read_until("\r\n\r\n");
      tls.send(kOkReply);
      tls.hears_goodbye();
    };
  }
  AdvisorConfig verifying() const {
    AdvisorConfig advisor = trusting();
    advisor.tls.verify = true;
    advisor.tls.ca_file = ca_file_.path();
    return advisor;
  }
  static AdvisorConfig trusting() {
    AdvisorConfig advisor;
    advisor.type = AdvisorType::kHttps;
    advisor.http.host = "web.example:443";
    advisor.http.body = ReplyMatch{.text = "ok"};
    return advisor;
  }

  Identity authority_;
  CaFile ca_file_;
};

TEST_F(TlsProbe, TellsVersionCipherAndEndOfTheCertificate) {
  const Identity identity = make_server({.end = "20300101000000Z"});
  LoopbackServer server(https(identity));
  ProbeLog log;
  const CheckResult result = run_probe(verifying(), server.target(), &log);
  EXPECT_EQ(result.code, CheckCode::kL7Ok) << result.text;
  ASSERT_TRUE(result.certificate_end);
  EXPECT_EQ(result.certificate_end->time_since_epoch(), kNewYear2030);
  EXPECT_THAT(joined(log), MatchesRegex("connected; TLS 1.3 TLS_[A-Z0-9_]+, certificate of web.example until "
                                        "2030-01-01; sent [0-9]+ bytes; HTTP 200, 2 bytes"));
}

TEST_F(TlsProbe, SpeaksTls12) {
  const Identity identity = make_server();
  LoopbackServer server(https(identity, {.max_version = TLS1_2_VERSION}));
  ProbeLog log;
  EXPECT_EQ(run_probe(verifying(), server.target(), &log).code, CheckCode::kL7Ok);
  EXPECT_THAT(joined(log), HasSubstr("TLS 1.2 ECDHE-ECDSA"));
}

struct CertificateCase {
  std::string description;
  CertificateSpec spec;
  std::string text;
};

TEST_F(TlsProbe, TellsWhatIsWrongWithACertificate) {
  const std::vector<CertificateCase> cases = {
      {"expired", {.begin_s = -1000000000, .end = "20200229000000Z"}, "certificate of web.example expired 2020-02-29"},
      {"not yet valid", {.begin_s = 86400, .end = "20991231000000Z"}, "certificate of web.example begins "},
      {"another's",
       {.name = "mail.example", .alternatives = "DNS:mail.example,IP:192.0.2.7"},
       "certificate is for mail.example, 192.0.2.7, not for web.example"},
      {"only the common name is right",
       {.alternatives = "DNS:other.example"},
       "certificate is for other.example, not for web.example"},
  };
  for (const CertificateCase& test : cases) {
    SCOPED_TRACE(test.description);
    const Identity identity = make_server(test.spec);
    LoopbackServer server(https(identity));
    const CheckResult result = run_probe(verifying(), server.target());
    EXPECT_EQ(result.code, CheckCode::kL6Response);
    EXPECT_THAT(result.text, HasSubstr(test.text));
    EXPECT_TRUE(result.certificate_end);
    EXPECT_EQ(run_probe(trusting(), server.target()).code, CheckCode::kL7Ok) << "without verify all are taken";
  }
}

TEST_F(TlsProbe, TellsWhoseSignatureIsNotKnown) {
  const Identity self_signed = make_identity({.alternatives = "DNS:web.example"});
  const Identity stranger = make_identity({.name = "Other CA", .is_ca = true});
  const Identity foreign = make_identity({.alternatives = "DNS:web.example"}, &stranger);
  LoopbackServer first(https(self_signed));
  LoopbackServer second(https(foreign));
  EXPECT_EQ(run_probe(verifying(), first.target()).text, "certificate of web.example is self-signed");
  EXPECT_EQ(run_probe(verifying(), second.target()).text,
            "certificate of web.example is from an unknown issuer, Other CA");
  EXPECT_EQ(run_probe(trusting(), second.target()).code, CheckCode::kL7Ok);
}

TEST_F(TlsProbe, AnEndThatNeverComesIsCounted) {
  const Identity identity = make_server({.end = "99991231235959Z"});
  LoopbackServer server(https(identity));
  ProbeLog log;
  const CheckResult result = run_probe(verifying(), server.target(), &log);
  EXPECT_EQ(result.code, CheckCode::kL7Ok) << result.text;
  ASSERT_TRUE(result.certificate_end);
  EXPECT_GT(*result.certificate_end, std::chrono::system_clock::now() + std::chrono::hours(24 * 365 * 100));
  EXPECT_THAT(joined(log), HasSubstr("until 9999-12-31"));
}

TEST_F(TlsProbe, SaysTheNameButNeverAnAddress) {
  const Identity identity = make_server({.alternatives = "DNS:web.example,IP:127.0.0.1"});
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"", ""}, {"web.example", "web.example"}, {"127.0.0.1", ""}};
  for (const auto& [name, said] : cases) {
    std::promise<std::string> heard;
    LoopbackServer server([&](Peer& peer) {
      TlsPeer tls(peer, identity, {});
      const bool is_up = tls.accept();
      heard.set_value(is_up ? tls.server_name() : "no TLS");
      tls.hears_goodbye();
    });
    AdvisorConfig advisor = verifying();
    advisor.type = AdvisorType::kConnect;
    advisor.use_tls = true;
    advisor.http.host.clear();
    advisor.tls.server_name = name;
    const CheckResult result = run_probe(advisor, server.target());
    EXPECT_EQ(result.code, CheckCode::kL6Ok) << result.text;
    EXPECT_EQ(heard.get_future().get(), said);
  }
}

TEST_F(TlsProbe, VerifiesAnAddress) {
  const Identity identity = make_server({.alternatives = "DNS:web.example,IP:127.0.0.1"});
  LoopbackServer server(https(identity));
  AdvisorConfig advisor = verifying();
  advisor.tls.server_name = "127.0.0.1";
  EXPECT_EQ(run_probe(advisor, server.target()).code, CheckCode::kL7Ok);
  advisor.tls.server_name = "127.0.0.2";
  EXPECT_THAT(run_probe(advisor, server.target()).text, HasSubstr("not for 127.0.0.2"));
}

TEST_F(TlsProbe, SaysGoodbye) {
  const Identity identity = make_server();
  std::promise<bool> heard;
  LoopbackServer server([&](Peer& peer) {
    TlsPeer tls(peer, identity, {});
    heard.set_value(tls.accept() && tls.hears_goodbye());
  });
  AdvisorConfig advisor;
  advisor.use_tls = true;
  EXPECT_EQ(run_probe(advisor, server.target()).code, CheckCode::kL6Ok);
  EXPECT_TRUE(heard.get_future().get());
}

TEST_F(TlsProbe, WantsOneOfItsProtocols) {
  const Identity identity = make_server();
  AdvisorConfig advisor = trusting();
  advisor.tls.alpn = {"h2", "http/1.1"};
  LoopbackServer good(https(identity, {.alpn = "http/1.1"}));
  EXPECT_EQ(run_probe(advisor, good.target()).code, CheckCode::kL7Ok);

  LoopbackServer ignorant(https(identity));
  const CheckResult ignored = run_probe(advisor, ignorant.target());
  EXPECT_EQ(ignored.code, CheckCode::kL6Response);
  EXPECT_EQ(ignored.text, "the server chose no protocol of h2, http/1.1");

  LoopbackServer other(https(identity, {.alpn = "imap"}));
  const CheckResult refused = run_probe(advisor, other.target());
  EXPECT_EQ(refused.code, CheckCode::kL6Response);
  EXPECT_THAT(refused.text, HasSubstr("no application protocol"));
}

TEST_F(TlsProbe, FindsThatThereIsNoTls) {
  const std::vector<std::pair<std::string, LoopbackServer::Script>> cases = {
      {"plain HTTP",
       [](Peer& peer) {
         peer.read_until("\n");
         peer.send("HTTP/1.1 400 Bad Request\r\n\r\n");
         peer.half_close();
         peer.wait_for_end();
       }},
      {"SSH",
       [](Peer& peer) {
         peer.send("SSH-2.0-OpenSSH_9.2p1\r\n");
         peer.wait_for_end();
       }},
      {"closes",
       [](Peer& peer) {
         peer.half_close();
         peer.wait_for_end();
       }},
      {"resets",
       [](Peer& peer) {
         peer.wait_for_word();
         peer.reset();
       }},
      {"an alert",
       [](Peer& peer) {
         peer.send(std::string("\x15\x03\x03\x00\x02\x02\x28", 7));
         peer.wait_for_end();
       }},
  };
  for (const auto& [description, script] : cases) {
    SCOPED_TRACE(description);
    LoopbackServer server(script);
    const CheckResult result = run_probe(trusting(), server.target());
    EXPECT_EQ(check_code_name(result.code), "L6RSP") << result.text;
    EXPECT_FALSE(result.text.empty());
    EXPECT_FALSE(result.certificate_end);
  }
}

TEST_F(TlsProbe, LimitsTheHandshakeAndTheExchangeTogether) {
  AdvisorConfig advisor = trusting();
  advisor.receive_timeout_ms = 200;
  LoopbackServer silent([](Peer& peer) { peer.wait_for_end(); });
  EXPECT_EQ(run_probe(advisor, silent.target()).code, CheckCode::kL6Timeout);
  LoopbackServer dripping([](Peer& peer) { peer.drip(std::string_view("\x16\x03\x03\x40\x00", 5), 20); });
  const CheckResult dripped = run_probe(advisor, dripping.target());
  EXPECT_TRUE(dripped.code == CheckCode::kL6Timeout || dripped.code == CheckCode::kL6Response) << dripped.text;

  const Identity identity = make_server();
  LoopbackServer slow([&](Peer& peer) {
    TlsPeer tls(peer, identity, {});
    if (tls.accept()) tls.hears_goodbye();
  });
  const CheckResult late = run_probe(advisor, slow.target());
  EXPECT_EQ(late.code, CheckCode::kL7Timeout) << late.text;
  EXPECT_TRUE(late.certificate_end) << "the certificate was seen";
  EXPECT_GE(late.latency, std::chrono::milliseconds(200));
  EXPECT_LT(late.latency, std::chrono::seconds(3));
}

TEST_F(TlsProbe, EndsOfTlsOfBothKindsEndABody) {
  const Identity identity = make_server();
  for (const bool is_polite : {true, false}) {
    LoopbackServer server([&](Peer& peer) {
      TlsPeer tls(peer, identity, {});
      if (!tls.accept()) return;
      tls.read_until("\r\n\r\n");
      tls.send("HTTP/1.1 200 OK\r\n\r\nok");
      if (is_polite) tls.say_goodbye();
      peer.half_close();
      peer.wait_for_end();
    });
    const CheckResult result = run_probe(trusting(), server.target());
    EXPECT_EQ(result.code, CheckCode::kL7Ok) << is_polite << result.text;
  }
}

TEST_F(TlsProbe, GarbageBehindTheHandshakeIsAFaultOfTls) {
  const Identity identity = make_server();
  LoopbackServer server([&](Peer& peer) {
    TlsPeer tls(peer, identity, {});
    if (!tls.accept()) return;
    tls.read_until("\r\n\r\n");
    peer.send("HTTP/1.1 200 OK\r\n\r\n");
    peer.wait_for_end();
  });
  const CheckResult result = run_probe(trusting(), server.target());
  EXPECT_EQ(result.code, CheckCode::kL6Response);
  EXPECT_THAT(result.text, HasSubstr("TLS: "));
}

TEST_F(TlsProbe, AConversationMayBeInTls) {
  const Identity identity = make_server();
  LoopbackServer server([&](Peer& peer) {
    TlsPeer tls(peer, identity, {});
    if (!tls.accept()) return;
    tls.read_until("PING\r\n");
    tls.send("+PONG\r\n");
    tls.hears_goodbye();
  });
  AdvisorConfig advisor;
  advisor.type = AdvisorType::kTcp;
  advisor.use_tls = true;
  advisor.steps = {{.kind = TcpStep::Kind::kSend, .bytes = "PING\r\n"},
                   {.kind = TcpStep::Kind::kExpect, .match = {.text = "PONG"}}};
  const CheckResult result = run_probe(advisor, server.target());
  EXPECT_EQ(result.code, CheckCode::kL7Ok) << result.text;
  EXPECT_TRUE(result.certificate_end);
}

TEST_F(TlsProbe, AMissingCaFileIsThisHostsFault) {
  const Identity identity = make_server();
  LoopbackServer server(https(identity));
  AdvisorConfig advisor = verifying();
  advisor.tls.ca_file = "/nonexistent/ca.pem";
  const CheckResult result = run_probe(advisor, server.target());
  EXPECT_EQ(result.code, CheckCode::kSocketError);
  EXPECT_THAT(result.text, HasSubstr("/nonexistent/ca.pem"));
}

TEST_F(TlsProbe, AReplacedCaFileIsReadAgain) {
  const Identity identity = make_server();
  LoopbackServer server(https(identity));
  boost::asio::io_context io;
  ProbeTools tools(io);
  const AdvisorConfig advisor = verifying();
  const ProbeTarget target = server.target();
  const auto run = [&] {
    CheckCode code = CheckCode::kNone;
    boost::asio::co_spawn(io, probe(tools, advisor, target),
                          [&](std::exception_ptr, const CheckResult& result) { code = result.code; });
    io.restart();
    io.run_for(std::chrono::seconds(20));
    return code;
  };
  EXPECT_EQ(run(), CheckCode::kL7Ok);
  ca_file_.write(make_identity({.name = "An authority of quite another name", .is_ca = true}));
  EXPECT_EQ(run(), CheckCode::kL6Response);
  ca_file_.write(authority_);
  EXPECT_EQ(run(), CheckCode::kL7Ok);
}

}  // namespace
}  // namespace xdplb
