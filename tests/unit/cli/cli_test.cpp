// SPDX-License-Identifier: GPL-2.0-only
// What each command line asks the daemon, and the code and line each mistake ends with.
#include "cli_fixture.h"
#include "control/problem_json.h"

#include <gmock/gmock.h>

#include <algorithm>
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
using testing::MatchesRegex;
using testing::StartsWith;

const PortPath kWeb{.cluster = "web", .port = 443, .protocol = Protocol::kTcp};

IpAddress ip(const char* text) { return *IpAddress::parse(text); }

const json kChanged = {{"changed", true}, {"object", json::object()}};
const json kUnchanged = {{"changed", false}, {"object", json::object()}};

TEST_F(CliTest, ClusterAddSendsNameAndAddresses) {
  serve(kChanged);
  const Outcome outcome = run({"cluster", "add", "web", "192.0.2.10", "2001:db8::10"});
  EXPECT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_EQ(outcome.out, "cluster web added\n");
  EXPECT_EQ(outcome.err, "");
  const ClusterConfig expected{.name = "web", .addresses = {ip("192.0.2.10"), ip("2001:db8::10")}, .ports = {}};
  EXPECT_EQ(only<ClusterAddRequest>().cluster, expected);
}

TEST_F(CliTest, AddingWhatIsThereSucceedsAndSaysSo) {
  serve(kUnchanged);
  const Outcome outcome = run({"server", "add", "web/443", "192.0.2.21", "--name", "s1"});
  EXPECT_EQ(outcome.code, 0);
  EXPECT_EQ(outcome.out, "server web/443/s1 is there already, unchanged\n");
}

TEST_F(CliTest, ServerAddSendsEveryOption) {
  serve(kChanged);
  const Outcome outcome =
      run({"server", "add", "web/53/udp", "2001:db8::21", "--name=s1", "--weight", "0", "--family", "v6"});
  EXPECT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_EQ(outcome.out, "server web/53/udp/s1 added\n");
  const auto request = only<ServerAddRequest>();
  EXPECT_EQ(request.port, (PortPath{.cluster = "web", .port = 53, .protocol = Protocol::kUdp}));
  EXPECT_EQ(request.server,
            (ServerConfig{.name = "s1", .address = ip("2001:db8::21"), .weight = 0, .family = Family::kV6}));
}

TEST_F(CliTest, ServerIsNamedAfterItsAddress) {
  serve(kChanged);
  EXPECT_EQ(run({"server", "add", "web/443", "2001:DB8:0::21"}).out, "server web/443/2001:db8::21 added\n");
  EXPECT_EQ(only<ServerAddRequest>().server.name, "2001:db8::21");
  EXPECT_EQ(only<ServerAddRequest>().server.weight, kDefaultWeight);
}

TEST_F(CliTest, ServerSetSendsOnlyWhatWasSaid) {
  serve(kChanged);
  EXPECT_EQ(run({"server", "set", "web/443/s1", "--weight", "100"}).out, "server web/443/s1 changed\n");
  const auto request = only<ServerSetRequest>();
  EXPECT_EQ(request.path, (ServerPath{.port = kWeb, .server = "s1"}));
  EXPECT_EQ(request.weight, 100U);
  EXPECT_TRUE(request.addresses.empty());
}

TEST_F(CliTest, RemovingPrintsWhatWent) {
  serve(kChanged);
  EXPECT_EQ(run({"server", "remove", "web/443/s1"}).out, "server web/443/s1 removed\n");
  EXPECT_EQ(run({"port", "remove", "web/443/tcp"}).out, "port web/443 removed\n");
  EXPECT_EQ(run({"cluster", "remove", "web"}).out, "cluster web removed\n");
}

