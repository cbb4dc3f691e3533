// SPDX-License-Identifier: GPL-2.0-only
#include "doctor/doctor_task.h"
#include "doctor_support.h"

#include <nlohmann/json.hpp>

namespace xdplb {
namespace {

using nlohmann::json;

const json kConfig = json::parse(R"({
  "interfaces": ["eth0", "eth1"],
  "clusters": [{"name": "web", "addresses": ["192.0.2.10", "2001:db8::10", "203.0.113.0/24"], "ports": [
    {"port": 80, "advisor": {"type": "ping"}, "servers": [
      {"addresses": ["192.0.2.21", "198.51.100.21"]}, {"address": "192.0.2.22"}]},
    {"port": 81, "servers": [{"address": "192.0.2.22", "vlan": 7}]}]}],
  "vipas": [{"address": "192.0.2.10", "preferred": ["eth1"], "local": true}, {"address": "192.0.2.11"}]})");

DoctorTask decoded(const json& document) {
  auto task = decode_doctor_task(document);
  EXPECT_TRUE(task) << (task ? "" : task.error().message);
  return task ? *task : DoctorTask{};
}

TEST(DoctorTask, NothingIsATask) {
  EXPECT_TRUE(decoded(json::object()).interfaces.empty());
  EXPECT_TRUE(decoded({{"config", json::object()}}).config.clusters.empty());
}

TEST(DoctorTask, WrongKeysAreNamed) {
  for (const auto& document : std::vector<json>{json::array(),
                                                {{"interfaces", "eth0"}},
                                                {{"interfaces", {1}}},
                                                {{"vipas", {"eth0"}}},
                                                {{"own_vipas", 1}},
                                                {{"instance", 1}},
                                                {{"daemon", -1}},
                                                {{"daemon", "1"}},
                                                {{"config", {{"clusters", 1}}}},
                                                {{"more", 1}}}) {
    const auto task = decode_doctor_task(document);
    ASSERT_FALSE(task) << document.dump();
    EXPECT_EQ(task.error().code, ErrorCode::kInvalidConfig);
  }
}

TEST(DoctorTask, ReportAsJson) {
  DoctorReport report{
      .checks = {well("kernel", "", "Linux 6.1"),
                 {.code = "mtu", .object = "eth0", .verdict = Verdict::kWarning, .text = "9000", .remedy = "ip link"}}};
  EXPECT_EQ(encode_doctor_report(report), json::parse(R"({"ok": true, "checks": [
    {"code": "kernel", "object": "", "verdict": "ok", "text": "Linux 6.1", "remedy": ""},
    {"code": "mtu", "object": "eth0", "verdict": "warn", "text": "9000", "remedy": "ip link"}]})"));
  report.checks[1].verdict = Verdict::kFailure;
  EXPECT_EQ(encode_doctor_report(report)["ok"], false);
  EXPECT_EQ(encode_doctor_report(report)["checks"][1]["verdict"], "fail");
}

TEST(DoctorNeeds, OfAConfiguration) {
  const auto needs = needs_of(decoded({{"config", kConfig}, {"own_vipas", {"192.0.2.11"}}}));
  EXPECT_THAT(needs.interfaces, ::testing::ElementsAre("eth0", "eth1"));
  ASSERT_EQ(needs.vipas.size(), 3U);
  EXPECT_TRUE(needs.vipas[0].is_local);
  EXPECT_EQ(needs.vipas[0].preferred, std::vector<std::string>{"eth1"});
  EXPECT_EQ(needs.vipas[1].address, address("2001:db8::10"));
  EXPECT_TRUE(needs.vipas[2].is_owned);
  EXPECT_FALSE(needs.vipas[0].is_owned);
  EXPECT_EQ(needs.servers.size(), 3U);
  EXPECT_EQ(needs.probes, 6U) << "three adapters at two VIPAs";
  EXPECT_TRUE(needs.has_tags);
  EXPECT_TRUE(needs.has_v6());
}

TEST(DoctorNeeds, WordsTakeTheConfigurationsPlace) {
  const auto needs = needs_of(
      decoded({{"config", kConfig}, {"interfaces", {"eth2", "eth2"}}, {"vipas", {"192.0.2.10", "192.0.2.99"}}}));
  EXPECT_THAT(needs.interfaces, ::testing::ElementsAre("eth2"));
  ASSERT_EQ(needs.vipas.size(), 2U);
  EXPECT_TRUE(needs.vipas[0].is_local) << "what the configuration says of it still counts";
  EXPECT_EQ(needs.vipas[1].address, address("192.0.2.99"));
  EXPECT_FALSE(needs.has_v6());
}

}  // namespace
}  // namespace xdplb
