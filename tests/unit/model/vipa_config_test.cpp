// SPDX-License-Identifier: GPL-2.0-only
// VIPAs, health and adapters of servers: their documents, and what a change of them means.
#include "model/config_json.h"
#include "model/option_text.h"
#include "model/vipa_changes.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <string>

namespace xdplb {
namespace {

using nlohmann::json;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

using Preferred = std::optional<std::vector<std::string>>;

IpAddress ip(std::string_view text) { return IpAddress::parse(text).value(); }

// A cluster with one server, and the VIPA of no cluster 192.0.2.7.
Config sample() {
  return Config{.clusters = {{.name = "web",
                              .addresses = {ip("192.0.2.10"), ip("2001:db8::10")},
                              .ports = {{.port = 80, .servers = {{.name = "s1", .address = ip("192.0.2.21")}}}}}},
                .vipas = {{.address = ip("192.0.2.7")}}};
}

// ---- Documents

std::string problem_of_vipa(const std::string& keys) {
  const auto parsed = parse_config(R"({"clusters": [], "vipas": [{)" + keys + "}]}", "file");
  return parsed ? "accepted" : parsed.error().message;
}

VipaConfig decoded_vipa(const std::string& keys) {
  const auto parsed = parse_config(R"({"clusters": [], "vipas": [{"address": "192.0.2.7")" + keys + "}]}", "file");
  EXPECT_TRUE(parsed) << parsed.error().message;
  return parsed ? parsed->vipas.at(0) : VipaConfig{};
}

TEST(VipaDocument, OnlyTheAddressMustBeThere) {
  EXPECT_EQ(decoded_vipa(""), VipaConfig{.address = ip("192.0.2.7")});
  EXPECT_EQ(problem_of_vipa(R"("preferred": [])"), "file: line 1: vipas[0]: key \"address\" is missing");
}

TEST(VipaDocument, ReadsEveryOption) {
  const VipaConfig expected{.address = ip("192.0.2.7"),
                            .preferred = std::vector<std::string>{"eth0", "192.0.2.5"},
                            .proxy = std::nullopt,
                            .is_local = true,
                            .is_backup = true,
                            .failback = Failback::kImmediate,
                            .hold_s = 60,
                            .on_conflict = OnConflict::kYield,
                            .probe = DuplicateProbe::kOff,
                            .refresh_s = 2};
  EXPECT_EQ(decoded_vipa(R"(, "preferred": ["eth0", "192.0.2.5"], "local": true, "backup": true, "hold": "1m",
                            "failback": "immediate", "on_conflict": "yield", "probe": "off", "refresh": 2)"),
            expected);
  for (const std::string proxy : {"s1", "192.0.2.21", "web/80/s1", "web/53/udp/2001:db8::21"}) {
    EXPECT_EQ(decoded_vipa(R"(, "preferred": [], "proxy": ")" + proxy + '"').proxy, proxy);
  }
}

TEST(VipaDocument, AutoIsTheSameAsAbsentAndNoneAsAnEmptyList) {
  EXPECT_EQ(decoded_vipa(R"(, "preferred": "auto", "proxy": "none")"), VipaConfig{.address = ip("192.0.2.7")});
  EXPECT_EQ(decoded_vipa(R"(, "preferred": [])").preferred, Preferred(std::in_place));
  EXPECT_EQ(decoded_vipa(R"(, "preferred": "none")").preferred, Preferred(std::in_place));
}

TEST(VipaDocument, RefusesWhatItCannotRead) {
  struct Case {
    const char* option;
    const char* problem;
  };
  for (const Case& each : {
           Case{R"("preferred": "eth0")", R"(preferred: "eth0" is neither "auto" nor "none" nor a list)"},
           Case{R"("preferred": {})", "preferred: expected an array, got an object"},
           Case{R"("preferred": ["a/b"])",
                R"(preferred[0]: "a/b" is neither the name of an interface nor an address of one)"},
           Case{R"("preferred": [1])", "preferred[0]: expected a string, got a number"},
           Case{R"("proxy": "a b")", R"(proxy: "a b" is neither the name nor the path nor an address of a server)"},
           Case{R"("local": "on")", "local: expected true or false, got a string"},
           Case{R"("backup": 1)", "backup: expected true or false, got a number"},
           Case{R"("failback": "never")", R"(failback: "never" is not one of delayed, immediate, manual)"},
           Case{R"("on_conflict": "fight")", R"(on_conflict: "fight" is not one of defend, yield)"},
           Case{R"("probe": "slow")", R"(probe: "slow" is not one of fast, rfc, off)"},
           Case{R"("hold": 3601)", "hold: 3601 is not in 0..3600"},
           Case{R"("refresh": 1)", "refresh: 1 is neither 0, for never, nor in 2..3600"},
           Case{R"("refresh": "1s")", R"(refresh: "1s" is neither 0, for never, nor a time from 2 to 3600 seconds)"},
           Case{R"("refresh": "2h")", R"(refresh: "2h" is neither 0, for never, nor a time from 2 to 3600 seconds)"},
           Case{R"("refresh": 3601)", "refresh: 3601 is not in 0..3600"},
           Case{R"("prefered": [])", R"(prefered: unknown key, did you mean "preferred"?)"},
       }) {
    EXPECT_EQ(problem_of_vipa(R"("address": "192.0.2.7", )" + std::string(each.option)),
              "file: line 1: vipas[0]." + std::string(each.problem));
  }
}

TEST(VipaDocument, LeavesDefaultsOut) {
  EXPECT_EQ(encode_vipa({.address = ip("192.0.2.7")}), (json{{"address", "192.0.2.7"}}));
  EXPECT_EQ(encode_vipa({.address = ip("2001:db8::7"),
                         .preferred = std::vector<std::string>{},
                         .proxy = "s1",
                         .is_local = true,
                         .is_backup = true,
                         .failback = Failback::kManual,
                         .hold_s = 0,
                         .on_conflict = OnConflict::kYield,
                         .probe = DuplicateProbe::kRfc,
                         .refresh_s = 0}),
            json::parse(R"({"address": "2001:db8::7", "preferred": [], "proxy": "s1", "local": true, "backup": true,
                "failback": "manual", "hold": "0s", "on_conflict": "yield", "probe": "rfc", "refresh": "0s"})"));
}

TEST(HealthDocument, IsReadAndWritten) {
  const auto parsed = parse_config(R"({"clusters": [], "fix_host": true, "health": {"reach_targets": ["192.0.2.1"],
      "reach_policy": "all", "reach_interval": "1m", "reach_missed": 10, "up_delay": 255, "down_delay": "255s"}})",
                                   "file");
  ASSERT_TRUE(parsed) << parsed.error().message;
  const HealthConfig expected{.reach_targets = {ip("192.0.2.1")},
                              .needs_all_targets = true,
                              .reach_interval_s = 60,
                              .reach_missed = 10,
                              .up_delay_s = 255,
                              .down_delay_s = 255};
  EXPECT_TRUE(parsed->fix_host);
  EXPECT_EQ(parsed->health, expected);
  EXPECT_EQ(encode_config({.fix_host = true, .health = expected}),
            json::parse(R"({"clusters": [], "fix_host": true, "health": {"reach_targets": ["192.0.2.1"],
      "reach_policy": "all", "reach_interval": "60s", "reach_missed": 10, "up_delay": "255s", "down_delay": "255s"}})"));
  EXPECT_EQ(parse_config(R"({"clusters": [], "health": {}})", "file").value().health, HealthConfig{});
}

