// SPDX-License-Identifier: GPL-2.0-only
// Advisors that change, and whether they fit their port.
#include "model/advisor_json.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <optional>
#include <string>

namespace xdplb {
namespace {

using nlohmann::json;

AdvisorConfig decoded(const std::string& text, Protocol port = Protocol::kTcp) {
  const auto advisor = decode_advisor(json::parse(text), "advisor", port);
  EXPECT_TRUE(advisor) << advisor.error().message;
  return advisor ? *advisor : AdvisorConfig{};
}

TEST(ChangeAdvisor, ChangesWhatIsSaid) {
  const auto now = decoded(R"({"type": "http", "path": "/healthz", "fall": 5, "via": "own"})");
  const auto change = [&](const std::string& text) {
    const auto changed = change_advisor(now, json::parse(text), "advisor");
    EXPECT_TRUE(changed) << changed.error().message;
    return encode_advisor(changed ? *changed : AdvisorConfig{}).dump();
  };
  EXPECT_EQ(change("{}"), R"({"fall":5,"path":"/healthz","type":"http","via":"own"})");
  EXPECT_EQ(change(R"({"path": "/x", "interval": "300ms"})"),
            R"({"fall":5,"interval":"300ms","path":"/x","type":"http","via":"own"})");
  EXPECT_EQ(change(R"({"type": "http", "fall": null})"), R"({"path":"/healthz","type":"http","via":"own"})");
  // A way said as path is no path.
  EXPECT_EQ(change(R"({"path": "both"})"), R"({"fall":5,"path":"/healthz","type":"http","via":"both"})");
  EXPECT_EQ(change(R"({"path": null})"), R"({"fall":5,"type":"http","via":"own"})");
}

TEST(ChangeAdvisor, AnotherTypeKeepsTimesAndWay) {
  const auto now = decoded(R"({"type": "http", "path": "/healthz", "port": 8080, "interval": "5s",
      "fast_interval": "1s", "down_interval": "9s", "fall": 5, "rise": 6, "via": "own", "receive_timeout": "7s"})");
  EXPECT_EQ(encode_advisor(change_advisor(now, json::parse(R"({"type": "ping", "rise": 7})"), "advisor").value()),
            json::parse(R"({"type": "ping", "interval": "5s", "fast_interval": "1s", "down_interval": "9s", "fall": 5,
                            "rise": 7, "via": "own"})"));
}

TEST(ChangeAdvisor, SaysWhatIsWrong) {
  const std::optional<AdvisorConfig> now = AdvisorConfig{};
  const auto problem = [&](const std::string& text) {
    const auto changed = change_advisor(now, json::parse(text), "advisor");
    return changed ? "accepted" : changed.error().message;
  };
  EXPECT_EQ(problem(R"({"body": "x"})"), "advisor.body: is for http and https, the type is connect");
  EXPECT_EQ(problem(R"({"bodi": null})"), "advisor.bodi: unknown key, did you mean \"body\"?");
  EXPECT_EQ(problem(R"({"type": null})"), "advisor.type: it has no default");
  EXPECT_EQ(problem(R"({"type": 1})"), "advisor.type: expected a string, got a number");
  EXPECT_EQ(problem(R"({"via": "own", "path": "own"})"), "advisor.path: say it by \"via\" only");
  EXPECT_EQ(problem("[]"), "advisor: expected an object, got an array");
}

TEST(ChangeAdvisor, WithoutOneThereMustBeAType) {
  EXPECT_EQ(change_advisor(std::nullopt, json::parse(R"({"type": "ping", "fall": 4})"), "advisor").value(),
            (AdvisorConfig{.type = AdvisorType::kPing, .fall = 4}));
  const auto changed = change_advisor(std::nullopt, json::parse(R"({"fall": 4})"), "port web/80: advisor");
  ASSERT_FALSE(changed);
  EXPECT_EQ(changed.error().code, ErrorCode::kNotFound);
  EXPECT_EQ(changed.error().message, "port web/80: advisor: there is none, say the \"type\" of a new one");
}

std::string problem_at(const std::string& text, std::uint16_t port, bool is_udp) {
  const auto protocol = is_udp ? Protocol::kUdp : Protocol::kTcp;
  const auto checked = check_advisor(decoded(text, protocol), port, is_udp, "port P: advisor");
  return checked ? "" : checked.error().message;
}

TEST(CheckAdvisor, AnyPortNeedsOneToProbe) {
  EXPECT_EQ(problem_at(R"({"type": "connect"})", 0, false),
            "port P: advisor: say the \"port\" that connect probes, as this one is any");
  EXPECT_EQ(problem_at(R"({"type": "connect", "port": 80})", 0, false), "");
  EXPECT_EQ(problem_at(R"({"type": "ping"})", 0, false), "");
  EXPECT_EQ(problem_at(R"({"type": "exec", "command": ["/bin/true"]})", 0, true), "");
  EXPECT_EQ(problem_at(R"({"type": "composite", "checks": [{"type": "ping"}, {"type": "http"}]})", 0, false),
            "port P: advisor.checks[1]: say the \"port\" that http probes, as this one is any");
  EXPECT_EQ(problem_at(R"({"type": "composite", "port": 80, "checks": [{"type": "http"}]})", 0, false), "");
}

TEST(CheckAdvisor, AConversationFitsTheProtocol) {
  EXPECT_EQ(problem_at(R"({"type": "http"})", 443, true),
            "port P: advisor: http talks TCP: say the \"port\" that it probes");
  EXPECT_EQ(problem_at(R"({"type": "http", "port": 443})", 443, true), "");
  EXPECT_EQ(problem_at(R"({"type": "udp", "silence": "up"})", 53, false),
            "port P: advisor: udp talks UDP: say the \"port\" that it probes");
  EXPECT_EQ(problem_at(R"({"type": "udp", "silence": "up"})", 53, true), "");
  EXPECT_EQ(problem_at(R"({"type": "dns"})", 53, true), "");
  EXPECT_EQ(problem_at(R"({"type": "dns"})", 53, false), "");
  EXPECT_EQ(problem_at(R"({"type": "dns", "over_tcp": true})", 53, true),
            "port P: advisor: dns talks TCP: say the \"port\" that it probes");
  EXPECT_EQ(problem_at(R"({"type": "ping"})", 53, true), "");
}

TEST(CheckAdvisor, WhatNoDocumentSaysIsRefused) {
  const auto problem = [](const AdvisorConfig& advisor) {
    const auto checked = check_advisor(advisor, 80, false, "A");
    return checked ? "" : checked.error().message;
  };
  EXPECT_EQ(problem({.fall = 0}), "A.fall: 0 is not in 1..100");
  EXPECT_EQ(problem({.http = {.path = "/x"}}), "A.path: is for http and https, the type is connect");
  EXPECT_EQ(problem({.type = AdvisorType::kTcp}), "A: key \"steps\" is missing, type tcp needs it");
  EXPECT_EQ(problem({.type = AdvisorType::kHttp, .http = {.statuses = {}}}),
            "A.statuses: it is empty, name at least one");
  EXPECT_EQ(problem({.type = AdvisorType::kHttp, .http = {.headers = {{"b", ""}, {"a", ""}}}}),
            "A: it has options of other types, or headers that are not sorted");
}

}  // namespace
}  // namespace xdplb
