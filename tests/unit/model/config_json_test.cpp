// SPDX-License-Identifier: GPL-2.0-only
#include "model/config_json.h"

#include "model/option_text.h"
#include "random_config.h"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

namespace xdplb {
namespace {

using nlohmann::json;

const std::filesystem::path kDataFolder = XDPLB_TEST_DATA;

IpAddress ip(std::string_view text) { return IpAddress::parse(text).value(); }

std::string read_text(const std::filesystem::path& file) {
  std::ifstream stream(file, std::ios::binary);
  EXPECT_TRUE(stream.is_open()) << file;
  return {std::istreambuf_iterator<char>(stream), {}};
}

// The files of tests/data whose name begins with `prefix`.
std::vector<std::filesystem::path> data_files(std::string_view prefix) {
  std::vector<std::filesystem::path> files;
  for (const auto& entry : std::filesystem::directory_iterator(kDataFolder)) {
    const std::string name = entry.path().filename().string();
    if (name.starts_with(prefix) && name.ends_with(".json")) files.push_back(entry.path());
  }
  std::sort(files.begin(), files.end());
  return files;
}

std::string problem_of(const std::string& text) {
  const auto parsed = parse_config(text, "file");
  if (parsed) return "accepted: " + encode_config(*parsed).dump();
  EXPECT_EQ(parsed.error().message.find('\n'), std::string::npos);
  return parsed.error().message;
}

// What is wrong with a document whose only port or server is the given text.
std::string problem_of_port(const std::string& port) {
  return problem_of(R"({"clusters": [{"name": "web", "addresses": ["192.0.2.10"], "ports": [)" + port + "]}]}");
}
std::string problem_of_server(const std::string& server) {
  return problem_of_port(R"({"port": 443, "servers": [)" + server + "]}");
}

TEST(DecodeConfig, ReadsAllThatTheReadmeShows) {
  const auto parsed = parse_config(read_text(kDataFolder / "valid_readme.json"), "file");
  ASSERT_TRUE(parsed) << parsed.error().message;
  const Config expected{
      .interfaces = std::vector<std::string>{"eth0", "eth1"},
      .secret = "the same on every dispatcher of a pair",
      .clusters = {{.name = "web",
                    .addresses = {ip("192.0.2.10"), ip("2001:db8::10")},
                    .ports = {{.port = 443,
                               .servers = {{.name = "s1", .address = ip("192.0.2.21"), .weight = 20},
                                           {.name = "192.0.2.22", .address = ip("192.0.2.22")},
                                           {.name = "s3", .address = ip("2001:db8::23"), .family = Family::kV6}}},
                              {.port = 0, .protocol = Protocol::kUdp, .servers = {}}}}}};
  EXPECT_EQ(*parsed, expected);
}

TEST(DecodeConfig, AcceptsEveryValidFileOfTheTestData) {
  const auto files = data_files("valid_");
  ASSERT_GE(files.size(), 3U);
  for (const auto& file : files) {
    const auto parsed = parse_config(read_text(file), file.filename().string());
    ASSERT_TRUE(parsed) << parsed.error().message;
    EXPECT_EQ(decode_config(encode_config(*parsed), "again").value(), *parsed) << file;
  }
}

// The first line of each is "// invalid: MESSAGE" or "// conflict: MESSAGE".
TEST(DecodeConfig, RefusesEveryInvalidFileOfTheTestDataInItsWords) {
  const auto files = data_files("invalid_");
  ASSERT_GE(files.size(), 15U);
  for (const auto& file : files) {
    const std::string text = read_text(file);
    const std::string head = text.substr(0, text.find('\n'));
    const bool conflict = head.starts_with("// conflict: ");
    ASSERT_TRUE(conflict || head.starts_with("// invalid: ")) << file;
    const auto parsed = parse_config(text, "FILE");
    ASSERT_FALSE(parsed) << file;
    EXPECT_EQ(parsed.error().message, head.substr(head.find(": ") + 2)) << file;
    EXPECT_EQ(parsed.error().code, conflict ? ErrorCode::kConflict : ErrorCode::kInvalidConfig) << file;
  }
}

TEST(DecodeConfig, NeedsClusters) {
  EXPECT_EQ(problem_of("{}"), "file: key \"clusters\" is missing");
  EXPECT_EQ(problem_of("[]"), "file: expected an object, got an array");
  EXPECT_EQ(problem_of(R"({"clusters": []})"), R"(accepted: {"clusters":[]})");
}

TEST(DecodeConfig, TellsAbsentInterfacesFromNone) {
  EXPECT_EQ(parse_config(R"({"clusters": []})", "file").value().interfaces, std::nullopt);
  EXPECT_EQ(parse_config(R"({"clusters": [], "interfaces": []})", "file").value().interfaces,
            std::vector<std::string>{});
}

TEST(DecodeConfig, NamesTheMissingKeyAndItsObject) {
  EXPECT_EQ(problem_of("{\"clusters\": [\n{\"addresses\": []}]}"),
            "file: line 2: clusters[0]: key \"name\" is missing");
  EXPECT_EQ(problem_of(R"({"clusters": [{"name": "web"}]})"),
            "file: line 1: clusters[0]: key \"addresses\" is missing");
  EXPECT_EQ(problem_of_port("{}"), "file: line 1: clusters[0].ports[0]: key \"port\" is missing");
  EXPECT_EQ(problem_of_server("{}"), "file: line 1: clusters[0].ports[0].servers[0]: key \"address\" is missing");
}

struct NumberCase {
  std::string_view text;
  std::string_view problem;  // behind the path; empty when accepted
};

constexpr NumberCase kWeights[] = {
    {.text = "0", .problem = ""},
    {.text = "100", .problem = ""},
    {.text = "101", .problem = "101 is not in 0..100"},
    {.text = "-1", .problem = "-1 is not in 0..100"},
    {.text = "4294967296", .problem = "4294967296 is not in 0..100"},
    {.text = "18446744073709551615", .problem = "18446744073709551615 is not in 0..100"},
    {.text = "18446744073709551616", .problem = "1.8446744073709552e+19 is not in 0..100"},
    {.text = "-9223372036854775808", .problem = "-9223372036854775808 is not in 0..100"},
    {.text = "-9999999999999999999", .problem = "-1e+19 is not in 0..100"},
    {.text = "1.5", .problem = "1.5 is not a whole number in 0..100"},
    {.text = "1.0", .problem = "1.0 is not a whole number in 0..100"},
    {.text = "1e1", .problem = "10.0 is not a whole number in 0..100"},
    {.text = "\"10\"", .problem = "expected a whole number in 0..100, got a string"},
    {.text = "true", .problem = "expected a whole number in 0..100, got true"},
    {.text = "null", .problem = "expected a whole number in 0..100, got null"},
    {.text = "[1]", .problem = "expected a whole number in 0..100, got an array"},
};

TEST(DecodeConfig, ReadsOnlyWholeNumbersWithinRange) {
  for (const NumberCase& each : kWeights) {
    const std::string text =
        problem_of_server(R"({"address": "192.0.2.21", "weight": )" + std::string(each.text) + "}");
    if (each.problem.empty()) {
      EXPECT_TRUE(text.starts_with("accepted: ")) << text;
    } else {
      EXPECT_EQ(text, "file: line 1: clusters[0].ports[0].servers[0].weight: " + std::string(each.problem));
    }
  }
}

TEST(DecodeConfig, ReadsPortsFrom0To65535) {
  EXPECT_TRUE(problem_of_port(R"({"port": 0})").starts_with("accepted"));
  EXPECT_TRUE(problem_of_port(R"({"port": 65535})").starts_with("accepted"));
  EXPECT_EQ(problem_of_port(R"({"port": 65536})"), "file: line 1: clusters[0].ports[0].port: 65536 is not in 0..65535");
  EXPECT_EQ(problem_of_port(R"({"port": 70000})"), "file: line 1: clusters[0].ports[0].port: 70000 is not in 0..65535");
}

TEST(DecodeConfig, RefusesWrongWordsAndTypes) {
  EXPECT_EQ(problem_of_port(R"({"port": 1, "protocol": "sctp"})"),
            "file: line 1: clusters[0].ports[0].protocol: \"sctp\" is neither \"tcp\" nor \"udp\"");
  EXPECT_EQ(problem_of_port(R"({"port": 1, "protocol": 6})"),
            "file: line 1: clusters[0].ports[0].protocol: expected a string, got a number");
  EXPECT_EQ(problem_of_port(R"({"port": 1, "servers": {}})"),
            "file: line 1: clusters[0].ports[0].servers: expected an array, got an object");
  EXPECT_EQ(problem_of_port("5"), "file: line 1: clusters[0].ports[0]: expected an object, got a number");
  EXPECT_EQ(problem_of_server(R"({"address": "192.0.2.21", "family": "v5"})"),
            "file: line 1: clusters[0].ports[0].servers[0].family: \"v5\" is neither \"v4\" nor \"v6\"");
  EXPECT_EQ(problem_of_server(R"({"address": "192.0.2.256"})"),
            "file: line 1: clusters[0].ports[0].servers[0].address: \"192.0.2.256\" is not an IPv4 or IPv6 address");
  EXPECT_EQ(problem_of_server(R"({"address": "192.0.2.21", "name": ""})"),
            "file: line 1: clusters[0].ports[0].servers[0].name: the name is empty");
  EXPECT_EQ(problem_of(R"({"clusters": [], "interfaces": ["eth0", 1]})"),
            "file: line 1: interfaces[1]: expected a string, got a number");
  EXPECT_EQ(problem_of(R"({"clusters": [], "secret": 1})"), "file: line 1: secret: expected a string, got a number");
}

TEST(DecodeConfig, NeverRepeatsASecret) {
  EXPECT_EQ(problem_of(R"({"clusters": 0, "secret": "hush"})").find("hush"), std::string::npos);
}

TEST(DecodeConfig, SuggestsTheKeyThatWasMeant) {
  EXPECT_EQ(problem_of_server("{\"address\": \"192.0.2.21\",\n\"wieght\": 1}"),
            "file: line 2: clusters[0].ports[0].servers[0].wieght: unknown key, did you mean \"weight\"?");
  EXPECT_EQ(problem_of_port(R"({"port": 1, "protocoll": "tcp"})"),
            "file: line 1: clusters[0].ports[0].protocoll: unknown key, did you mean \"protocol\"?");
  EXPECT_EQ(problem_of(R"({"clusters": [], "cluster": []})"),
            "file: line 1: cluster: unknown key, did you mean \"clusters\"?");
}

TEST(DecodeConfig, UnknownKeysWithNothingNearStandAlone) {
  EXPECT_EQ(problem_of(R"({"clusters": [], "log\nlevel": 1})"), "file: line 1: [\"log\\x0alevel\"]: unknown key");
  EXPECT_EQ(problem_of(R"({"clusters": [], "colour": 1})"), "file: line 1: colour: unknown key");
}

TEST(DecodeConfig, OfADocumentHasNoLines) {
  const auto decoded = decode_config(json{{"clusters", {{{"name", 5}}}}}, "request body");
  ASSERT_FALSE(decoded);
  EXPECT_EQ(decoded.error().message, "request body: clusters[0].name: expected a string, got a number");
  EXPECT_EQ(decode_config(json{{"clusters", 5}}, "request body").error().message,
            "request body: clusters: expected an array, got a number");
}

TEST(DecodeConfig, AcceptsNumbersThatOurOwnCodePutIn) {
  const json object = {{"address", "192.0.2.21"}, {"weight", 5}};  // a signed 5, unlike a parsed one
  ASSERT_FALSE(object["weight"].is_number_unsigned());
  EXPECT_EQ(decode_server(object, "").value().weight, 5U);
}

TEST(DecodeObjects, PutThePathBeforeTheProblem) {
  EXPECT_EQ(decode_server(json{{"address", 1}}, "body").error().message,
            "body.address: expected a string, got a number");
  EXPECT_EQ(decode_server(json{{"address", 1}}, "").error().message, "address: expected a string, got a number");
  EXPECT_EQ(decode_port(json{{"port", -1}}, "").error().message, "port: -1 is not in 0..65535");
  EXPECT_EQ(decode_cluster(json{{"name", "tcp"}}, "").error().message,
            "name: \"tcp\" is a protocol, choose another name");
  EXPECT_EQ(decode_cluster(json(3), "").error().message, "expected an object, got a number");
  EXPECT_EQ(decode_cluster(json(3), "").error().code, ErrorCode::kInvalidConfig);
}

TEST(DecodeObjects, FillInDefaults) {
  const ServerConfig server = decode_server(json{{"address", "2001:DB8::0:1"}}, "").value();
  EXPECT_EQ(server, (ServerConfig{.name = "2001:db8::1", .address = ip("2001:db8::1"), .weight = 10, .family = {}}));
  EXPECT_EQ(decode_port(json{{"port", 80}}, "").value(), (PortConfig{.port = 80, .servers = {}}));
  const ClusterConfig cluster = decode_cluster(json{{"name", "web"}, {"addresses", {"192.0.2.10"}}}, "").value();
  EXPECT_EQ(cluster, (ClusterConfig{.name = "web", .addresses = {ip("192.0.2.10")}, .ports = {}}));
}

// The port that a document's only port is read as; its options alone in `keys`.
PortConfig port_with(const std::string& keys) {
  const auto parsed = parse_config(
      R"({"clusters": [{"name": "web", "addresses": ["192.0.2.10"], "ports": [{"port": 53, "protocol": "udp")" + keys +
          "}]}]}",
      "file");
  EXPECT_TRUE(parsed) << parsed.error().message;
  return parsed ? parsed->clusters[0].ports[0] : PortConfig{};
}

PortConfig udp_port(const PortChanges& options) {
  PortConfig port{.port = 53, .protocol = Protocol::kUdp};
  options.apply(port);
  return port;
}

TEST(DecodeConfig, ReadsEveryOptionOfAPort) {
  EXPECT_EQ(port_with(R"(, "pick": "wrr", "udp_tracking": true)"),
            udp_port({.pick = Pick::kRoundRobin, .udp_tracking = true}));
  EXPECT_EQ(port_with(R"(, "on_stale": "drop", "no_server": "pass")"),
            udp_port({.on_stale = OnStale::kDrop, .no_server = NoServer::kPass}));
  EXPECT_EQ(port_with(R"(, "stale_timeout": "5m", "sticky": 60)"), udp_port({.stale_timeout_s = 300, .sticky_s = 60}));
  EXPECT_EQ(port_with(R"(, "sticky_mask": "/24")"), udp_port({.sticky_mask_v4 = 24}));
  EXPECT_EQ(port_with(R"(, "sticky_mask": "/64")"), udp_port({.sticky_mask_v6 = 64}));
  EXPECT_EQ(port_with(R"(, "sticky_mask": ["/24", "/32"])"), udp_port({.sticky_mask_v4 = 24, .sticky_mask_v6 = 32}));
  EXPECT_EQ(port_with(R"(, "crossport": "none")"), udp_port({}));
  EXPECT_EQ(port_with(R"(, "new_flow_limit": 1000, "half_open_limit": 4294967295)"),
            udp_port({.new_flow_limit = 1000, .half_open_limit = 4294967295}));
}

TEST(DecodeConfig, ReadsCrossport) {
  const auto parsed = parse_config(
      R"({"clusters": [{"name": "web", "addresses": ["192.0.2.10"], "ports": [
          {"port": 80, "sticky": "60s"}, {"port": 443, "sticky": "1m", "crossport": 80}]}]})",
      "file");
  ASSERT_TRUE(parsed) << parsed.error().message;
  EXPECT_EQ(parsed->clusters[0].ports[1].crossport, 80);
}

