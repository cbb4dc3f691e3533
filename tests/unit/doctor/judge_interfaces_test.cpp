// SPDX-License-Identifier: GPL-2.0-only
#include "doctor_support.h"

namespace xdplb {
namespace {

using ::testing::HasSubstr;

constexpr CpuFacts kCpus{.online = 4, .possible = 4};

Check check_of(const InterfaceFacts& facts, std::string_view code, const DoctorNeeds& needs = {},
               const CpuFacts& cpus = kCpus) {
  const auto checks = judge_interfaces(needs, {facts}, cpus);
  expect_remedies(checks);
  return find_check(checks, code);
}

// Ours, attached.
InterfaceFacts loaded(XdpPrograms programs) {
  auto facts = good_interface("eth0");
  facts.programs = programs;
  facts.program = "xdplb_dispatch";
  facts.is_ours = true;
  return facts;
}

TEST(JudgeInterfaces, FindsGoodOnesWell) {
  const auto checks = judge_interfaces({}, {good_interface("eth0"), good_interface("eth1", 3)}, kCpus);
  expect_remedies(checks);
  EXPECT_EQ(worst(checks), Verdict::kOk);
  for (const char* code :
       {"interface_down", "other_xdp", "xdp_driver", "queues", "rings", "lro", "gro_hw", "vlan_offload", "mtu"})
    EXPECT_EQ(count_checks(checks, code), 2U) << code;
  EXPECT_EQ(count_checks(checks, "xdp_mode"), 0U) << "nothing is attached: no mode was obtained";
}

TEST(JudgeInterfaces, MissingDownAndWithoutCarrier) {
  const auto missing = judge_interfaces({}, {{.name = "eth9"}}, kCpus);
  ASSERT_EQ(missing.size(), 1U);
  EXPECT_EQ(missing.front().code, "interface_missing");
  EXPECT_EQ(missing.front().verdict, Verdict::kFailure);
  auto facts = good_interface("eth0");
  facts.link->is_up = false;
  EXPECT_EQ(check_of(facts, "interface_down").remedy, "ip link set dev eth0 up");
  facts.link->is_up = true;
  facts.link->has_carrier = false;
  EXPECT_EQ(check_of(facts, "interface_down").verdict, Verdict::kFailure);
}

TEST(JudgeInterfaces, ModeIsWhatTheKernelTells) {
  EXPECT_EQ(check_of(loaded({.native = 7}), "xdp_mode").verdict, Verdict::kOk);
  EXPECT_EQ(check_of(loaded({.hardware = 7}), "xdp_mode").verdict, Verdict::kOk);
  const auto generic = check_of(loaded({.generic = 7}), "xdp_mode");
  EXPECT_EQ(generic.verdict, Verdict::kWarning);
  EXPECT_EQ(generic.remedy, "xdplb unload eth0 && xdplb load eth0 --mode native");
  auto facts = loaded({.generic = 7});
  facts.xdp->has_native = false;
  EXPECT_EQ(check_of(facts, "xdp_mode").remedy, "ethtool -i eth0") << "native is not to be had";
}

TEST(JudgeInterfaces, DriverFeatures) {
  auto facts = good_interface("eth0");
  facts.xdp->has_native = false;
  EXPECT_EQ(check_of(facts, "xdp_driver").verdict, Verdict::kWarning);
  facts.xdp.reset();
  EXPECT_EQ(check_of(facts, "xdp_driver").verdict, Verdict::kWarning) << "not known is not ok";
  auto known = loaded({.native = 7});
  known.xdp.reset();
  EXPECT_EQ(check_of(known, "xdp_driver").verdict, Verdict::kOk) << "it runs natively: proof enough";
}

TEST(JudgeInterfaces, RedirectCountsOnlyWithSeveralInterfaces) {
  auto facts = good_interface("eth0");
  facts.xdp->takes_redirected = false;
  EXPECT_EQ(check_of(facts, "xdp_driver").verdict, Verdict::kOk);
  const auto checks = judge_interfaces({}, {facts, good_interface("eth1", 3)}, kCpus);
  EXPECT_EQ(find_check(checks, "xdp_driver", "eth0").verdict, Verdict::kWarning);
  EXPECT_EQ(find_check(checks, "xdp_driver", "eth1").verdict, Verdict::kOk);
}

TEST(JudgeInterfaces, OtherPrograms) {
  EXPECT_EQ(check_of(loaded({.native = 7}), "other_xdp").verdict, Verdict::kOk);
  auto facts = loaded({.native = 7});
  facts.is_ours = false;
  EXPECT_EQ(check_of(facts, "other_xdp").verdict, Verdict::kFailure) << "of another instance";
  facts.program = "xdp_dispatcher";
  facts.chain = {"xdpfilt_alw_all"};
  EXPECT_EQ(check_of(facts, "other_xdp").remedy, "xdplb load --chain eth0");
  facts.chain.emplace_back("xdplb_dispatch");
  EXPECT_EQ(check_of(facts, "other_xdp").verdict, Verdict::kOk) << "ours is in it already";
  EXPECT_THAT(check_of(facts, "other_xdp").text, HasSubstr("xdpfilt_alw_all, then xdplb_dispatch"));
  EXPECT_EQ(check_of(facts, "xdp_mode").verdict, Verdict::kOk);
  facts.chain.clear();
  facts.program = "pass";
  EXPECT_EQ(check_of(facts, "other_xdp").remedy, "ip link set dev eth0 xdpdrv off");
  facts.programs = {.generic = 7};
  facts.program.clear();
  EXPECT_EQ(check_of(facts, "other_xdp").verdict, Verdict::kFailure);
  EXPECT_EQ(check_of(facts, "other_xdp").remedy, "ip link set dev eth0 xdpgeneric off");
}

TEST(JudgeInterfaces, QueuesAndCpus) {
  auto facts = good_interface("eth0");
  facts.driver->channels = DriverChannels{.now = 3, .most = 8};
  EXPECT_EQ(check_of(facts, "queues").remedy, "ethtool -L eth0 combined 4");
  facts.driver->channels = DriverChannels{.now = 4, .most = 8};
  EXPECT_EQ(check_of(facts, "queues").verdict, Verdict::kOk);
  facts.driver->channels = DriverChannels{.now = 1, .most = 1};
  EXPECT_EQ(check_of(facts, "queues").verdict, Verdict::kOk) << "there are no more";
  facts.driver->channels = DriverChannels{.now = 1, .most = 2, .are_combined = false};
  EXPECT_EQ(check_of(facts, "queues").remedy, "ethtool -L eth0 rx 2");
}

TEST(JudgeInterfaces, VirtioNeedsAQueueACpuBesides) {
  auto facts = good_interface("eth0");
  facts.driver->driver = "virtio_net";
  facts.driver->channels = DriverChannels{.now = 4, .most = 8};
  EXPECT_EQ(check_of(facts, "queues").verdict, Verdict::kOk);
  facts.driver->channels = DriverChannels{.now = 5, .most = 8};
  EXPECT_EQ(check_of(facts, "queues").remedy, "ethtool -L eth0 combined 4");
  facts.driver->channels = DriverChannels{.now = 4, .most = 4};
  EXPECT_THAT(check_of(facts, "queues").remedy, HasSubstr("queues=8"));
}

TEST(JudgeInterfaces, VirtioCountsCpusThatMayCome) {
  auto facts = good_interface("eth0");
  facts.driver->driver = "virtio_net";
  facts.driver->channels = DriverChannels{.now = 4, .most = 8};
  const auto check = check_of(facts, "queues", {}, CpuFacts{.online = 4, .possible = 8});
  EXPECT_EQ(check.verdict, Verdict::kWarning);
  EXPECT_THAT(check.remedy, HasSubstr("queues=16"));
}

TEST(JudgeInterfaces, VirtioThatWouldSendPastItsLastQueueGetsGeneric) {
  auto facts = good_interface("eth0");
  facts.driver->driver = "virtio_net";
  facts.driver->channels = DriverChannels{.now = 6, .most = 8};
  const auto check = check_of(facts, "queues");
  EXPECT_EQ(check.verdict, Verdict::kWarning);
  EXPECT_THAT(check.text, HasSubstr("generic"));
  EXPECT_EQ(check.remedy, "ethtool -L eth0 combined 4");
}

TEST(JudgeInterfaces, QueuesOfARunningVirtioAreXdpsToo) {
  auto facts = loaded({.native = 7});
  facts.driver->driver = "virtio_net";
  facts.driver->channels = DriverChannels{.now = 8, .most = 8};
  EXPECT_EQ(check_of(facts, "queues").verdict, Verdict::kOk);
  facts.driver->channels = DriverChannels{.now = 4, .most = 6};
  EXPECT_EQ(check_of(facts, "queues").remedy, "xdplb unload eth0 && ethtool -L eth0 combined 2 && xdplb load eth0");
  facts.driver->channels = DriverChannels{.now = 4, .most = 4};
  EXPECT_THAT(check_of(facts, "queues").remedy, HasSubstr("queues=8"));
}

TEST(JudgeInterfaces, OffloadThatOnlyTheHypervisorSwitchesOff) {
  auto facts = good_interface("eth0");
  facts.driver->driver = "virtio_net";
  facts.driver->gro_hw = DriverFeature{.is_on = true, .can_change = false};
  EXPECT_THAT(check_of(facts, "gro_hw").remedy, HasSubstr("ctrl_guest_offloads=on"));
}

TEST(JudgeInterfaces, Rings) {
  auto facts = good_interface("eth0");
  facts.driver->receive_ring = DriverRing{.now = kWantedRing - 1, .most = 4096};
  EXPECT_EQ(check_of(facts, "rings").remedy, "ethtool -G eth0 rx 512");
  facts.driver->receive_ring = DriverRing{.now = 256, .most = 256};
  EXPECT_EQ(check_of(facts, "rings").verdict, Verdict::kOk) << "it has no more";
  facts.driver->receive_ring.reset();
  EXPECT_EQ(count_checks(judge_interfaces({}, {facts}, kCpus), "rings"), 0U);
}

TEST(JudgeInterfaces, GluedFramesAndTags) {
  auto facts = good_interface("eth0");
  facts.driver->lro->is_on = facts.driver->gro_hw->is_on = facts.driver->vlan_offload->is_on = true;
  EXPECT_EQ(check_of(facts, "lro").verdict, Verdict::kFailure);
  EXPECT_EQ(check_of(facts, "lro").remedy, "ethtool -K eth0 lro off");
  EXPECT_EQ(check_of(facts, "gro_hw").verdict, Verdict::kWarning);
  EXPECT_EQ(check_of(facts, "vlan_offload").verdict, Verdict::kOk) << "no tags are used";
  EXPECT_EQ(check_of(facts, "vlan_offload", {.has_tags = true}).remedy, "ethtool -K eth0 rxvlan off");
  facts.has_vlans = true;
  EXPECT_EQ(check_of(facts, "vlan_offload").verdict, Verdict::kWarning);
  facts.driver->lro->can_change = false;
  EXPECT_EQ(check_of(facts, "lro").verdict, Verdict::kWarning) << "there is no command that cures it";
}

TEST(JudgeInterfaces, MtuBoundaries) {
  auto facts = good_interface("eth0");
  DoctorNeeds v6;
  v6.vipas.push_back({.address = address("2001:db8::10")});
  facts.link->mtu = kLeastV6Mtu - 1;
  EXPECT_EQ(check_of(facts, "mtu").verdict, Verdict::kOk);
  EXPECT_EQ(check_of(facts, "mtu", v6).verdict, Verdict::kFailure);
  facts.link->mtu = kLeastV6Mtu;
  EXPECT_EQ(check_of(facts, "mtu", v6).verdict, Verdict::kOk);
  facts.link->mtu = kMostNativeMtu;
  EXPECT_EQ(check_of(facts, "mtu").verdict, Verdict::kOk);
  facts.link->mtu = kMostNativeMtu + 1;
  EXPECT_EQ(check_of(facts, "mtu").verdict, Verdict::kWarning);
  auto native = loaded({.native = 7});
  native.link->mtu = 9000;
  EXPECT_EQ(check_of(native, "mtu").verdict, Verdict::kOk) << "the driver took it";
}

TEST(JudgeInterfaces, MtusThatDiffer) {
  auto other = good_interface("eth1", 3);
  other.link->mtu = 1400;
  const auto checks = judge_interfaces({}, {good_interface("eth0"), other}, kCpus);
  expect_remedies(checks);
  EXPECT_EQ(worst(checks), Verdict::kWarning);
  EXPECT_EQ(count_checks(checks, "mtu"), 3U);
}

}  // namespace
}  // namespace xdplb
