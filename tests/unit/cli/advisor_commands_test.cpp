// SPDX-License-Identifier: GPL-2.0-only
// What the commands for advisors, managers, exits and what depends on them ask the daemon, and what each mistake ends
// with.
#include "cli_fixture.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <array>
#include <fstream>

namespace xdplb {
namespace {

using nlohmann::json;
using test::CliTest;
using test::Outcome;
using testing::AllOf;
using testing::EndsWith;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::StartsWith;

const PortPath kWeb{.cluster = "web", .port = 443};
const PortPath kDns{.cluster = "web", .port = 53, .protocol = Protocol::kUdp};
const ServerPath kOne{.port = kWeb, .server = "s1"};
const json kChanged = {{"changed", true}, {"object", json::object()}};

struct Case {
  std::vector<std::string> words;
  Request request;
};

AdvisorPatchRequest patch(const json& changes) { return {.path = kWeb, .changes = changes}; }

std::vector<Case> advisor_cases() {
  return {
      {{"advisor", "set", "web/443", "--type", "http", "--path", "/healthz", "--interval", "300ms"},
       patch({{"type", "http"}, {"path", "/healthz"}, {"interval", "300ms"}})},
      {{"advisor", "set", "web/443", "--path", "both", "--fall", "1", "--rise", "100"},
       patch({{"via", "both"}, {"fall", 1}, {"rise", 100}})},
      {{"advisor", "set", "web/443", "--via", "own", "--path", "*", "--method", "OPTIONS"},
       patch({{"via", "own"}, {"path", "*"}, {"method", "OPTIONS"}})},
      {{"advisor", "set", "web/443", "--port", "none", "--fast-interval", "500ms", "--down-interval", "none"},
       patch({{"port", nullptr}, {"fast_interval", "500ms"}, {"down_interval", nullptr}})},
      {{"advisor", "set", "--port", "8080", "web/443", "--connect-timeout", "1", "--receive-timeout", "1m", "--watch",
        "on"},
       patch({{"port", 8080}, {"connect_timeout", "1"}, {"receive_timeout", "1m"}, {"watch", true}})},
      {{"advisor", "set", "web/443", "--host", "www.example.com", "--header", "X-A:  b", "--header", "X-B: c:d",
        "--status", "200,300-399", "--max-bytes", "1048576"},
       patch({{"host", "www.example.com"},
              {"headers", {{"X-A", "b"}, {"X-B", "c:d"}}},
              {"statuses", {200, "300-399"}},
              {"max_bytes", 1048576}})},
      {{"advisor", "set", "web/443", "--body", "ok"}, patch({{"body", "ok"}})},
      {{"advisor", "set", "web/443", "--body", ""}, patch({{"body", nullptr}})},
      {{"advisor", "set", "web/443", "--body-regex", "^ok$"}, patch({{"body", {{"regex", "^ok$"}}}})},
      {{"advisor", "set", "web/443", "--tls", "on", "--verify", "off", "--ca-file", "/etc/ssl/a.pem", "--server-name",
        "a.example", "--alpn", "h2,http/1.1"},
       patch({{"tls", true},
              {"verify", false},
              {"ca_file", "/etc/ssl/a.pem"},
              {"server_name", "a.example"},
              {"alpn", {"h2", "http/1.1"}}})},
      // In the order given, not that of the options.
      {{"advisor", "set", "web/443", "--type", "tcp", "--expect", "220", "--send", "EHLO x\\r\\n", "--expect-regex",
        "^250 ", "--send", "-QUIT\\r\\n", "--expect", "221"},
       patch({{"type", "tcp"},
              {"steps",
               {{{"expect", "220"}},
                {{"send", "EHLO x\\r\\n"}},
                {{"expect_regex", "^250 "}},
                {{"send", "-QUIT\\r\\n"}},
                {{"expect", "221"}}}}})},
      {{"advisor", "set", "web/443", "--name", "www.example.com", "--query-type", "A", "--rcode", "NOERROR,NXDOMAIN",
        "--answer", "192.0.2.80", "--over-tcp", "on"},
       patch({{"name", "www.example.com"},
              {"query_type", "A"},
              {"rcodes", {"NOERROR", "NXDOMAIN"}},
              {"answer", "192.0.2.80"},
              {"over_tcp", true}})},
      {{"advisor", "set", "web/443", "--payload", "\\x00ping", "--answer-regex", "pong", "--silence", "up"},
       patch({{"payload", "\\x00ping"}, {"answer", {{"regex", "pong"}}}, {"silence", "up"}})},
      // Words behind -- are the program's, whatever they look like.
      {{"advisor", "set", "web/443", "--type", "exec", "--user", "daemon", "--", "/usr/lib/x/check", "--type", "-j",
        "status"},
       patch({{"type", "exec"}, {"user", "daemon"}, {"command", {"/usr/lib/x/check", "--type", "-j", "status"}}})},
      {{"advisor", "list"}, AdvisorListRequest{}},
      {{"advisor", "show", "web/53/udp"}, AdvisorListRequest{.port = kDns}},
      {{"advisor", "show", "web/443/s1"}, AdvisorListRequest{.server = kOne}},
      {{"advisor", "remove", "web/443"}, AdvisorRemoveRequest{.path = kWeb}},
      {{"exits"}, ExitListRequest{}},
  };
}

std::vector<Case> manager_cases() {
  using Proportions = std::array<unsigned, 4>;
  const std::optional<std::optional<Proportions>> classic{std::in_place};
  return {
      {{"manager", "set", "web", "--proportions", "40,40,10,10", "--interval", "5s", "--refresh", "3"},
       ManagerSetRequest{.cluster = "web",
                         .changes = {.proportions = Proportions{40, 40, 10, 10}, .interval_s = 5, .refresh = 3}}},
      {{"manager", "set", "--proportions", "auto"}, ManagerSetRequest{.changes = {.proportions = classic}}},
      {{"manager", "set", "--sensitivity", "0", "--smoothing", "1.5", "--weight-bound", "100"},
       ManagerSetRequest{.changes = {.sensitivity = 0, .smoothing_tenths = 15, .weight_bound = 100}}},
      {{"manager", "start", "web"}, ManagerSetRequest{.cluster = "web", .changes = {.is_on = true}}},
      {{"manager", "start"}, ManagerSetRequest{.changes = {.is_on = true}}},
      {{"manager", "stop", "web"}, ManagerSetRequest{.cluster = "web", .changes = {.is_on = false}}},
      {{"manager", "report"}, ManagerReportRequest{}},
      {{"manager", "report", "web"}, ManagerReportRequest{.cluster = "web"}},
  };
}

std::vector<Case> standing_cases() {
  const IpAddress address = *IpAddress::parse("192.0.2.21");
  return {
      {{"port", "set", "web/443", "--min-up", "50%", "--on-all-down", "drop", "--slow-start", "30s"},
       PortSetRequest{.path = kWeb,
                      .changes = {.min_up = MinUp{.value = 50, .is_percent = true},
                                  .on_all_down = OnAllDown::kDrop,
                                  .slow_start_s = 30}}},
      {{"port", "add", "web/443", "--min-up", "2"},
       PortAddRequest{.cluster = "web", .port = {.port = 443, .min_up = {.value = 2}}}},
      {{"server", "add", "web/443", "192.0.2.21", "--tier", "1", "--fixed-weight", "on"},
       ServerAddRequest{.port = kWeb,
                        .server = {.name = "192.0.2.21", .address = address, .tier = 1, .has_fixed_weight = true}}},
      {{"server", "set", "web/443/s1", "--tier", "3", "--fixed-weight", "off", "--admin", "drain"},
       ServerSetRequest{.path = kOne, .weight = {}, .tier = 3, .has_fixed_weight = false, .admin = Admin::kDrain}},
      {{"server", "drain", "web/443/s1", "--daily", "22", "5", "--source", "hook"},
       ServerAdminRequest{.path = kOne,
                          .admin = Admin::kDrain,
                          .source = AdminSource::kHook,
                          .daily = DailyHours{.first = 22, .last = 5}}},
      {{"server", "drain", "--daily", "0", "23", "web/443/s1"},
       ServerAdminRequest{.path = kOne, .admin = Admin::kDrain, .daily = DailyHours{.first = 0, .last = 23}}},
      {{"server", "ready", "web/443/s1", "--source", "hook"},
       ServerAdminRequest{.path = kOne, .admin = Admin::kReady, .source = AdminSource::kHook}},
      {{"server", "down", "web/443/s1", "--source", "operator"},
       ServerAdminRequest{.path = kOne, .admin = Admin::kDown}},
      {{"set", "--guard", "off"}, SettingsSetRequest{.has_failure_guard = false}},
  };
}

class AdvisorCommands : public CliTest {
 protected:
  void expect_requests(const std::vector<Case>& cases) {
    serve(json::object());
    for (const Case& entry : cases) {
      const std::size_t before = requests().size();
      const Outcome outcome = run(entry.words);
      EXPECT_EQ(outcome.code, 0) << testing::PrintToString(entry.words) << ": " << outcome.err;
      ASSERT_EQ(requests().size(), before + 1) << testing::PrintToString(entry.words);
      EXPECT_TRUE(requests().back() == entry.request) << testing::PrintToString(entry.words);
    }
  }
  std::string file(const std::string& text) const {
    const auto path = folder_.path() / "advisor.json";
    std::ofstream(path) << text;
    return path.string();
  }
  static constexpr const char* kComposite = R"({ // both must do
    "type": "composite", "combine": "all", "checks": [ { "type": "connect" }, { "type": "http", "path": "/x" } ] })";
};

