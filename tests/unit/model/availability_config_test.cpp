// SPDX-License-Identifier: GPL-2.0-only
// Advisors of ports, user exits, the guard, and what servers and ports say of availability: documents, rules, and what
// a change of them means.
#include "model/config_json.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>

namespace xdplb {
namespace {

using nlohmann::json;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

IpAddress ip(std::string_view text) { return IpAddress::parse(text).value(); }

Config sample() {
  return {.clusters = {{.name = "web",
                        .addresses = {ip("192.0.2.10")},
                        .ports = {{.port = 443,
                                   .servers = {{.name = "s1", .address = ip("192.0.2.21")},
                                               {.name = "s2", .address = ip("192.0.2.22")}}}}}}};
}

PortConfig& port_of(Config& config) { return config.clusters[0].ports[0]; }

std::string problem_of(const std::string& text) {
  const auto parsed = parse_config(text, "file");
  return parsed ? "accepted" : parsed.error().message;
}

std::string problem_of_port(const std::string& keys) {
  return problem_of(R"({"clusters": [{"name": "web", "addresses": ["192.0.2.10"], "ports": [{"port": 443, )" + keys +
                    "}]}]}");
}

std::string problem_of_exits(const std::string& exits) {
  return problem_of(R"({"clusters": [], "exits": )" + exits + "}");
}

// ---- Documents

TEST(AvailabilityDocument, ReadsAll) {
  const auto parsed = parse_config(R"({"guard": false,
      "exits": {"vipa_moved": {"command": ["/usr/bin/logger", "-t", "vip"]},
                "server_down": {"command": ["/usr/local/sbin/page"], "user": "pager", "timeout": "20s"}},
      "clusters": [{"name": "web", "addresses": ["192.0.2.10"], "manager": {}, "ports": [
        {"port": 443, "min_up": "50%", "on_all_down": "reset", "slow_start": "30s", "advisor": {"type": "https"},
         "servers": [{"name": "s1", "address": "192.0.2.21", "tier": 3, "fixed_weight": true, "admin": "drain-now"}]},
        {"port": 80, "min_up": 2, "servers": []}]}]})",
                                   "file");
  ASSERT_TRUE(parsed) << parsed.error().message;
  EXPECT_FALSE(parsed->has_failure_guard);
  // In the order of the events, not of the document.
  EXPECT_THAT(
      parsed->exits,
      ElementsAre(
          ExitConfig{
              .event = ExitEvent::kServerDown, .command = {"/usr/local/sbin/page"}, .user = "pager", .timeout_s = 20},
          ExitConfig{.event = ExitEvent::kVipaMoved, .command = {"/usr/bin/logger", "-t", "vip"}}));
  const ClusterConfig& cluster = parsed->clusters[0];
  EXPECT_TRUE(cluster.manager.is_on);
  const PortConfig expected{
      .port = 443,
      .advisor = AdvisorConfig{.type = AdvisorType::kHttps},
      .min_up = {.value = 50, .is_percent = true},
      .on_all_down = OnAllDown::kReset,
      .slow_start_s = 30,
      .servers = {
          {.name = "s1", .address = ip("192.0.2.21"), .tier = 3, .has_fixed_weight = true, .admin = Admin::kDrainNow}}};
  EXPECT_EQ(cluster.ports[0], expected);
  EXPECT_EQ(cluster.ports[1].min_up, MinUp{.value = 2});
  EXPECT_EQ(decode_config(encode_config(*parsed), "again").value(), *parsed);
}

TEST(AvailabilityDocument, DefaultsAreNotWritten) {
  EXPECT_EQ(encode_config(sample()), json::parse(R"({"clusters": [{"name": "web", "addresses": ["192.0.2.10"],
      "ports": [{"port": 443, "protocol": "tcp", "servers": [
        {"name": "s1", "address": "192.0.2.21", "weight": 10},
        {"name": "s2", "address": "192.0.2.22", "weight": 10}]}]}]})"));
}

TEST(AvailabilityDocument, DnsOfATcpPortIsOverTcp) {
  for (const bool is_tcp : {true, false}) {
    const auto port =
        decode_port({{"advisor", {{"type", "dns"}}}, {"port", 53}, {"protocol", is_tcp ? "tcp" : "udp"}}, "port");
    ASSERT_TRUE(port) << port.error().message;
    EXPECT_EQ(port->advisor->dns.over_tcp, is_tcp);
  }
}

