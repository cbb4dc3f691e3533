// SPDX-License-Identifier: GPL-2.0-only
#include "model/advisor_json.h"

#include "random_advisor.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>

namespace xdplb {
namespace {

using nlohmann::json;
using namespace std::string_literals;

AdvisorConfig decoded(const std::string& text, Protocol port = Protocol::kTcp) {
  const auto advisor = decode_advisor(json::parse(text), "advisor", port);
  EXPECT_TRUE(advisor) << advisor.error().message;
  return advisor ? *advisor : AdvisorConfig{};
}

std::string problem_of(const std::string& text) {
  const auto advisor = decode_advisor(json::parse(text), "advisor");
  if (advisor) return "accepted";
  EXPECT_EQ(advisor.error().code, ErrorCode::kInvalidConfig);
  return advisor.error().message;
}

// Of an advisor of a type, with more keys.
std::string problem_of(const std::string& type, const std::string& keys) {
  return problem_of(R"({"type": ")" + type + "\", " + keys + "}");
}

TEST(DecodeAdvisor, OnlyTheTypeMustBeThere) {
  EXPECT_EQ(decoded(R"({"type": "connect"})"), AdvisorConfig{});
  EXPECT_EQ(problem_of("{}"), "advisor: key \"type\" is missing");
  EXPECT_EQ(problem_of("[]"), "advisor: expected an object, got an array");
  EXPECT_EQ(problem_of(R"({"type": "htp"})"),
            "advisor.type: \"htp\" is not one of connect, ping, http, https, tcp, dns, udp, agent, exec, composite, "
            "smtp, imap, pop3, ftp, redis, ldap, mysql, pgsql, sip, nntp, telnet");
  EXPECT_EQ(problem_of("connect", R"("intervall": 2)"), "advisor.intervall: unknown key, did you mean \"interval\"?");
}

TEST(DecodeAdvisor, ReadsWhatAllTypesHave) {
  const AdvisorConfig expected{.type = AdvisorType::kConnect,
                               .way = ProbeWay::kBoth,
                               .port = 8080,
                               .interval_ms = 5000,
                               .fast_interval_ms = 500,
                               .down_interval_ms = 300000,
                               .connect_timeout_ms = 1000,
                               .receive_timeout_ms = 1500,
                               .fall = 1,
                               .rise = 100,
                               .watches = true};
  EXPECT_EQ(decoded(R"({"type": "connect", "via": "both", "port": 8080, "interval": 5, "fast_interval": "500ms",
                        "down_interval": "5m", "connect_timeout": "1s", "receive_timeout": "1500ms", "fall": 1,
                        "rise": 100, "watch": true})"),
            expected);
}

TEST(DecodeAdvisor, AWayMayBeWrittenAsPath) {
  EXPECT_EQ(decoded(R"({"type": "ping", "path": "own"})").way, ProbeWay::kOwn);
  const AdvisorConfig web = decoded(R"({"type": "http", "path": "both"})");
  EXPECT_EQ(web.way, ProbeWay::kBoth);
  EXPECT_EQ(web.http.path, "/");
  EXPECT_EQ(problem_of("http", R"("path": "own", "via": "own")"), "advisor.path: say it by \"via\" only");
  EXPECT_EQ(problem_of("http", R"("path": "healthz")"),
            "advisor.path: \"healthz\" begins with no '/' and is none of *, vip, own and both");
}

TEST(DecodeAdvisor, ReadsHttp) {
  const HttpOptions expected{.method = "HEAD",
                             .path = "/healthz?deep=1",
                             .host = "www.example.com",
                             .headers = {{"Accept", "*/*"}, {"X-A", "b"}},
                             .statuses = {{200, 200}, {300, 399}, {404, 404}},
                             .body = ReplyMatch{.text = "ok\n"},
                             .max_bytes = 100};
  EXPECT_EQ(decoded(R"({"type": "http", "method": "HEAD", "path": "/healthz?deep=1", "host": "www.example.com",
                        "headers": {"X-A": "b", "Accept": "*/*"}, "statuses": [200, "300-399", "404"],
                        "body": "ok\\n", "max_bytes": 100})")
                .http,
            expected);
  EXPECT_EQ(decoded(R"({"type": "http", "body": {"regex": "^up$"}})").http.body,
            (ReplyMatch{.text = "^up$", .is_regex = true}));
}