TEST_F(CliTest, EachViewAsksForItsObjects) {
  struct Case {
    std::vector<std::string> words;
    Request request;
  };
  const std::vector<Case> cases = {
      {{"stats"}, StatsRequest{}},
      {{"drops"}, DropsRequest{}},
      {{"cluster", "list"}, ClusterListRequest{}},
      {{"cluster", "show", "web"}, ClusterListRequest{.name = "web"}},
      {{"flows"}, FlowsRequest{}},
      {{"flows", "web/53/udp"}, FlowsRequest{.port = PortPath{"web", 53, Protocol::kUdp}}},
      {{"flows", "web/443/s1", "--limit", "0"},
       FlowsRequest{.server = ServerPath{.port = kWeb, .server = "s1"}, .limit = 0}},
      {{"flows", "--limit", "100000"}, FlowsRequest{.limit = 100000}},
      {{"events"}, EventsRequest{}},
      {{"cluster", "set", "web", "192.0.2.11"},
       ClusterSetRequest{.name = "web", .addresses = std::vector{ip("192.0.2.11")}}},
      {{"cluster", "set", "web", "198.51.100.0/24", "::"},
       ClusterSetRequest{
           .name = "web",
           .addresses = std::vector<IpAddress>{},
           .prefixes = {{.address = ip("198.51.100.0"), .length = 24}, {.address = ip("::"), .length = 0}}}},
      {{"cluster", "set", "web", "--echo", "off"}, ClusterSetRequest{.name = "web", .echo = Echo::kOff}},
      {{"cluster", "add", "web", "0.0.0.0", "--echo", "dispatcher"},
       ClusterAddRequest{.cluster = {.name = "web",
                                     .prefixes = {{.address = ip("0.0.0.0"), .length = 0}},
                                     .echo = Echo::kDispatcher}}},
      {{"port", "set", "web/443", "--sticky", "1m"}, PortSetRequest{.path = kWeb, .changes = {.sticky_s = 60}}},
      {{"port", "set", "--sticky-mask", "/24", "web/443"},
       PortSetRequest{.path = kWeb, .changes = {.sticky_mask_v4 = 24}}},
      {{"port", "set", "--sticky-mask", "/24", "--sticky-mask", "/64", "web/443"},
       PortSetRequest{.path = kWeb, .changes = {.sticky_mask_v4 = 24, .sticky_mask_v6 = 64}}},
      {{"port", "set", "web/443", "--crossport", "none"},
       PortSetRequest{.path = kWeb, .changes = {.crossport = std::optional<std::uint16_t>()}}},
      {{"port", "set", "web/443", "--crossport", "80", "--pick", "hash", "--stale-timeout", "43200s"},
       PortSetRequest{.path = kWeb, .changes = {.pick = Pick::kHash, .stale_timeout_s = 43200, .crossport = 80}}},
      {{"port", "set", "web/443", "--on-stale", "reset", "--no-server", "pass", "--udp-tracking", "off"},
       PortSetRequest{.path = kWeb,
                      .changes = {.on_stale = OnStale::kReset, .no_server = NoServer::kPass, .udp_tracking = false}}},
      {{"port", "set", "web/443", "--new-flow-limit", "4294967295", "--half-open-limit", "0"},
       PortSetRequest{.path = kWeb, .changes = {.new_flow_limit = 4294967295, .half_open_limit = 0}}},
      {{"port", "add", "web/53/udp", "--udp-tracking", "on", "--pick", "least-connections", "--sticky", "60"},
       PortAddRequest{.cluster = "web",
                      .port = {.port = 53,
                               .protocol = Protocol::kUdp,
                               .pick = Pick::kLeastConnections,
                               .sticky_s = 60,
                               .udp_tracking = true}}},
      {{"server", "add", "web/443", "192.0.2.21", "--vlan", "100"},
       ServerAddRequest{.port = kWeb, .server = {.name = "192.0.2.21", .address = ip("192.0.2.21"), .vlan = 100}}},
      {{"server", "set", "web/443/s1", "--vlan", "none"},
       ServerSetRequest{.path = {.port = kWeb, .server = "s1"}, .weight = {}, .vlan = 0}},
      {{"server", "set", "web/443/s1", "--vlan", "keep"},
       ServerSetRequest{.path = {.port = kWeb, .server = "s1"}, .weight = {}, .vlan = std::optional<std::uint16_t>()}},
      {{"server", "drain", "web/443/s1"},
       ServerAdminRequest{.path = {.port = kWeb, .server = "s1"}, .admin = Admin::kDrain}},
      {{"server", "drain", "web/443/s1", "--now", "--deadline", "5m", "--wait"},
       ServerAdminRequest{.path = {.port = kWeb, .server = "s1"}, .admin = Admin::kDrainNow, .deadline_s = 300}},
      {{"server", "ready", "web/443/s1"},
       ServerAdminRequest{.path = {.port = kWeb, .server = "s1"}, .admin = Admin::kReady}},
      {{"server", "down", "web/443/s1"},
       ServerAdminRequest{.path = {.port = kWeb, .server = "s1"}, .admin = Admin::kDown}},
      {{"set", "--peer", "02:00:00:00:00:01", "02:00:00:00:00:02"},
       SettingsSetRequest{.peers = std::vector{MacAddress{{2, 0, 0, 0, 0, 1}}, MacAddress{{2, 0, 0, 0, 0, 2}}}}},
      {{"set", "--no-peers", "--decrement-ttl", "on"},
       SettingsSetRequest{.peers = std::vector<MacAddress>{}, .decrement_ttl = true}},
      {{"set", "--decrement-ttl", "off"}, SettingsSetRequest{.decrement_ttl = false}},
      {{"port", "add", "web/0"}, PortAddRequest{.cluster = "web", .port = {}}},
      {{"port", "list"}, PortListRequest{}},
      {{"port", "list", "web"}, PortListRequest{.cluster = "web", .path = std::nullopt}},
      {{"port", "show", "web/443"}, PortListRequest{.cluster = std::nullopt, .path = kWeb}},
      {{"server", "list"}, ServerListRequest{}},
      {{"server", "list", "web/443"}, ServerListRequest{.port = kWeb, .path = std::nullopt}},
      {{"server", "show", "web/443/s1"},
       ServerListRequest{.port = std::nullopt, .path = ServerPath{.port = kWeb, .server = "s1"}}},
      {{"explain", "192.0.2.100:40000", "192.0.2.10:53", "udp"},
       ExplainRequest{.source = {.address = ip("192.0.2.100"), .port = 40000},
                      .destination = {.address = ip("192.0.2.10"), .port = 53},
                      .protocol = Protocol::kUdp}},
      {{"config", "show"}, ConfigShowRequest{}},
      // Words that are also commands are names where a name belongs.
      {{"cluster", "show", "list"}, ClusterListRequest{.name = "list"}},
      {{"cluster", "show", "status"}, ClusterListRequest{.name = "status"}},
  };
  serve(json::object());
  for (const Case& entry : cases) {
    const std::size_t before = requests().size();
    const Outcome outcome = run(entry.words);
    EXPECT_EQ(outcome.code, 0) << entry.words[0] << ": " << outcome.err;
    ASSERT_EQ(requests().size(), before + 1) << entry.words[0];
    EXPECT_TRUE(requests().back() == entry.request) << testing::PrintToString(entry.words);
  }
}