TEST(DecodeConfig, RefusesBadOptionsOfAPort) {
  struct Case {
    const char* option;
    const char* problem;
  };
  for (const Case& each : {
           Case{R"("pick": "random")", R"(pick: "random" is not one of hash, wrr, least-connections)"},
           Case{R"("pick": 1)", "pick: expected a string, got a number"},
           Case{R"("on_stale": "keep")", R"(on_stale: "keep" is not one of repick, reset, drop)"},
           Case{R"("no_server": "none")", R"(no_server: "none" is not one of drop, pass, reset)"},
           Case{R"("stale_timeout": 0)", "stale_timeout: 0 is not in 1..43200"},
           Case{R"("stale_timeout": 43201)", "stale_timeout: 43201 is not in 1..43200"},
           Case{R"("stale_timeout": "0s")",
                R"(stale_timeout: "0s" is no time from 1 to 43200 seconds, written like 90, 90s, 5m or 2h)"},
           Case{R"("stale_timeout": true)", R"(stale_timeout: expected a time like "90s", got true)"},
           Case{R"("sticky": 43201)", "sticky: 43201 is not in 0..43200"},
           Case{R"("sticky": 1.5)", "sticky: 1.5 is not a whole number in 0..43200"},
           Case{R"("sticky_mask": "/0")", R"(sticky_mask: "/0" is no mask from /1 to /128)"},
           Case{R"("sticky_mask": [])",
                "sticky_mask: a mask is needed, or two: that of IPv4 and that of IPv6, like /24 and /64"},
           Case{R"("sticky_mask": ["/24", 64])", "sticky_mask[1]: expected a string, got a number"},
           Case{R"("sticky_mask": 24)", "sticky_mask: expected a string, got a number"},
           Case{R"("crossport": 65536)", "crossport: 65536 is not in 0..65535"},
           Case{R"("crossport": "https")", "crossport: expected a whole number in 0..65535, got a string"},
           Case{R"("udp_tracking": "on")", "udp_tracking: expected true or false, got a string"},
           Case{R"("new_flow_limit": -1)", "new_flow_limit: -1 is not in 0..4294967295"},
           Case{R"("half_open_limit": 4294967296)", "half_open_limit: 4294967296 is not in 0..4294967295"},
           Case{R"("stickymask": "/24")", R"(stickymask: unknown key, did you mean "sticky_mask"?)"},
       }) {
    EXPECT_EQ(problem_of_port(R"({"port": 1, )" + std::string(each.option) + "}"),
              "file: line 1: clusters[0].ports[0]." + std::string(each.problem));
  }
}