TEST(DecodeAdvisor, ReadsTls) {
  const TlsOptions expected{
      .verify = true, .ca_file = "/etc/ca.pem", .server_name = "www.example.com", .alpn = {"h2", "http/1.1"}};
  const std::string keys = R"("verify": true, "ca_file": "/etc/ca.pem", "server_name": "www.example.com",
                              "alpn": ["h2", "http/1.1"]})";
  EXPECT_EQ(decoded(R"({"type": "https", )" + keys).tls, expected);
  EXPECT_EQ(decoded(R"({"type": "imap", "tls": true, )" + keys).tls, expected);
  EXPECT_TRUE(decoded(R"({"type": "connect", "tls": true})").use_tls);
}

TEST(DecodeAdvisor, ReadsConversations) {
  const std::vector<TcpStep> expected = {
      {.kind = TcpStep::Kind::kSend, .bytes = "PING\r\n\0\xff"s},
      {.kind = TcpStep::Kind::kExpect, .match = {.text = "PONG"}},
      {.kind = TcpStep::Kind::kExpect, .match = {.text = R"(^\+OK)", .is_regex = true}}};
  EXPECT_EQ(decoded(R"({"type": "tcp", "steps": [{"send": "PING\\r\\n\\0\\xff"}, {"expect": "PONG"},
                                                 {"expect_regex": "^\\+OK"}]})")
                .steps,
            expected);
}

TEST(DecodeAdvisor, ReadsTheOtherTypes) {
  EXPECT_EQ(decoded(R"({"type": "dns", "name": "www.example.com", "query_type": "A", "rcodes": ["NXDOMAIN"],
                        "answer": "192.0.2.80", "over_tcp": false})")
                .dns,
            (DnsOptions{.name = "www.example.com", .type = "A", .rcodes = {"NXDOMAIN"}, .answer = "192.0.2.80"}));
  EXPECT_EQ(
      decoded(R"({"type": "udp", "payload": "\\x00ping", "answer": {"regex": "pong"}, "silence": "up"})").udp,
      (UdpOptions{
          .payload = "\0ping"s, .answer = ReplyMatch{.text = "pong", .is_regex = true}, .silence = OnSilence::kUp}));
  EXPECT_EQ(decoded(R"({"type": "exec", "command": ["/usr/lib/x/check", "arg"], "user": "www-data"})").exec,
            (ExecOptions{.command = {"/usr/lib/x/check", "arg"}, .user = "www-data"}));
  EXPECT_EQ(decoded(R"({"type": "agent", "port": 8081})").port, 8081);
}

TEST(DecodeAdvisor, DnsAsksATcpPortOverTcp) {
  EXPECT_TRUE(decoded(R"({"type": "dns"})", Protocol::kTcp).dns.over_tcp);
  EXPECT_FALSE(decoded(R"({"type": "dns"})", Protocol::kUdp).dns.over_tcp);
  EXPECT_FALSE(decoded(R"({"type": "dns", "over_tcp": false})", Protocol::kTcp).dns.over_tcp);
  EXPECT_TRUE(decoded(R"({"type": "composite", "checks": [{"type": "dns"}]})", Protocol::kTcp).checks[0].dns.over_tcp);
  EXPECT_EQ(decoded(R"({"type": "connect"})", Protocol::kTcp), AdvisorConfig{});
}

TEST(DecodeAdvisor, ReadsComposites) {
  const AdvisorConfig advisor = decoded(R"({"type": "composite", "combine": "at-least", "at_least": 1, "interval": "5s",
      "checks": [{"type": "http", "path": "/a", "receive_timeout": "1s"}, {"type": "ping"}]})");
  ASSERT_EQ(advisor.checks.size(), 2U);
  EXPECT_EQ(advisor.combine, Combine::kAtLeast);
  EXPECT_EQ(advisor.at_least, 1U);
  EXPECT_EQ(advisor.checks[0].http.path, "/a");
  EXPECT_EQ(advisor.checks[0].receive_timeout_ms, 1000U);
  EXPECT_EQ(advisor.checks[1].type, AdvisorType::kPing);
}

struct BadKey {
  const char* type;
  const char* keys;
  const char* message;  // behind "advisor"
};