TEST(HealthDocument, RefusesWhatItCannotRead) {
  const auto problem_of = [](const std::string& option) {
    const auto parsed = parse_config(R"({"clusters": [], "health": {)" + option + "}}", "file");
    return parsed ? "accepted" : parsed.error().message;
  };
  EXPECT_EQ(problem_of(R"("reach_targets": ["x"])"),
            "file: line 1: health.reach_targets[0]: \"x\" is not an IPv4 or IPv6 address");
  EXPECT_EQ(problem_of(R"("reach_policy": "some")"),
            "file: line 1: health.reach_policy: \"some\" is not one of any, all");
  EXPECT_EQ(problem_of(R"("reach_interval": 0)"), "file: line 1: health.reach_interval: 0 is not in 1..60");
  EXPECT_EQ(problem_of(R"("reach_interval": 61)"), "file: line 1: health.reach_interval: 61 is not in 1..60");
  EXPECT_EQ(problem_of(R"("reach_missed": 0)"), "file: line 1: health.reach_missed: 0 is not in 1..10");
  EXPECT_EQ(problem_of(R"("reach_missed": 11)"), "file: line 1: health.reach_missed: 11 is not in 1..10");
  EXPECT_EQ(problem_of(R"("up_delay": 256)"), "file: line 1: health.up_delay: 256 is not in 0..255");
  EXPECT_EQ(problem_of(R"("down_delay": 256)"), "file: line 1: health.down_delay: 256 is not in 0..255");
  EXPECT_EQ(problem_of(R"("delay": 1)"), "file: line 1: health.delay: unknown key");
}