TEST(AvailabilityDocument, SaysWhereItIsWrong) {
  EXPECT_EQ(problem_of_port("\n\"advisor\": {\n\"type\": \"connect\",\n\"body\": \"x\"}"),
            "file: line 4: clusters[0].ports[0].advisor.body: is for http and https, the type is connect");
  EXPECT_EQ(problem_of_port(R"("advisor": null)"),
            "file: line 1: clusters[0].ports[0].advisor: expected an object, got null");
  EXPECT_EQ(problem_of_port(R"("min_up": 0)"), "file: line 1: clusters[0].ports[0].min_up: 0 is not in 1..1000");
  EXPECT_EQ(problem_of_port(R"("min_up": 1001)"), "file: line 1: clusters[0].ports[0].min_up: 1001 is not in 1..1000");
  EXPECT_EQ(problem_of_port(R"("min_up": "101%")"),
            "file: line 1: clusters[0].ports[0].min_up: \"101%\" is neither a number of servers from 1 to 1000 nor "
            "percent of them, 1% to 100%");
  EXPECT_EQ(problem_of_port(R"("on_all_down": "stay")"),
            "file: line 1: clusters[0].ports[0].on_all_down: \"stay\" is not one of rows-stay, drop, reset");
  EXPECT_EQ(problem_of_port(R"("slow_start": 43201)"),
            "file: line 1: clusters[0].ports[0].slow_start: 43201 is not in 0..43200");
  EXPECT_EQ(problem_of_port(R"("servers": [{"address": "192.0.2.21", "tier": 4}])"),
            "file: line 1: clusters[0].ports[0].servers[0].tier: 4 is not in 0..3");
  EXPECT_EQ(problem_of_port(R"("servers": [{"address": "192.0.2.21", "admin": "up"}])"),
            "file: line 1: clusters[0].ports[0].servers[0].admin: \"up\" is not one of ready, drain, drain-now, down");
  EXPECT_EQ(problem_of(R"({"clusters": [], "guard": "on"})"),
            "file: line 1: guard: expected true or false, got a string");
}

TEST(ExitDocument, SaysWhereItIsWrong) {
  EXPECT_EQ(problem_of_exits(R"({"server_down": {"command": ["/bin/true"], "timeout": 300}})"), "accepted");
  EXPECT_EQ(problem_of_exits("[]"), "file: line 1: exits: expected an object, got an array");
  EXPECT_EQ(problem_of_exits(R"({"serverdown": {}})"),
            "file: line 1: exits.serverdown: unknown key, did you mean \"server_down\"?");
  EXPECT_EQ(problem_of_exits(R"({"server_down": {}})"), "file: line 1: exits.server_down: key \"command\" is missing");
  EXPECT_EQ(problem_of_exits(R"({"server_down": {"command": ["page"]}})"),
            "file: line 1: exits.server_down.command[0]: \"page\" is no absolute path of a program");
  EXPECT_EQ(problem_of_exits(R"({"server_down": {"command": []}})"),
            "file: line 1: exits.server_down.command: it is empty, name the program");
  EXPECT_EQ(problem_of_exits(R"({"server_down": {"command": ["/bin/true"], "user": ""}})"),
            "file: line 1: exits.server_down.user: \"\" is no name of a user");
  EXPECT_EQ(problem_of_exits(R"({"server_down": {"command": ["/bin/true"], "timeout": 301}})"),
            "file: line 1: exits.server_down.timeout: 301 is not in 1..300");
  EXPECT_EQ(problem_of_exits(R"({"server_down": {"command": ["/bin/true"], "shell": true}})"),
            "file: line 1: exits.server_down.shell: unknown key");
}

// ---- Rules