void expect_problems(const std::vector<BadKey>& cases) {
  for (const BadKey& bad : cases) EXPECT_EQ(problem_of(bad.type, bad.keys), "advisor"s + bad.message) << bad.keys;
}

TEST(DecodeAdvisor, KeysOfOtherTypesAreErrors) {
  expect_problems({
      {"connect", R"("body": "x")", ".body: is for http and https, the type is connect"},
      {"connect", R"("path": "/x")", ".path: is for http and https, the type is connect"},
      {"ping", R"("port": 80)", ".port: is for all types but ping, the type is ping"},
      {"ping", R"("watch": true)", ".watch: is for conversations over TCP, the type is ping"},
      {"udp", R"("connect_timeout": 1, "silence": "up")",
       ".connect_timeout: is for conversations over TCP, the type is udp"},
      {"composite", R"("receive_timeout": 1, "checks": [])",
       ".receive_timeout: is for each of the checks, the type is composite"},
      {"https", R"("tls": true)", ".tls: is for connect, tcp and presets, the type is https"},
      {"http", R"("verify": true)", ".verify: is for https, and \"tls\": true, the type is http"},
      {"imap", R"("verify": true)", ".verify: needs \"tls\": true"},
      {"imap", R"("tls": false, "alpn": [])", ".alpn: needs \"tls\": true"},
      {"imap", R"("steps": [])", ".steps: is for tcp, the type is imap"},
      {"tcp", R"("name": "x", "steps": [])", ".name: is for dns, the type is tcp"},
      {"http", R"("answer": "x")", ".answer: is for dns and udp, the type is http"},
      {"dns", R"("silence": "up")", ".silence: is for udp, the type is dns"},
      {"http", R"("user": "x")", ".user: is for exec, the type is http"},
      {"http", R"("combine": "all")", ".combine: is for composite, the type is http"},
  });
}

TEST(DecodeAdvisor, TypesNeedTheirKeys) {
  EXPECT_EQ(problem_of(R"({"type": "tcp"})"), "advisor: key \"steps\" is missing, type tcp needs it");
  EXPECT_EQ(problem_of(R"({"type": "udp"})"), "advisor: key \"silence\" is missing, type udp needs it");
  EXPECT_EQ(problem_of(R"({"type": "agent"})"), "advisor: key \"port\" is missing, type agent needs it");
  EXPECT_EQ(problem_of(R"({"type": "exec"})"), "advisor: key \"command\" is missing, type exec needs it");
  EXPECT_EQ(problem_of(R"({"type": "composite"})"), "advisor: key \"checks\" is missing, type composite needs it");
}

TEST(DecodeAdvisor, NumbersAndTimesHaveRanges) {
  EXPECT_EQ(problem_of("connect", R"("interval": "20ms")"), "accepted");
  EXPECT_EQ(problem_of("connect", R"("interval": "1h")"), "accepted");
  EXPECT_EQ(problem_of("connect", R"("port": 65535, "fall": 100, "rise": 1)"), "accepted");
  EXPECT_EQ(problem_of("http", R"("max_bytes": 1048576, "statuses": [100, 599])"), "accepted");
  expect_problems({
      {"connect", R"("interval": "19ms")",
       ".interval: \"19ms\" is no time from 20ms to 3600s, written like 500ms, 2, 2s or 5m"},
      {"connect", R"("interval": 0)", ".interval: 0 is not in 1..3600"},
      {"connect", R"("interval": 3601)", ".interval: 3601 is not in 1..3600"},
      {"connect", R"("interval": 0.5)", ".interval: 0.5 is not a whole number in 1..3600"},
      {"connect", R"("interval": true)", ".interval: expected a time like \"2s\" or \"500ms\", got true"},
      {"connect", R"("port": 0)", ".port: 0 is not in 1..65535"},
      {"connect", R"("port": 65536)", ".port: 65536 is not in 1..65535"},
      {"connect", R"("fall": 0)", ".fall: 0 is not in 1..100"},
      {"connect", R"("rise": 101)", ".rise: 101 is not in 1..100"},
      {"http", R"("max_bytes": 0)", ".max_bytes: 0 is not in 1..1048576"},
      {"http", R"("max_bytes": 1048577)", ".max_bytes: 1048577 is not in 1..1048576"},
      {"http", R"("statuses": [])", ".statuses: it is empty, name at least one"},
      {"http", R"("statuses": [99])", ".statuses[0]: 99 is not in 100..599"},
      {"http", R"("statuses": [200, "399-300"])",
       ".statuses[1]: \"399-300\" is neither a status from 100 to 599 nor a range of them like 300-399"},
      {"connect", R"("via": "server")", ".via: \"server\" is not one of vip, own, both"},
      {"connect", R"("watch": 1)", ".watch: expected true or false, got a number"},
  });
}

