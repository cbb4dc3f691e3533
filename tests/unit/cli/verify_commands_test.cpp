// SPDX-License-Identifier: GPL-2.0-only
// `xdplb verify` against a program in xdplbd's place: what task it gets, what is made of its report.
#include "cli/verify_scope.h"
#include "cli_fixture.h"
#include "model/config_json.h"

#include <gmock/gmock.h>

#include <filesystem>
#include <fstream>

namespace xdplb {
namespace {

using nlohmann::json;
using test::CliTest;
using test::Outcome;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

IpAddress ip(const char* text) { return *IpAddress::parse(text); }

const char* const kReport = R"({"ok":false,"servers":[{"cluster":"web","server":"s1","address":"192.0.2.21",
"vipa":"192.0.2.10","interface":"eth0","mac":"02:00:00:00:00:21","steps":{"silent_before":"ok","mac":"warning",
"echo":"fault","ports":"skipped","silent_after":"ok"},"ports":[]}],"faults":[{"code":"no_alias","object":"web/s1",
"text":"it has none","remedy":"on s1: do","severity":"fault"},{"code":"shared_mac","object":"x","text":"y","remedy":"",
"severity":"warning"}],"notes":["a note"]})";

Config farm() {
  PortConfig port{.port = 80};
  port.servers = {{.name = "s1", .address = ip("192.0.2.21")}, {.name = "s2", .address = ip("192.0.2.22")}};
  PortConfig dns{.port = 53, .protocol = Protocol::kUdp};
  dns.servers = {{.name = "s1", .address = ip("192.0.2.21")}};
  Config config{.secret = "a secret"};
  config.clusters = {{.name = "web", .addresses = {ip("192.0.2.10"), ip("2001:db8::10")}, .ports = {port, dns}},
                     {.name = "mail", .addresses = {ip("192.0.2.11")}, .ports = {port}}};
  return config;
}

class VerifyCommand : public CliTest {
 protected:
  // xdplbd is a script: it keeps its words and its task and prints `reply`.
  void stand_in(const std::string& reply, int code = 0) {
    program_dir_ = folder_.path();
    std::ofstream(folder_.path() / "reply") << reply;
    std::ofstream script(folder_.path() / "xdplbd");
    script << "#!/bin/sh\ncd '" << folder_.path().string() << "'\necho \"$@\" >words\ncat >task\ncat reply\nexit "
           << code << "\n";
    script.close();
    std::filesystem::permissions(folder_.path() / "xdplbd", std::filesystem::perms::owner_all);
  }
  std::string text(const char* name) const {
    std::ifstream file(folder_.path() / name);
    return {std::istreambuf_iterator<char>(file), {}};
  }
  json task() const { return json::parse(text("task")); }
  // A daemon with the farm, which owns one VIPA.
  void serve_farm() {
    serve([](const Request& request) -> Reply {
      if (std::holds_alternative<ConfigShowRequest>(request)) return make_reply(encode_config(farm()));
      return make_reply(json::parse(
          R"([{"address": "192.0.2.10", "state": "owned"}, {"address": "192.0.2.11", "state": "silent"}])"));
    });
  }
};

TEST_F(VerifyCommand, NeedsNoDaemonWithVipaAndServer) {
  stand_in(R"({"ok": true, "servers": [], "faults": [], "notes": []})");
  const auto outcome = run({"verify", "--vipa", "192.0.2.10", "--server", "192.0.2.21", "--port", "443", "--port",
                            "53/udp", "--interface", "eth1", "--owner", "02:00:00:00:00:01", "--wait", "250ms"});
  EXPECT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_EQ(text("words"), "--verify\n");
  const auto given = task();
  EXPECT_EQ(given["made_up"], true);
  EXPECT_EQ(given["interface"], "eth1");
  EXPECT_EQ(given["owner"], "02:00:00:00:00:01");
  EXPECT_EQ(given["wait_ms"], 250);
  EXPECT_FALSE(given.contains("own_vipas"));
  const auto config = decode_config(given["config"], "task");
  ASSERT_TRUE(config) << config.error().message;
  ASSERT_EQ(config->clusters[0].ports.size(), 2U);
  EXPECT_EQ(config->clusters[0].ports[0].port, 443);
  EXPECT_EQ(config->clusters[0].ports[1].protocol, Protocol::kUdp);
  EXPECT_EQ(config->clusters[0].ports[1].servers[0].address, ip("192.0.2.21"));
}

TEST_F(VerifyCommand, AsksTheDaemonForItsConfigurationAndVipas) {
  stand_in(kReport);
  serve_farm();
  EXPECT_EQ(run({"verify", "web", "--server", "s2"}).code, 1);
  EXPECT_EQ(task()["own_vipas"], json({"192.0.2.10"}));
  EXPECT_EQ(task()["owner"], nullptr);
  EXPECT_EQ(task()["wait_ms"], 1000);
  const auto config = decode_config(task()["config"], "task");
  ASSERT_TRUE(config) << config.error().message;
  EXPECT_EQ(config->clusters.size(), 1U);
  EXPECT_THAT(config->secret, IsEmpty());
  EXPECT_EQ(config->clusters[0].ports[0].servers.size(), 1U);
}

