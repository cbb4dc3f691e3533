// SPDX-License-Identifier: GPL-2.0-only
#include "doctor_support.h"

namespace xdplb {
namespace {

using ::testing::HasSubstr;

constexpr std::uint8_t kLookup = 1;  // FR_ACT_TO_TBL

class JudgeNetwork : public ::testing::Test {
 protected:
  JudgeNetwork() {
    needs_.interfaces = {"eth0", "eth1"};
    needs_.vipas = {{.address = address("192.0.2.10")}};
    needs_.servers = {address("198.51.100.23")};
    needs_.probes = 1;
    facts_.vipas = {{.address = address("192.0.2.10"), .route = leaves(2), .answers = std::set<MacAddress>()}};
    facts_.forwards_v4 = facts_.forwards_v6 = 0;
  }

  static RouteAnswer leaves(std::uint32_t ifindex) { return {.kind = RouteAnswer::Kind::kLeaves, .ifindex = ifindex}; }
  Check check(std::string_view code, std::string_view object = {}) const {
    const auto checks = judge_network(needs_, facts_);
    expect_remedies(checks);
    return find_check(checks, code, object);
  }
  // Servers on eth1 (3); the VIPA's way back as given.
  Check filter(int rp_filter, RouteAnswer way_back) {
    facts_.paths = {{.interface = "eth1",
                     .ifindex = 3,
                     .vipa = address("192.0.2.10"),
                     .rp_filter = rp_filter,
                     .way_back = way_back}};
    return check("rp_filter", "eth1");
  }
  Check rule(PolicyRule rule) {
    facts_.rules = {rule};
    return check("policy_rules");
  }