TEST(ServerDocument, HasOneAddressOrSeveral) {
  const ServerConfig several{
      .name = "192.0.2.4", .address = ip("192.0.2.4"), .further_addresses = {ip("192.0.2.5"), ip("2001:db8::6")}};
  EXPECT_EQ(decode_server(json{{"addresses", {"192.0.2.4", "192.0.2.5", "2001:db8::6"}}}, "").value(), several);
  EXPECT_EQ(addresses_of(several), (std::vector{ip("192.0.2.4"), ip("192.0.2.5"), ip("2001:db8::6")}));
  EXPECT_EQ(encode_server(several),
            (json{{"name", "192.0.2.4"}, {"addresses", {"192.0.2.4", "192.0.2.5", "2001:db8::6"}}, {"weight", 10}}));
  const auto one = decode_server(json{{"addresses", {"192.0.2.4"}}}, "");
  ASSERT_TRUE(one);
  EXPECT_EQ(encode_server(*one), (json{{"name", "192.0.2.4"}, {"address", "192.0.2.4"}, {"weight", 10}}));
  EXPECT_EQ(decode_server(json{{"addresses", json::array()}}, "").error().message,
            "addresses: it is empty, name at least one");
  EXPECT_EQ(decode_server(json{{"addresses", "192.0.2.4"}}, "").error().message,
            "addresses: expected an array, got a string");
  EXPECT_EQ(decode_server(json{{"name", "s1"}}, "").error().message, "key \"address\" is missing");
}

TEST(FindVipa, ByAddress) {
  Config config = sample();
  EXPECT_EQ(find_vipa(config, ip("192.0.2.7")), &config.vipas[0]);
  const Config& constant = config;
  EXPECT_EQ(find_vipa(constant, ip("192.0.2.7")), &config.vipas[0]);
  EXPECT_EQ(find_vipa(constant, ip("192.0.2.10")), nullptr);
}

// ---- Changes

TEST(VipaChanges, LeaveWhatIsNotSaid) {
  VipaConfig vipa{.address = ip("192.0.2.7"), .preferred = Preferred({"eth0"}), .is_local = true, .hold_s = 5};
  const VipaConfig before = vipa;
  VipaChanges{}.apply(vipa);
  EXPECT_EQ(vipa, before);
  VipaChanges{.is_backup = true, .failback = Failback::kManual, .refresh_s = 0}.apply(vipa);
  EXPECT_EQ(vipa, (VipaConfig{.address = ip("192.0.2.7"),
                              .preferred = Preferred({"eth0"}),
                              .is_local = true,
                              .is_backup = true,
                              .failback = Failback::kManual,
                              .hold_s = 5,
                              .refresh_s = 0}));
}