TEST_F(VerifyCommand, ReadsAFileInstead) {
  stand_in(kReport);
  EXPECT_EQ(run({"verify", "--config", "-", "--owner", "none"}, encode_config(farm()).dump()).code, 1);
  EXPECT_EQ(task()["owner"], "none");
  EXPECT_FALSE(task().contains("own_vipas"));
  EXPECT_EQ(task()["config"]["clusters"].size(), 2U);
}

TEST_F(VerifyCommand, PrintsATableThenFaultsThenNotes) {
  stand_in(kReport);
  serve_farm();
  EXPECT_EQ(run({"verify"}).out,
            "SERVER  VIPA        MAC                SILENT  MAC   ECHO   PORTS  SILENT\n"
            "web/s1  192.0.2.10  02:00:00:00:00:21  ok      warn  FAULT  -      ok\n"
            "FAULT no_alias web/s1: it has none\n"
            "        on s1: do\n"
            "warn  shared_mac x: y\n"
            "note  a note\n");
  const auto document = run({"verify", "-j"});
  EXPECT_EQ(document.code, 1);
  EXPECT_EQ(json::parse(document.out), json::parse(kReport));
}

TEST_F(VerifyCommand, SaysWhatToTypeWithoutADaemon) {
  stand_in(kReport);
  const auto outcome = run({"verify", "--vipa", "192.0.2.10"});
  EXPECT_EQ(outcome.code, 4);
  EXPECT_THAT(outcome.err, HasSubstr("say --config FILE, or --vipa ADDRESS --server ADDRESS"));
}

TEST_F(VerifyCommand, TellsTheProgramsOwnError) {
  stand_in(R"({"title": "permission", "detail": "interface eth0: no", "exit_code": 5})", 5);
  const auto outcome = run({"verify", "--vipa", "192.0.2.10", "--server", "192.0.2.21"});
  EXPECT_EQ(outcome.code, 5);
  EXPECT_EQ(outcome.err, "xdplb: interface eth0: no\n");
  stand_in("nonsense");
  EXPECT_EQ(run({"verify", "--vipa", "192.0.2.10", "--server", "192.0.2.21"}).code, 1);
}

TEST_F(VerifyCommand, RefusesWhatIsNoAddressOrNotThere) {
  stand_in(kReport);
  serve_farm();
  const std::vector<std::pair<std::vector<std::string>, int>> cases = {
      {{"verify", "--vipa", "x"}, 2},
      {{"verify", "--vipa", "192.0.2.10", "--server", "s1"}, 2},
      {{"verify", "--vipa", "224.0.0.1", "--server", "192.0.2.1"}, 2},
      {{"verify", "--vipa", "192.0.2.1", "--server", "192.0.2.1"}, 2},
      {{"verify", "--port", "70000"}, 2},
      {{"verify", "--port", "80/sctp"}, 2},
      {{"verify", "--owner", "me"}, 2},
      {{"verify", "--wait", "1ms"}, 2},
      {{"verify", "--wait", "1h"}, 2},
      {{"verify", "a b"}, 2},
      {{"verify", "nobody"}, 3},
      {{"verify", "web", "--vipa", "192.0.2.99"}, 3},
      {{"verify", "web", "--server", "s9"}, 3},
      {{"verify", "web", "--port", "81"}, 3},
      {{"verify", "--config", "/nonexistent"}, 3}};
  for (const auto& [words, code] : cases) {
    const auto outcome = run(words);
    EXPECT_EQ(outcome.code, code) << testing::PrintToString(words) << outcome.err;
    EXPECT_EQ(std::count(outcome.err.begin(), outcome.err.end(), '\n'), 1) << outcome.err;
  }
  EXPECT_THAT(text("task"), IsEmpty());
}

TEST(VerifyScope, CutsByAddressAndPort) {
  const auto cut =
      cut_config(farm(), {.vipas = {ip("2001:db8::10")}, .servers = {"192.0.2.21"}, .ports = {{.port = 53}}});
  ASSERT_TRUE(cut) << cut.error().message;
  ASSERT_EQ(cut->clusters.size(), 1U);
  EXPECT_THAT(cut->clusters[0].addresses, ElementsAre(ip("2001:db8::10")));
  ASSERT_EQ(cut->clusters[0].ports.size(), 1U);
  EXPECT_EQ(cut->clusters[0].ports[0].port, 53);
  EXPECT_EQ(cut_config(Config{}, {}).error().code, ErrorCode::kNotFound);
}

}  // namespace
}  // namespace xdplb
