// SPDX-License-Identifier: GPL-2.0-only
#include "verify/verify_plan.h"

#include "farm.h"

#include <gmock/gmock.h>

namespace xdplb {
namespace {

using namespace test;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

VerifyPlan plan_of(const VerifyTask& task) {
  auto plan = plan_verify(task, host());
  EXPECT_TRUE(plan) << plan.error().message;
  return plan ? *plan : VerifyPlan{};
}

TEST(VerifyPlan, HasARowForEachServerAndVipa) {
  auto wanted = task();
  wanted.config.clusters[0].addresses.push_back(kVipa6);
  const auto plan = plan_of(wanted);
  ASSERT_THAT(plan.rows, SizeIs(4));
  EXPECT_EQ(plan.rows[0].object, "web/s1");
  EXPECT_EQ(plan.rows[0].vipa, kVipa);
  EXPECT_EQ(plan.rows[0].adapters[0].ifindex, 2U);
  ASSERT_THAT(plan.rows[0].ports, SizeIs(1));
  EXPECT_TRUE(plan.rows[0].ports[0].advisor);
  EXPECT_EQ(plan.rows[3].vipa, kVipa6);
  EXPECT_THAT(plan.notes, IsEmpty());
}

TEST(VerifyPlan, PortsOfOneServerShareItsRow) {
  auto wanted = task();
  auto second = wanted.config.clusters[0].ports[0];
  second.port = 53;
  second.protocol = Protocol::kUdp;
  second.servers[1].address = ip("192.0.2.23");  // another machine of that name
  wanted.config.clusters[0].ports.push_back(second);
  const auto plan = plan_of(wanted);
  ASSERT_THAT(plan.rows, SizeIs(3));
  EXPECT_THAT(plan.rows[0].ports, SizeIs(2));
  EXPECT_FALSE(plan.rows[0].ports[1].advisor) << "nobody knows what to ask";
  EXPECT_THAT(plan.rows[1].ports, SizeIs(1));
  EXPECT_THAT(plan.rows[2].ports, SizeIs(1));
}

TEST(VerifyPlan, AUdpPortIsAskedByItsAdvisor) {
  auto wanted = task();
  auto& port = wanted.config.clusters[0].ports[0];
  port.protocol = Protocol::kUdp;
  port.advisor.emplace();
  port.advisor->type = AdvisorType::kDns;
  const auto plan = plan_of(wanted);
  ASSERT_TRUE(plan.rows[0].ports[0].advisor);
  EXPECT_EQ(plan.rows[0].ports[0].advisor->type, AdvisorType::kDns);
}

TEST(VerifyPlan, AVipaIsAskedForWhereItLiesAndWhereItsServersAre) {
  auto wanted = task();
  server(wanted, 1).address = ip("198.51.100.22");
  const auto plan = plan_of(wanted);
  EXPECT_THAT(plan.vipas[0].interfaces, ElementsAre(2, 3));
}

TEST(VerifyPlan, AFamilyThatAServerDoesNotServeIsNoRow) {
  auto wanted = task();
  wanted.config.clusters[0].addresses.push_back(kVipa6);
  server(wanted, 0).family = Family::kV6;
  const auto plan = plan_of(wanted);
  ASSERT_THAT(plan.rows, SizeIs(3));
  EXPECT_EQ(plan.rows[0].server, "s2");
}

TEST(VerifyPlan, EachAdapterIsAsked) {
  auto wanted = task();
  server(wanted, 0).further_addresses = {ip("198.51.100.21"), ip("203.0.113.21"), ip("10.9.9.9")};
  const auto plan = plan_of(wanted);
  std::vector<std::uint32_t> interfaces;
  for (const auto& adapter : plan.rows[0].adapters) interfaces.push_back(adapter.ifindex);
  EXPECT_THAT(interfaces, ElementsAre(2, 3, 0, 0)) << "eth2 has no carrier, 10.9.9.9 is nowhere";
}

TEST(VerifyPlan, LeavesOutWhatCannotBeAskedAndSaysSo) {
  auto wanted = task();
  auto& cluster = wanted.config.clusters[0];
  cluster.prefixes.push_back(*IpPrefix::parse("203.0.113.0/24"));
  cluster.addresses.push_back(ip("192.0.2.2"));
  server(wanted, 0).address = ip("198.51.100.2");
  server(wanted, 1).vlan = 7;
  const auto plan = plan_of(wanted);
  EXPECT_THAT(plan.rows, IsEmpty());
  EXPECT_THAT(plan.notes, ElementsAre(HasSubstr("192.0.2.2: it is an address of this host"),
                                      HasSubstr("203.0.113.0/24"), HasSubstr("web/s1: it is this host itself"),
                                      HasSubstr("web/s2: frames to it get the VLAN tag 7")));
}

TEST(VerifyPlan, AnInterfaceThatIsSaidIsUsed) {
  auto wanted = task();
  wanted.interface = "eth1";
  const auto plan = plan_of(wanted);
  EXPECT_THAT(plan.vipas[0].interfaces, ElementsAre(3));
  EXPECT_EQ(plan.rows[0].adapters[0].ifindex, 3U);
  wanted.interface = "eth9";
  EXPECT_EQ(plan_verify(wanted, host()).error().code, ErrorCode::kNotFound);
  wanted.interface = "eth2";
  EXPECT_EQ(plan_verify(wanted, host()).error().code, ErrorCode::kFailed);
}

TEST(VerifyPlan, KnowsWhoseAVipaIs) {
  auto wanted = task();
  wanted.own_vipas = {kVipa};
  wanted.config.vipas.push_back({.address = kVipa, .proxy = "s1", .on_conflict = OnConflict::kYield});
  const auto plan = plan_of(wanted);
  EXPECT_TRUE(plan.vipas[0].is_owned_here);
  EXPECT_TRUE(plan.vipas[0].yields);
  EXPECT_EQ(plan.vipas[0].proxy, "s1");
}

TEST(VerifyPlan, WhatIsMadeUpHasNoClusterName) {
  auto wanted = task();
  wanted.is_made_up = true;
  const auto plan = plan_of(wanted);
  EXPECT_EQ(plan.rows[0].cluster, "-");
  EXPECT_EQ(plan.rows[0].object, "s1");
  EXPECT_EQ(plan.rows[0].ports[0].path.cluster, "-");
}

TEST(HostSnapshot, AsksFromTheAddressOnTheTargetsNetwork) {
  EXPECT_EQ(host().source_for(2, kVipa), ip("192.0.2.2"));
  EXPECT_EQ(host().source_for(3, kVipa), ip("198.51.100.2"));
  EXPECT_EQ(host().source_for(2, kVipa6), ip("2001:db8:1::2"));
  EXPECT_EQ(host().source_for(3, kVipa6), ip("fe80::3"));
  EXPECT_EQ(host().source_for(4, kVipa6), std::nullopt);
}

}  // namespace
}  // namespace xdplb