TEST_F(CliTest, StatusEndsWithOneWhenThereAreProblems) {
  json status = {{"instance", "default"}, {"problems", json::array()}};
  bool is_degraded = false;
  serve([&](const Request&) {
    json document = status;
    if (is_degraded)
      document["problems"].push_back({{"code", "x"}, {"object", "server web/443/s1"}, {"text", "no MAC"}});
    return make_reply(document);
  });
  EXPECT_EQ(run({"status"}).code, 0);
  is_degraded = true;
  EXPECT_EQ(run({"status"}).code, 1);
  EXPECT_EQ(run({"-j", "status"}).code, 1);
}

TEST_F(CliTest, JsonIsTheReplyOnOneLineAndPrettyHasMore) {
  serve(json{{"changed", true}, {"object", {{"name", "web"}}}});
  EXPECT_EQ(run({"-j", "cluster", "add", "web", "192.0.2.10"}).out,
            "{\"changed\":true,\"object\":{\"name\":\"web\"}}\n");
  EXPECT_EQ(run({"cluster", "add", "web", "192.0.2.10", "-j"}).out,
            "{\"changed\":true,\"object\":{\"name\":\"web\"}}\n");
  EXPECT_EQ(run({"cluster", "-jq", "list"}).out, "{\"changed\":true,\"object\":{\"name\":\"web\"}}\n");
  EXPECT_EQ(run({"cluster", "list", "--pretty"}).out,
            "{\n  \"changed\": true,\n  \"object\": {\n    \"name\": \"web\"\n  }\n}\n");
}