TEST(AvailabilityRules, OfPortsAndServers) {
  const auto problem = [](const PortConfig& port) {
    Config config = sample();
    port_of(config) = port;
    const auto checked = validate(config);
    return checked ? "" : checked.error().message;
  };
  constexpr auto kUdp = Protocol::kUdp;
  EXPECT_EQ(problem({.port = 1, .min_up = {.value = 1000}, .on_all_down = OnAllDown::kReset, .slow_start_s = 43200}),
            "");
  EXPECT_EQ(problem({.port = 1, .min_up = {.value = 0}}), "port web/1: min_up 0 is not in 1..1000");
  EXPECT_EQ(problem({.port = 1, .min_up = {.value = 101, .is_percent = true}}),
            "port web/1: min_up 101 is not in 1..100");
  EXPECT_EQ(problem({.port = 1, .slow_start_s = 43201}), "port web/1: slow_start 43201 is not in 0..43200");
  EXPECT_EQ(problem({.port = 1, .protocol = kUdp, .on_all_down = OnAllDown::kReset}),
            "port web/1/udp: on_all_down reset is for TCP, choose rows-stay or drop");
  EXPECT_EQ(problem({.port = 1, .protocol = kUdp, .on_all_down = OnAllDown::kDrop}), "");
  EXPECT_EQ(problem({.port = 1, .servers = {{.name = "s1", .address = ip("192.0.2.21"), .tier = 4}}}),
            "server web/1/s1: tier 4 is not in 0..3");
}

TEST(AvailabilityRules, AnAdvisorFitsItsPort) {
  const auto problem = [](std::uint16_t port, const AdvisorConfig& advisor) {
    Config config = sample();
    port_of(config).port = port;
    port_of(config).advisor = advisor;
    const auto checked = validate(config);
    return checked ? "" : checked.error().message;
  };
  EXPECT_EQ(problem(80, {.type = AdvisorType::kHttp}), "");
  EXPECT_EQ(problem(0, {.type = AdvisorType::kHttp}),
            "port web/0: advisor: say the \"port\" that http probes, as this one is any");
  EXPECT_EQ(problem(80, {.type = AdvisorType::kUdp, .udp = {.silence = OnSilence::kUp}}),
            "port web/80: advisor: udp talks UDP: say the \"port\" that it probes");
  EXPECT_EQ(problem(80, {.type = AdvisorType::kHttp, .http = {.path = "/\r\n"}}),
            "port web/80: advisor.path: \"/\\x0d\\x0a\" may only have visible ASCII: write other bytes like %20");
}

TEST(AvailabilityRules, NetworksHaveNoAddressToProbe) {
  Config config = sample();
  config.clusters[0].addresses.clear();
  config.clusters[0].prefixes = {{.address = ip("198.51.100.0"), .length = 24}};
  EXPECT_TRUE(validate(config));
  for (const ProbeWay way : {ProbeWay::kVip, ProbeWay::kBoth}) {
    port_of(config).advisor = AdvisorConfig{.way = way};
    EXPECT_EQ(validate(config).error().message,
              "port web/443: advisor: cluster web has no single address to probe: say \"via\": \"own\"");
  }
  port_of(config).advisor = AdvisorConfig{.way = ProbeWay::kOwn};
  EXPECT_TRUE(validate(config));
  port_of(config).advisor = AdvisorConfig{};
  config.clusters[0].addresses = {ip("192.0.2.10")};
  EXPECT_TRUE(validate(config));
}

TEST(AvailabilityRules, CrossportSharesServersNotTheirAvailability) {
  Config config = sample();
  port_of(config).sticky_s = 60;
  PortConfig other = port_of(config);
  other.port = 80;
  other.crossport = 443;
  other.advisor = AdvisorConfig{};
  other.min_up = {.value = 2};
  other.servers[0].tier = 1;
  other.servers[0].has_fixed_weight = true;
  other.servers[0].admin = Admin::kDrain;
  config.clusters[0].ports.push_back(other);
  EXPECT_TRUE(validate(config)) << validate(config).error().message;
  config.clusters[0].ports[1].servers[0].weight = 3;
  EXPECT_FALSE(validate(config));
}

TEST(AvailabilityRules, OfExits) {
  Config config = sample();
  config.exits = {{.event = ExitEvent::kAllDown, .command = {"/bin/true"}}};
  EXPECT_TRUE(validate(config));
  config.exits.push_back(config.exits[0]);
  EXPECT_EQ(validate(config).error().message, "exit all_down: defined twice");
  EXPECT_EQ(validate(config).error().code, ErrorCode::kConflict);
  config.exits = {{.event = ExitEvent::kAllDown, .command = {"true"}}};
  EXPECT_EQ(validate(config).error().message, "exits.all_down.command[0]: \"true\" is no absolute path of a program");
}

// ---- Differences

