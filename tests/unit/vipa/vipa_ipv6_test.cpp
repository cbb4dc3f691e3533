// SPDX-License-Identifier: GPL-2.0-only
// The same by neighbour discovery.
#include <fstream>
#include <sstream>

#include "vipa_fixture.h"

namespace xdplb {
namespace {

using namespace std::chrono_literals;
using testing::Contains;
using testing::Each;
using testing::ElementsAre;
using testing::IsEmpty;

class Discovery : public VipaOnTheWire {
 protected:
  // Interfaces of the dispatcher that listen to the VIPA's solicited-node group.
  std::vector<std::string> listeners() const {
    return dispatcher_.inside([] {
      std::vector<std::string> names;
      std::ifstream file("/proc/thread-self/net/igmp6");
      for (std::string line; std::getline(file, line);) {
        std::istringstream fields(line);
        std::string index, name, group;
        fields >> index >> name >> group;
        if (group == "ff0200000000000000000001ff000010") names.push_back(name);
      }
      return names;
    });
  }
  static Bytes announcement(const MacAddress& own) { return bytes_of(nd_announcement(own, kOwnLinkLocal, kVipaV6)); }
};

TEST_F(Discovery, FirstClaimIsProbedFromNowhereThenAdvertised) {
  set({managed(kVipaV6, {entry(0), entry(1)}, {.probe = DuplicateProbe::kFast})});
  ASSERT_TRUE(run_wire([&] { return about(kVipaV6).size() >= 3; }));
  auto frames = about(kVipaV6);
  auto probe = decode_solicitation(frames[0]);
  ASSERT_TRUE(probe);
  ASSERT_TRUE(probe->nonce);
  EXPECT_EQ(frames[0], bytes_of(nd_probe(kMac0, kVipaV6, *probe->nonce)));
  EXPECT_EQ(frames[1], announcement(kMac0));
  EXPECT_EQ(frames[2], announcement(kMac0)) << "again after a second";
  EXPECT_THAT(about(kVipaV6, "e1"), IsEmpty());
}

TEST_F(Discovery, OwnProbeThatComesBackIsNoConflict) {
  set({managed(kVipaV6, {entry(0)}, {.probe = DuplicateProbe::kFast})});
  ASSERT_TRUE(run_wire([&] { return !about(kVipaV6).empty(); }));
  auto probe = decode_solicitation(about(kVipaV6)[0]);
  ASSERT_TRUE(probe);
  probe->ethernet.source = kRogue;  // by a loop that puts its own MAC in
  send(*probe);
  ASSERT_TRUE(run_wire([&] { return status(kVipaV6).report.state == VipaState::kOwned; }));
  EXPECT_EQ(service_->counters().conflicts, 0u);
}

TEST_F(Discovery, AnswerToTheProbeKeepsUsSilent) {
  set({managed(kVipaV6, {entry(0)}, {.probe = DuplicateProbe::kFast})});
  send(nd_announcement(kRogue, kVipaV6, kVipaV6));  // as RFC 4861 7.2.4 answers a probe
  ASSERT_TRUE(run_wire([&] { return status(kVipaV6).report.state == VipaState::kConflict; }));
  settle();
  for (const auto& frame : about(kVipaV6)) EXPECT_TRUE(decode_solicitation(frame)) << "probes alone";
  ASSERT_EQ(conflicts_.size(), 1u);
  EXPECT_EQ(conflicts_[0].mac, kRogue);
}

TEST_F(Discovery, EverySolicitationIsAnsweredByTheOwnerWithOverride) {
  set({managed(kVipaV6, {entry(0), entry(1)})});
  settle();
  NeighbourSolicitation multicast = nd_question(kClientMac, kClientV6, kVipaV6);
  NeighbourSolicitation unicast = multicast;
  unicast.ethernet.destination = kMac0;
  unicast.destination = kVipaV6;
  NeighbourSolicitation link_local = nd_question(kClientMac, ip("fe80::c1"), kVipaV6);
  NeighbourSolicitation bare = unicast;
  bare.source_mac = std::nullopt;
  for (const auto& question : {multicast, unicast, link_local, bare}) {
    tap_.clear();
    send(question);
    settle();
    ASSERT_THAT(told_to_one(kVipaV6), ElementsAre(bytes_of(nd_answer(question, kMac0))));
    auto answer = decode_advertisement(told_to_one(kVipaV6)[0]);
    EXPECT_TRUE(answer->is_solicited && answer->overrides && answer->target_mac == kMac0);
    EXPECT_THAT(about(kVipaV6, "e1"), IsEmpty());
  }
}

TEST_F(Discovery, ForeignProbeIsAnsweredToAllHosts) {
  set({owned(kVipaV6, 0)});
  settle();
  tap_.clear();
  send(nd_probe(kRogue, kVipaV6, {1, 2, 3, 4, 5, 6}));
  settle();
  EXPECT_THAT(about(kVipaV6), Contains(bytes_of(nd_announcement(kMac0, kVipaV6, kVipaV6))));
  EXPECT_EQ(status(kVipaV6).report.state, VipaState::kOwned);
}

TEST_F(Discovery, ForeignAdvertisementIsDefendedUnlessItCameFromBeyondARouter) {
  set({owned(kVipaV6, 0)});
  settle();
  tap_.clear();
  auto rogue = encode_advertisement(nd_announcement(kRogue, ip("fe80::66"), kVipaV6));
  rogue[kEthernetHeader + 7] = 64;
  ASSERT_TRUE(client_nd_->send(rogue));
  settle();
  EXPECT_EQ(service_->counters().conflicts, 0u);
  EXPECT_EQ(status(kVipaV6).report.defences, 0u);
  rogue[kEthernetHeader + 7] = 255;
  ASSERT_TRUE(client_nd_->send(rogue));
  tap_.clear();
  ASSERT_TRUE(run_wire([&] { return !about(kVipaV6).empty(); }));
  EXPECT_EQ(about(kVipaV6)[0], announcement(kMac0));
  settle();
  EXPECT_EQ(service_->counters().conflicts, 1u);
  EXPECT_EQ(status(kVipaV6).report.defences, 1u);
}

TEST_F(Discovery, ClientThatAsksTheOldOwnerIsCorrectedByTheNewOne) {
  set({owned(kVipaV6, 1)});
  settle();
  tap_.clear();
  NeighbourSolicitation stale = nd_question(kClientMac, kClientV6, kVipaV6);
  stale.ethernet.destination = kMac0;
  stale.destination = kVipaV6;
  send(stale);
  settle();
  EXPECT_THAT(told_to_one(kVipaV6), ElementsAre(bytes_of(nd_answer(stale, kMac1))));
  EXPECT_EQ(service_->counters().healed, 1u);
}

TEST_F(Discovery, FailoverReachesAClientWithAReachableEntry) {
  set({managed(kVipaV6, {entry(0), entry(1)})});
  ASSERT_TRUE(client_host_->keep_neighbor(c0(), kVipaV6));
  ASSERT_TRUE(run_until([&] { return client_is_at(kVipaV6, kMac0); }));
  fail_over({kVipaV6});
  EXPECT_TRUE(run_until([&] { return client_is_at(kVipaV6, kMac1); }, 1s));
}

TEST_F(Discovery, RoutedVipaIsAskedForFromTheLinkLocalAddress) {
  client_.run("ip addr add 2001:db8::10/128 dev c0 nodad");
  dispatcher_.run("ip addr add fe80::ff:fe00:1/64 dev e0 nodad 2>/dev/null || true");
  set({managed(kVipaV6, {entry(0), entry(1)}, {.role = VipaRole::kRouted})});
  ASSERT_TRUE(run_wire([&] { return status(kVipaV6).report.answered_by == kClientMac; }));
  EXPECT_THAT(about(kVipaV6), Each(bytes_of(nd_question(kMac0, kOwnLinkLocal, kVipaV6))));
  EXPECT_THAT(conflicts_, IsEmpty());
}

TEST_F(Discovery, WithoutALinkLocalAddressNobodysNameIsTaken) {
  interfaces_[0].link_local.reset();
  set({managed(kVipaV6, {entry(0)}, {.role = VipaRole::kRouted})});
  ASSERT_TRUE(run_wire([&] { return !about(kVipaV6).empty(); }));
  auto asked = decode_solicitation(about(kVipaV6)[0]);
  ASSERT_TRUE(asked);
  EXPECT_TRUE(asked->source.is_unspecified());
  set({managed(kVipaV6, {entry(0)})});
  EXPECT_TRUE(run_wire([&] { return sent("e0", bytes_of(nd_announcement(kMac0, kVipaV6, kVipaV6))) > 0; }));
}

TEST_F(Discovery, JoinsTheGroupOnEveryInterfaceAndLeavesIt) {
  set({owned(kVipaV6, 0)});
  EXPECT_THAT(listeners(), testing::UnorderedElementsAre("e0", "e1"));
  set({});
  EXPECT_THAT(listeners(), IsEmpty());
}

}  // namespace
}  // namespace xdplb
