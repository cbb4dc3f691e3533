// SPDX-License-Identifier: GPL-2.0-only
#include "control/request_json.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

namespace xdplb {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
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
          .half_open_limit = 500};
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
  return config;
}

std::vector<Request> every_request() {
  const Endpoint v4{.address = ip("192.0.2.100"), .port = 40000};
  const Endpoint v6{.address = ip("2001:db8::10"), .port = 443};
  return {
      LoadRequest{.interfaces = {"eth0", "10.1.1.4", "fe80::1"}, .mode = AttachMode::kGeneric, .chain = true},
      LoadRequest{.interfaces = {"eth0"}, .mode = AttachMode::kAuto, .chain = false},
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
      ServerSetRequest{.path = {.port = kWeb, .server = "s1"}, .weight = 0, .address = std::nullopt},
      ServerSetRequest{.path = {.port = kWeb, .server = "::1"}, .weight = 100, .address = ip("2001:db8::22")},
      ServerSetRequest{.path = {.port = kDns, .server = "s1"}, .weight = std::nullopt, .address = ip("192.0.2.22")},
      ServerSetRequest{.path = {.port = kDns, .server = "s1"}, .weight = {}, .address = {}, .vlan = kKeepTag},
      ServerSetRequest{.path = {.port = kDns, .server = "s1"}, .weight = {}, .address = {}, .vlan = 0},
      ServerSetRequest{.path = {.port = kDns, .server = "s1"}, .weight = 1, .address = {}, .vlan = 4094},
      ServerAdminRequest{.path = {.port = kDns, .server = "s1"}, .admin = Admin::kReady},
      ServerAdminRequest{.path = {.port = kDns, .server = "s1"}, .admin = Admin::kDown},
      ServerAdminRequest{.path = {.port = kDns, .server = "s1"}, .admin = Admin::kDrain, .deadline_s = 1},
      ServerAdminRequest{.path = {.port = kDns, .server = "s1"}, .admin = Admin::kDrainNow, .deadline_s = 43200},
      SettingsSetRequest{.peers = std::vector<MacAddress>{}},
      SettingsSetRequest{.peers = std::vector{MacAddress{{2, 0, 0, 0, 0, 1}}}, .decrement_ttl = true},
      SettingsSetRequest{.decrement_ttl = false},
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
  for (const char* absent :
       {"/", "/v1", "/v2/status", "/v1/status/", "/v1/clusters/", "/v1/clusters/a/b", "status", "/%"}) {
    EXPECT_THAT(allowed_methods(absent), IsEmpty()) << absent;
  }
}

struct Refusal {
  const char* method;
  const char* target;
  const char* body;
  ErrorCode code;
  const char* text;
};

class Refused : public testing::TestWithParam<Refusal> {};

TEST_P(Refused, WithItsCodeAndTheName) {
  const Refusal& entry = GetParam();
  const auto request = decode_request(entry.method, entry.target, entry.body);
  ASSERT_FALSE(request) << entry.method << " " << entry.target << " " << entry.body;
  EXPECT_EQ(request.error().code, entry.code) << request.error().message;
  EXPECT_THAT(request.error().message, HasSubstr(entry.text));
  EXPECT_EQ(request.error().message.find('\n'), std::string::npos);
}

constexpr auto kUsage = ErrorCode::kUsage;
constexpr auto kInvalid = ErrorCode::kInvalidConfig;
INSTANTIATE_TEST_SUITE_P(
    Targets, Refused,
    testing::Values(
        Refusal{"GET", "/v1/nothing", "", ErrorCode::kNotFound, "/v1/nothing"},
        Refusal{"GET", "/v1/status?x=1", "", kUsage, "\"x\""}, Refusal{"GET", "/v1/status?=1", "", kUsage, "\"\""},
        Refusal{"BREW", "/v1/status", "", kUsage, "BREW /v1/status: the verbs here are GET"},
        Refusal{"get", "/v1/status", "", kUsage, "GET"}, Refusal{"GET", "/v1/status", "{}", kUsage, "takes no body"},
        Refusal{"GET", "/v1/%zz", "", kUsage, "hexadecimal"},
        Refusal{"GET", "/v1/ports?path=web/443&path=web/80", "", kUsage, "path is given twice"},
        Refusal{"GET", "/v1/ports?path=web/443&cluster=web", "", kUsage, "either"},
        Refusal{"GET", "/v1/servers?path=web/443/s1&port=web/443", "", kUsage, "either"},
        Refusal{"GET", "/v1/ports?path=web/70000", "", kUsage, "70000"},
        Refusal{"DELETE", "/v1/ports", "", kUsage, "path="},
        Refusal{"DELETE", "/v1/servers?path=web/443", "", kUsage, "web/443"},
        Refusal{"DELETE", "/v1/interfaces?name=a%20b", "", kUsage, "a b"},
        Refusal{"DELETE", "/v1/interfaces?name=eth0&name=eth0", "", kUsage, "twice"},
        Refusal{"DELETE", "/v1/interfaces?name=", "", kUsage, "interface"},
        Refusal{"GET", "/v1/explain?source=192.0.2.1:1", "", kUsage, "destination"},
        Refusal{"GET", "/v1/explain?source=x&destination=192.0.2.1:1", "", kUsage, "x"},
        Refusal{"GET", "/v1/explain?source=192.0.2.1:1&destination=[2001:db8::1]:1", "", kUsage, "IPv6"},
        Refusal{"GET", "/v1/explain?source=192.0.2.1:1&destination=192.0.2.1:1&protocol=sctp", "", kUsage, "sctp"},
        Refusal{"PUT", "/v1/config?dry_run=yes", "{}", kUsage, "dry_run"},
        Refusal{"GET", "/v1/flows?limit=100001", "", kUsage, "0..100000"},
        Refusal{"GET", "/v1/flows?limit=-1", "", kUsage, "limit"},
        Refusal{"GET", "/v1/flows?port=web/443&server=web/443/s1", "", kUsage, "either"},
        Refusal{"GET", "/v1/flows?port=web/443/s1", "", kUsage, "web/443/s1"},
        Refusal{"GET", "/v1/flows?server=web/443", "", kUsage, "web/443"},
        Refusal{"GET", "/v1/events?after=x", "", kUsage, "after"},
        Refusal{"GET", "/v1/events?after=", "", kUsage, "after"},
        Refusal{"GET", "/v1/events?after=-1", "", kUsage, "after"},
        Refusal{"GET", "/v1/events?after=18446744073709551616", "", kUsage, "after"},
        Refusal{"GET", "/v1/settings", "", kUsage, "PATCH"},
        Refusal{"PATCH", "/v1/ports", R"({"sticky": 1})", kUsage, "path="},
        Refusal{"PUT", "/v1/servers/admin", R"({"admin": "down"})", kUsage, "path="}));

INSTANTIATE_TEST_SUITE_P(
    Bodies, Refused,
    testing::Values(
        Refusal{"POST", "/v1/interfaces", "", kInvalid, "request body"},
        Refusal{"POST", "/v1/interfaces", "[]", kInvalid, "not an object"},
        Refusal{"POST", "/v1/interfaces", "{\"interfaces\": [\"eth0\"]", kInvalid, "line 1"},
        Refusal{"POST", "/v1/interfaces", "{}", kInvalid, "interfaces"},
        Refusal{"POST", "/v1/interfaces", R"({"interfaces": []})", kInvalid, "empty"},
        Refusal{"POST", "/v1/interfaces", R"({"interfaces": "eth0"})", kInvalid, "list"},
        Refusal{"POST", "/v1/interfaces", R"({"interfaces": [1]})", kInvalid, "string"},
        Refusal{"POST", "/v1/interfaces", R"({"interfaces": ["eth0", "eth0"]})", kUsage, "twice"},
        Refusal{"POST", "/v1/interfaces", R"({"interfaces": ["../x"]})", kUsage, "../x"},
        Refusal{"POST", "/v1/interfaces", R"({"interfaces": ["eth0"], "mode": "fast"})", kInvalid, "fast"},
        Refusal{"POST", "/v1/interfaces", R"({"interfaces": ["eth0"], "mode": 1})", kInvalid, "mode"},
        Refusal{"POST", "/v1/interfaces", R"({"interfaces": ["eth0"], "chain": 1})", kInvalid, "chain"},
        Refusal{"POST", "/v1/interfaces", R"({"interfaces": ["eth0"], "chian": true})", kInvalid, "chian"},
        Refusal{"POST", "/v1/clusters", R"({"name": "web", "adresses": []})", kInvalid, "adresses"},
        Refusal{"POST", "/v1/clusters", R"({"name": "web", "name": "web"})", kInvalid, "name"},
        Refusal{"PATCH", "/v1/clusters/web", R"({})", kInvalid, "addresses, echo: at least one"},
        Refusal{"PATCH", "/v1/clusters/web", R"({"echo": "on"})", kInvalid, "on"},
        Refusal{"PATCH", "/v1/clusters/web", R"({"echo": 1})", kInvalid, "echo"},
        Refusal{"PATCH", "/v1/clusters/web", R"({"addresses": ["192.0.2.1/24"]})", kInvalid, "192.0.2.0/24"},
        Refusal{"PATCH", "/v1/ports?path=web/443", "{}", kInvalid, "at least one"},
        Refusal{"PATCH", "/v1/ports?path=web/443", R"({"port": 80})", kInvalid, "port.port: unknown key"},
        Refusal{"PATCH", "/v1/ports?path=web/443", R"({"sticky": "1 day"})", kInvalid, "port.sticky: \"1 day\""},
        Refusal{"PATCH", "/v1/ports?path=web/443", R"({"crossport": null})", kInvalid, "port.crossport"},
        Refusal{"PUT", "/v1/servers/admin?path=web/80/s1", "{}", kInvalid, "admin: is missing"},
        Refusal{"PUT", "/v1/servers/admin?path=web/80/s1", R"({"admin": "up"})", kInvalid, "drain-now"},
        Refusal{"PUT", "/v1/servers/admin?path=web/80/s1", R"({"admin": "drain", "x": 1})", kInvalid, "x"},
        Refusal{"PUT", "/v1/servers/admin?path=web/80/s1", R"({"admin": "down", "deadline_s": 1})", kInvalid,
                "not with down"},
        Refusal{"PUT", "/v1/servers/admin?path=web/80/s1", R"({"admin": "ready", "deadline_s": 1})", kInvalid,
                "not with ready"},
        Refusal{"PUT", "/v1/servers/admin?path=web/80/s1", R"({"admin": "drain", "deadline_s": 0})", kInvalid,
                "from 1 to 43200"},
        Refusal{"PUT", "/v1/servers/admin?path=web/80/s1", R"({"admin": "drain", "deadline_s": 43201})", kInvalid,
                "from 1 to 43200"},
        Refusal{"PUT", "/v1/servers/admin?path=web/80/s1", R"({"admin": "drain", "deadline_s": "60s"})", kInvalid,
                "deadline_s"},
        Refusal{"PATCH", "/v1/settings", "{}", kInvalid, "at least one"},
        Refusal{"PATCH", "/v1/settings", R"({"peers": "02:00:00:00:00:01"})", kInvalid, "list"},
        Refusal{"PATCH", "/v1/settings", R"({"peers": [1]})", kInvalid, "string"},
        Refusal{"PATCH", "/v1/settings", R"({"peers": ["02:00"]})", kInvalid, "02:00"},
        Refusal{"PATCH", "/v1/settings", R"({"decrement_ttl": "on"})", kInvalid, "true or false"},
        Refusal{"PATCH", "/v1/settings", R"({"secret": "x"})", kInvalid, "secret"},
        Refusal{"PATCH", "/v1/servers?path=web/80/s1", R"({"vlan": 0})", kInvalid, "1 to 4094"},
        Refusal{"PATCH", "/v1/servers?path=web/80/s1", R"({"vlan": 4095})", kInvalid, "1 to 4094"},
        Refusal{"PATCH", "/v1/servers?path=web/80/s1", R"({"vlan": null})", kInvalid, "1 to 4094"},
        Refusal{"PATCH", "/v1/servers?path=web/80/s1", R"({"vlan": "all"})", kInvalid, "all"},
        Refusal{"PATCH", "/v1/clusters/web", R"({"addresses": []})", kInvalid, "empty"},
        Refusal{"PATCH", "/v1/clusters/web", R"({"addresses": ["192.0.2.300"]})", kInvalid, "192.0.2.300"},
        Refusal{"PATCH", "/v1/clusters/web", R"({"addresses": ["192.0.2.1"], "name": "x"})", kInvalid, "name"},
        Refusal{"POST", "/v1/ports", R"({"port": 443})", kInvalid, "cluster"},
        Refusal{"POST", "/v1/ports", R"({"cluster": "web", "port": 65536})", kInvalid, "65536"},
        Refusal{"POST", "/v1/servers", R"({"address": "192.0.2.21"})", kInvalid, "port"},
        Refusal{"POST", "/v1/servers", R"({"port": "web", "address": "192.0.2.21"})", kInvalid, "web"},
        Refusal{"POST", "/v1/servers", R"({"port": "web/80", "address": "192.0.2.21", "weight": 101})", kInvalid,
                "101"},
        Refusal{"PATCH", "/v1/servers?path=web/80/s1", R"({})", kInvalid, "weight"},
        Refusal{"PATCH", "/v1/servers?path=web/80/s1", R"({"weight": 101})", kInvalid, "0 to 100"},
        Refusal{"PATCH", "/v1/servers?path=web/80/s1", R"({"weight": -1})", kInvalid, "0 to 100"},
        Refusal{"PATCH", "/v1/servers?path=web/80/s1", R"({"weight": 1.5})", kInvalid, "0 to 100"},
        Refusal{"PATCH", "/v1/servers?path=web/80/s1", R"({"weight": "1"})", kInvalid, "0 to 100"},
        Refusal{"PATCH", "/v1/servers?path=web/80/s1", R"({"address": "x"})", kInvalid, "x"},
        Refusal{"PATCH", "/v1/servers?path=web/80/s1", R"({"name": "x"})", kInvalid, "name"},
        Refusal{"PATCH", "/v1/servers", R"({"weight": 1})", kUsage, "path="},
        Refusal{"PUT", "/v1/config", R"({"clusterz": []})", kInvalid, "clusterz"},
        Refusal{
            "PUT", "/v1/config",
            R"({"clusters": [{"name": "a", "addresses": ["192.0.2.1"]}, {"name": "a", "addresses": ["192.0.2.2"]}]})",
            kInvalid, "a"},
        Refusal{"POST", "/v1/config/diff", "null", kInvalid, "not an object"}));

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