TEST_F(CliTest, QuietSaysNothingWhenAllIsWell) {
  serve(kChanged);
  const Outcome outcome = run({"-q", "cluster", "remove", "web"});
  EXPECT_EQ(outcome.code, 0);
  EXPECT_EQ(outcome.out + outcome.err, "");
}

TEST_F(CliTest, VerboseTellsTheCall) {
  serve(kChanged);
  EXPECT_THAT(run({"-v", "cluster", "remove", "web"}).err, StartsWith("xdplb: DELETE /v1/clusters/web: ok in "));
}

TEST_F(CliTest, InstanceComesFromTheOptionElseTheEnvironment) {
  const Outcome named = run({"status", "--instance", "blue"});
  EXPECT_EQ(named.code, 4);
  EXPECT_THAT(named.err, HasSubstr("instance blue on " + socket("blue").string()));
  ::setenv("XDPLB_INSTANCE", "green", 1);
  EXPECT_THAT(run({"status"}).err, HasSubstr("instance green"));
  EXPECT_THAT(run({"status", "--instance", "blue"}).err, HasSubstr("instance blue"));
  ::unsetenv("XDPLB_INSTANCE");
}

TEST_F(CliTest, HelpAndVersionSucceed) {
  EXPECT_EQ(run({"--version"}).out, "xdplb " XDPLB_VERSION "\n");
  for (const std::vector<std::string>& words : {std::vector<std::string>{"--help"},
                                                {"-h"},
                                                {"server", "--help"},
                                                {"server", "add", "--help"},
                                                {"load", "-h"}}) {
    const Outcome outcome = run(words);
    EXPECT_EQ(outcome.code, 0);
    EXPECT_THAT(outcome.out, HasSubstr("Usage"));
    EXPECT_EQ(outcome.err, "");
  }
}

struct Mistake {
  std::vector<std::string> words;
  int code;
  const char* text;
};

class Mistakes : public CliTest, public testing::WithParamInterface<Mistake> {};

// Nothing of these reaches the daemon.
TEST_P(Mistakes, OneLineAndTheCode) {
  serve(kChanged);
  const Outcome outcome = run(GetParam().words);
  EXPECT_EQ(outcome.code, GetParam().code) << outcome.err;
  EXPECT_THAT(outcome.err, AllOf(StartsWith("xdplb: "), EndsWith("\n"), HasSubstr(GetParam().text)));
  EXPECT_EQ(std::count(outcome.err.begin(), outcome.err.end(), '\n'), 1) << outcome.err;
  EXPECT_EQ(outcome.out, "");
  EXPECT_THAT(requests(), IsEmpty());

  std::vector<std::string> words = GetParam().words;
  words.insert(words.begin(), "-j");
  const Outcome with_json = run(words);
  EXPECT_EQ(with_json.code, GetParam().code);
  EXPECT_EQ(with_json.err, "");
  const json problem = json::parse(with_json.out, nullptr, false);
  ASSERT_TRUE(problem.is_object()) << with_json.out;
  EXPECT_EQ(problem["exit_code"], GetParam().code);
  EXPECT_THAT(problem["detail"].get<std::string>(), HasSubstr(GetParam().text));
}