// A request is one line and fields; nothing of ours may end a line early.
TEST(DecodeAdvisor, RequestsCannotBeSmuggled) {
  expect_problems({
      {"http", R"("method": "GET / HTTP/1.1\r\nX: ")",
       ".method: \"GET / HTTP/1.1\\x0d\\x0aX: \" is no method: up to 64 letters, digits and marks without spaces"},
      {"http", R"("path": "/\r\nX: y")",
       ".path: \"/\\x0d\\x0aX: y\" may only have visible ASCII: write other bytes like %20"},
      {"http", R"("path": "/a b")", ".path: \"/a b\" may only have visible ASCII: write other bytes like %20"},
      {"http", R"("host": "a\nb")", ".host: \"a\\x0ab\" is no host, nor host:port"},
      {"http", R"("headers": {"X-A": "b\r\nX-B: c"})",
       ".headers.X-A: \"b\\x0d\\x0aX-B: c\" may only have printable ASCII"},
      {"http", R"("headers": {"X-A": "b\u0000"})", ".headers.X-A: \"b\\x00\" may only have printable ASCII"},
      {"http", R"("headers": {"X A": "b"})",
       ".headers[\"X A\"]: \"X A\" is no name of a header: up to 64 letters, digits and marks"},
      {"http", R"("headers": {"X:": "b"})",
       ".headers[\"X:\"]: \"X:\" is no name of a header: up to 64 letters, digits and marks"},
      {"http", R"("headers": {"hOST": "b"})", ".headers.hOST: \"hOST\" has a key of its own: \"host\""},
      {"http", R"("headers": {"Transfer-encoding": "chunked"})",
       ".headers.Transfer-encoding: \"Transfer-encoding\" is written by the probe itself"},
      {"http", R"("headers": ["X-A"])", ".headers: expected an object, got an array"},
      {"http", R"("headers": {"X-A": 1})", ".headers.X-A: expected a string, got a number"},
  });
}

