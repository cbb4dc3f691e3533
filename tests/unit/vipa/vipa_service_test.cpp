// SPDX-License-Identifier: GPL-2.0-only
// Owning: what leaves when a VIPA is claimed, moves and goes, and how questions are answered.
#include "vipa/vipa_service.h"

#include <cerrno>
#include <fstream>
#include <set>
#include <sstream>

#include "vipa_fixture.h"

namespace xdplb {
namespace {

using namespace std::chrono_literals;
using testing::Contains;
using testing::ElementsAre;
using testing::ElementsAreArray;
using testing::IsEmpty;

using Service = VipaOnTheWire;

TEST_F(Service, FirstClaimIsProbedThenAnnouncedOnTheOwnerAlone) {
  set({managed(kVipa, {entry(0), entry(1)}, {.probe = DuplicateProbe::kFast})});
  ask(kVipa);
  settle();
  EXPECT_EQ(suppressed(SilenceReason::kSilent), 2u) << "nobody answers before the claim";
  ASSERT_TRUE(run_wire([&] { return about(kVipa).size() >= 5; }));
  Bytes probe = bytes_of(arp_probe(kMac0, kVipa));
  auto pair = pair_of(kMac0, kVipa);
  EXPECT_THAT(about(kVipa, "e0"), ElementsAre(probe, probe, probe, pair[0], pair[1]));
  EXPECT_THAT(about(kVipa, "e1"), IsEmpty());
  EXPECT_EQ(service_->counters().probes, 3u);
  EXPECT_EQ(status(kVipa).announcements, 2u);
  EXPECT_EQ(status(kVipa).report.state, VipaState::kOwned);
}

TEST_F(Service, EveryQuestionIsAnsweredOnceByTheOwner) {
  set({managed(kVipa, {entry(0), entry(1)})});
  settle();
  tap_.clear();
  ask(kVipa);
  ask(kVipa, kMac0);
  send(arp_probe(kClientMac, kVipa));
  settle();
  Bytes answer = bytes_of(arp_answer(question_for(kVipa).packet, kMac0));
  Bytes to_probe = bytes_of(arp_answer(arp_probe(kClientMac, kVipa).packet, kMac0));
  EXPECT_THAT(told_to_one(kVipa), ElementsAre(answer, answer, to_probe));
  EXPECT_EQ(status(kVipa).answers, 3u);
  EXPECT_EQ(status(kVipa).requests, 5u) << "the sibling heard the broadcasts";
  EXPECT_EQ(status(kVipa).report.state, VipaState::kOwned) << "a foreign probe takes nothing away";
}

TEST_F(Service, KernelOfAClientResolvesBothFamilies) {
  set({owned(kVipa, 0), owned(kVipaV6, 1)});
  ASSERT_TRUE(client_host_->keep_neighbor(c0(), kVipa));
  ASSERT_TRUE(client_host_->keep_neighbor(c0(), kVipaV6));
  EXPECT_TRUE(run_until([&] { return client_is_at(kVipa, kMac0) && client_is_at(kVipaV6, kMac1); }));
}

TEST_F(Service, OtherAddressesAndRemovedVipasAreNotAnswered) {
  set({owned(kVipa, 0)});
  ask(ip("192.0.2.11"));
  settle();
  EXPECT_THAT(about(ip("192.0.2.11")), IsEmpty());
  set({});
  settle();
  tap_.clear();
  ask(kVipa);
  settle();
  // The series ended with the VIPA: the marker's next announcement comes after the time of its own.
  ASSERT_TRUE(run_wire([&] { return sent("e1", bytes_of(arp_announcement(kMac1, kMarker))) > 0; }));
  EXPECT_THAT(about(kVipa), IsEmpty());
  EXPECT_THAT(events_, ElementsAre("vipa_owned", "vipa_released"));
  EXPECT_EQ(service_->status(kVipa), std::nullopt);
}

// Scenario: the owner fails. It must be mute before the new one says a word, for all VIPAs.
TEST_F(Service, FailoverSilencesTheOldOwnerBeforeTheNewOneSpeaks) {
  std::vector<IpAddress> addresses;
  std::vector<ManagedVipa> vipas;
  for (int i = 0; i < 20; ++i) {
    addresses.push_back(ip("198.51.100." + std::to_string(i)));
    vipas.push_back(managed(addresses.back(), {entry(0), entry(1)}));
  }
  set(vipas);
  settle();
  ASSERT_TRUE(run_wire([&] { return service_->counters().announcements >= 42; }));
  tap_.clear();
  std::size_t before = service_->counters().announcements;
  fail_over(addresses);
  EXPECT_GE(service_->counters().announcements, before + 20) << "the first frames leave within the call";
  ASSERT_TRUE(run_wire([&] { return service_->counters().announcements >= before + 40; }));
  std::set<IpAddress> seen({});
  for (const auto& frame : tap_.frames()) {
    auto arp = decode_arp(frame.bytes);
    if (!arp || arp->packet.sender_ip == kMarker) continue;
    EXPECT_NE(frame.from, "e0");
    if (frame.from == "e1") seen.insert(arp->packet.sender_ip);
  }
  EXPECT_EQ(seen.size(), addresses.size());
  for (const auto& address : addresses) {
    EXPECT_EQ(status(address).report.owner, e(1));
    ASSERT_TRUE(status(address).event_to_announcement);
    EXPECT_LT(*status(address).event_to_announcement, 1s);
  }
}

TEST_F(Service, FailoverTellsGatewaysAndAskersByUnicast) {
  set({managed(kVipa, {entry(0), entry(1)}), managed(kVipaV6, {entry(0), entry(1)})});
  ask(kVipa);
  send(nd_question(kClientMac, kClientV6, kVipaV6));
  settle();
  MacAddress gateway = mac("02:00:00:00:00:99");
  service_->set_neighbours({{.address = ip("192.0.2.254"), .mac = gateway, .ifindex = e(1)},
                            {.address = ip("192.0.2.253"), .mac = gateway, .ifindex = e(0)},
                            {.address = ip("192.0.2.252"), .mac = kMac0, .ifindex = e(1)}});
  tap_.clear();
  fail_over({kVipa, kVipaV6});
  ASSERT_TRUE(run_wire([&] { return about(kVipa).size() >= 4 && about(kVipaV6).size() >= 2; }));
  auto pair = pair_of(kMac1, kVipa);
  EXPECT_THAT(about(kVipa), ElementsAre(pair[0], pair[1],
                                        bytes_of(arp_directed_announcement(kMac1, kVipa, gateway, ip("192.0.2.254"))),
                                        bytes_of(arp_directed_announcement(kMac1, kVipa, kClientMac, kClientIp))));
  EXPECT_THAT(about(kVipaV6),
              ElementsAre(bytes_of(nd_announcement(kMac1, kOwnLinkLocal, kVipaV6)),
                          bytes_of(nd_directed_announcement(kMac1, kOwnLinkLocal, kVipaV6, kClientMac, kClientV6))));
}

// The whole way of a failover: the kernel's event, the machine, the announcement, the client's kernel.
TEST_F(Service, LossOfTheOwnersCarrierReachesTheClientWithinMilliseconds) {
  auto follow = [&] {
    interfaces_ = {interface("e0"), interface("e1")};
    bool is_up = interfaces_[0].is_up;
    set({managed(kVipa, {entry(0, is_up ? EntryState::kUp : EntryState::kFailed), entry(1)})});
  };
  follow();
  ASSERT_TRUE(client_host_->keep_neighbor(c0(), kVipa));
  ASSERT_TRUE(run_until([&] { return client_is_at(kVipa, kMac0); }));
  host_->on_change([&](const HostChange& change) {
    if (std::holds_alternative<LinkChanged>(change)) follow();
  });
  settle();
  tap_.clear();
  auto start = std::chrono::steady_clock::now();
  lan_.run("ip link set port-e0 down");
  ASSERT_TRUE(run_until([&] { return client_is_at(kVipa, kMac1); }));
  RecordProperty("failover_ms", std::to_string(milliseconds_since(start)));
  ASSERT_TRUE(status(kVipa).event_to_announcement);
  RecordProperty("event_to_announcement_us", std::to_string(status(kVipa).event_to_announcement->count() / 1000));
  ask(kVipa);
  settle();
  for (const auto& frame : about(kVipa, "e0"))
    EXPECT_FALSE(claims({.from = "e0", .bytes = frame, .read_at = {}}, kVipa));
  EXPECT_THAT(about(kVipa, "e1"), Contains(bytes_of(arp_answer(question_for(kVipa).packet, kMac1))));
}

TEST_F(Service, NothingHealthyIsSilenceAndBackAgainIsAnnouncedAtOnce) {
  set({managed(kVipa, {entry(0)})});
  settle();
  set({managed(kVipa, {entry(0, EntryState::kFailed)})});
  tap_.clear();
  ask(kVipa);
  settle();
  ASSERT_TRUE(run_wire([&] { return sent("e1", bytes_of(arp_announcement(kMac1, kMarker))) > 0; }));
  EXPECT_THAT(about(kVipa), IsEmpty());
  EXPECT_EQ(status(kVipa).report.state, VipaState::kSilent);
  set({managed(kVipa, {entry(0)}, {.probe = DuplicateProbe::kFast})});
  ASSERT_TRUE(run_wire([&] { return about(kVipa).size() >= 2; }));
  EXPECT_THAT(told_to_all(kVipa), ElementsAreArray(pair_of(kMac0, kVipa))) << "silent for less than 10 s: no probes";
}

TEST_F(Service, OperatorMovesDisablesAndEnables) {
  EXPECT_EQ(service_->move_to(kVipa, "e1").error().code, ErrorCode::kNotFound);
  EXPECT_EQ(service_->resume(kVipa).error().code, ErrorCode::kNotFound);
  EXPECT_EQ(service_->set_disabled(kVipa, true).error().code, ErrorCode::kNotFound);
  set({managed(kVipa, {entry(0), entry(1)})});
  EXPECT_EQ(service_->move_to(kVipa, "e7").error().code, ErrorCode::kNotFound);
  settle();
  tap_.clear();
  ASSERT_TRUE(service_->move_to(kVipa, "e1"));
  ASSERT_TRUE(run_wire([&] { return about(kVipa).size() >= 2; }));
  EXPECT_THAT(told_to_all(kVipa), ElementsAreArray(pair_of(kMac1, kVipa)));
  ASSERT_TRUE(status(kVipa).event_to_announcement);
  ASSERT_TRUE(service_->resume(kVipa));
  ASSERT_TRUE(service_->set_disabled(kVipa, true));
  tap_.clear();
  ask(kVipa);
  settle();
  EXPECT_THAT(about(kVipa), IsEmpty());
  ASSERT_TRUE(service_->set_disabled(kVipa, false));
  ASSERT_TRUE(run_wire([&] { return about(kVipa).size() >= 2; }));
}

TEST_F(Service, WhatTheOperatorSaidBeforeARestartHolds) {
  service_->restore(kVipa, true, "");
  service_->restore(kVipaV6, false, "e1");
  set({managed(kVipa, {entry(0), entry(1)}), managed(kVipaV6, {entry(0), entry(1)})});
  EXPECT_EQ(status(kVipa).report.state, VipaState::kDisabled);
  EXPECT_EQ(status(kVipaV6).report.owner, e(1));
  EXPECT_EQ(status(kVipaV6).report.pinned, "e1");
}

// A client that revalidates an entry of before the move asks by unicast.
TEST_F(Service, ClientThatAsksTheOldOwnerIsCorrectedByTheNewOne) {
  set({owned(kVipa, 1)});
  settle();
  tap_.clear();
  ask(kVipa, kMac0);
  settle();
  EXPECT_THAT(told_to_one(kVipa), ElementsAre(bytes_of(arp_answer(question_for(kVipa).packet, kMac1))));
  EXPECT_THAT(about(kVipa, "e0"), IsEmpty());
  EXPECT_EQ(service_->counters().healed, 1u);
}

TEST_F(Service, NewMacAndReturnOfCarrierAreAnnounced) {
  set({owned(kVipa, 0)});
  settle();
  MacAddress next = mac("02:00:00:00:00:77");
  dispatcher_.run("ip link set e0 address 02:00:00:00:00:77");
  ASSERT_TRUE(run_until([&] { return host_->find_link("e0")->mac == next; }));
  tap_.clear();
  interfaces_[0] = interface("e0");
  set({owned(kVipa, 0)});
  ASSERT_TRUE(run_wire([&] { return about(kVipa).size() >= 2; }));
  EXPECT_THAT(told_to_all(kVipa), ElementsAreArray(pair_of(next, kVipa)));
  send(arp_announcement(kMac0, kVipa));
  settle();
  EXPECT_EQ(service_->counters().conflicts, 0u) << "a frame with the former MAC may still be on its way";
  interfaces_[0].is_up = false;
  set({owned(kVipa, 0)});
  tap_.clear();
  interfaces_[0].is_up = true;
  set({owned(kVipa, 0)});
  ASSERT_TRUE(run_wire([&] { return about(kVipa).size() >= 2; }, 1s));
  tap_.clear();
  service_->announce_again(e(0));
  ASSERT_TRUE(run_wire([&] { return about(kVipa).size() >= 2; }, 1s));
}

TEST_F(Service, SameAgainSendsNothing) {
  set({owned(kVipa, 0)});
  settle();
  set({owned(kVipa, 0)});
  settle();
  ASSERT_TRUE(run_wire([&] { return status(kVipa).announcements >= 4; })) << "the series goes on";
  EXPECT_EQ(status(kVipa).announcements, status(kMarker).announcements) << "whose series began with it";
}

TEST_F(Service, RemovedInterfaceIsSilentAtOnceAndOneThatIsGoneIsNamed) {
  set({owned(kVipa, 0)});
  settle();
  VipaInterface e0 = interfaces_[0];
  interfaces_.erase(interfaces_.begin());
  set({owned(kVipa, 0)});
  tap_.clear();
  ask(kVipa);
  settle();
  EXPECT_THAT(about(kVipa), IsEmpty());
  interfaces_.push_back({.ifindex = 9999, .name = "gone0", .mac = kMac0, .is_up = true, .link_local = {}});
  interfaces_.push_back(e0);
  auto set_all = dispatcher_.inside([&] { return service_->set_interfaces(interfaces_); });
  ASSERT_FALSE(set_all);
  EXPECT_THAT(set_all.error().message, testing::HasSubstr("gone0"));
  ask(kVipa);
  settle();
  EXPECT_THAT(about(kVipa), Contains(bytes_of(arp_answer(question_for(kVipa).packet, kMac0))));
}

TEST_F(Service, FrameThatTheKernelRefusesIsTold) {
  std::vector<std::pair<std::string, int>> errors;
  service_->on_send_error([&](const std::string& name, int number) { errors.emplace_back(name, number); });
  dispatcher_.run("ip link set e0 down");
  set({owned(kVipa, 0)});
  EXPECT_THAT(errors, IsEmpty()) << "not from within a call";
  ASSERT_TRUE(run_until([&] { return errors.size() >= 2; }));
  EXPECT_EQ(errors[0], (std::pair<std::string, int>("e0", ENETDOWN)));
  EXPECT_GE(service_->counters().send_errors, 2u);
  EXPECT_EQ(status(kVipa).event_to_announcement, std::nullopt);
}

TEST_F(Service, HandlersMayCallTheServiceOrEndIt) {
  service_->on_event([&](const IpAddress& vipa, const TellEvent&) {
    if (vipa == kVipa && service_) service_.reset();
  });
  set({owned(kVipa, 0)});
  EXPECT_NE(service_, nullptr);
  EXPECT_TRUE(run_until([&] { return service_ == nullptr; }));
  while (io_.poll() > 0) {
  }
}

TEST_F(Service, AskerIsAnsweredFiftyTimesASecondAtMost) {
  set({owned(kVipa, 0)});
  settle();
  for (int i = 0; i < 100; ++i) ask(kVipa);
  ASSERT_TRUE(run_until([&] { return status(kVipa).requests >= 200; }));
  EXPECT_GE(suppressed(SilenceReason::kRateLimited), 1u);
  EXPECT_GE(status(kVipa).answers, 49u) << "the marker took one";
}

TEST_F(Service, FiveHundredVipasAreAnnouncedBreadthFirst) {
  std::vector<IpAddress> addresses;
  std::vector<ManagedVipa> vipas;
  for (unsigned i = 0; i < 500; ++i) {
    addresses.push_back(
        IpAddress::v4({198, 18, static_cast<std::uint8_t>(i / 250), static_cast<std::uint8_t>(i % 250)}));
    vipas.push_back(managed(addresses.back(), {entry(0), entry(1)}));
  }
  set(vipas);
  auto pairs = [&] { return service_->counters().announcements >= 1000; };
  fail_over(addresses);
  tap_.drain(lan_);
  ASSERT_TRUE(run_wire(pairs));
  std::map<IpAddress, unsigned> firsts;
  for (const auto& frame : tap_.frames()) {
    auto arp = decode_arp(frame.bytes);
    if (frame.from != "e1" || !arp || arp->packet.sender_ip == kMarker) continue;
    if (arp->packet.operation != ArpOperation::kRequest) continue;
    if (++firsts[arp->packet.sender_ip] > 1) break;
  }
  EXPECT_EQ(firsts.size(), addresses.size()) << "a second announcement came before the first of another VIPA";
  std::chrono::nanoseconds worst{};
  for (const auto& address : addresses) worst = std::max(worst, status(address).event_to_announcement.value_or(1h));
  RecordProperty("worst_first_announcement_ms", std::to_string(worst.count() / 1000000));
}

TEST_F(Service, ThousandsOfVipasAreSetAndAnswered) {
  std::vector<ManagedVipa> vipas;
  for (unsigned i = 0; i < 1000; ++i) {
    auto high = static_cast<std::uint8_t>(i / 250);
    auto low = static_cast<std::uint8_t>(1 + i % 250);
    vipas.push_back(owned(IpAddress::v4({198, 18, high, low}), 0));
    vipas.push_back(owned(IpAddress::v6({0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, high, low}), 0));
  }
  auto start = std::chrono::steady_clock::now();
  set(vipas);
  RecordProperty("first_ms", std::to_string(milliseconds_since(start)));
  start = std::chrono::steady_clock::now();
  set(vipas);
  RecordProperty("again_ms", std::to_string(milliseconds_since(start)));
  tap_.clear();
  ask(vipas[1998].address);
  settle();
  EXPECT_EQ(sent("e0", bytes_of(arp_answer(question_for(vipas[1998].address).packet, kMac0))), 1u);
}

}  // namespace
}  // namespace xdplb
