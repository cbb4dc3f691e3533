// SPDX-License-Identifier: GPL-2.0-only
#include "verify/verify_judge.h"

#include "farm.h"

#include <gmock/gmock.h>

namespace xdplb {
namespace {

using namespace test;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class Judging : public testing::Test {
 protected:
  Judging() { replan(); }
  void replan() {
    plan_ = *plan_verify(task_, host_);
    seen_ = all_well(plan_);
  }
  VerifyReport judge() const { return judge_verify(task_, host_, plan_, seen_); }
  void hear(const MacAddress& who, bool before = true, bool after = true) {
    if (before) seen_.vipas[kVipa].before[who] = "eth0";
    if (after) (*seen_.vipas[kVipa].after)[who] = "eth0";
  }

  VerifyTask task_ = task();
  HostSnapshot host_ = host();
  VerifyPlan plan_{};
  VerifySeen seen_{};
};

TEST_F(Judging, AFarmThatIsRightRaisesNothing) {
  task_.own_vipas = {kVipa};
  replan();
  const auto report = judge();
  EXPECT_TRUE(report.ok());
  EXPECT_THAT(report.faults, IsEmpty());
  EXPECT_THAT(report.notes, IsEmpty());
  ASSERT_EQ(report.rows.size(), 2U);
  const auto& row = report.rows[0];
  for (const auto mark : {row.silent_before, row.resolved, row.echo, row.ports, row.silent_after})
    EXPECT_EQ(mark, StepMark::kOk);
  EXPECT_EQ(row.mac, kS1);
  EXPECT_EQ(row.interface, "eth0");
}

TEST_F(Judging, AServerThatAnswersForTheVipaLeaks) {
  hear(kS1);
  const auto report = judge();
  EXPECT_THAT(codes(report), ElementsAre("arp_leak web/s1"));
  EXPECT_THAT(report.faults[0].text, AllOf(HasSubstr(kS1.to_string()), HasSubstr("192.0.2.21"), HasSubstr("eth0")));
  EXPECT_EQ(report.rows[0].silent_before, StepMark::kFault);
  EXPECT_EQ(report.rows[0].silent_after, StepMark::kFault);
  EXPECT_EQ(report.rows[1].silent_before, StepMark::kOk);
}

TEST_F(Judging, ALeakThatBeginsLaterIsToldOnce) {
  hear(kS1, false);
  const auto report = judge();
  EXPECT_THAT(codes(report), ElementsAre("arp_leak web/s1"));
  EXPECT_THAT(report.faults[0].text, HasSubstr("not at first"));
  EXPECT_EQ(report.rows[0].silent_before, StepMark::kOk);
  EXPECT_EQ(report.rows[0].silent_after, StepMark::kFault);
}

TEST_F(Judging, AnotherNameForIpv6) {
  task_.config.clusters[0].addresses = {kVipa6};
  replan();
  seen_.vipas[kVipa6].before[kS2] = "eth0";
  EXPECT_THAT(codes(judge()), ElementsAre("nd_leak web/s2"));
}

TEST_F(Judging, TheOnlyUnknownAnswererIsTakenForTheOwner) {
  hear(kStranger);
  host_.known[kStranger] = {ip("192.0.2.99"), kVipa};
  const auto report = judge();
  EXPECT_THAT(report.faults, IsEmpty());
  EXPECT_THAT(report.notes,
              ElementsAre(AllOf(HasSubstr("taken for its owner"), HasSubstr("(the machine with 192.0.2.99)"))));
}

TEST_F(Judging, TwoUnknownAnswerersAreOneTooMany) {
  hear(kStranger);
  hear(mac("02:00:00:00:00:98"), false);
  EXPECT_THAT(codes(judge()), ElementsAre("duplicate_vipa 192.0.2.10", "duplicate_vipa 192.0.2.10"));
}

TEST_F(Judging, WhereThisHostOwnsItAnyOtherIsADuplicate) {
  task_.own_vipas = {kVipa};
  replan();
  hear(kStranger);
  hear(kOwnMac);
  const auto report = judge();
  EXPECT_THAT(codes(report), ElementsAre("duplicate_vipa 192.0.2.10"));
  EXPECT_THAT(report.faults[0].text, AllOf(HasSubstr("which this host owns"), HasSubstr("an unknown machine")));
  EXPECT_EQ(report.rows[0].silent_before, StepMark::kOk) << "it is not this server's fault";
}

TEST_F(Judging, AnOwnerThatIsNamedIsRightAndNobodyElse) {
  task_.owner = kStranger;
  hear(kStranger);
  EXPECT_THAT(codes(judge()), IsEmpty());
  hear(mac("02:00:00:00:00:98"));
  EXPECT_THAT(codes(judge()), ElementsAre("duplicate_vipa 192.0.2.10"));
}

TEST_F(Judging, WithoutAnOwnerNobodyMayAnswer) {
  task_.expects_no_owner = true;
  EXPECT_THAT(judge().notes, IsEmpty());
  hear(kStranger);
  const auto report = judge();
  EXPECT_THAT(codes(report), ElementsAre("duplicate_vipa 192.0.2.10"));
  EXPECT_THAT(report.faults[0].text, HasSubstr("though nobody should"));
}

TEST_F(Judging, TheProxyOfARoutedVipaAnswersByRight) {
  task_.config.vipas.push_back({.address = kVipa, .preferred = std::vector<std::string>(), .proxy = "s1"});
  replan();
  hear(kS1);
  EXPECT_THAT(codes(judge()), IsEmpty());
  hear(kS2);
  EXPECT_THAT(codes(judge()), ElementsAre("arp_leak web/s2"));
}

TEST_F(Judging, NobodyAnswersIsANote) { EXPECT_THAT(judge().notes, ElementsAre(HasSubstr("nobody answers for it"))); }

TEST_F(Judging, AVipaThatWasNotAskedForAgainHasNoLastMark) {
  hear(kS1);
  seen_.vipas[kVipa].after.reset();
  const auto report = judge();
  EXPECT_EQ(report.rows[0].silent_before, StepMark::kFault);
  EXPECT_EQ(report.rows[0].silent_after, StepMark::kSkipped);
}

TEST_F(Judging, AServerWithoutMac) {
  seen_.adapters[ip("192.0.2.21")].clear();
  seen_.rows[0] = {.was_asked = false, .ports = {std::nullopt}};
  const auto report = judge();
  EXPECT_THAT(codes(report), ElementsAre("no_mac web/s1"));
  const auto& row = report.rows[0];
  EXPECT_EQ(row.resolved, StepMark::kFault);
  for (const auto mark : {row.silent_before, row.echo, row.ports, row.silent_after})
    EXPECT_EQ(mark, StepMark::kSkipped);
}

TEST_F(Judging, AServerOnNoNetworkOfThisHost) {
  server(task_, 0).address = ip("10.9.9.9");
  replan();
  seen_.adapters.erase(ip("10.9.9.9"));
  seen_.rows[0] = {};
  const auto report = judge();
  EXPECT_THAT(codes(report), ElementsAre("no_mac web/s1"));
  EXPECT_THAT(report.faults[0].text, HasSubstr("no network of this host"));
}

// A wide alias: its kernel drops the questions of what it takes for its own address, so a dispatcher never learns its
// MAC.
TEST_F(Judging, AServerThatAnswersProbesAlone) {
  seen_.deaf = {ip("192.0.2.21")};
  const auto report = judge();
  EXPECT_THAT(codes(report), ElementsAre("no_mac web/s1"));
  EXPECT_THAT(report.faults[0].text, AllOf(HasSubstr(kS1.to_string()), HasSubstr("for its own")));
  EXPECT_EQ(report.rows[0].resolved, StepMark::kFault);
  EXPECT_EQ(report.rows[0].mac, kS1);
  EXPECT_EQ(report.rows[1].resolved, StepMark::kOk);
}

TEST_F(Judging, TwoMachinesWithOneAddress) {
  seen_.adapters[ip("192.0.2.21")][kStranger] = "eth0";
  seen_.rows[0] = {};
  const auto report = judge();
  EXPECT_THAT(codes(report), ElementsAre("two_macs web/s1"));
  EXPECT_THAT(report.faults[0].text, AllOf(HasSubstr(kS1.to_string()), HasSubstr(kStranger.to_string())));
  EXPECT_EQ(report.rows[0].resolved, StepMark::kFault);
}

TEST_F(Judging, OneSilentAdapterOfSeveralIsAWarning) {
  server(task_, 0).further_addresses = {ip("198.51.100.31")};
  replan();
  seen_.adapters[ip("192.0.2.21")].clear();
  const auto report = judge();
  EXPECT_THAT(codes(report), ElementsAre("no_mac web/s1"));
  EXPECT_TRUE(report.ok());
  EXPECT_EQ(report.rows[0].resolved, StepMark::kWarning);
  EXPECT_EQ(report.rows[0].address, ip("198.51.100.31"));
}

TEST_F(Judging, ServersBehindOneMacAreAWarning) {
  seen_.adapters[ip("192.0.2.22")] = {{kS1, "eth0"}};
  EXPECT_THAT(codes(judge()), ElementsAre("shared_mac 02:00:00:00:00:21"));
}

TEST_F(Judging, NoAliasExplainsItsSilentPorts) {
  seen_.rows[0] = {.was_asked = true, .own_answers = true, .ports = {check(CheckCode::kL4Timeout, "no answer")}};
  const auto report = judge();
  EXPECT_THAT(codes(report), ElementsAre("no_alias web/s1"));
  EXPECT_EQ(report.rows[0].echo, StepMark::kFault);
  EXPECT_EQ(report.rows[0].ports, StepMark::kFault);
}

TEST_F(Judging, NoEchoAtAll) {
  seen_.rows[0] = {.was_asked = true, .own_answers = false, .ports = {check(CheckCode::kL4Timeout, "no answer")}};
  EXPECT_THAT(codes(judge()), ElementsAre("no_echo web/s1", "port_silent web/s1"));
}

TEST_F(Judging, PortsThatAnswerMakeALostEchoAWarning) {
  for (const auto& result : {check(CheckCode::kL4Ok), check(CheckCode::kL4Refused, "connection refused")}) {
    seen_.rows[0] = {.was_asked = true, .own_answers = true, .ports = {result}};
    const auto report = judge();
    EXPECT_EQ(report.faults[0].code, "echo_ignored");
    EXPECT_TRUE(report.faults[0].is_warning);
    EXPECT_EQ(report.rows[0].echo, StepMark::kWarning);
  }
  // What a router says of it is no sign of the server.
  seen_.rows[0].ports = {check(CheckCode::kL4Refused, "No route to host")};
  EXPECT_EQ(judge().faults[0].code, "no_alias");
}

TEST_F(Judging, AnAnswerFromAnotherAddress) {
  seen_.rows[0].echo = ip("192.0.2.21");
  const auto report = judge();
  EXPECT_THAT(codes(report), ElementsAre("echo_source web/s1"));
  EXPECT_THAT(report.faults[0].text, HasSubstr("comes from 192.0.2.21"));
}

TEST_F(Judging, AnInterfaceWithoutAnAddressOfTheFamily) {
  seen_.rows[0].was_asked = false;
  seen_.rows[0].echo.reset();
  EXPECT_THAT(codes(judge()), ElementsAre("no_source 192.0.2.10"));
}

TEST_F(Judging, EachEndOfAPortHasItsCode) {
  const std::vector<std::pair<CheckResult, std::string>> cases = {
      {check(CheckCode::kL4Refused, "connection refused"), "port_refused"},
      {check(CheckCode::kL4Timeout, "no answer in 1 s"), "port_silent"},
      {check(CheckCode::kL7Timeout, "no answer"), "port_silent"},
      {check(CheckCode::kL7Response, "garbage"), "port_failed"},
      {check(CheckCode::kSocketError, "no route"), "port_failed"}};
  for (const auto& [result, code] : cases) {
    seen_.rows[0].ports = {result};
    const auto report = judge();
    EXPECT_THAT(codes(report), ElementsAre(code + " web/s1"));
    EXPECT_EQ(report.rows[0].ports, StepMark::kFault);
    EXPECT_EQ(report.rows[0].port_results[0].code, result.code);
    EXPECT_THAT(report.faults[0].text, HasSubstr("port 80/tcp of 192.0.2.10"));
  }
}

TEST_F(Judging, UdpWithoutAdvisorIsToldOncePerPort) {
  task_.config.clusters[0].ports[0].protocol = Protocol::kUdp;
  replan();
  const auto report = judge();
  EXPECT_THAT(codes(report), ElementsAre("udp_unasked web/80/udp"));
  EXPECT_TRUE(report.ok());
  EXPECT_EQ(report.rows[0].ports, StepMark::kSkipped);
}

}  // namespace
}  // namespace xdplb