TEST(DecodeAdvisor, ExpressionsMustCompileSmall) {
  EXPECT_EQ(problem_of("http", R"k("body": {"regex": "(?i)^status:\\s*\"ok\"\\xff"})k"), "accepted");
  const std::string longest(1024, 'a');
  EXPECT_EQ(problem_of("http", R"("body": {"regex": ")" + longest + "\"}"), "accepted");
  EXPECT_NE(problem_of("http", R"("body": {"regex": ")" + longest + "a\"}").find("is longer than 1024 bytes"),
            std::string::npos);
  EXPECT_NE(problem_of("http", R"k("body": {"regex": "((a{100}){100}){100}"})k")
                .find("advisor.body.regex: \"((a{100}){100}){100}\" is no regular expression of RE2: "),
            std::string::npos);
  expect_problems({
      {"http", R"k("body": {"regex": "(a"})k",
       ".body.regex: \"(a\" is no regular expression of RE2: \"missing ): (a\""},
      {"http", R"k("body": {"regex": "(?=a)"})k",
       ".body.regex: \"(?=a)\" is no regular expression of RE2: \"invalid perl operator: (?=\""},
      {"http", R"k("body": {"regex": ""})k", ".body.regex: an empty expression matches anything, leave it out"},
      {"http", R"k("body": {"regex": "ä"})k",
       ".body.regex: \"\\xc3\\xa4\" may only have printable ASCII: write other bytes as \\n, \\t or \\xHH"},
      {"http", R"k("body": {"regexp": "a"})k", ".body.regexp: unknown key, did you mean \"regex\"?"},
      {"http", R"("body": {})", ".body: key \"regex\" is missing"},
      {"http", R"("body": 1)", ".body: expected a string or {\"regex\": ...}, got a number"},
      {"http", R"("body": "")", ".body: an empty text is in anything, leave it out"},
      {"http", R"("body": "C:\\dir")",
       ".body: \"C:\\\\dir\" has an unknown escape, there are \\r \\n \\t \\0 \\\\ and \\xHH"},
      {"tcp", R"("steps": [{"send": "a"}, {"expect_regex": "["}])",
       ".steps[1].expect_regex: \"[\" is no regular expression of RE2: \"missing ]: [\""},
  });
}

TEST(DecodeAdvisor, StepsAreOneThingEach) {
  std::string many;
  for (int i = 0; i < 32; ++i) many += R"({"send": "a"}, )";
  EXPECT_EQ(problem_of("tcp", R"("steps": [)" + many.substr(0, many.size() - 2) + "]"), "accepted");
  EXPECT_EQ(problem_of("tcp", R"("steps": [)" + many + R"({"send": "a"}])"),
            "advisor.steps: there are 33, at most 32 are possible");
  expect_problems({
      {"tcp", R"("steps": [])", ".steps: it is empty, name at least one"},
      {"tcp", R"("steps": [{}])", ".steps[0]: say one of \"send\", \"expect\" and \"expect_regex\""},
      {"tcp", R"("steps": [{"send": "a", "expect": "b"}])",
       ".steps[0]: say one of \"send\", \"expect\" and \"expect_regex\""},
      {"tcp", R"("steps": [{"sent": "a"}])", ".steps[0].sent: unknown key, did you mean \"send\"?"},
      {"tcp", R"("steps": [{"send": ""}])", ".steps[0].send: it has 0 bytes, 1 to 4096 are possible"},
      {"tcp", R"("steps": ["a"])", ".steps[0]: expected an object, got a string"},
  });
  EXPECT_EQ(problem_of("tcp", R"("steps": [{"send": ")" + std::string(4096, 'a') + "\"}]"), "accepted");
  EXPECT_EQ(problem_of("tcp", R"("steps": [{"send": ")" + std::string(4097, 'a') + "\"}]"),
            "advisor.steps[0].send: it has 4097 bytes, 1 to 4096 are possible");
}

TEST(DecodeAdvisor, NamesOfDnsAndTlsAreChecked) {
  const std::string label(63, 'a');
  EXPECT_EQ(problem_of("dns", R"("name": ".")"), "accepted");
  EXPECT_EQ(problem_of("dns", R"("name": "_sip._tcp.)" + label + R"(.example.")"), "accepted");
  EXPECT_NE(problem_of("dns", R"("name": ")" + label + "a\""), "accepted");
  const std::string longest = label + "." + label + "." + label + "." + label.substr(2);
  EXPECT_EQ(problem_of("dns", R"("name": ")" + longest + "\""), "accepted");
  EXPECT_NE(problem_of("dns", R"("name": ")" + longest + "a\""), "accepted");
  expect_problems({
      {"dns", R"("name": "")", ".name: \"\" is no domain name"},
      {"dns", R"("name": "a..b")", ".name: \"a..b\" is no domain name"},
      {"dns", R"("name": ".a")", ".name: \".a\" is no domain name"},
      {"dns", R"("query_type": "ANY")",
       ".query_type: \"ANY\" is not one of A, AAAA, CNAME, MX, NS, PTR, SOA, SRV, TXT"},
      {"dns", R"("rcodes": [])", ".rcodes: it is empty, name at least one"},
      {"dns", R"("rcodes": ["NOERROR", "NOERROR"])", ".rcodes: NOERROR is listed twice"},
      {"dns", R"("answer": {"regex": "x"})", ".answer: expected a string, got an object"},
      {"https", R"("ca_file": "ca.pem")", ".ca_file: \"ca.pem\" is no absolute path of a file"},
      {"https", R"("server_name": "a b")", ".server_name: \"a b\" is no name of a server"},
      {"https", R"("alpn": [""])", ".alpn[0]: \"\" is no protocol like h2 or http/1.1"},
  });
}