INSTANTIATE_TEST_SUITE_P(
    Usage, Mistakes,
    testing::Values(
        Mistake{{}, 2, "one of load, unload, status"}, Mistake{{"frobnicate"}, 2, "frobnicate"},
        Mistake{{"cluster"}, 2, "one of add, set, list, show, remove"}, Mistake{{"cluster", "frob"}, 2, "frob"},
        Mistake{{"status", "now"}, 2, "now"}, Mistake{{"status", "--frob"}, 2, "--frob"},
        Mistake{{"cluster", "add"}, 2, "xdplb cluster add --help"}, Mistake{{"cluster", "add", "web"}, 2, "ADDRESS"},
        Mistake{{"cluster", "add", "web", "192.0.2.300"}, 2, "192.0.2.300"},
        Mistake{{"cluster", "add", "we b", "192.0.2.3"}, 2, "we b"},
        Mistake{{"cluster", "add", "tcp", "192.0.2.3"}, 2, "tcp"}, Mistake{{"cluster", "show", "a/b"}, 2, "a/b"},
        Mistake{{"cluster", "set", "web"}, 2, "cluster web: say what to set: ADDRESS or --echo"},
        Mistake{{"port", "add", "web"}, 2, "web"}, Mistake{{"port", "add", "web/70000"}, 2, "70000"},
        Mistake{{"port", "add", "web/65536"}, 2, "65536"}, Mistake{{"port", "add", "web/-1"}, 2, "-1"},
        Mistake{{"port", "add", "web/80/sctp"}, 2, "sctp"}, Mistake{{"port", "remove", "web/80/s1"}, 2, "s1"},
        Mistake{{"server", "add", "web/80"}, 2, "ADDRESS"}, Mistake{{"server", "add", "web/80", "x"}, 2, "x"},
        Mistake{{"server", "add", "web/80", "192.0.2.21,"}, 2, "address \"\""},
        Mistake{{"server", "add", "web/80", "192.0.2.21,192.0.2.21"}, 2, "192.0.2.21: is named twice"},
        Mistake{{"server", "set", "web/80/s1", "--address", "192.0.2.21,x"}, 2, "--address: address \"x\""},
        Mistake{{"server", "add", "web/80", "192.0.2.21", "--weight", "-1"},
                2,
                "--weight -1: a weight is a whole number from 0 to 100"},
        Mistake{{"server", "add", "web/80", "192.0.2.21", "--weight", "101"}, 2, "--weight 101"},
        Mistake{{"server", "add", "web/80", "192.0.2.21", "--weight", "1.5"}, 2, "--weight 1.5"},
        Mistake{{"server", "add", "web/80", "192.0.2.21", "--weight", ""}, 2, "--weight"},
        Mistake{{"server", "add", "web/80", "192.0.2.21", "--weight"}, 2, "--weight"},
        Mistake{{"server", "add", "web/80", "192.0.2.21", "--family", "v5"}, 2, "--family v5"},
        Mistake{{"server", "add", "web/80", "192.0.2.21", "--name", "a/b"}, 2, "a/b"},
        Mistake{{"server", "set", "web/80/s1"}, 2, "say what to set: --weight, --address"},
        Mistake{{"server", "set", "web/80/s1", "--weight", "101"}, 2, "101"},
        Mistake{{"server", "set", "web/80/s1", "--address", "x"}, 2, "x"},
        Mistake{{"server", "remove", "web/80"}, 2, "web/80"}, Mistake{{"server", "list", "web"}, 2, "web"},
        Mistake{{"explain", "192.0.2.1:1"}, 2, "DST:PORT"},
        Mistake{{"explain", "192.0.2.1", "192.0.2.10:80"}, 2, "192.0.2.1"},
        Mistake{{"explain", "192.0.2.1:1", "192.0.2.10:70000"}, 2, "70000"},
        Mistake{{"explain", "192.0.2.1:1", "[2001:db8::10]:80"}, 2, "IPv6"},
        Mistake{{"explain", "192.0.2.1:1", "192.0.2.10:80", "icmp"}, 2, "icmp"},
        Mistake{{"load"}, 2, "no interface is named"}, Mistake{{"load", "eth0", "eth0"}, 2, "twice"},
        Mistake{{"load", "eth0", "--mode", "fast"}, 2, "--mode \"fast\""},
        Mistake{{"status", "--timeout", "0"}, 2, "--timeout 0"},
        Mistake{{"status", "--timeout", "x"}, 2, "--timeout x"},
        Mistake{{"status", "--timeout", "86401"}, 2, "--timeout 86401"},
        Mistake{{"status", "--instance", "../x"}, 2, "instance \"../x\""}, Mistake{{"config", "apply"}, 2, "FILE"},
        Mistake{{"drops", "we b"}, 2, "we b"}, Mistake{{"drops", "web/443/s1"}, 2, "web/443/s1"},
        Mistake{{"flows", "web"}, 2, "CLUSTER/PORT[/tcp|udp]/SERVER"},
        Mistake{{"flows", "--limit", "100001"}, 2, "--limit"}, Mistake{{"flows", "--limit", "-1"}, 2, "--limit"},
        Mistake{{"events", "7"}, 2, "7"}, Mistake{{"cluster", "add", "web", "198.51.100.7/24"}, 2, "198.51.100.0/24"},
        Mistake{{"cluster", "add", "web", "192.0.2.3", "--echo", "on"}, 2, "--echo: \"on\" is not one of"},
        Mistake{{"cluster", "set", "web", "--echo", ""}, 2, "--echo"},
        Mistake{{"port", "set", "web/443"}, 2, "port web/443: say what to set"},
        Mistake{{"port", "set", "web", "--sticky", "1"}, 2, "web"},
        Mistake{{"port", "set", "web/443", "--sticky", "43201"}, 2, "--sticky: \"43201\" is no time"},
        Mistake{{"port", "add", "web/443", "--sticky", "1d"}, 2, "--sticky: \"1d\""},
        Mistake{{"port", "set", "web/443", "--stale-timeout", "0"}, 2, "--stale-timeout: \"0\" is no time from 1"},
        Mistake{{"port", "set", "web/443", "--sticky-mask", "/0"}, 2, "--sticky-mask: \"/0\""},
        Mistake{{"port", "set", "web/443", "--sticky-mask", "/64", "--sticky-mask", "/24"}, 2, "the first of two"},
        Mistake{{"port", "set", "web/443", "--pick", "rr"}, 2, "--pick: \"rr\""},
        Mistake{{"port", "set", "web/443", "--on-stale", "x"}, 2, "--on-stale: \"x\""},
        Mistake{{"port", "set", "web/443", "--no-server", "x"}, 2, "--no-server: \"x\""},
        Mistake{{"port", "set", "web/443", "--crossport", "65536"}, 2, "--crossport: port \"65536\""},
        Mistake{{"port", "set", "web/443", "--udp-tracking", "yes"}, 2, "--udp-tracking"},
        Mistake{{"port", "set", "web/443", "--new-flow-limit", "4294967296"}, 2, "--new-flow-limit"},
        Mistake{{"port", "set", "web/443", "--half-open-limit", "-1"}, 2, "--half-open-limit"},
        Mistake{{"server", "add", "web/80", "192.0.2.21", "--vlan", "4095"}, 2, "--vlan: \"4095\""},
        Mistake{{"server", "set", "web/80/s1", "--vlan", "0"}, 2, "--vlan: \"0\""},
        Mistake{{"server", "drain", "web/80"}, 2, "web/80"}, Mistake{{"server", "ready", "web/80"}, 2, "web/80"},
        Mistake{{"server", "down", "web/80"}, 2, "web/80"},
        Mistake{{"server", "drain", "web/80/s1", "--deadline", "0"}, 2, "--deadline: \"0\""},
        Mistake{{"server", "drain", "web/80/s1", "--deadline", "43201"}, 2, "--deadline"},
        Mistake{{"server", "down", "web/80/s1", "--now"}, 2, "--now"}, Mistake{{"set"}, 2, "--decrement-ttl"},
        Mistake{{"set", "--peer", "02:00"}, 2, "--peer: MAC address \"02:00\""},
        Mistake{{"set", "--peer", "02:00:00:00:00:01", "--no-peers"}, 2, "exclude"},
        Mistake{{"set", "--decrement-ttl", "1"}, 2, "--decrement-ttl 1: it is on or off"},
        Mistake{{"config", "check", "/nonexistent/x.json"}, 3, "/nonexistent/x.json"},
        Mistake{{"config", "diff", "/"}, 1, "/"}));

