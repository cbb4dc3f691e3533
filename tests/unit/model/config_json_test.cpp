// SPDX-License-Identifier: GPL-2.0-only
#include "model/config_json.h"

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

const std::filesystem::path kDataFolder = std::filesystem::path(__FILE__).parent_path() / "../../data";

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
