// SPDX-License-Identifier: GPL-2.0-only
#include "vipa/vipa_service.h"

#include <gmock/gmock.h>

#include <fstream>
#include <sstream>

#include "host/host_monitor.h"
#include "host/packet_socket.h"
#include "net/arp_packet.h"
#include "net/nd_packet.h"
#include "sandbox.h"
#include "solicitation.h"

namespace xdplb {
namespace {

using namespace std::chrono_literals;

IpAddress ip(const char* text) { return *IpAddress::parse(text); }
MacAddress mac(const char* text) { return *MacAddress::parse(text); }

const MacAddress kMac0 = mac("02:00:00:00:00:01");
const MacAddress kMac1 = mac("02:00:00:00:00:02");
const MacAddress kClientMac = mac("02:00:00:00:00:c1");
const IpAddress kVipa = ip("192.0.2.10");
const IpAddress kVipaV6 = ip("2001:db8::10");
const IpAddress kMarker = ip("192.0.2.250");  // answered by e1: the answer says that earlier questions are dealt with

// A dispatcher with two interfaces and a client on one LAN.
class Service : public Sandbox {
 protected:
  void SetUp() override {
    Sandbox::SetUp();
    if (IsSkipped()) return;
    plug_in(dispatcher_, "e0", "02:00:00:00:00:01");
    plug_in(dispatcher_, "e1", "02:00:00:00:00:02");
    client_ = NetworkNamespace::make();
    plug_in(client_, "c0", "02:00:00:00:00:c1");
    client_.run("ip addr add 192.0.2.99/24 dev c0; ip addr add 2001:db8::99/64 dev c0");
    host_ = dispatcher_.inside([&] { return *HostMonitor::open(io_); });
    client_host_ = client_.inside([&] { return *HostMonitor::open(io_); });
    interfaces_ = {interface("e0"), interface("e1")};
    indexes_ = {interfaces_[0].ifindex, interfaces_[1].ifindex};
    client_arp_ = listen(PacketKind::kArp);
    client_nd_ = listen(PacketKind::kNeighborDiscovery);
    service_ = *VipaService::open(io_);
  }

  VipaInterface interface(const char* name) const {
    const Link* link = host_->find_link(name);
    return {.ifindex = link->index, .name = name, .mac = link->mac, .is_up = link->is_usable(), .link_local = {}};
  }

  std::unique_ptr<PacketSocket> listen(PacketKind kind) {
    auto opened = client_.inside([&] { return PacketSocket::open(io_, c0(), "c0", kind); });
    EXPECT_TRUE(opened);
    (*opened)->on_frame([this](std::span<const std::uint8_t> frame, bool) {
      if (auto arp = decode_arp(frame)) arps_.push_back(*arp);
      if (auto advertisement = decode_advertisement(frame)) advertisements_.push_back(*advertisement);
    });
    return std::move(*opened);
  }

  std::uint32_t c0() const { return client_host_->find_link("c0")->index; }
  std::uint32_t e(int number) const { return indexes_.at(static_cast<std::size_t>(number)); }

  OwnedVipa owned(const IpAddress& address, int interface_number, ElectionKind kind = ElectionKind::kOwner) const {
    return {.address = address,
            .election = {.kind = kind, .owner = e(interface_number), .owner_name = {}, .reason = {}}};
  }
  void set(std::vector<OwnedVipa> vipas) {
    vipas.push_back(owned(kMarker, 1));
    dispatcher_.inside([&] {
      auto set = service_->set_interfaces(interfaces_);
      EXPECT_TRUE(set) << set.error().message;
      service_->set_vipas(vipas);
    });
  }

  void ask(const IpAddress& address, const MacAddress& destination = kBroadcastMac) {
    ArpFrame question{.ethernet = {.destination = destination, .source = kClientMac},
                      .packet = {.operation = ArpOperation::kRequest,
                                 .sender_mac = kClientMac,
                                 .sender_ip = ip("192.0.2.99"),
                                 .target_mac = {},
                                 .target_ip = address}};
    ASSERT_TRUE(client_arp_->send(encode_arp(question)));
  }
  // MACs that claimed the address to the client so far, in order; only direct answers, or only announcements.
  std::vector<MacAddress> senders(const IpAddress& address, bool announcements) const {
    std::vector<MacAddress> macs;
    for (const auto& arp : arps_) {
      bool is_announcement = arp.ethernet.destination == kBroadcastMac;
      if (arp.packet.sender_ip == address && is_announcement == announcements) macs.push_back(arp.packet.sender_mac);
    }
    return macs;
  }
  std::vector<MacAddress> answers(const IpAddress& address) const { return senders(address, false); }
  std::vector<MacAddress> announcements(const IpAddress& address) const { return senders(address, true); }