TEST(DecodeAdvisor, CommandsHaveAPathAndAUser) {
  expect_problems({
      {"exec", R"("command": [])", ".command: it is empty, name the program"},
      {"exec", R"("command": ["check"])", ".command[0]: \"check\" is no absolute path of a program"},
      {"exec", R"("command": "/bin/true")", ".command: expected an array, got a string"},
      {"exec", R"("command": ["/bin/true", "a\u0000b"])", ".command[1]: \"a\\x00b\" holds a NUL byte"},
      {"exec", R"("command": ["/bin/true"], "user": "")", ".user: \"\" is no name of a user"},
      {"exec", R"("command": ["/bin/true"], "user": "-x")", ".user: \"-x\" is no name of a user"},
  });
}

TEST(DecodeAdvisor, PayloadsFitAFrame) {
  EXPECT_EQ(problem_of("udp", R"("silence": "up", "payload": ")" + std::string(1200, 'a') + "\""), "accepted");
  EXPECT_EQ(problem_of("udp", R"("silence": "up", "payload": ")" + std::string(1201, 'a') + "\""),
            "advisor.payload: it has 1201 bytes, at most 1200 are possible");
}

TEST(DecodeAdvisor, CompositesAreFlatAndPossible) {
  std::string eight;
  for (int i = 0; i < 8; ++i) eight += R"({"type": "ping"}, )";
  EXPECT_EQ(problem_of("composite", R"("checks": [)" + eight.substr(0, eight.size() - 2) + "]"), "accepted");
  EXPECT_EQ(problem_of("composite", R"("checks": [)" + eight + R"({"type": "ping"}])"),
            "advisor.checks: there are 9, at most 8 are possible");
  expect_problems({
      {"composite", R"("checks": [])", ".checks: it is empty, name at least one"},
      {"composite", R"("checks": {})", ".checks: expected an array, got an object"},
      {"composite", R"("checks": [{"type": "composite", "checks": []}])",
       ".checks[0]: a composite cannot be in another one"},
      {"composite", R"("checks": [{"type": "ping", "interval": 2}])",
       ".checks[0].interval: is the composite's to say, not a check's"},
      {"composite", R"("checks": [{"type": "ping", "path": "own"}])",
       ".checks[0].path: is the composite's to say, not a check's"},
      {"composite", R"("checks": [{"type": "ping", "body": "x"}])",
       ".checks[0].body: is for http and https, the type is ping"},
      {"composite", R"("checks": [{"type": "ping"}], "combine": "at-least")",
       ": key \"at_least\" is missing, combine at-least needs it"},
      {"composite", R"("checks": [{"type": "ping"}], "at_least": 1)", ".at_least: needs \"combine\": \"at-least\""},
      {"composite", R"("checks": [{"type": "ping"}], "combine": "at-least", "at_least": 2)",
       ".at_least: 2 of 1 checks are not possible"},
  });
}

TEST(EncodeAdvisor, WritesOnlyWhatIsNotTheDefault) {
  EXPECT_EQ(encode_advisor({}), json::parse(R"({"type": "connect"})"));
  EXPECT_EQ(encode_advisor({.type = AdvisorType::kDns}), json::parse(R"({"type": "dns", "over_tcp": false})"));
  const json web = json::parse(R"({"type": "http", "via": "own", "interval": "5s", "fast_interval": "500ms",
                                   "path": "/healthz", "headers": {"X-A": "b"}, "statuses": [200, "300-399"],
                                   "body": "a\\\\b\\r\\n\\xff"})");
  const AdvisorConfig advisor = decoded(web.dump());
  EXPECT_EQ(advisor.http.body->text, "a\\b\r\n\xff");
  EXPECT_EQ(encode_advisor(advisor), web);
}

TEST(EncodeAdvisor, IsUndoneByDecoding) {
  std::mt19937_64 engine(5);
  testing::RandomAdvisor random(engine);
  for (int i = 0; i < 600; ++i) {
    const auto protocol = i % 2 == 0 ? Protocol::kTcp : Protocol::kUdp;
    const AdvisorConfig advisor = random.make(80, protocol);
    const std::string text = encode_advisor(advisor).dump();
    for (const Protocol port : {Protocol::kTcp, Protocol::kUdp}) {
      const auto again = decode_advisor(json::parse(text), "advisor", port);
      ASSERT_TRUE(again) << again.error().message << "\n" << text;
      ASSERT_EQ(*again, advisor) << text;
    }
    EXPECT_TRUE(check_advisor(advisor, 80, protocol == Protocol::kUdp, "port web/80: advisor")) << text;
  }
}

}  // namespace
}  // namespace xdplb