TEST(DecodeConfig, ReadsTagsOfServers) {
  const auto vlan = [](const char* text) {
    const json object = {{"address", "192.0.2.21"}, {"vlan", json::parse(text)}};
    const auto server = decode_server(object, "");
    return server ? vlan_text(server->vlan) : server.error().message;
  };
  EXPECT_EQ(vlan("1"), "1");
  EXPECT_EQ(vlan("4094"), "4094");
  EXPECT_EQ(vlan("\"none\""), "none");
  EXPECT_EQ(vlan("\"keep\""), "keep");
  EXPECT_EQ(vlan("0"), "vlan: 0 is not in 1..4094");
  EXPECT_EQ(vlan("4095"), "vlan: 4095 is not in 1..4094");
  EXPECT_EQ(vlan("\"all\""), "vlan: \"all\" is neither keep nor none nor a VLAN from 1 to 4094");
}

TEST(DecodeConfig, ReadsNetworksAndEcho) {
  const auto cluster = decode_cluster(
      json{{"name", "web"}, {"addresses", {"192.0.2.10", "198.51.100.0/24", "::"}}, {"echo", "dispatcher"}}, "");
  ASSERT_TRUE(cluster) << cluster.error().message;
  const ClusterConfig expected{
      .name = "web",
      .addresses = {ip("192.0.2.10")},
      .prefixes = {{.address = ip("198.51.100.0"), .length = 24}, {.address = ip("::"), .length = 0}},
      .echo = Echo::kDispatcher};
  EXPECT_EQ(*cluster, expected);
  EXPECT_EQ(decode_cluster(json{{"name", "web"}, {"addresses", {"::", "198.51.100.7/24"}}}, "").error().message,
            "addresses[1]: \"198.51.100.7/24\" is an address within a network: write 198.51.100.0/24 or 198.51.100.7");
  EXPECT_EQ(decode_cluster(json{{"name", "web"}, {"addresses", {"::"}}, {"echo", true}}, "").error().message,
            "echo: expected a string, got true");
}