TEST_F(CliTest, WeightsAtTheEndsOfTheRangeAreSent) {
  serve(kChanged);
  EXPECT_EQ(run({"server", "add", "web/80", "192.0.2.21", "--weight", "0"}).code, 0);
  EXPECT_EQ(run({"server", "add", "web/80", "192.0.2.21", "--weight", "100"}).code, 0);
  EXPECT_EQ(run({"port", "add", "web/65535"}).code, 0);
}

TEST_F(CliTest, EveryErrorOfTheDaemonBecomesItsExitCode) {
  ErrorCode code{};
  serve([&](const Request&) -> Reply { return fail(code, "cluster web: \033[31mtwo\nlines"); });
  for (int number = 1; number <= 8; ++number) {
    code = static_cast<ErrorCode>(number);
    const Outcome outcome = run({"cluster", "list"});
    EXPECT_EQ(outcome.code, number);
    EXPECT_EQ(outcome.err, "xdplb: cluster web: ?[31mtwo lines\n");
    const Outcome with_json = run({"cluster", "list", "-j"});
    EXPECT_EQ(with_json.code, number);
    EXPECT_EQ(json::parse(with_json.out), encode_problem({.code = code, .message = "cluster web: \033[31mtwo\nlines"}));
  }
}

TEST_F(CliTest, WithoutADaemonTheWayOutIsNamed) {
  const Outcome outcome = run({"cluster", "list"});
  EXPECT_EQ(outcome.code, 4);
  EXPECT_THAT(outcome.err, AllOf(HasSubstr("xdplb load IFACE"), HasSubstr(socket().string())));
}