TEST(VipaChanges, AListEndsAProxy) {
  const VipaConfig routed{.address = ip("192.0.2.7"), .preferred = Preferred(std::in_place), .proxy = "s1"};
  VipaConfig vipa = routed;
  VipaChanges{.preferred = Preferred({"eth0"})}.apply(vipa);
  EXPECT_EQ(vipa.proxy, std::nullopt);
  vipa = routed;
  VipaChanges{.preferred = std::optional<Preferred>(std::in_place)}.apply(vipa);
  EXPECT_EQ(vipa, VipaConfig{.address = ip("192.0.2.7")}) << "auto is a list, too";
  vipa = routed;
  VipaChanges{.preferred = Preferred(std::in_place)}.apply(vipa);
  EXPECT_EQ(vipa, routed) << "none again";
  VipaChanges{.proxy = std::optional<std::string>()}.apply(vipa);
  EXPECT_EQ(vipa.proxy, std::nullopt);
}

TEST(HealthChanges, LeaveWhatIsNotSaid) {
  HealthConfig health{.reach_targets = {ip("192.0.2.1")}, .reach_missed = 5};
  HealthChanges{.needs_all_targets = true, .up_delay_s = 0}.apply(health);
  EXPECT_EQ(health,
            (HealthConfig{
                .reach_targets = {ip("192.0.2.1")}, .needs_all_targets = true, .reach_missed = 5, .up_delay_s = 0}));
  EXPECT_TRUE(options_of(HealthConfig{}).is_empty());
  HealthConfig again;
  options_of(health).apply(again);
  EXPECT_EQ(again, health);
}

// ---- Differences

TEST(DiffVipas, NameEachVipaAndItsOptions) {
  Config after = sample();
  after.vipas = {{.address = ip("192.0.2.7"), .failback = Failback::kManual},
                 {.address = ip("2001:db8::7"), .preferred = Preferred({"eth0", "eth1"}), .refresh_s = 0}};
  EXPECT_THAT(diff_lines(sample(), after), ElementsAre("~ vipa 192.0.2.7 failback delayed -> manual",
                                                       "+ vipa 2001:db8::7 preferred eth0 eth1 refresh 0s"));
  EXPECT_THAT(diff_lines(after, sample()),
              ElementsAre("- vipa 2001:db8::7", "~ vipa 192.0.2.7 failback manual -> delayed"));
  std::swap(after.vipas[0], after.vipas[1]);
  EXPECT_THAT(diff_lines(after, after), IsEmpty());
}

TEST(DiffVipas, ListsHaveWordsForAllAndNobody) {
  Config after = sample();
  after.vipas[0].preferred.emplace();
  after.vipas[0].proxy = "s1";
  EXPECT_THAT(diff_lines(sample(), after), ElementsAre("~ vipa 192.0.2.7 preferred auto -> none proxy none -> s1"));
}

TEST(DiffVipas, HealthAndHost) {
  Config after = sample();
  after.fix_host = true;
  after.health = {.reach_targets = {ip("192.0.2.1"), ip("192.0.2.2")}, .needs_all_targets = true, .reach_missed = 4};
  EXPECT_THAT(diff_lines(sample(), after),
              ElementsAre("~ fix_host off -> on",
                          "~ health reach_targets none -> 192.0.2.1,192.0.2.2 reach_policy any -> all "
                          "reach_missed 3 -> 4"));
}

TEST(DiffVipas, AdaptersOfServers) {
  Config after = sample();
  ServerConfig& server = after.clusters[0].ports[0].servers[0];
  server.further_addresses = {ip("192.0.2.22")};
  EXPECT_THAT(diff_lines(sample(), after),
              ElementsAre("~ server web/80/s1 addresses 192.0.2.21 -> 192.0.2.21,192.0.2.22"));
  EXPECT_THAT(diff_lines(Config{}, after), ::testing::Contains("+ server web/80/s1 192.0.2.21,192.0.2.22 weight 10"));
}

}  // namespace
}  // namespace xdplb
