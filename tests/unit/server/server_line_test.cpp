// SPDX-License-Identifier: GPL-2.0-only
#include "server/server_line.h"

#include <gmock/gmock.h>

#include <sstream>

#include "server/server_cli.h"
#include "server/server_report.h"
#include "server_fixture.h"

namespace xdplb {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::StartsWith;

Result<ServerLine> parse(std::vector<const char*> words) {
  words.insert(words.begin(), "xdplb-server");
  return parse_server_line(static_cast<int>(words.size()), words.data());
}

struct Ran {
  int code;
  std::string out;
  std::string err;
};

Ran run(std::vector<const char*> words) {
  words.insert(words.begin(), "xdplb-server");
  std::ostringstream out, err;
  const int code = run_server(static_cast<int>(words.size()), words.data(), {.out = out, .err = err});
  return {.code = code, .out = out.str(), .err = err.str()};
}

TEST(ServerLine, TakesVipasAndPorts) {
  const auto line = parse({"check", "192.0.2.10", "2001:db8::10", "192.0.2.10", "--port", "80", "--port", "53/udp",
                           "--port", "80/tcp", "--netns", "web", "-p"});
  ASSERT_TRUE(line) << line.error().message;
  EXPECT_EQ(line->command, ServerCommand::kCheck);
  EXPECT_THAT(line->wish.vipas, ElementsAre(ip("192.0.2.10"), ip("2001:db8::10")));
  EXPECT_THAT(line->wish.ports,
              ElementsAre(ServerPort{.port = 80}, ServerPort{.port = 53, .protocol = Protocol::kUdp}));
  EXPECT_EQ(line->netns, "web");
  EXPECT_TRUE(line->wants_json);
  EXPECT_TRUE(line->wants_pretty);
}

TEST(ServerLine, MayHaveThePortBeforeTheVipa) {
  const auto line = parse({"check", "--port", "80", "192.0.2.10"});
  ASSERT_TRUE(line) << line.error().message;
  EXPECT_THAT(line->wish.vipas, ElementsAre(ip("192.0.2.10")));
}

TEST(ServerLine, TakesTheOptionsOfSetupAndRemove) {
  const auto setup = parse({"setup", "192.0.2.10", "--persist", "sysctl-only", "--method", "nft", "--dry-run"});
  ASSERT_TRUE(setup) << setup.error().message;
  EXPECT_EQ(setup->command, ServerCommand::kSetup);
  EXPECT_EQ(setup->method, ServerMethod::kNft);
  EXPECT_EQ(setup->persistence, Persistence::kSysctlOnly);
  EXPECT_TRUE(setup->is_dry_run);
  EXPECT_EQ(parse({"setup", "192.0.2.10"})->persistence, Persistence::kAuto);
  EXPECT_EQ(parse({"remove", "--all"})->command, ServerCommand::kRemove);
  EXPECT_THAT(parse({"remove", "--all"})->wish.vipas, testing::IsEmpty());
  EXPECT_THAT(parse({"remove", "192.0.2.10"})->wish.vipas, ElementsAre(ip("192.0.2.10")));
}

TEST(ServerLine, RefusesWhatIsWrong) {
  const std::vector<std::vector<const char*>> lines = {
      {},
      {"nonsense"},
      {"check"},
      {"check", "192.0.2.256"},
      {"check", "192.0.2.10/32"},
      {"check", "0.0.0.0"},
      {"check", "127.0.0.1"},
      {"check", "224.0.0.1"},
      {"check", "fe80::1"},
      {"check", "192.0.2.10", "--port", "0"},
      {"check", "192.0.2.10", "--port", "65536"},
      {"check", "192.0.2.10", "--port", "80/sctp"},
      {"check", "192.0.2.10", "--port", "http"},
      {"check", "192.0.2.10", "--nonsense"},
      {"check", "192.0.2.10", "--netns"},
      {"setup"},
      {"setup", "192.0.2.10", "--method", "magic"},
      {"setup", "192.0.2.10", "--persist", "magic"},
      {"setup", "192.0.2.10", "--all"},
      {"remove"},
      {"remove", "192.0.2.10", "--all"},
  };
  for (const auto& words : lines) {
    const auto line = parse(words);
    ASSERT_FALSE(line) << testing::PrintToString(words);
    EXPECT_EQ(line.error().code, ErrorCode::kUsage);
    EXPECT_EQ(line.error().message.find('\n'), std::string::npos);
    const Ran ran = run(words);
    EXPECT_EQ(ran.code, 2);
    EXPECT_THAT(ran.err, StartsWith("xdplb-server: "));
    EXPECT_EQ(std::count(ran.err.begin(), ran.err.end(), '\n'), 1);
    EXPECT_EQ(ran.out, "");
  }
}

TEST(ServerCli, HelpsAndTellsItsVersion) {
  for (const char* word : {"--help", "-h"}) EXPECT_THAT(run({word}).out, HasSubstr("check"));
  EXPECT_THAT(run({"check", "--help"}).out, HasSubstr("--netns"));
  EXPECT_EQ(run({"check", "--help"}).code, 0);
  EXPECT_EQ(run({"--version"}).code, 0);
  EXPECT_EQ(run({"--version"}).out, "xdplb-server " XDPLB_VERSION "\n");
}

TEST(ServerCli, DoesNotFindANamespace) {
  for (const char* name : {"no-such-namespace", "2147483647"}) {
    const Ran ran = run({"check", "192.0.2.10", "--netns", name});
    EXPECT_EQ(ran.code, 3);
    EXPECT_THAT(ran.err, HasSubstr(name));
  }
  EXPECT_EQ(run({"check", "192.0.2.10", "--netns", "../net"}).code, 3);
}

class Report : public Server {
 protected:
  std::string text() const {
    std::ostringstream out;
    print_report(out, facts_, wish_, faults());
    return out.str();
  }
};

TEST_F(Report, SaysOkForEachVipa) {
  EXPECT_EQ(text(),
            "ok 192.0.2.10: alias, silent to ARP, 80/tcp served\n"
            "ok 2001:db8:1::10: alias, silent to ND, 80/tcp served\n");
}

TEST_F(Report, TellsFaultsWithTheirRemedies) {
  drop_alias("192.0.2.10");
  facts_.listeners[0].port = 81;
  EXPECT_EQ(text(),
            "FAULT alias_missing 192.0.2.10: no interface has it: what the dispatcher sends here is not taken\n"
            "        ip address add 192.0.2.10/32 dev lo\n"
            "FAULT not_listening 192.0.2.10 port 80/tcp: no process listens on this port for IPv4\n"
            "ok 2001:db8:1::10: alias, silent to ND, 80/tcp served\n");
  const auto json = report_json(wish_, faults());
  EXPECT_FALSE(json["ok"]);
  EXPECT_EQ(json["vipas"].dump(), R"(["192.0.2.10","2001:db8:1::10"])");
  EXPECT_EQ(json["faults"].size(), 2U);
  EXPECT_EQ(json["faults"][0].dump(),
            R"({"code":"alias_missing","object":"192.0.2.10",)"
            R"("text":"no interface has it: what the dispatcher sends here is not taken",)"
            R"("remedy":"ip address add 192.0.2.10/32 dev lo","severity":"fault","curable":true})");
}

TEST_F(Report, StaysOkWithWarnings) {
  v4("all", "route_localnet") = 1;
  EXPECT_THAT(text(), StartsWith("warn route_localnet net/ipv4/conf/all/route_localnet: "));
  EXPECT_THAT(text(), HasSubstr("ok 192.0.2.10: "));
  EXPECT_TRUE(report_json(wish_, faults())["ok"]);
  EXPECT_EQ(report_json(wish_, faults())["faults"][0]["severity"], "warning");
}

}  // namespace
}  // namespace xdplb