TEST_F(CliTest, ErrorsOfLinesThatDoNotParseAreJsonWhereItIsAskedFor) {
  for (const std::vector<std::string>& words : {std::vector<std::string>{"frobnicate", "--json"},
                                                {"-qj", "frobnicate"},
                                                {"frobnicate", "-p"},
                                                {"--pretty", "frobnicate"}}) {
    EXPECT_EQ(json::parse(run(words).out)["exit_code"], 2);
  }
  EXPECT_EQ(run({"frobnicate", "-x"}).out, "");
  EXPECT_EQ(run({"frobnicate", "--", "-j"}).out, "");
}

class ConfigFile : public CliTest {
 protected:
  std::string file(const std::string& text) const {
    const auto path = folder_.path() / "xdplb.json";
    std::ofstream(path) << text;
    return path.string();
  }
  static constexpr const char* kValid = R"({
    // one cluster
    "clusters": [ { "name": "web", "addresses": ["192.0.2.10"],
      "ports": [ { "port": 443, "servers": [ { "address": "192.0.2.21" }, { "address": "192.0.2.22" } ] } ] } ] })";
};

TEST_F(ConfigFile, CheckNeedsNoDaemon) {
  const std::string path = file(kValid);
  const Outcome outcome = run({"config", "check", path});
  EXPECT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_EQ(outcome.out, path + ": valid; clusters: 1, ports: 1, servers: 2\n");
  EXPECT_EQ(run({"-j", "config", "check", path}).out, "{\"clusters\":1,\"ports\":1,\"servers\":2,\"valid\":true}\n");
}

TEST_F(ConfigFile, CheckReadsStandardInput) {
  EXPECT_EQ(run({"config", "check", "-"}, kValid).code, 0);
  const Outcome outcome = run({"config", "check", "-"}, "{\n  \"clusters\" []\n}");
  EXPECT_EQ(outcome.code, 6);
  EXPECT_THAT(outcome.err, AllOf(HasSubstr("standard input"), HasSubstr("line 2")));
}