TEST(AvailabilityDiff, OfAdvisors) {
  Config before = sample();
  Config after = sample();
  port_of(after).advisor = AdvisorConfig{.type = AdvisorType::kHttp, .http = {.path = "/healthz"}};
  EXPECT_THAT(diff_lines(before, after), ElementsAre("~ port web/443 advisor none -> http /healthz interval 2s"));
  EXPECT_THAT(diff_lines(after, before), ElementsAre("~ port web/443 advisor http /healthz interval 2s -> none"));
  EXPECT_THAT(diff_lines(after, after), IsEmpty());
  before = after;
  port_of(after).advisor->way = ProbeWay::kBoth;
  port_of(after).advisor->interval_ms = 300;
  port_of(after).advisor->http.headers = {{"Authorization", "secret"}, {"X-A", "b c"}};
  port_of(after).advisor->http.body = ReplyMatch{.text = "a b"};
  EXPECT_THAT(diff_lines(before, after),
              ElementsAre("~ port web/443 advisor http /healthz interval 2s -> http /healthz interval 300ms via both "
                          "headers Authorization,X-A body \"a b\""));
  before = after;
  port_of(after).advisor->http.headers[0].second = "other";
  EXPECT_THAT(diff_lines(before, after),
              ElementsAre("~ port web/443 advisor http /healthz interval 300ms via both headers Authorization,X-A body "
                          "\"a b\" details changed"));
}

TEST(AvailabilityDiff, OfConversationsShowsNoSecret) {
  const Config before = sample();
  Config after = sample();
  port_of(after).advisor = AdvisorConfig{.type = AdvisorType::kTcp, .steps = {{.bytes = "AUTH secret\r\n"}}};
  EXPECT_THAT(diff_lines(before, after), ElementsAre("~ port web/443 advisor none -> tcp interval 2s steps 1"));
  port_of(after).advisor =
      AdvisorConfig{.type = AdvisorType::kComposite,
                    .checks = {{.type = AdvisorType::kHttp, .http = {.headers = {{"Authorization", "secret"}}}}, {}}};
  EXPECT_THAT(diff_lines(before, after),
              ElementsAre("~ port web/443 advisor none -> composite interval 2s checks http,connect"));
}

TEST(AvailabilityDiff, OfPortsAndServers) {
  const Config before = sample();
  Config after = sample();
  port_of(after).min_up = {.value = 50, .is_percent = true};
  port_of(after).on_all_down = OnAllDown::kDrop;
  port_of(after).slow_start_s = 30;
  port_of(after).servers[1].tier = 1;
  port_of(after).servers[0].has_fixed_weight = true;
  port_of(after).servers[0].admin = Admin::kDrain;
  EXPECT_THAT(diff_lines(before, after),
              ElementsAre("~ port web/443 min_up 1 -> 50% on_all_down rows-stay -> drop slow_start 0s -> 30s",
                          "~ server web/443/s1 fixed_weight off -> on admin ready -> drain",
                          "~ server web/443/s2 tier 0 -> 1"));
  EXPECT_THAT(diff_lines({}, after),
              ElementsAre("+ cluster web 192.0.2.10", "+ port web/443 min_up 50% on_all_down drop slow_start 30s",
                          "+ server web/443/s1 192.0.2.21 weight 10 fixed_weight on admin drain",
                          "+ server web/443/s2 192.0.2.22 weight 10 tier 1"));
}

TEST(AvailabilityDiff, OfExitsAndTheGuard) {
  const Config before = sample();
  Config after = sample();
  after.has_failure_guard = false;
  after.exits = {{.event = ExitEvent::kServerDown, .command = {"/usr/local/sbin/page", "down"}},
                 {.event = ExitEvent::kAllDown, .command = {"/bin/x", "a b"}, .user = "root", .timeout_s = 5}};
  EXPECT_THAT(diff_lines(before, after),
              ElementsAre("~ guard on -> off", "~ exit server_down none -> /usr/local/sbin/page down",
                          "~ exit all_down none -> /bin/x \"a b\" user root timeout 5s"));
  EXPECT_THAT(diff_lines(after, before),
              ElementsAre("~ guard off -> on", "~ exit server_down /usr/local/sbin/page down -> none",
                          "~ exit all_down /bin/x \"a b\" user root timeout 5s -> none"));
}

}  // namespace
}  // namespace xdplb