TEST_F(AdvisorCommands, AskForWhatTheySay) { expect_requests(advisor_cases()); }

TEST_F(AdvisorCommands, ManagersAreAskedForOneClusterOrAll) { expect_requests(manager_cases()); }

TEST_F(AdvisorCommands, PortsServersAndSettingsHaveTheirOptions) { expect_requests(standing_cases()); }

TEST_F(AdvisorCommands, AFileIsTheWholeAdvisor) {
  serve(kChanged);
  EXPECT_EQ(run({"advisor", "set", "web/443", "--from", file(kComposite)}).out, "advisor web/443 set\n");
  const auto request = only<AdvisorSetRequest>();
  EXPECT_EQ(request.path, kWeb);
  EXPECT_EQ(request.advisor.type, AdvisorType::kComposite);
  ASSERT_EQ(request.advisor.checks.size(), 2U);
  EXPECT_EQ(request.advisor.checks[1].http.path, "/x");
  EXPECT_EQ(run({"advisor", "set", "web/443", "--from", "-"}, kComposite).code, 0);
  EXPECT_TRUE(requests().back() == Request(request));
}

TEST_F(AdvisorCommands, AFileThatIsWrongIsSixWithItsName) {
  serve(kChanged);
  for (const char* text : {"", "[]", R"({"type": "smoke"})", R"({"type": "connect", "body": "x"})"}) {
    const Outcome outcome = run({"advisor", "set", "web/443", "--from", file(text)});
    EXPECT_EQ(outcome.code, 6) << text;
    EXPECT_THAT(outcome.err, HasSubstr("advisor.json: ")) << text;
  }
  EXPECT_EQ(run({"advisor", "set", "web/443", "--from", "/nonexistent"}).code, 3);
  EXPECT_THAT(requests(), IsEmpty());
}