TEST_F(ConfigFile, WhatIsInvalidIsSixWithItsPlace) {
  struct Case {
    const char* text;
    const char* expected;
  };
  serve(kChanged);
  for (const Case& entry :
       {Case{"{ \"clusters\": [ }", "line 1"}, Case{"", "xdplb.json"}, Case{R"({ "clusterz": [] })", "clusterz"},
        Case{R"({ "clusters": [ { "name": "a", "name": "b", "addresses": ["192.0.2.1"] } ] })", "name"},
        Case{R"({ "clusters": [ { "name": "a", "addresses": ["192.0.2.1"] },
                                                    { "name": "a", "addresses": ["192.0.2.2"] } ] })",
             "a"}}) {
    for (const char* command : {"check", "diff", "apply"}) {
      const Outcome outcome = run({"config", command, file(entry.text)});
      EXPECT_EQ(outcome.code, 6) << entry.text;
      EXPECT_THAT(outcome.err, HasSubstr(entry.expected)) << entry.text;
    }
    EXPECT_EQ(run({"load", "eth0", "--config", file(entry.text)}).code, 6);
  }
  EXPECT_THAT(requests(), IsEmpty());
}

TEST_F(ConfigFile, LargerThanTheApiTakesIsInvalid) {
  const std::string padding(8U << 20, ' ');
  EXPECT_EQ(run({"config", "check", file(padding + kValid)}).code, 6);
  EXPECT_EQ(run({"config", "check", "-"}, padding + kValid).code, 6);
}

TEST_F(ConfigFile, DiffTellsByItsExitCode) {
  json reply = {{"equal", true}, {"changes", json::array()}};
  serve([&](const Request&) { return make_reply(reply); });
  const Outcome equal = run({"config", "diff", file(kValid)});
  EXPECT_EQ(equal.code, 0);
  EXPECT_EQ(equal.out, "no difference\n");
  EXPECT_EQ(only<ConfigDiffRequest>().config.clusters.at(0).ports.at(0).servers.size(), 2U);
  reply = {{"equal", false}, {"changes", {"- server web/443/s1", "+ cluster b 192.0.2.1"}}};
  const Outcome other = run({"config", "diff", file(kValid)});
  EXPECT_EQ(other.code, 1);
  EXPECT_EQ(other.out, "- server web/443/s1\n+ cluster b 192.0.2.1\n");
  EXPECT_EQ(other.err, "");
}

TEST_F(ConfigFile, ApplySaysWhatChanged) {
  json reply = {{"changed", true}, {"changes", {"+ cluster web 192.0.2.10"}}, {"dry_run", false}};
  serve([&](const Request&) { return make_reply(reply); });
  EXPECT_EQ(run({"config", "apply", file(kValid)}).out, "+ cluster web 192.0.2.10\napplied\n");
  EXPECT_FALSE(only<ConfigApplyRequest>().dry_run);
  EXPECT_EQ(run({"config", "apply", file(kValid), "--dry-run"}).out,
            "+ cluster web 192.0.2.10\ndry run: nothing was changed\n");
  EXPECT_TRUE(std::get<ConfigApplyRequest>(requests().back()).dry_run);
  reply = {{"changed", false}, {"changes", json::array()}, {"dry_run", false}};
  EXPECT_EQ(run({"config", "apply", file(kValid)}).out, "nothing to change\n");
}

TEST_F(ConfigFile, ShowIsAFileThatCanBeReadAgain) {
  serve(json::parse(kValid, nullptr, true, true));
  const Outcome outcome = run({"config", "show"});
  EXPECT_EQ(outcome.code, 0);
  EXPECT_EQ(run({"config", "check", "-"}, outcome.out).code, 0);
  EXPECT_THAT(run({"-j", "config", "show"}).out, MatchesRegex("\\{[^\n]*\\}\n"));
}

}  // namespace
}  // namespace xdplb
