// SPDX-License-Identifier: GPL-2.0-only
#include "verify/verify_task.h"

#include "cli/verify_scope.h"
#include "farm.h"
#include "model/config_json.h"

#include <gmock/gmock.h>

namespace xdplb {
namespace {

using namespace test;
using nlohmann::json;
using testing::HasSubstr;

TEST(VerifyTask, SurvivesItsJson) {
  auto task = test::task();
  task.is_made_up = true;
  task.interface = "eth0";
  task.owner = kStranger;
  task.own_vipas = {kVipa, kVipa6};
  task.wait = std::chrono::milliseconds(250);
  const auto again = decode_verify_task(encode_verify_task(task));
  ASSERT_TRUE(again) << again.error().message;
  EXPECT_EQ(encode_verify_task(*again), encode_verify_task(task));
  EXPECT_EQ(again->config, task.config);
  EXPECT_EQ(again->owner, kStranger);
  EXPECT_EQ(again->wait.count(), 250);
  task.owner.reset();
  task.expects_no_owner = true;
  EXPECT_TRUE(decode_verify_task(encode_verify_task(task))->expects_no_owner);
}

TEST(VerifyTask, ReadsWhatTheCommandLineMakesUp) {
  const auto config = make_up_config({.vipas = {kVipa, kVipa6}, .servers = {"192.0.2.21"}});
  ASSERT_TRUE(config) << config.error().message;
  const auto task = decode_verify_task({{"config", encode_config(*config)}, {"made_up", true}});
  ASSERT_TRUE(task) << task.error().message;
  EXPECT_EQ(task->config.clusters[0].ports[0].servers[0].address, ip("192.0.2.21"));
  EXPECT_FALSE(task->owner || task->expects_no_owner);
  EXPECT_EQ(task->wait.count(), 1000);
}

TEST(VerifyTask, RefusesWhatItDoesNotKnow) {
  const json config = {{"clusters", json::array()}};
  const std::vector<std::pair<json, std::string>> cases = {{json::array(), "no JSON object"},
                                                           {json::object(), "config"},
                                                           {{{"config", config}, {"x", 1}}, "x: unknown key"},
                                                           {{{"config", {{"clusters", 1}}}}, "clusters"},
                                                           {{{"config", config}, {"owner", "x"}}, "owner"},
                                                           {{{"config", config}, {"owner", 1}}, "owner"},
                                                           {{{"config", config}, {"own_vipas", {"x"}}}, "own_vipas"},
                                                           {{{"config", config}, {"own_vipas", 1}}, "own_vipas"},
                                                           {{{"config", config}, {"made_up", 1}}, "made_up"},
                                                           {{{"config", config}, {"interface", 1}}, "interface"},
                                                           {{{"config", config}, {"wait_ms", 49}}, "wait_ms"},
                                                           {{{"config", config}, {"wait_ms", 60001}}, "wait_ms"}};
  for (const auto& [document, words] : cases) {
    const auto task = decode_verify_task(document);
    ASSERT_FALSE(task) << document;
    EXPECT_EQ(task.error().code, ErrorCode::kInvalidConfig);
    EXPECT_THAT(task.error().message, HasSubstr(words));
  }
}

TEST(VerifyReport, IsADocument) {
  VerifyReport report;
  VerifyRow row{.cluster = "web", .server = "s1", .address = ip("192.0.2.21"), .vipa = kVipa, .interface = "eth0"};
  row.mac = kS1;
  row.silent_before = StepMark::kOk;
  row.resolved = StepMark::kWarning;
  row.echo = StepMark::kFault;
  VerifyPort port{.path = {.cluster = "web", .port = 53, .protocol = Protocol::kUdp}};
  port.mark = StepMark::kOk;
  port.code = CheckCode::kL7Ok;
  row.port_results.push_back(port);
  report.rows.push_back(row);
  report.faults.push_back({.code = "udp_unasked", .object = "web/53/udp", .is_warning = true});
  report.notes = {"a note"};
  EXPECT_EQ(encode_verify_report(report), json::parse(R"({"ok": true, "notes": ["a note"],
      "faults": [{"code": "udp_unasked", "object": "web/53/udp", "text": "", "remedy": "", "severity": "warning"}],
      "servers": [{"cluster": "web", "server": "s1", "address": "192.0.2.21", "vipa": "192.0.2.10", "interface": "eth0",
        "mac": "02:00:00:00:00:21",
        "steps": {"silent_before": "ok", "mac": "warning", "echo": "fault", "ports": "skipped", "silent_after": "skipped"},
        "ports": [{"path": "web/53/udp", "mark": "ok", "code": "L7OK", "text": ""}]}]})"));
  report.faults.push_back({.code = "no_echo"});
  EXPECT_FALSE(report.ok());
  EXPECT_EQ(encode_verify_report(report)["faults"][1]["severity"], "fault");
}

}  // namespace
}  // namespace xdplb
