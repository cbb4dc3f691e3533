// SPDX-License-Identifier: GPL-2.0-only
// Sharing a LAN: other machines that have a VIPA of ours, want it, or have it by right; and our own kernel.
#include "vipa/announce_schedule.h"
#include "vipa_fixture.h"

namespace xdplb {
namespace {

using namespace std::chrono_literals;
using testing::Each;
using testing::ElementsAre;
using testing::IsEmpty;

using Sharing = VipaOnTheWire;

TEST_F(Sharing, ClaimOfAnOwnedVipaIsDefendedOnceInTenSeconds) {
  set({owned(kVipa, 0)});
  settle();
  send(arp_announcement(kRogue, kVipa));
  send(arp_announcement_reply(kRogue, kVipa));
  auto start = std::chrono::steady_clock::now();
  settle();
  EXPECT_EQ(service_->counters().conflicts, 1u) << "both forms, heard on both interfaces, are one claim";
  ASSERT_EQ(conflicts_.size(), 1u);
  EXPECT_EQ(conflicts_[0].address, kVipa);
  EXPECT_EQ(conflicts_[0].mac, kRogue);
  EXPECT_FALSE(conflicts_[0].is_own_kernel);
  ASSERT_TRUE(run_until([&] { return milliseconds_since(start) > 250; })) << "until its copies are over";
  send(arp_announcement(kRogue, kVipa));
  settle();
  EXPECT_EQ(service_->counters().conflicts, 2u);
  EXPECT_EQ(conflicts_.size(), 1u) << "told once in 10 s";
  // The marker's series began with the VIPA's and was not contested.
  auto pair = pair_of(kMac0, kVipa);
  auto quiet = pair_of(kMac1, kMarker);
  EXPECT_EQ(sent("e0", pair[0]), sent("e1", quiet[0]) + 1);
  EXPECT_EQ(sent("e0", pair[1]), sent("e1", quiet[1]) + 1);
  auto told = status(kVipa);
  EXPECT_EQ(told.report.defences, 1u);
  ASSERT_EQ(told.claims.size(), 1u);
  EXPECT_EQ(told.claims[0].mac, kRogue);
  EXPECT_EQ(told.claims[0].count, 2u);
  EXPECT_THAT(events_, ElementsAre("vipa_owned", "vipa_defended"));
}

// At most 100 ms late: in frames at the pacing limit, for the machine the test runs on may be busy.
TEST_F(Sharing, DefenceGoesAheadOfWaitingSeries) {
  std::vector<ManagedVipa> vipas{owned(kVipa, 0)};
  set(vipas);
  settle();
  for (unsigned i = 0; i < 250; ++i) vipas.push_back(owned(ip("198.51.100." + std::to_string(i)), 0));
  set(vipas);
  tap_.drain(lan_);
  tap_.clear();
  send(arp_announcement(kRogue, kVipa));
  ASSERT_TRUE(run_wire([&] { return about(kVipa).size() >= 2; }));
  unsigned ahead = 0;
  for (const auto& frame : tap_.frames()) {
    if (frame.from == "e0" && is_about(frame, kVipa)) break;
    if (frame.from == "e0") ++ahead;
  }
  EXPECT_LE(ahead, 0.1 * kAnnouncementRate);
  EXPECT_LT(service_->counters().announcements, 504u) << "others were waiting";
}

TEST_F(Sharing, YieldGivesUpAtTheSecondClaimAndFallsSilent) {
  set({managed(kVipa, {entry(0)}, {.on_conflict = OnConflict::kYield, .probe = DuplicateProbe::kOff})});
  settle();
  send(arp_announcement(kRogue, kVipa));
  auto start = std::chrono::steady_clock::now();
  settle();
  EXPECT_EQ(status(kVipa).report.state, VipaState::kOwned);
  ASSERT_TRUE(run_until([&] { return milliseconds_since(start) > 250; }));
  send(arp_announcement(kRogue, kVipa));
  settle();
  EXPECT_EQ(status(kVipa).report.state, VipaState::kConflict);
  EXPECT_TRUE(status(kVipa).report.retry_at);
  tap_.clear();
  ask(kVipa);
  settle();
  // The series would have gone on at 1.1 s, as the marker's does.
  ASSERT_TRUE(run_wire([&] { return sent("e1", bytes_of(arp_announcement(kMac1, kMarker))) > 0; }));
  EXPECT_THAT(about(kVipa), IsEmpty());
  EXPECT_THAT(events_, ElementsAre("vipa_owned", "vipa_defended", "vipa_yielded"));
}

TEST_F(Sharing, AnswerToAProbeKeepsUsSilent) {
  set({managed(kVipa, {entry(0)}, {.probe = DuplicateProbe::kFast})});
  send(arp_answer(arp_probe(kMac0, kVipa).packet, kRogue));  // waits in the socket before the first timer is due
  ASSERT_TRUE(run_wire([&] { return status(kVipa).report.state == VipaState::kConflict; }));
  settle();
  EXPECT_THAT(about(kVipa), Each(bytes_of(arp_probe(kMac0, kVipa))));
  ASSERT_EQ(conflicts_.size(), 1u);
  EXPECT_EQ(conflicts_[0].mac, kRogue);
  EXPECT_EQ(conflicts_[0].ifindex, e(0));
}

TEST_F(Sharing, ForeignProbeWhileProbingKeepsUsSilent) {
  set({managed(kVipa, {entry(0)}, {.probe = DuplicateProbe::kFast})});
  send(arp_probe(kRogue, kVipa));
  ASSERT_TRUE(run_wire([&] { return status(kVipa).report.state == VipaState::kConflict; }));
  settle();
  EXPECT_THAT(about(kVipa), Each(bytes_of(arp_probe(kMac0, kVipa))));
}

TEST_F(Sharing, OwnAnnouncementsHeardByTheSiblingAreNoConflict) {
  set({owned(kVipa, 0), owned(kVipaV6, 0)});
  settle();
  EXPECT_GE(suppressed(SilenceReason::kOwnEcho), 3u);
  service_->set_own_macs({mac("02:00:00:00:00:55")});
  send(arp_announcement(mac("02:00:00:00:00:55"), kVipa));
  settle();
  EXPECT_EQ(service_->counters().conflicts, 0u);
  EXPECT_THAT(status(kVipa).claims, IsEmpty());
}

// The start-up test: V on lo with arp_ignore 0, so the kernel answers on the sibling what is asked on the owner.
TEST_F(Sharing, OwnKernelThatAnswersBesideUsIsFoundByTheProbes) {
  dispatcher_.run(
      "ip addr add 192.0.2.10/32 dev lo; "
      "for i in all e0 e1; do echo 0 > /proc/sys/net/ipv4/conf/$i/arp_ignore; done");
  set({managed(kVipa, {entry(0), entry(1)}, {.probe = DuplicateProbe::kFast})});
  ASSERT_TRUE(run_wire([&] { return status(kVipa).report.state == VipaState::kConflict; }));
  settle();
  ASSERT_EQ(conflicts_.size(), 1u);
  EXPECT_TRUE(conflicts_[0].is_own_kernel);
  EXPECT_EQ(conflicts_[0].mac, kMac1);
  EXPECT_TRUE(status(kVipa).claims.at(0).is_own_kernel);
  EXPECT_THAT(status(kVipa).report.reason, testing::HasSubstr("kernel"));
}

TEST_F(Sharing, OwnKernelThatIsToldToKeepQuietIsNotHeard) {
  dispatcher_.run("ip addr add 192.0.2.10/32 dev lo; echo 1 > /proc/sys/net/ipv4/conf/all/arp_ignore");
  set({managed(kVipa, {entry(0), entry(1)}, {.probe = DuplicateProbe::kFast})});
  ASSERT_TRUE(run_wire([&] { return status(kVipa).report.state == VipaState::kOwned; }));
  EXPECT_EQ(service_->counters().conflicts, 0u);
}

TEST_F(Sharing, RoutedVipaIsWatchedAndNeverAnswered) {
  client_.run("ip addr add 192.0.2.10/32 dev c0");
  set({managed(kVipa, {entry(0), entry(1)}, {.role = VipaRole::kRouted})});
  ASSERT_TRUE(run_wire([&] { return status(kVipa).report.answered_by.has_value(); }));
  EXPECT_EQ(status(kVipa).report.answered_by, kClientMac);
  MacAddress asker = mac("02:00:00:00:00:c2");
  send(arp_question(asker, ip("192.0.2.98"), kVipa));
  settle();
  EXPECT_THAT(about(kVipa), Each(bytes_of(arp_question(kMac0, kOwnIp, kVipa))));
  EXPECT_EQ(service_->counters().conflicts, 0u) << "an expected answer";
  EXPECT_THAT(conflicts_, IsEmpty());
  ASSERT_EQ(status(kVipa).claims.size(), 1u);
  EXPECT_TRUE(status(kVipa).claims[0].is_expected);
  send(arp_announcement(kClientMac, kVipa));
  settle();
  EXPECT_THAT(conflicts_, IsEmpty()) << "from who answers anyway";
  send(arp_announcement(kRogue, kVipa));
  settle();
  ASSERT_EQ(conflicts_.size(), 1u);
  EXPECT_EQ(conflicts_[0].mac, kRogue);
}

TEST_F(Sharing, BackupTakesOverFromOneThatFallsSilentAndYieldsToItsReturn) {
  client_.run("ip addr add 192.0.2.10/32 dev c0");
  set({managed(kVipa, {entry(0), entry(1)}, {.role = VipaRole::kBackup})});
  ASSERT_TRUE(run_wire([&] { return status(kVipa).report.answered_by == kClientMac; }));
  EXPECT_EQ(status(kVipa).report.state, VipaState::kStandby);
  client_.run("ip addr del 192.0.2.10/32 dev c0");
  ASSERT_TRUE(run_wire([&] { return status(kVipa).report.state == VipaState::kOwned; }));
  settle();
  auto frames = about(kVipa, "e0");
  auto first = std::find(frames.begin(), frames.end(), pair_of(kMac0, kVipa)[0]);
  EXPECT_GE(first - frames.begin(), 3) << "three questions in a row";
  EXPECT_TRUE(std::all_of(frames.begin(), first,
                          [](const Bytes& b) { return b == bytes_of(arp_question(kMac0, kOwnIp, kVipa)); }));
  EXPECT_THAT(about(kVipa, "e1"), IsEmpty());
  send(arp_announcement(kRogue, kVipa));
  settle();
  EXPECT_EQ(status(kVipa).report.state, VipaState::kStandby);
  EXPECT_THAT(conflicts_, IsEmpty());
  tap_.clear();
  ask(kVipa);
  settle();
  for (const auto& frame : tap_.frames()) EXPECT_FALSE(frame.from != "c0" && claims(frame, kVipa));
}

TEST_F(Sharing, BackupYieldsToAForeignProbe) {
  set({managed(kVipa, {entry(0)}, {.role = VipaRole::kBackup})});
  ASSERT_TRUE(run_wire([&] { return status(kVipa).report.state == VipaState::kOwned; }));
  settle();
  tap_.clear();
  send(arp_probe(kRogue, kVipa));
  settle();
  EXPECT_EQ(status(kVipa).report.state, VipaState::kStandby);
  for (const auto& frame : tap_.frames()) EXPECT_FALSE(frame.from != "c0" && claims(frame, kVipa));
}

}  // namespace
}  // namespace xdplb
