// SPDX-License-Identifier: GPL-2.0-only
#include "model/manager_config.h"

#include "model/advisor_json.h"
#include "model/config_json.h"
#include "model/option_text.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>

namespace xdplb {
namespace {

using nlohmann::json;
using ::testing::ElementsAre;
using Proportions = std::optional<std::array<unsigned, 4>>;

IpAddress ip(std::string_view text) { return IpAddress::parse(text).value(); }

Config config_with(const ManagerConfig& manager) {
  return {.clusters = {{.name = "web", .addresses = {ip("192.0.2.10")}, .manager = manager}}};
}

// The manager of a cluster with this text in it; "" for no key at all.
ManagerConfig decoded(const std::string& text) {
  const std::string key = text.empty() ? "" : R"(, "manager": )" + text;
  const auto cluster = decode_cluster(json::parse(R"({"name": "web", "addresses": ["192.0.2.10"])" + key + "}"), "");
  EXPECT_TRUE(cluster) << cluster.error().message;
  return cluster ? cluster->manager : ManagerConfig{};
}

std::string problem_of(const std::string& text) {
  const auto changes = decode_manager_changes(json::parse(text), "manager");
  return changes ? "accepted" : changes.error().message;
}

TEST(ManagerConfig, TheObjectTurnsItOn) {
  EXPECT_EQ(decoded(""), ManagerConfig{});
  EXPECT_EQ(decoded("{}"), ManagerConfig{.is_on = true});
  EXPECT_EQ(decoded(R"({"enabled": false, "refresh": 3})"), (ManagerConfig{.is_on = false, .refresh = 3}));
}

TEST(ManagerConfig, ReadsEveryOption) {
  const ManagerConfig expected{.is_on = true,
                               .proportions = {{49, 50, 1, 0}},
                               .interval_s = 5,
                               .refresh = 3,
                               .sensitivity = 0,
                               .smoothing_tenths = 21,
                               .weight_bound = 100};
  EXPECT_EQ(decoded(R"({"proportions": [49, 50, 1, 0], "interval": "5s", "refresh": 3, "sensitivity": 0,
                        "smoothing": 2.1, "weight_bound": 100})"),
            expected);
  EXPECT_EQ(decoded(R"({"proportions": null, "smoothing": 2, "interval": 1})"),
            (ManagerConfig{.is_on = true, .interval_s = 1, .smoothing_tenths = 20}));
}

TEST(ManagerConfig, WritesOnlyWhatIsNotTheDefault) {
  EXPECT_FALSE(encode_cluster(config_with({}).clusters[0]).contains("manager"));
  EXPECT_EQ(encode_manager({.is_on = true}), json::parse(R"({"enabled": true})"));
  EXPECT_EQ(encode_manager({.proportions = {{0, 0, 0, 100}}, .interval_s = 60, .smoothing_tenths = 11}),
            json::parse(R"({"enabled": false, "proportions": [0, 0, 0, 100], "interval": "60s", "smoothing": 1.1})"));
  for (unsigned tenths = 10; tenths <= 1000; ++tenths) {
    const std::string text = encode_manager({.smoothing_tenths = tenths}).dump();
    ASSERT_EQ(decoded(text).smoothing_tenths, tenths) << text;
  }
}

TEST(ManagerConfig, NumbersHaveRanges) {
  EXPECT_EQ(
      problem_of(R"({"interval": 3600, "refresh": 100, "sensitivity": 100, "smoothing": 100, "weight_bound": 1})"),
      "accepted");
  EXPECT_EQ(problem_of(R"({"interval": 0})"), "manager.interval: 0 is not in 1..3600");
  EXPECT_EQ(problem_of(R"({"interval": "3601s"})"),
            "manager.interval: \"3601s\" is no time from 1 to 3600 seconds, written like 90, 90s, 5m or 2h");
  EXPECT_EQ(problem_of(R"({"refresh": 0})"), "manager.refresh: 0 is not in 1..100");
  EXPECT_EQ(problem_of(R"({"sensitivity": 101})"), "manager.sensitivity: 101 is not in 0..100");
  EXPECT_EQ(problem_of(R"({"weight_bound": 101})"), "manager.weight_bound: 101 is not in 1..100");
  EXPECT_EQ(problem_of(R"({"weight_bound": 0})"), "manager.weight_bound: 0 is not in 1..100");
  EXPECT_EQ(problem_of(R"({"on": true})"), "manager.on: unknown key");
  EXPECT_EQ(problem_of(R"({"enabled": "yes"})"), "manager.enabled: expected true or false, got a string");
  for (const char* const bad : {"0.9", "100.1", "1.55", "1e3", "-1"}) {
    EXPECT_NE(problem_of(std::string(R"({"smoothing": )") + bad + "}").find("is no number from 1.0 to 100.0"),
              std::string::npos)
        << bad;
  }
  EXPECT_EQ(problem_of(R"({"smoothing": "1.5"})"), "manager.smoothing: expected a number, got a string");
}

TEST(ManagerConfig, ProportionsSumTo100) {
  EXPECT_EQ(problem_of(R"({"proportions": [100, 0, 0, 0]})"), "accepted");
  EXPECT_EQ(problem_of(R"({"proportions": [50, 50, 1, 0]})"), "manager.proportions: they sum to 101, not 100");
  EXPECT_EQ(problem_of(R"({"proportions": [49, 50, 0, 0]})"), "manager.proportions: they sum to 99, not 100");
  EXPECT_EQ(problem_of(R"({"proportions": [50, 50]})"), "manager.proportions: expected 4 numbers, got 2");
  EXPECT_EQ(problem_of(R"({"proportions": [101, 0, 0, 0]})"), "manager.proportions[0]: 101 is not in 0..100");
  EXPECT_EQ(problem_of(R"({"proportions": "auto"})"), "manager.proportions: expected an array, got a string");
  EXPECT_EQ(parse_proportions("49,50,1,0").value(), (Proportions{{49, 50, 1, 0}}));
  EXPECT_EQ(parse_proportions("auto").value(), Proportions());
  for (const char* const text : {"", "50,50", "50,50,0,1", "50,50,0,0,0", "50,50,,0", "100,0,0,0,", "a,b,c,d"}) {
    EXPECT_FALSE(parse_proportions(text)) << text;
  }
  EXPECT_EQ(proportions_text(Proportions()), "auto");
  EXPECT_EQ(proportions_text(Proportions{{49, 50, 1, 0}}), "49,50,1,0");
}

TEST(ManagerConfig, SmoothingHasTenths) {
  EXPECT_EQ(parse_smoothing("1").value(), 10U);
  EXPECT_EQ(parse_smoothing("1.5").value(), 15U);
  EXPECT_EQ(parse_smoothing("100.0").value(), 1000U);
  for (const char* const text : {"", ".", "1.", ".5", "0.9", "100.1", "1.55", "-1", "1,5"}) {
    EXPECT_FALSE(parse_smoothing(text)) << text;
  }
  EXPECT_EQ(smoothing_text(15), "1.5");
}

TEST(ManagerConfig, OneMadeByHandIsChecked) {
  EXPECT_TRUE(validate(config_with({.is_on = true})));
  EXPECT_EQ(validate(config_with({.refresh = 0})).error().message, "cluster web: manager.refresh: 0 is not in 1..100");
  EXPECT_EQ(validate(config_with({.proportions = {{1, 2, 3, 4}}})).error().message,
            "cluster web: manager.proportions: they sum to 10, not 100");
}

TEST(ManagerChanges, WhatIsNotSaidStays) {
  ManagerConfig manager{.is_on = true, .proportions = {{100, 0, 0, 0}}, .interval_s = 9, .weight_bound = 7};
  const ManagerConfig before = manager;
  EXPECT_TRUE(ManagerChanges{}.is_empty());
  ManagerChanges{}.apply(manager);
  EXPECT_EQ(manager, before);
  const ManagerChanges changes{.is_on = false,
                               .proportions = Proportions(),
                               .interval_s = 1,
                               .refresh = 4,
                               .sensitivity = 5,
                               .smoothing_tenths = 60,
                               .weight_bound = 8};
  EXPECT_FALSE(changes.is_empty());
  changes.apply(manager);
  EXPECT_EQ(
      manager,
      (ManagerConfig{
          .is_on = false, .interval_s = 1, .refresh = 4, .sensitivity = 5, .smoothing_tenths = 60, .weight_bound = 8}));
  const json text = encode_manager_changes(changes);
  EXPECT_EQ(text["proportions"], nullptr);
  EXPECT_EQ(decode_manager_changes(text, "").value(), changes);
  EXPECT_EQ(decode_manager_changes(json::object(), "").value(), ManagerChanges{});
}

TEST(ManagerDiff, SaysWhatIsNotTheDefault) {
  const auto diff = [](const ManagerConfig& before, const ManagerConfig& after) {
    return diff_lines(config_with(before), config_with(after));
  };
  EXPECT_THAT(diff({}, {.is_on = true, .proportions = {{49, 50, 1, 0}}}),
              ElementsAre("~ cluster web manager off -> on 49,50,1,0"));
  EXPECT_THAT(diff({.is_on = true}, {.refresh = 3}), ElementsAre("~ cluster web manager on -> off refresh 3"));
  EXPECT_THAT(diff({.is_on = true}, {.is_on = true,
                                     .interval_s = 60,
                                     .refresh = 1,
                                     .sensitivity = 9,
                                     .smoothing_tenths = 20,
                                     .weight_bound = 50}),
              ElementsAre("~ cluster web manager on -> on interval 60s refresh 1 sensitivity 9 smoothing 2.0 "
                          "weight_bound 50"));
  EXPECT_THAT(diff_lines({}, config_with({.is_on = true})), ElementsAre("+ cluster web 192.0.2.10 manager on"));
}

}  // namespace
}  // namespace xdplb