  DoctorNeeds needs_{};
  NetworkFacts facts_{};
};

TEST_F(JudgeNetwork, FindsAGoodOneWell) {
  facts_.rules = {{.priority = 0, .protocol = 2, .action = kLookup, .table = 255},
                  {.priority = 5800, .mark = 0x58000000, .mark_mask = 0xff000000, .protocol = 88, .action = 2},
                  {.priority = 5801, .mark = 0x58010001, .mark_mask = 0xffffffff, .protocol = 88, .action = kLookup},
                  {.priority = 32766, .protocol = 2, .action = kLookup, .table = 254}};
  const auto checks = judge_network(needs_, facts_);
  expect_remedies(checks);
  EXPECT_EQ(worst(checks), Verdict::kOk);
}

TEST_F(JudgeNetwork, AVipaOfThisHost) {
  facts_.vipas[0].route = {.kind = RouteAnswer::Kind::kLocal};
  facts_.vipas[0].holder = "lo";
  EXPECT_EQ(check("vipa_local").verdict, Verdict::kFailure);
  EXPECT_EQ(check("vipa_local").remedy, "ip address del 192.0.2.10/32 dev lo");
  facts_.vipas[0].holder.clear();
  facts_.vipas[0].local_route = "192.0.2.0/28 dev lo";
  EXPECT_EQ(check("vipa_local").remedy, "ip route del local 192.0.2.0/28 dev lo table local");
  needs_.vipas[0].is_local = true;
  EXPECT_EQ(check("vipa_local").verdict, Verdict::kOk);
  needs_.vipas[0].is_local = false;
  facts_.is_server = true;
  EXPECT_EQ(check("vipa_local").verdict, Verdict::kOk) << "the host is a server of its own";
}

// controlplanes.md 2.4: what was measured.
TEST_F(JudgeNetwork, ReversePathMatrix) {
  const RouteAnswer none{};
  for (const int value : {0, 1, 2}) EXPECT_EQ(filter(value, leaves(3)).verdict, Verdict::kOk) << value;
  EXPECT_EQ(filter(0, leaves(2)).verdict, Verdict::kOk);
  EXPECT_EQ(filter(1, leaves(2)).verdict, Verdict::kFailure);
  EXPECT_EQ(filter(2, leaves(2)).verdict, Verdict::kOk);
  EXPECT_EQ(filter(0, none).verdict, Verdict::kOk);
  EXPECT_EQ(filter(1, none).verdict, Verdict::kFailure);
  EXPECT_EQ(filter(2, none).verdict, Verdict::kFailure);
}

TEST_F(JudgeNetwork, ReversePathRemedies) {
  EXPECT_EQ(filter(1, leaves(2)).remedy, "sysctl -w net.ipv4.conf.eth1.rp_filter=2");
  EXPECT_EQ(filter(2, {}).remedy,
            "sysctl -w net.ipv4.conf.all.rp_filter=0 && sysctl -w net.ipv4.conf.eth1.rp_filter=0");
  facts_.paths = {
      {.interface = "eth0.100", .ifindex = 3, .vipa = address("192.0.2.10"), .rp_filter = 1, .way_back = leaves(2)}};
  EXPECT_EQ(check("rp_filter").remedy, "sysctl -w net/ipv4/conf/eth0.100/rp_filter=2");
  needs_.probes = 0;
  EXPECT_EQ(filter(1, leaves(2)).verdict, Verdict::kWarning) << "nothing probes yet";
}

TEST_F(JudgeNetwork, DuplicatesByWhoAnswers) {
  auto& answers = facts_.vipas[0].answers;
  const auto stranger = mac("02:00:00:00:00:77");
  const auto server = mac("02:00:00:00:00:23");
  facts_.known = {{server, {address("198.51.100.23")}}};
  answers = {stranger};
  EXPECT_EQ(check("duplicate_vipa").verdict, Verdict::kWarning) << "perhaps the owner";
  needs_.vipas[0].is_owned = true;
  EXPECT_EQ(check("duplicate_vipa").verdict, Verdict::kFailure);
  EXPECT_THAT(check("duplicate_vipa").text, HasSubstr("02:00:00:00:00:77"));
  needs_.vipas[0].is_owned = false;
  answers = {stranger, mac("02:00:00:00:00:78")};
  EXPECT_EQ(check("duplicate_vipa").verdict, Verdict::kFailure) << "two cannot both be right";
  answers = {server};
  EXPECT_EQ(check("duplicate_vipa").remedy, "xdplb-server setup 192.0.2.10  # on that server");
  needs_.vipas[0].has_proxy = true;
  EXPECT_EQ(check("duplicate_vipa").verdict, Verdict::kOk);
  answers.reset();
  facts_.vipas[0].unasked = "not permitted";
  EXPECT_EQ(check("duplicate_vipa").verdict, Verdict::kWarning) << "not asked is not ok";
}

TEST_F(JudgeNetwork, SettingsThatTheVipasNeed) {
  EXPECT_EQ(check("arp_ignore").verdict, Verdict::kOk);
  facts_.settings = {
      {.setting = "net/ipv4/conf/eth0/arp_ignore",
       .value = 0,
       .wanted = 1,
       .why = "the kernel answers",
       .interface = "eth0"},
      {.setting = "net/ipv4/conf/eth0/accept_local", .value = 1, .wanted = 0, .why = "accepted", .interface = "eth0"}};
  EXPECT_EQ(check("arp_ignore").verdict, Verdict::kFailure);
  EXPECT_EQ(check("arp_ignore").remedy, "sysctl -w net.ipv4.conf.eth0.arp_ignore=1");
  EXPECT_EQ(check("accept_local").verdict, Verdict::kWarning);
  EXPECT_EQ(check("arp_announce").verdict, Verdict::kOk);
}

TEST_F(JudgeNetwork, ForwardingWarns) {
  facts_.forwards_v4 = 1;
  EXPECT_EQ(check("ip_forward", "v4").remedy, "sysctl -w net.ipv4.ip_forward=0");
  EXPECT_EQ(check("ip_forward", "v6").verdict, Verdict::kOk);
}

TEST_F(JudgeNetwork, RulesInOurPlace) {
  EXPECT_EQ(rule({.priority = 5799, .action = kLookup, .table = 254}).verdict, Verdict::kOk);
  for (const std::uint32_t priority : {5800U, 5801U, 5802U})
    EXPECT_EQ(rule({.priority = priority, .action = kLookup, .table = 254}).verdict, Verdict::kFailure) << priority;
  EXPECT_EQ(rule({.priority = 5803, .action = kLookup, .table = 99}).verdict, Verdict::kOk);
  EXPECT_EQ(rule({.family = Family::kV6, .priority = 5801, .action = kLookup}).remedy, "ip -6 rule del pref 5801");
}

TEST_F(JudgeNetwork, RulesForOurMarks) {
  PolicyRule marked{.priority = 100, .mark = 0x58000000, .mark_mask = 0xff000000, .action = kLookup, .table = 99};
  EXPECT_EQ(rule(marked).verdict, Verdict::kFailure);
  marked.mark = 0x59000000;
  EXPECT_EQ(rule(marked).verdict, Verdict::kOk) << "marks of ours do not begin with 0x59";
  marked.mark = marked.mark_mask = 0x1;
  EXPECT_EQ(rule(marked).verdict, Verdict::kWarning) << "every second mark of ours has that bit";
  marked.priority = 6000;
  EXPECT_EQ(rule(marked).verdict, Verdict::kOk) << "ours come first";
}

TEST_F(JudgeNetwork, InvertedRulesTakeWhatDoesNotMeetThem) {
  PolicyRule rest{
      .priority = 100, .mark = 0xca6c, .mark_mask = 0xffffffff, .action = kLookup, .table = 51820, .is_inverted = true};
  EXPECT_EQ(rule(rest).verdict, Verdict::kFailure) << "as wg-quick makes it, but before ours";
  EXPECT_THAT(rule(rest).text, HasSubstr("(not 0xca6c/0xffffffff)"));
  rest.mark = 0x58000000;
  rest.mark_mask = 0xff000000;
  EXPECT_EQ(rule(rest).verdict, Verdict::kOk) << "for all but ours";
  rest.is_for_everything = false;
  EXPECT_EQ(rule(rest).verdict, Verdict::kFailure) << "ours may miss the other condition";
  rest = {.priority = 100, .action = kLookup, .table = 99, .is_inverted = true};
  EXPECT_EQ(rule(rest).verdict, Verdict::kOk) << "it takes nothing";
}

TEST_F(JudgeNetwork, RulesForEveryPacketBeforeOurs) {
  PolicyRule all{.priority = 100, .action = kLookup, .table = 99};
  EXPECT_EQ(rule(all).verdict, Verdict::kWarning);
  all.is_for_everything = false;
  EXPECT_EQ(rule(all).verdict, Verdict::kOk);
  all = {.priority = 100, .action = kLookup, .table = 255};
  EXPECT_EQ(rule(all).verdict, Verdict::kOk) << "the local table, moved back as LVS guides do";
}

TEST_F(JudgeNetwork, TheGuardIsMissing) {
  PolicyRule own{.priority = 5801, .mark = 0x58010001, .mark_mask = 0xffffffff, .protocol = 88, .action = kLookup};
  EXPECT_EQ(rule(own).verdict, Verdict::kWarning);
  EXPECT_EQ(rule(own).remedy, "ip rule add pref 5800 not fwmark 0x58000000/0xff000000 goto 5802 protocol 88");
  own.family = Family::kV6;
  EXPECT_THAT(rule(own).remedy, HasSubstr("ip -6 rule add"));
}

}  // namespace
}  // namespace xdplb