TEST(DecodeConfig, ReadsSettingsOfTheDispatcher) {
  const auto parsed =
      parse_config(R"({"clusters": [], "peers": ["02:00:00:00:00:0A"], "decrement_ttl": true})", "file");
  ASSERT_TRUE(parsed) << parsed.error().message;
  EXPECT_EQ(parsed->peers, std::vector<MacAddress>{MacAddress({2, 0, 0, 0, 0, 10})});
  EXPECT_TRUE(parsed->decrement_ttl);
  EXPECT_EQ(problem_of(R"({"clusters": [], "peers": ["02:00"]})"),
            "file: line 1: peers[0]: MAC address \"02:00\": write it like 02:00:00:00:00:01");
  EXPECT_EQ(problem_of(R"({"clusters": [], "decrement_ttl": 1})"),
            "file: line 1: decrement_ttl: expected true or false, got a number");
}

TEST(DecodeObjects, PortChangesAreOptionsOnly) {
  EXPECT_TRUE(decode_port_changes(json::object(), "").value().is_empty());
  const auto changes = decode_port_changes(json{{"crossport", "none"}, {"sticky", "0s"}}, "");
  ASSERT_TRUE(changes) << changes.error().message;
  EXPECT_EQ(*changes, (PortChanges{.sticky_s = 0, .crossport = std::optional<std::uint16_t>()}));
  EXPECT_EQ(decode_port_changes(json{{"port", 1}}, "port").error().message, "port.port: unknown key");
  EXPECT_EQ(decode_port_changes(json{{"servers", json::array()}}, "port").error().message, "port.servers: unknown key");
}