  // Asks for the marker and waits for its answer: what was asked before on the same LAN has had its chance.
  void settle() {
    std::size_t before = answers(kMarker).size();
    ask(kMarker);
    ASSERT_TRUE(run_until([&] { return answers(kMarker).size() > before; }));
  }

  bool client_is_at(const IpAddress& address, const MacAddress& expected) const {
    const Neighbor* neighbor = client_host_->find_neighbor(c0(), address);
    return neighbor != nullptr && neighbor->state == NeighborState::kValid && neighbor->mac == expected;
  }

  NetworkNamespace client_;
  std::unique_ptr<HostMonitor> host_;
  std::unique_ptr<HostMonitor> client_host_;
  std::unique_ptr<PacketSocket> client_arp_;
  std::unique_ptr<PacketSocket> client_nd_;
  std::vector<VipaInterface> interfaces_;
  std::vector<std::uint32_t> indexes_;
  std::unique_ptr<VipaService> service_;
  std::vector<ArpFrame> arps_;
  std::vector<NeighbourAdvertisement> advertisements_;
};

using testing::Each;
using testing::ElementsAre;
using testing::IsEmpty;

TEST_F(Service, KernelOfAClientResolvesBothFamilies) {
  set({owned(kVipa, 0), owned(kVipaV6, 1)});
  ASSERT_TRUE(client_host_->keep_neighbor(c0(), kVipa));
  ASSERT_TRUE(client_host_->keep_neighbor(c0(), kVipaV6));
  EXPECT_TRUE(run_until([&] { return client_is_at(kVipa, kMac0) && client_is_at(kVipaV6, kMac1); }));
}

TEST_F(Service, ExactlyOneOfTwoInterfacesOnALanAnswers) {
  set({owned(kVipa, 0)});
  ask(kVipa);
  settle();
  EXPECT_THAT(answers(kVipa), ElementsAre(kMac0));
  EXPECT_GE(service_->counters().suppressed[static_cast<std::size_t>(SilenceReason::kNotOwner)], 1u);
  set({owned(kVipa, 1)});
  ask(kVipa);
  settle();
  EXPECT_THAT(answers(kVipa), ElementsAre(kMac0, kMac1));
}

TEST_F(Service, OneInterfaceAnswersWhereAnyMay) {
  set({owned(kVipa, 0, ElectionKind::kAnswerWhereAsked)});
  ask(kVipa);
  settle();
  EXPECT_EQ(answers(kVipa).size(), 1u);
  EXPECT_EQ(service_->counters().suppressed[static_cast<std::size_t>(SilenceReason::kAnsweredElsewhere)], 1u);
}

TEST_F(Service, AddressThatIsNoVipaIsNotAnswered) {
  set({owned(kVipa, 0)});
  ask(ip("192.0.2.11"));
  settle();
  EXPECT_THAT(answers(ip("192.0.2.11")), IsEmpty());
}

TEST_F(Service, SilentAndRemovedVipasAreNotAnswered) {
  set({owned(kVipa, 0, ElectionKind::kSilent)});
  ask(kVipa);
  settle();
  EXPECT_THAT(answers(kVipa), IsEmpty());
  set({owned(kVipa, 0)});
  ask(kVipa);
  settle();
  ASSERT_EQ(answers(kVipa).size(), 1u);
  set({});
  std::size_t told = announcements(kVipa).size();
  ask(kVipa);
  settle();
  EXPECT_EQ(answers(kVipa).size(), 1u);
  // The series ended with the VIPA: the marker's second announcement comes after the time of its own.
  std::size_t before = announcements(kMarker).size();
  ASSERT_TRUE(run_until([&] { return announcements(kMarker).size() > before; }));
  EXPECT_EQ(announcements(kVipa).size(), told);
}

TEST_F(Service, GainIsAnnouncedInBothFormsAndInDiscovery) {
  set({owned(kVipa, 0), owned(kVipaV6, 0)});
  ASSERT_TRUE(run_until([&] { return announcements(kVipa).size() >= 2 && !advertisements_.empty(); }));
  std::vector<ArpFrame> seen;
  for (const auto& arp : arps_) {
    if (arp.packet.sender_ip == kVipa) seen.push_back(arp);
  }
  EXPECT_THAT(seen, ElementsAre(arp_announcement(kMac0, kVipa), arp_announcement_reply(kMac0, kVipa)));
  EXPECT_EQ(advertisements_[0], nd_announcement(kMac0, kVipaV6, kVipaV6)) << "no link-local source was given";
}

TEST_F(Service, AdvertisementComesFromTheLinkLocalAddress) {
  interfaces_[0].link_local = ip("fe80::ff:fe00:1");
  set({owned(kVipaV6, 0)});
  ASSERT_TRUE(run_until([&] { return !advertisements_.empty(); }));
  EXPECT_EQ(advertisements_[0], nd_announcement(kMac0, ip("fe80::ff:fe00:1"), kVipaV6));
}

TEST_F(Service, AnnouncementIsRepeatedAfterMoreThanASecond) {
  auto start = std::chrono::steady_clock::now();
  set({owned(kVipa, 0)});
  ASSERT_TRUE(run_until([&] { return announcements(kVipa).size() >= 4; }));
  EXPECT_GE(milliseconds_since(start), 1100);
  EXPECT_THAT(announcements(kVipa), Each(kMac0));
}

TEST_F(Service, SameElectionAgainSendsNothing) {
  set({owned(kVipa, 0)});
  ASSERT_TRUE(run_until([&] { return announcements(kVipa).size() == 2; }));
  set({owned(kVipa, 0)});
  settle();
  EXPECT_EQ(announcements(kVipa).size(), 2u);
}

TEST_F(Service, NewMacAndReturnOfCarrierAreAnnounced) {
  set({owned(kVipa, 0)});
  ASSERT_TRUE(run_until([&] { return announcements(kVipa).size() == 2; }));
  MacAddress next = mac("02:00:00:00:00:77");
  dispatcher_.run("ip link set e0 address 02:00:00:00:00:77");
  ASSERT_TRUE(run_until([&] { return host_->find_link("e0")->mac == next; }));
  interfaces_[0] = interface("e0");
  set({owned(kVipa, 0)});
  ASSERT_TRUE(run_until([&] { return announcements(kVipa).size() == 4; }));
  EXPECT_THAT(announcements(kVipa), ElementsAre(kMac0, kMac0, next, next));
  interfaces_[0].is_up = false;
  set({owned(kVipa, 0)});
  settle();
  interfaces_[0].is_up = true;
  set({owned(kVipa, 0)});
  EXPECT_TRUE(run_until([&] { return announcements(kVipa).size() == 6; }, 1s));
}

TEST_F(Service, ClientThatAsksTheOldOwnerIsCorrectedByTheNewOne) {
  set({owned(kVipa, 1)});
  ask(kVipa, kMac0);
  settle();
  EXPECT_THAT(answers(kVipa), ElementsAre(kMac1));
}

// The whole way of a failover: kernel event, election, answers and announcements.
TEST_F(Service, LossOfTheOwnersCarrierMovesTheVipaWithinMilliseconds) {
  auto elect = [&] {
    std::vector<ElectionCandidate> candidates;
    for (const char* name : {"e0", "e1"}) {
      const Link* link = host_->find_link(name);
      candidates.push_back({.ifindex = link->index,
                            .name = name,
                            .is_up = link->is_usable(),
                            .prefixes = {{.address = ip("192.0.2.1"), .length = 24}}});
    }
    interfaces_ = {interface("e0"), interface("e1")};
    set({{.address = kVipa, .election = elect_interface(kVipa, candidates)}});
  };
  elect();
  ASSERT_TRUE(client_host_->keep_neighbor(c0(), kVipa));
  ASSERT_TRUE(run_until([&] { return client_is_at(kVipa, kMac0); }));
  std::chrono::steady_clock::time_point heard;
  host_->on_change([&](const HostChange& change) {
    if (!std::holds_alternative<LinkChanged>(change)) return;
    if (heard == std::chrono::steady_clock::time_point()) heard = std::chrono::steady_clock::now();
    elect();
  });
  settle();
  arps_.clear();
  auto start = std::chrono::steady_clock::now();
  lan_.run("ip link set port-e0 down");
  ASSERT_TRUE(run_until([&] { return client_is_at(kVipa, kMac1); }));
  RecordProperty("failover_ms", std::to_string(milliseconds_since(start)));
  RecordProperty("event_to_client_ms", std::to_string(milliseconds_since(heard)));
  ask(kVipa);
  settle();
  EXPECT_THAT(answers(kVipa), ElementsAre(kMac1));
  // From the first frame of the new owner on, none of the old one.
  auto told = announcements(kVipa);
  auto first_new = std::find(told.begin(), told.end(), kMac1);
  EXPECT_EQ(std::find(first_new, told.end(), kMac0), told.end());
}

TEST_F(Service, ForeignClaimIsReportedOnceInAWhileAndCounted) {
  set({owned(kVipa, 0), owned(kVipaV6, 0)});
  std::vector<VipaConflict> conflicts;
  service_->on_conflict([&](const VipaConflict& conflict) { conflicts.push_back(conflict); });
  MacAddress rogue = mac("02:00:00:00:00:66");
  for (int i = 0; i < 2; ++i) ASSERT_TRUE(client_arp_->send(encode_arp(arp_announcement(rogue, kVipa))));
  ASSERT_TRUE(client_nd_->send(encode_advertisement(nd_announcement(rogue, ip("fe80::66"), kVipaV6))));
  // Both interfaces hear each.
  ASSERT_TRUE(run_until([&] { return service_->counters().conflicts == 6; }));
  ASSERT_EQ(conflicts.size(), 2u);
  EXPECT_EQ(conflicts[0].address, kVipa);
  EXPECT_EQ(conflicts[0].mac, rogue);
  EXPECT_EQ(conflicts[1].address, kVipaV6);
  auto status = service_->status();
  EXPECT_EQ(status[0].address, kVipa);
  EXPECT_EQ(status[0].conflicts, 4u);
  EXPECT_EQ(status[0].last_claimant, rogue);
}

TEST_F(Service, OwnFramesAreNoConflict) {
  set({owned(kVipa, 0)});
  ASSERT_TRUE(run_until([&] { return announcements(kVipa).size() == 2; }));
  service_->set_own_macs({mac("02:00:00:00:00:55")});
  ASSERT_TRUE(client_arp_->send(encode_arp(arp_announcement(mac("02:00:00:00:00:55"), kVipa))));
  settle();
  EXPECT_EQ(service_->counters().conflicts, 0u);
  EXPECT_GE(service_->counters().suppressed[static_cast<std::size_t>(SilenceReason::kOwnEcho)], 2u);
}

TEST_F(Service, JoinsTheGroupOnEveryInterfaceAndLeavesIt) {
  auto listeners = [&] {
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
  };
  set({owned(kVipaV6, 0)});
  EXPECT_THAT(listeners(), testing::UnorderedElementsAre("e0", "e1"));
  set({});
  EXPECT_THAT(listeners(), IsEmpty());
}

TEST_F(Service, InterfaceThatIsGoneIsNamedAndTheOthersServed) {
  interfaces_.push_back({.ifindex = 9999, .name = "gone0", .mac = kMac0, .is_up = true, .link_local = {}});
  auto set_all = dispatcher_.inside([&] { return service_->set_interfaces(interfaces_); });
  ASSERT_FALSE(set_all);
  EXPECT_THAT(set_all.error().message, testing::HasSubstr("gone0"));
  interfaces_.pop_back();
  set({owned(kVipa, 0)});
  ask(kVipa);
  settle();
  EXPECT_THAT(answers(kVipa), ElementsAre(kMac0));
}

TEST_F(Service, RemovedInterfaceIsSilentAtOnce) {
  set({owned(kVipa, 0)});
  interfaces_.erase(interfaces_.begin());
  set({owned(kVipa, 0)});
  ask(kVipa);
  settle();
  EXPECT_THAT(answers(kVipa), IsEmpty());
}

TEST_F(Service, ThousandVipasAreSetAndAnswered) {
  std::vector<OwnedVipa> vipas;
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
  ask(vipas[1998].address);
  settle();
  EXPECT_THAT(answers(vipas[1998].address), ElementsAre(kMac0));
}

}  // namespace
}  // namespace xdplb