TEST_F(AdvisorCommands, TellWhatHappened) {
  bool is_changed = true;
  serve([&](const Request&) { return make_reply({{"changed", is_changed}, {"object", json::object()}}); });
  const auto told = [&](const std::vector<std::string>& words) { return run(words).out; };
  EXPECT_EQ(told({"advisor", "set", "web/443", "--fall", "5"}), "advisor web/443 set\n");
  EXPECT_EQ(told({"advisor", "remove", "web/443"}), "advisor web/443 removed\n");
  EXPECT_EQ(told({"manager", "start", "web"}), "manager web started\n");
  EXPECT_EQ(told({"manager", "stop"}), "manager of all clusters stopped: weights are those of the configuration\n");
  EXPECT_EQ(told({"manager", "set", "web", "--refresh", "3"}), "manager web changed\n");
  EXPECT_EQ(told({"server", "drain", "web/443/s1", "--daily", "2", "5"}),
            "server web/443/s1 drains daily, 02:00 to 05:59\n");
  is_changed = false;
  EXPECT_EQ(told({"advisor", "set", "web/443", "--fall", "5"}), "advisor web/443 is so already, unchanged\n");
  EXPECT_EQ(told({"manager", "start", "web"}), "manager web runs already, unchanged\n");
}

TEST_F(AdvisorCommands, ReadyTellsWhoseWordKeepsTheServerOut) {
  json server = {{"admin", "drain"}, {"admin_source", "agent"}};
  serve([&](const Request&) { return make_reply({{"changed", true}, {"object", server}}); });
  EXPECT_EQ(run({"server", "ready", "web/443/s1"}).out, "server web/443/s1 stays drain: that is the word of agent\n");
  server = {{"admin", "ready"}, {"admin_source", nullptr}};
  EXPECT_EQ(run({"server", "ready", "web/443/s1"}).out, "server web/443/s1 is ready again\n");
}