TEST(EncodeConfig, WritesEveryOptionThatIsNotTheDefault) {
  const PortConfig port{.port = 53,
                        .protocol = Protocol::kUdp,
                        .pick = Pick::kLeastConnections,
                        .stale_timeout_s = 7200,
                        .on_stale = OnStale::kDrop,
                        .no_server = NoServer::kPass,
                        .sticky_s = 60,
                        .sticky_mask_v6 = 64,
                        .crossport = 443,
                        .udp_tracking = true,
                        .new_flow_limit = 1000,
                        .half_open_limit = 500,
                        .servers = {{.name = "s1", .address = ip("192.0.2.21"), .vlan = 100},
                                    {.name = "s2", .address = ip("192.0.2.22"), .vlan = 0}}};
  const ClusterConfig cluster{.name = "web",
                              .addresses = {ip("192.0.2.10")},
                              .prefixes = {{.address = ip("0.0.0.0"), .length = 0}},
                              .echo = Echo::kOff,
                              .ports = {port}};
  EXPECT_EQ(encode_config({.peers = {MacAddress({2, 0, 0, 0, 0, 1})}, .decrement_ttl = true, .clusters = {cluster}}),
            json::parse(R"({"peers": ["02:00:00:00:00:01"], "decrement_ttl": true, "clusters": [
      {"name": "web", "addresses": ["192.0.2.10", "0.0.0.0/0"], "echo": "off", "ports": [
      {"port": 53, "protocol": "udp", "pick": "least-connections", "stale_timeout": "7200s", "on_stale": "drop",
       "no_server": "pass", "sticky": "60s", "sticky_mask": ["/32", "/64"], "crossport": 443, "udp_tracking": true,
       "new_flow_limit": 1000, "half_open_limit": 500, "servers": [
       {"name": "s1", "address": "192.0.2.21", "weight": 10, "vlan": 100},
       {"name": "s2", "address": "192.0.2.22", "weight": 10, "vlan": "none"}]}]}]})"));
}

