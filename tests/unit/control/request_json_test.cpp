// SPDX-License-Identifier: GPL-2.0-only
#include "control/request_json.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <set>

namespace xdplb {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

const PortPath kWeb{.cluster = "web", .port = 443, .protocol = Protocol::kTcp};
const PortPath kDns{.cluster = "web", .port = 53, .protocol = Protocol::kUdp};

IpAddress ip(const char* text) { return *IpAddress::parse(text); }

ServerConfig server_one() { return {.name = "s1", .address = ip("192.0.2.21"), .weight = 20, .family = Family::kV4}; }

const IpPrefix kNetwork{.address = ip("198.51.100.0"), .length = 24};
constexpr std::optional<std::uint16_t> kKeepTag{};

// Each option has a value that is not its default.
PortConfig every_option() {
  return {.port = 53,
          .protocol = Protocol::kUdp,
          .pick = Pick::kLeastConnections,
          .stale_timeout_s = 7200,
          .on_stale = OnStale::kDrop,
          .no_server = NoServer::kPass,
          .sticky_s = 60,
          .sticky_mask_v4 = 24,
          .sticky_mask_v6 = 30,
          .crossport = 443,
          .udp_tracking = true,
          .new_flow_limit = 1000,
          .half_open_limit = 500,
          .min_up = {.value = 50, .is_percent = true},
          .on_all_down = OnAllDown::kDrop,
          .slow_start_s = 30};
}

AdvisorConfig http_advisor() {
  AdvisorConfig advisor{.type = AdvisorType::kHttp, .way = ProbeWay::kBoth, .port = 8080, .interval_ms = 1500};
  advisor.http.path = "/healthz";
  advisor.http.headers = {{"X-A", "b"}};
  advisor.http.statuses = {{200, 200}, {300, 399}};
  advisor.http.body = ReplyMatch{.text = "^ok$", .is_regex = true};
  return advisor;
}

AdvisorConfig tcp_advisor() {
  AdvisorConfig advisor{.type = AdvisorType::kTcp};
  advisor.steps = {{.kind = TcpStep::Kind::kSend, .bytes = "PING\r\n"},
                   {.kind = TcpStep::Kind::kExpect, .match = {.text = "PONG"}}};
  return advisor;
}

ManagerChanges every_manager_option() {
  return {.is_on = true,
          .proportions = std::array<unsigned, 4>{40, 40, 10, 10},
          .interval_s = 5,
          .refresh = 3,
          .sensitivity = 0,
          .smoothing_tenths = 25,
          .weight_bound = 100};
}

Config full_config() {
  Config config;
  config.interfaces = std::vector<std::string>{"eth0", "eth1"};
  config.secret = "two dispatchers";
  ClusterConfig cluster{.name = "web", .addresses = {ip("192.0.2.10"), ip("2001:db8::10")}, .ports = {}};
  cluster.ports.push_back({.port = 0, .protocol = Protocol::kTcp, .servers = {server_one()}});
  ServerConfig six{.name = "2001:db8::21", .address = ip("2001:db8::21"), .weight = 0, .family = std::nullopt};
  cluster.prefixes = {kNetwork, {.address = ip("::"), .length = 0}};
  cluster.echo = Echo::kDispatcher;
  config.peers = {MacAddress{{2, 0, 0, 0, 0, 1}}, MacAddress{{2, 0, 0, 0, 0, 2}}};
  config.decrement_ttl = true;
  cluster.ports.push_back({.port = 65535, .protocol = Protocol::kUdp, .servers = {six}});
  config.clusters.push_back(cluster);
  config.fix_host = true;
  config.has_failure_guard = false;
  config.exits = {{.event = ExitEvent::kServerDown, .command = {"/usr/local/sbin/page", "down"}}};
  config.clusters[0].manager = {.is_on = true, .smoothing_tenths = 20};
  config.clusters[0].ports[0].advisor = http_advisor();
  config.clusters[0].ports[0].servers[0].tier = 1;
  config.health = {.reach_targets = {ip("192.0.2.1")}, .up_delay_s = 30};
  config.vipas = {{.address = ip("192.0.2.10"), .preferred = std::vector<std::string>{"eth1", "192.0.2.2"}},
                  {.address = ip("2001:db8::7"), .preferred = std::vector<std::string>{}, .proxy = "s1"}};
  return config;
}

using Preferred = std::optional<std::vector<std::string>>;
const std::optional<Preferred> kAuto{std::in_place};
const std::optional<Preferred> kNobody{Preferred(std::in_place)};
const std::optional<std::optional<std::string>> kNoProxy{std::in_place};
const std::optional<std::optional<std::array<unsigned, 4>>> kClassic{std::in_place};

VipaChanges every_vipa_option() {
  return {.preferred = Preferred({"eth0", "2001:db8::5"}),
          .proxy = std::optional<std::string>("s1"),
          .is_local = true,
          .is_backup = true,
          .failback = Failback::kManual,
          .hold_s = 0,
          .on_conflict = OnConflict::kYield,
          .probe = DuplicateProbe::kRfc,
          .refresh_s = 3600};
}

SettingsSetRequest every_setting() {
  return {.peers = std::vector{MacAddress{{2, 0, 0, 0, 0, 1}}},
          .decrement_ttl = true,
          .fix_host = false,
          .reach_targets = std::vector{ip("192.0.2.1"), ip("2001:db8::1")},
          .needs_all_targets = true,
          .reach_interval_s = 60,
          .reach_missed = 10,
          .up_delay_s = 0,
          .down_delay_s = 255,
          .has_failure_guard = false};
}

std::vector<Request> every_request() {
  const Endpoint v4{.address = ip("192.0.2.100"), .port = 40000};
  const Endpoint v6{.address = ip("2001:db8::10"), .port = 443};
  return {
      LoadRequest{.interfaces = {"eth0", "10.1.1.4", "fe80::1"}, .mode = AttachMode::kGeneric, .chain = true},
      LoadRequest{.interfaces = {"eth0"}, .mode = AttachMode::kAuto, .chain = false},
      LoadRequest{.interfaces = {"eth0"}, .fix_host = true},
      LoadRequest{.interfaces = {"veth0.100@x"}, .mode = AttachMode::kNative, .chain = false},
      UnloadRequest{},
      UnloadRequest{.interfaces = {"eth0", "a&b=c"}},
      StatusRequest{},
      StatsRequest{},
      DropsRequest{},
      ExplainRequest{.source = v4, .destination = v4, .protocol = Protocol::kUdp},
      ExplainRequest{.source = v6, .destination = v6, .protocol = Protocol::kTcp},
      ClusterListRequest{},
      ClusterListRequest{.name = "web"},
      ClusterListRequest{.name = "a/b ?\xff"},
      ClusterAddRequest{.cluster = full_config().clusters[0]},
      FlowsRequest{},
      FlowsRequest{.port = kDns, .limit = 0},
      FlowsRequest{.server = ServerPath{.port = kWeb, .server = "2001:db8::21"}, .limit = kMaxFlowLimit},
      EventsRequest{},
      EventsRequest{.after = UINT64_MAX},
      TraceRequest{},
      TraceRequest{.after = 7, .outcomes = {"loop", "no_server"}, .sample = kMaxTraceSample},
      ClusterSetRequest{.name = "web", .addresses = std::vector{ip("192.0.2.11"), ip("2001:db8::11")}},
      ClusterSetRequest{
          .name = "web", .addresses = std::vector<IpAddress>{}, .prefixes = {kNetwork}, .echo = Echo::kOff},
      ClusterSetRequest{.name = "web", .echo = Echo::kServer},
      ClusterRemoveRequest{.name = "web"},
      PortListRequest{},
      PortListRequest{.cluster = "web", .path = std::nullopt},
      PortListRequest{.cluster = std::nullopt, .path = kDns},
      PortAddRequest{.cluster = "web", .port = full_config().clusters[0].ports[0]},
      PortAddRequest{.cluster = "web", .port = every_option()},
      PortSetRequest{.path = kDns, .changes = options_of(every_option())},
      PortSetRequest{.path = kWeb, .changes = {.sticky_s = 0, .crossport = std::optional<std::uint16_t>()}},
      PortSetRequest{.path = kWeb, .changes = {.pick = Pick::kHash, .sticky_mask_v4 = 32}},
      PortSetRequest{.path = kWeb, .changes = {.sticky_mask_v6 = 128, .udp_tracking = false}},
      PortRemoveRequest{.path = kWeb},
      ServerListRequest{},
      ServerListRequest{.port = kWeb, .path = std::nullopt},
      ServerListRequest{.port = std::nullopt, .path = ServerPath{.port = kDns, .server = "s1"}},
      ServerAddRequest{.port = kDns, .server = server_one()},
      ServerAddRequest{.port = kDns,
                       .server = {.name = "a", .address = ip("192.0.2.4"), .further_addresses = {ip("192.0.2.5")}}},
      ServerSetRequest{.path = {.port = kWeb, .server = "s1"}, .weight = 0},
      ServerSetRequest{.path = {.port = kWeb, .server = "::1"}, .weight = 100, .addresses = {ip("2001:db8::22")}},
      ServerSetRequest{.path = {.port = kDns, .server = "s1"},
                       .weight = std::nullopt,
                       .addresses = {ip("192.0.2.22"), ip("2001:db8::22")}},
      ServerSetRequest{.path = {.port = kDns, .server = "s1"}, .weight = {}, .vlan = kKeepTag},
      ServerSetRequest{.path = {.port = kDns, .server = "s1"}, .weight = {}, .vlan = 0},
      ServerSetRequest{.path = {.port = kDns, .server = "s1"}, .weight = 1, .vlan = 4094},
      ServerAdminRequest{.path = {.port = kDns, .server = "s1"}, .admin = Admin::kReady},
      ServerAdminRequest{.path = {.port = kDns, .server = "s1"}, .admin = Admin::kDown},
      ServerAdminRequest{.path = {.port = kDns, .server = "s1"}, .admin = Admin::kDrain, .deadline_s = 1},
      ServerAdminRequest{.path = {.port = kDns, .server = "s1"}, .admin = Admin::kDrainNow, .deadline_s = 43200},
      ServerSetRequest{
          .path = {.port = kDns, .server = "s1"}, .weight = {}, .tier = kMaxTier, .has_fixed_weight = true},
      ServerSetRequest{.path = {.port = kDns, .server = "s1"}, .weight = {}, .tier = 0, .admin = Admin::kDrain},
      ServerSetRequest{.path = {.port = kDns, .server = "s1"}, .weight = {}, .has_fixed_weight = false},
      ServerAdminRequest{.path = {.port = kDns, .server = "s1"}, .admin = Admin::kReady, .source = AdminSource::kHook},
      ServerAdminRequest{
          .path = {.port = kDns, .server = "s1"}, .admin = Admin::kDrain, .daily = DailyHours{.first = 23, .last = 0}},
      AdvisorListRequest{},
      AdvisorListRequest{.port = kDns},
      AdvisorListRequest{.server = ServerPath{.port = kWeb, .server = "2001:db8::21"}},
      AdvisorSetRequest{.path = kWeb, .advisor = http_advisor()},
      AdvisorSetRequest{.path = kWeb, .advisor = tcp_advisor()},
      AdvisorPatchRequest{.path = kDns, .changes = {{"type", "dns"}, {"port", nullptr}, {"rcodes", {"NXDOMAIN"}}}},
      AdvisorRemoveRequest{.path = kDns},
      AdvisorRunRequest{.path = {.port = kDns, .server = "s1"}},
      ManagerReportRequest{},
      ManagerReportRequest{.cluster = "a&b"},
      ManagerSetRequest{.changes = {.is_on = false}},
      ManagerSetRequest{.cluster = "web", .changes = every_manager_option()},
      ManagerSetRequest{.cluster = "web", .changes = {.proportions = kClassic}},
      ExitListRequest{},
      SettingsSetRequest{.has_failure_guard = true},
      SettingsSetRequest{.peers = std::vector<MacAddress>{}},
      SettingsSetRequest{.peers = std::vector{MacAddress{{2, 0, 0, 0, 0, 1}}}, .decrement_ttl = true},
      SettingsSetRequest{.decrement_ttl = false},
      SettingsSetRequest{.fix_host = true},
      SettingsSetRequest{.reach_targets = std::vector<IpAddress>{}},
      every_setting(),
      InterfaceListRequest{},
      InterfaceAdminRequest{.name = "eth0", .is_disabled = true},
      InterfaceAdminRequest{.name = "veth0.100@x", .is_disabled = false},
      VipaListRequest{},
      VipaListRequest{.address = ip("2001:db8::7")},
      VipaSetRequest{.address = ip("192.0.2.7"), .changes = {}},
      VipaSetRequest{.address = ip("2001:db8::7"), .changes = every_vipa_option()},
      VipaSetRequest{.address = ip("192.0.2.7"), .changes = {.preferred = kAuto, .proxy = kNoProxy}},
      VipaSetRequest{.address = ip("192.0.2.7"), .changes = {.preferred = kNobody, .is_local = false}},
      VipaMoveRequest{.address = ip("192.0.2.7"), .entry = "eth1"},
      VipaMoveRequest{.address = ip("2001:db8::7"), .entry = "2001:db8::5"},
      VipaResumeRequest{.address = ip("2001:db8::7")},
      VipaAdminRequest{.address = ip("192.0.2.7"), .is_disabled = true},
      VipaAdminRequest{.address = ip("2001:db8::7"), .is_disabled = false},
      VipaRemoveRequest{.address = ip("2001:db8::7")},
      ServerRemoveRequest{.path = {.port = kWeb, .server = "s1"}},
      ConfigShowRequest{},
      ConfigDiffRequest{.config = full_config()},
      ConfigDiffRequest{},
      ConfigApplyRequest{.config = full_config(), .dry_run = true},
      ConfigApplyRequest{.config = full_config(), .dry_run = false},
  };
}

TEST(RequestJson, EveryRequestComesBack) {
  std::set<std::size_t> kinds;
  for (const Request& request : every_request()) {
    kinds.insert(request.index());
    const HttpCall call = encode_request(request);
    const auto back = decode_request(call.method, call.target, call.body);
    ASSERT_TRUE(back) << call.method << " " << call.target << " " << call.body << ": " << back.error().message;
    EXPECT_TRUE(*back == request) << call.method << " " << call.target << " " << call.body;
  }
  EXPECT_EQ(kinds.size(), std::variant_size_v<Request>) << "a request is missing in every_request()";
}

TEST(RequestJson, TargetsAreThoseOfTheDocumentation) {
  EXPECT_EQ(encode_request(UnloadRequest{.interfaces = {"eth0", "eth1"}}).target, "/v1/interfaces?name=eth0&name=eth1");
  EXPECT_EQ(encode_request(PortRemoveRequest{.path = kDns}).target, "/v1/ports?path=web/53/udp");
  EXPECT_EQ(encode_request(ClusterRemoveRequest{.name = "web"}), (HttpCall{"DELETE", "/v1/clusters/web", ""}));
  EXPECT_EQ(encode_request(ConfigApplyRequest{.config = {}, .dry_run = true}).target, "/v1/config?dry_run=1");
  EXPECT_EQ(encode_request(FlowsRequest{}), (HttpCall{"GET", "/v1/flows?limit=100", ""}));
  EXPECT_EQ(encode_request(EventsRequest{.after = 7}), (HttpCall{"GET", "/v1/events?after=7", ""}));
  EXPECT_EQ(encode_request(PortSetRequest{.path = kWeb, .changes = {.sticky_s = 60}}),
            (HttpCall{"PATCH", "/v1/ports?path=web/443", R"({"sticky":"60s"})"}));
  const ServerPath one{.port = kWeb, .server = "s1"};
  EXPECT_EQ(encode_request(ServerAdminRequest{.path = one, .admin = Admin::kDrain, .deadline_s = 60}),
            (HttpCall{"PUT", "/v1/servers/admin?path=web/443/s1", R"({"admin":"drain","deadline_s":60})"}));
  EXPECT_EQ(encode_request(SettingsSetRequest{.peers = std::vector<MacAddress>{}}),
            (HttpCall{"PATCH", "/v1/settings", R"({"peers":[]})"}));
  EXPECT_EQ(encode_request(SettingsSetRequest{.fix_host = true, .reach_missed = 4}),
            (HttpCall{"PATCH", "/v1/settings", R"({"fix_host":true,"health":{"reach_missed":4}})"}));
  const ServerSetRequest adapters{.path = one, .weight = {}, .addresses = {ip("192.0.2.4"), ip("192.0.2.5")}};
  EXPECT_EQ(encode_request(adapters).body, R"({"addresses":["192.0.2.4","192.0.2.5"]})");
}

TEST(RequestJson, TargetsOfVipasAreThoseOfTheDocumentation) {
  const IpAddress six = ip("2001:db8::7");
  EXPECT_EQ(encode_request(VipaListRequest{}), (HttpCall{"GET", "/v1/vipas", ""}));
  EXPECT_EQ(encode_request(VipaListRequest{.address = six}), (HttpCall{"GET", "/v1/vipas/2001:db8::7", ""}));
  EXPECT_EQ(encode_request(VipaSetRequest{.address = six, .changes = {.preferred = kAuto, .hold_s = 5}}),
            (HttpCall{"PATCH", "/v1/vipas/2001:db8::7", R"({"hold":"5s","preferred":"auto"})"}));
  EXPECT_EQ(encode_request(VipaMoveRequest{.address = six, .entry = "eth1"}),
            (HttpCall{"PUT", "/v1/vipas/2001:db8::7/owner", R"({"entry":"eth1"})"}));
  EXPECT_EQ(encode_request(VipaResumeRequest{.address = six}), (HttpCall{"DELETE", "/v1/vipas/2001:db8::7/owner", ""}));
  EXPECT_EQ(encode_request(VipaAdminRequest{.address = six, .is_disabled = true}),
            (HttpCall{"PUT", "/v1/vipas/2001:db8::7/admin", R"({"admin":"disabled"})"}));
  EXPECT_EQ(encode_request(VipaRemoveRequest{.address = six}), (HttpCall{"DELETE", "/v1/vipas/2001:db8::7", ""}));
  EXPECT_EQ(encode_request(InterfaceAdminRequest{.name = "eth0", .is_disabled = false}),
            (HttpCall{"PUT", "/v1/interfaces/eth0/admin", R"({"admin":"enabled"})"}));
  // As people type it: escaped or not, in any spelling.
  for (const char* target : {"/v1/vipas/2001:DB8:0::7", "/v1/vipas/2001%3Adb8%3A%3A7"}) {
    const auto request = decode_request("GET", target, "");
    ASSERT_TRUE(request) << request.error().message;
    EXPECT_TRUE(*request == Request(VipaListRequest{.address = six}));
  }
}

TEST(RequestJson, TargetsOfAdvisorsAreThoseOfTheDocumentation) {
  const ServerPath one{.port = kWeb, .server = "s1"};
  EXPECT_EQ(encode_request(AdvisorListRequest{}), (HttpCall{"GET", "/v1/advisors", ""}));
  EXPECT_EQ(encode_request(AdvisorListRequest{.port = kDns}), (HttpCall{"GET", "/v1/advisors?port=web/53/udp", ""}));
  EXPECT_EQ(encode_request(AdvisorListRequest{.server = one}), (HttpCall{"GET", "/v1/advisors?server=web/443/s1", ""}));
  EXPECT_EQ(encode_request(AdvisorSetRequest{.path = kWeb, .advisor = tcp_advisor()}),
            (HttpCall{"PUT", "/v1/advisors?port=web/443",
                      R"({"steps":[{"send":"PING\\r\\n"},{"expect":"PONG"}],"type":"tcp"})"}));
  EXPECT_EQ(encode_request(AdvisorPatchRequest{.path = kWeb, .changes = {{"fall", 5}, {"body", nullptr}}}),
            (HttpCall{"PATCH", "/v1/advisors?port=web/443", R"({"body":null,"fall":5})"}));
  EXPECT_EQ(encode_request(AdvisorRemoveRequest{.path = kWeb}), (HttpCall{"DELETE", "/v1/advisors?port=web/443", ""}));
  EXPECT_EQ(encode_request(AdvisorRunRequest{.path = one}),
            (HttpCall{"POST", "/v1/advisors/run?server=web/443/s1", "{}"}));
  EXPECT_EQ(encode_request(ManagerReportRequest{.cluster = "web"}), (HttpCall{"GET", "/v1/managers?cluster=web", ""}));
  EXPECT_EQ(encode_request(ManagerSetRequest{.changes = {.is_on = true}}),
            (HttpCall{"PATCH", "/v1/managers", R"({"enabled":true})"}));
  EXPECT_EQ(encode_request(ManagerSetRequest{.cluster = "web", .changes = {.proportions = kClassic}}),
            (HttpCall{"PATCH", "/v1/managers?cluster=web", R"({"proportions":null})"}));
  EXPECT_EQ(encode_request(ExitListRequest{}), (HttpCall{"GET", "/v1/exits", ""}));
  const ServerAdminRequest daily{
      .path = one, .admin = Admin::kDrain, .source = AdminSource::kHook, .daily = DailyHours{.first = 2, .last = 5}};
  EXPECT_EQ(encode_request(daily).body, R"({"admin":"drain","daily":[2,5],"source":"hook"})");
  EXPECT_EQ(encode_request(SettingsSetRequest{.has_failure_guard = false}).body, R"({"guard":false})");
  const ServerSetRequest standing{
      .path = one, .weight = {}, .tier = 1, .has_fixed_weight = true, .admin = Admin::kReady};
  EXPECT_EQ(encode_request(standing).body, R"({"admin":"ready","fixed_weight":true,"tier":1})");
}

TEST(RequestJson, DefaultsOfTheQueryAndTheBody) {
  const auto load = decode_request("POST", "/v1/interfaces", R"({"interfaces": ["eth0"]})");
  ASSERT_TRUE(load);
  EXPECT_TRUE(*load == Request(LoadRequest{.interfaces = {"eth0"}, .mode = AttachMode::kAuto, .chain = false}));
  const auto explain = decode_request("GET", "/v1/explain?source=192.0.2.1:1&destination=192.0.2.10:80", "");
  ASSERT_TRUE(explain);
  EXPECT_EQ(std::get<ExplainRequest>(*explain).protocol, Protocol::kTcp);
  const auto server = decode_request("POST", "/v1/servers", R"({"port": "web/80", "address": "192.0.2.21"})");
  ASSERT_TRUE(server);
  EXPECT_EQ(std::get<ServerAddRequest>(*server).server.name, "192.0.2.21");
  EXPECT_EQ(std::get<ServerAddRequest>(*server).server.weight, kDefaultWeight);
}

TEST(RequestJson, AllowedMethodsOfATarget) {
  EXPECT_THAT(allowed_methods("/v1/clusters"), ElementsAre("GET", "POST"));
  EXPECT_THAT(allowed_methods("/v1/clusters/web?x=y"), ElementsAre("GET", "PATCH", "DELETE"));
  EXPECT_THAT(allowed_methods("/v1/config/diff"), ElementsAre("POST"));
  EXPECT_THAT(allowed_methods("/v1/interfaces"), ElementsAre("GET", "POST", "DELETE"));
  EXPECT_THAT(allowed_methods("/v1/advisors"), ElementsAre("GET", "PUT", "PATCH", "DELETE"));
  EXPECT_THAT(allowed_methods("/v1/advisors/run"), ElementsAre("POST"));
  EXPECT_THAT(allowed_methods("/v1/managers?cluster=web"), ElementsAre("GET", "PATCH"));
  EXPECT_THAT(allowed_methods("/v1/vipas/192.0.2.7"), ElementsAre("GET", "PATCH", "DELETE"));
  EXPECT_THAT(allowed_methods("/v1/vipas/192.0.2.7/owner"), ElementsAre("PUT", "DELETE"));
  for (const char* absent :
       {"/", "/v1", "/v2/status", "/v1/status/", "/v1/clusters/", "/v1/clusters/a/b", "status", "/%"}) {
    EXPECT_THAT(allowed_methods(absent), IsEmpty()) << absent;
  }
}

TEST(RequestJson, WeightsAtTheEndsOfTheRangeAreTaken) {
  EXPECT_TRUE(decode_request("PATCH", "/v1/servers?path=web/80/s1", R"({"weight": 0})"));
  EXPECT_TRUE(decode_request("PATCH", "/v1/servers?path=web/80/s1", R"({"weight": 100})"));
}

TEST(RequestJson, BodyHasALimit) {
  const std::string head = R"({"clusters": []})";
  const std::string largest = head + std::string(kMaxBodyBytes - head.size(), ' ');
  EXPECT_TRUE(decode_request("POST", "/v1/config/diff", largest));
  const auto larger = decode_request("POST", "/v1/config/diff", largest + ' ');
  ASSERT_FALSE(larger);
  EXPECT_EQ(larger.error().code, ErrorCode::kUsage);
}

TEST(RequestJson, ModesHaveNames) {
  for (const AttachMode mode : {AttachMode::kAuto, AttachMode::kNative, AttachMode::kGeneric}) {
    const auto back = parse_attach_mode(attach_mode_name(mode));
    ASSERT_TRUE(back);
    EXPECT_EQ(*back, mode);
  }
  EXPECT_EQ(parse_attach_mode("Native").error().code, ErrorCode::kUsage);
}

}  // namespace
}  // namespace xdplb