TEST_F(AdvisorCommands, RunEndsWithOneWhenTheProbeFails) {
  json reply = {{"server", "web/443/s1"},
                {"ok", true},
                {"probes",
                 {{{"destination", "192.0.2.10"},
                   {"way", "vip"},
                   {"code", "L7OK"},
                   {"text", "200 OK"},
                   {"latency_us", 812},
                   {"steps", {{{"at_us", 100}, {"text", "connected"}}}}}}}};
  serve([&](const Request&) { return make_reply(reply); });
  const Outcome good = run({"advisor", "run", "web/443/s1"});
  EXPECT_EQ(good.code, 0);
  EXPECT_EQ(good.out,
            "192.0.2.10 by way vip\n"
            "     0.10 ms  connected\n"
            "     0.81 ms  L7OK 200 OK\n"
            "\n"
            "server web/443/s1 answers as it should\n");
  EXPECT_EQ(only<AdvisorRunRequest>().path, kOne);
  reply["ok"] = false;
  const Outcome bad = run({"advisor", "run", "web/443/s1"});
  EXPECT_EQ(bad.code, 1);
  EXPECT_THAT(bad.out, EndsWith("server web/443/s1 fails\n"));
  const Outcome with_json = run({"-j", "advisor", "run", "web/443/s1"});
  EXPECT_EQ(with_json.code, 1);
  EXPECT_EQ(json::parse(with_json.out), reply);
}

TEST_F(AdvisorCommands, HelpListsTheOptions) {
  const std::string help = run({"advisor", "set", "--help"}).out;
  for (const char* option : {"--type", "--expect-regex", "--silence", "--from", "COMMAND"}) {
    EXPECT_THAT(help, HasSubstr(option));
  }
}

struct Mistake {
  std::vector<std::string> words;
  const char* text;
};

class AdvisorMistakes : public CliTest, public testing::WithParamInterface<Mistake> {};

// Nothing of these reaches the daemon.
TEST_P(AdvisorMistakes, AreUsageInOneLine) {
  serve(kChanged);
  const Outcome outcome = run(GetParam().words);
  EXPECT_EQ(outcome.code, 2) << outcome.err;
  EXPECT_THAT(outcome.err, AllOf(StartsWith("xdplb: "), EndsWith("\n"), HasSubstr(GetParam().text)));
  EXPECT_EQ(std::count(outcome.err.begin(), outcome.err.end(), '\n'), 1) << outcome.err;
  EXPECT_THAT(requests(), IsEmpty());
}

INSTANTIATE_TEST_SUITE_P(
    Advisors, AdvisorMistakes,
    testing::Values(
        Mistake{{"advisor"}, "one of set, list, show, run, remove"}, Mistake{{"advisor", "set"}, "CLUSTER/PORT"},
        Mistake{{"advisor", "set", "web"}, "web"},
        Mistake{{"advisor", "set", "web/443"}, "advisor web/443: say what to set"},
        Mistake{{"advisor", "set", "web/443", "--type", "smoke"}, "advisor web/443: --type: \"smoke\""},
        Mistake{{"advisor", "set", "web/443", "--type", "http", "--type", "https"}, "--type: is given twice"},
        Mistake{{"advisor", "set", "web/443", "--via", "route"}, "--via: \"route\""},
        Mistake{{"advisor", "set", "web/443", "--path", "healthz"}, "--path: \"healthz\": a path begins with '/'"},
        Mistake{{"advisor", "set", "web/443", "--via", "own", "--path", "vip"}, "say either --via or --path"},
        Mistake{{"advisor", "set", "web/443", "--body", "a", "--body-regex", "b"}, "say either --body or --body-regex"},
        Mistake{{"advisor", "set", "web/443", "--interval", "19ms"}, "--interval: \"19ms\""},
        Mistake{{"advisor", "set", "web/443", "--interval", "none"}, "--interval: \"none\""},
        Mistake{{"advisor", "set", "web/443", "--receive-timeout", "2h"}, "--receive-timeout: \"2h\""},
        Mistake{{"advisor", "set", "web/443", "--port", "0"}, "--port"},
        Mistake{{"advisor", "set", "web/443", "--port", "65536"}, "--port"},
        Mistake{{"advisor", "set", "web/443", "--fall", "0"}, "--fall"},
        Mistake{{"advisor", "set", "web/443", "--rise", "101"}, "--rise"},
        Mistake{{"advisor", "set", "web/443", "--watch", "yes"}, "--watch: \"yes\" is neither on nor off"},
        Mistake{{"advisor", "set", "web/443", "--header", "X-A"}, "--header: \"X-A\": write 'Name: value'"},
        Mistake{{"advisor", "set", "web/443", "--header", "X: a", "--header", "X: b"}, "--header X: is given twice"},
        Mistake{{"advisor", "set", "web/443", "--status", "99"}, "--status: \"99\""},
        Mistake{{"advisor", "set", "web/443", "--status", "399-300"}, "--status: \"399-300\""},
        Mistake{{"advisor", "set", "web/443", "--status", "200,"}, "--status: \"\""},
        Mistake{{"advisor", "set", "web/443", "--alpn", "h2,"}, "--alpn: \"h2,\""},
        Mistake{{"advisor", "set", "web/443", "--send", "\\q"}, "--send"},
        Mistake{{"advisor", "set", "web/443", "--payload", "\\x0"}, "--payload"},
        Mistake{{"advisor", "set", "web/443", "--silence", "maybe"}, "--silence: \"maybe\""},
        Mistake{{"advisor", "set", "web/443", "--type", "exec", "--", "check"}, "\"check\": the program of an exec"},
        Mistake{{"advisor", "set", "web/443", "on"}, "\"on\": the program of an exec"},
        Mistake{{"advisor", "set", "web/443", "--from", "x.json", "--fall", "5"}, "--from is the whole advisor"},
        Mistake{{"advisor", "show"}, "CLUSTER/PORT[/SERVER]"}, Mistake{{"advisor", "show", "web"}, "web"},
        Mistake{{"advisor", "run", "web/443"}, "web/443"}, Mistake{{"advisor", "remove", "web/443/s1"}, "s1"},
        Mistake{{"advisor", "list", "web"}, "web"}));