TEST(EncodeConfig, WritesDefaultsOutAndNoEmptySecret) {
  const Config config{
      .interfaces = {},
      .secret = {},
      .clusters = {{.name = "web",
                    .addresses = {ip("192.0.2.10")},
                    .ports = {{.port = 443, .servers = {{.name = "s1", .address = ip("192.0.2.21"), .family = {}}}}}}}};
  EXPECT_EQ(encode_config(config), json::parse(R"({"clusters": [{"name": "web", "addresses": ["192.0.2.10"], "ports": [
      {"port": 443, "protocol": "tcp", "servers": [{"name": "s1", "address": "192.0.2.21", "weight": 10}]}]}]})"));
  EXPECT_EQ(encode_config(Config{}), json::parse(R"({"clusters": []})"));
}

TEST(EncodeConfig, IsUndoneByDecoding) {
  testing::RandomConfig random(42);
  for (int i = 0; i < 500; ++i) {
    const Config config = random.make();
    const auto decoded = decode_config(encode_config(config), "document");
    ASSERT_TRUE(decoded) << decoded.error().message;
    EXPECT_EQ(*decoded, config);
    const auto parsed = parse_config(encode_config(config).dump(2), "text");
    ASSERT_TRUE(parsed) << parsed.error().message;
    EXPECT_EQ(*parsed, config);
  }
}

}  // namespace
}  // namespace xdplb