INSTANTIATE_TEST_SUITE_P(
    Others, AdvisorMistakes,
    testing::Values(
        Mistake{{"manager"}, "one of set, start, stop, report"},
        Mistake{{"manager", "set", "web"}, "manager web: say what to set"},
        Mistake{{"manager", "set"}, "manager of all clusters: say what to set"},
        Mistake{{"manager", "set", "we b", "--refresh", "3"}, "we b"},
        Mistake{{"manager", "set", "--proportions", "50,50,1,0"}, "--proportions: \"50,50,1,0\""},
        Mistake{{"manager", "set", "--proportions", "50,50,0"}, "--proportions: \"50,50,0\""},
        Mistake{{"manager", "set", "--interval", "0"}, "--interval: \"0\""},
        Mistake{{"manager", "set", "--interval", "3601"}, "--interval: \"3601\""},
        Mistake{{"manager", "set", "--refresh", "0"}, "--refresh"},
        Mistake{{"manager", "set", "--sensitivity", "101"}, "--sensitivity"},
        Mistake{{"manager", "set", "--smoothing", "0.9"}, "--smoothing: \"0.9\""},
        Mistake{{"manager", "set", "--smoothing", "1.55"}, "--smoothing: \"1.55\""},
        Mistake{{"manager", "set", "--weight-bound", "0"}, "--weight-bound"},
        Mistake{{"manager", "report", "a/b"}, "a/b"}, Mistake{{"exits", "now"}, "now"},
        Mistake{{"port", "set", "web/443", "--min-up", "0"}, "--min-up: \"0\""},
        Mistake{{"port", "set", "web/443", "--min-up", "101%"}, "--min-up: \"101%\""},
        Mistake{{"port", "set", "web/443", "--on-all-down", "stay"}, "--on-all-down: \"stay\""},
        Mistake{{"port", "set", "web/443", "--slow-start", "43201"}, "--slow-start"},
        Mistake{{"server", "set", "web/443/s1", "--tier", "4"}, "--tier"},
        Mistake{{"server", "set", "web/443/s1", "--admin", "up"}, "--admin: \"up\""},
        Mistake{{"server", "add", "web/443", "192.0.2.21", "--fixed-weight", "1"}, "--fixed-weight 1: it is on or off"},
        Mistake{{"server", "drain", "web/443/s1", "--daily", "2", "24"}, "--daily"},
        Mistake{{"server", "drain", "web/443/s1", "--daily", "2"}, "--daily"},
        Mistake{{"server", "drain", "web/443/s1", "--daily", "2", "5", "--wait"}, "--wait and --daily"},
        Mistake{{"server", "ready", "web/443/s1", "--source", "agent"}, "--source \"agent\": it is operator or hook"},
        Mistake{{"server", "ready", "web/443/s1", "--wait"}, "--wait"},
        Mistake{{"set", "--guard", "1"}, "--guard 1: it is on or off"}));

}  // namespace
}  // namespace xdplb
