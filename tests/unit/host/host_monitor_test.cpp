// SPDX-License-Identifier: GPL-2.0-only
#include "host/host_monitor.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <chrono>
#include <memory>
#include <vector>

#include "host/packet_socket.h"
#include "net/arp_packet.h"
#include "sandbox.h"

namespace xdplb {
namespace {

using Clock = std::chrono::steady_clock;

IpAddress ip(const char* text) { return *IpAddress::parse(text); }
MacAddress mac(const char* text) { return *MacAddress::parse(text); }

const IpAddress kServer = ip("192.0.2.21");
const IpAddress kServerV6 = ip("2001:db8::21");
const MacAddress kServerMac = mac("02:00:00:00:00:21");

class Monitor : public Sandbox {
 protected:
  void SetUp() override {
    Sandbox::SetUp();
    if (IsSkipped()) return;
    plug_in(dispatcher_, "e0", "02:00:00:00:00:01");
    dispatcher_.run("ip addr add 192.0.2.1/24 dev e0; ip addr add 2001:db8::1/64 dev e0");
  }

  void watch() {
    auto opened = dispatcher_.inside([&] { return HostMonitor::open(io_); });
    ASSERT_TRUE(opened) << opened.error().message;
    monitor_ = std::move(*opened);
    monitor_->on_change([this](const HostChange& change) { changes_.push_back(change); });
    ASSERT_NE(monitor_->find_link("e0"), nullptr);
    e0_ = monitor_->find_link("e0")->index;
  }

  void add_server() {
    server_ = NetworkNamespace::make();
    plug_in(server_, "s0", "02:00:00:00:00:21");
    server_.run("ip addr add 192.0.2.21/24 dev s0; ip addr add 2001:db8::21/64 dev s0");
  }

  bool is_at(const IpAddress& address, const MacAddress& expected) const {
    const Neighbor* neighbor = monitor_->find_neighbor(e0_, address);
    return neighbor != nullptr && neighbor->state == NeighborState::kValid && neighbor->mac == expected;
  }
  bool is_in_state(const IpAddress& address, NeighborState state) const {
    const Neighbor* neighbor = monitor_->find_neighbor(e0_, address);
    return neighbor == nullptr ? state == NeighborState::kGone : neighbor->state == state;
  }

  std::vector<NeighborChanged> neighbor_changes(const IpAddress& address) const {
    std::vector<NeighborChanged> found;
    for (const auto& change : changes_) {
      const auto* neighbor = std::get_if<NeighborChanged>(&change);
      if (neighbor != nullptr && neighbor->neighbor.address == address) found.push_back(*neighbor);
    }
    return found;
  }

  NetworkNamespace server_;
  std::unique_ptr<HostMonitor> monitor_;
  std::vector<HostChange> changes_;
  std::uint32_t e0_ = 0;
};

TEST_F(Monitor, KnowsLinksAndAddressesAtOpen) {
  watch();
  const Link& link = *monitor_->find_link("e0");
  EXPECT_EQ(link.mac, mac("02:00:00:00:00:01"));
  EXPECT_TRUE(link.is_up);
  EXPECT_TRUE(link.has_carrier);
  EXPECT_EQ(link.mtu, 1500u);
  EXPECT_EQ(link.hardware_type, 1);
  EXPECT_FALSE(link.is_loopback);
  EXPECT_TRUE(monitor_->find_link("lo")->is_loopback);
  EXPECT_EQ(monitor_->find_link("no-such"), nullptr);
  InterfaceAddress expected{.ifindex = e0_, .prefix = {.address = ip("192.0.2.1"), .length = 24}};
  EXPECT_THAT(monitor_->addresses(), testing::Contains(expected));
  expected.prefix = {.address = ip("2001:db8::1"), .length = 64};
  EXPECT_THAT(monitor_->addresses(), testing::Contains(expected));
}

TEST_F(Monitor, TellsLossAndReturnOfCarrier) {
  watch();
  auto start = Clock::now();
  lan_.run("ip link set port-e0 down");
  ASSERT_TRUE(run_until([&] { return !monitor_->find_link("e0")->has_carrier; }));
  EXPECT_TRUE(monitor_->find_link("e0")->is_up);
  RecordProperty("carrier_loss_ms", std::to_string(milliseconds_since(start)));
  changes_.clear();
  lan_.run("ip link set port-e0 up");
  ASSERT_TRUE(run_until([&] { return monitor_->find_link("e0")->is_usable(); }));
  bool told = std::any_of(changes_.begin(), changes_.end(), [&](const HostChange& change) {
    const auto* link = std::get_if<LinkChanged>(&change);
    return link != nullptr && link->index == e0_;
  });
  EXPECT_TRUE(told);
}

TEST_F(Monitor, TellsLinkTakenDownAndDeleted) {
  watch();
  dispatcher_.run("ip link set e0 down");
  ASSERT_TRUE(run_until([&] { return !monitor_->find_link("e0")->is_up; }));
  dispatcher_.run("ip link delete e0");
  EXPECT_TRUE(run_until([&] { return monitor_->find_link("e0") == nullptr; }));
}

TEST_F(Monitor, LinkThatLeavesABridgeStays) {
  watch();
  dispatcher_.run("ip link add br1 type bridge; ip link set e0 master br1");
  ASSERT_TRUE(run_until([&] { return monitor_->find_link("e0")->master != 0; }));
  dispatcher_.run("ip link set e0 nomaster");
  EXPECT_TRUE(run_until([&] {
    const Link* link = monitor_->find_link("e0");
    return link == nullptr || link->master == 0;
  }));
  EXPECT_NE(monitor_->find_link("e0"), nullptr);
}

TEST_F(Monitor, TellsAddedAndRemovedAddress) {
  watch();
  InterfaceAddress added{.ifindex = e0_, .prefix = {.address = ip("198.51.100.1"), .length = 25}};
  dispatcher_.run("ip addr add 198.51.100.1/25 dev e0");
  ASSERT_TRUE(run_until([&] { return testing::Matches(testing::Contains(added))(monitor_->addresses()); }));
  EXPECT_TRUE(std::holds_alternative<AddressChanged>(changes_.back()));
  dispatcher_.run("ip addr del 198.51.100.1/25 dev e0");
  EXPECT_TRUE(run_until([&] { return !testing::Matches(testing::Contains(added))(monitor_->addresses()); }));
}

TEST_F(Monitor, ResolvesKeptNeighbourOfBothFamilies) {
  add_server();
  watch();
  auto start = Clock::now();
  ASSERT_TRUE(monitor_->keep_neighbor(e0_, kServer));
  ASSERT_TRUE(monitor_->keep_neighbor(e0_, kServerV6));
  ASSERT_TRUE(run_until([&] { return is_at(kServer, kServerMac) && is_at(kServerV6, kServerMac); }));
  RecordProperty("resolve_ms", std::to_string(milliseconds_since(start)));
  EXPECT_TRUE(monitor_->find_neighbor(e0_, kServer)->is_managed);
  EXPECT_FALSE(monitor_->keep_failure(e0_, kServer));
  EXPECT_EQ(neighbor_changes(kServer).back().neighbor.mac, kServerMac);
}

TEST_F(Monitor, RefusesNeighbourOfUnknownInterface) {
  watch();
  auto kept = monitor_->keep_neighbor(9999, kServer);
  ASSERT_FALSE(kept);
  EXPECT_EQ(kept.error().code, ErrorCode::kNotFound);
  EXPECT_THAT(kept.error().message, testing::HasSubstr("192.0.2.21"));
}

TEST_F(Monitor, FollowsAnnouncedChangeOfMacWithinASecond) {
  add_server();
  watch();
  ASSERT_TRUE(monitor_->keep_neighbor(e0_, kServer));
  ASSERT_TRUE(run_until([&] { return is_at(kServer, kServerMac); }));
  MacAddress next = mac("02:00:00:00:00:99");
  // As a host does after its NIC was replaced: it announces itself.
  server_.run("ip link set s0 down; ip link set s0 address 02:00:00:00:00:99; ip link set s0 up");
  auto socket = server_.inside([&] {
    auto index = HostMonitor::open(io_).value()->find_link("s0")->index;
    return PacketSocket::open(io_, index, "s0", PacketKind::kArp);
  });
  ASSERT_TRUE(socket);
  auto start = Clock::now();
  ASSERT_TRUE((*socket)->send(encode_arp(arp_announcement(next, kServer))));
  EXPECT_TRUE(run_until([&] { return is_at(kServer, next); }, std::chrono::seconds(1)));
  RecordProperty("mac_change_ms", std::to_string(milliseconds_since(start)));
}

TEST_F(Monitor, FindsServerThatBootsWithinThreeSeconds) {
  watch();
  ASSERT_TRUE(monitor_->keep_neighbor(e0_, kServer));
  ASSERT_TRUE(monitor_->keep_neighbor(e0_, kServerV6));
  ASSERT_TRUE(run_until(
      [&] { return is_in_state(kServer, NeighborState::kFailed) && is_in_state(kServerV6, NeighborState::kFailed); }));
  add_server();
  auto start = Clock::now();
  EXPECT_TRUE(
      run_until([&] { return is_at(kServer, kServerMac) && is_at(kServerV6, kServerMac); }, std::chrono::seconds(3)));
  RecordProperty("boot_ms", std::to_string(milliseconds_since(start)));
}

TEST_F(Monitor, ResolvesAgainAfterCarrierLoss) {
  add_server();
  watch();
  ASSERT_TRUE(monitor_->keep_neighbor(e0_, kServer));
  ASSERT_TRUE(run_until([&] { return is_at(kServer, kServerMac); }));
  lan_.run("ip link set port-e0 down");
  ASSERT_TRUE(run_until([&] { return is_in_state(kServer, NeighborState::kGone); }));
  lan_.run("ip link set port-e0 up");
  EXPECT_TRUE(run_until([&] { return is_at(kServer, kServerMac); }, std::chrono::seconds(3)));
}

TEST_F(Monitor, MakesDeletedEntryAgain) {
  add_server();
  watch();
  ASSERT_TRUE(monitor_->keep_neighbor(e0_, kServer));
  ASSERT_TRUE(run_until([&] { return is_at(kServer, kServerMac); }));
  changes_.clear();
  dispatcher_.run("ip neigh flush dev e0");
  ASSERT_TRUE(run_until([&] { return !neighbor_changes(kServer).empty(); }));
  EXPECT_TRUE(run_until([&] { return is_at(kServer, kServerMac); }, std::chrono::seconds(3)));
  EXPECT_TRUE(monitor_->find_neighbor(e0_, kServer)->is_managed);
}

TEST_F(Monitor, LeavesPermanentEntryAlone) {
  add_server();
  dispatcher_.run("ip neigh add 192.0.2.21 lladdr 02:00:00:00:00:77 dev e0 nud permanent");
  watch();
  ASSERT_TRUE(monitor_->keep_neighbor(e0_, kServer));
  ASSERT_TRUE(monitor_->keep_neighbor(e0_, kServerV6));  // the next request: when it is done, so is the first
  ASSERT_TRUE(run_until([&] { return is_at(kServerV6, kServerMac); }));
  const Neighbor* neighbor = monitor_->find_neighbor(e0_, kServer);
  ASSERT_NE(neighbor, nullptr);
  EXPECT_TRUE(neighbor->is_permanent);
  EXPECT_EQ(neighbor->mac, mac("02:00:00:00:00:77"));
  monitor_->release_neighbor(e0_, kServer);
  monitor_->release_neighbor(e0_, kServerV6);
  ASSERT_TRUE(run_until([&] { return is_in_state(kServerV6, NeighborState::kGone); }));
  dispatcher_.run("ip neigh show 192.0.2.21 dev e0 | grep -q PERMANENT");
}

TEST_F(Monitor, ReleaseForgetsWhatWeMadeAndLetsGoOfWhatWasThere) {
  add_server();
  dispatcher_.run("ip neigh add 2001:db8::21 lladdr 02:00:00:00:00:21 dev e0 nud reachable");
  watch();
  ASSERT_TRUE(monitor_->keep_neighbor(e0_, kServer));
  ASSERT_TRUE(monitor_->keep_neighbor(e0_, kServerV6));
  ASSERT_TRUE(run_until([&] { return is_at(kServer, kServerMac); }));
  ASSERT_TRUE(run_until([&] { return monitor_->find_neighbor(e0_, kServerV6)->is_managed; }));
  monitor_->release_neighbor(e0_, kServerV6);
  monitor_->release_neighbor(e0_, kServer);
  ASSERT_TRUE(run_until([&] { return is_in_state(kServer, NeighborState::kGone); }));
  ASSERT_TRUE(run_until([&] { return !monitor_->find_neighbor(e0_, kServerV6)->is_managed; }));
  EXPECT_TRUE(is_at(kServerV6, kServerMac));
  EXPECT_TRUE(is_in_state(kServer, NeighborState::kGone));
}

TEST_F(Monitor, KeepsTenThousandNeighboursInWellUnderASecond) {
  add_server();
  // One machine that answers for all of them.
  server_.run("ip route add local 198.18.0.0/16 dev s0; ip addr add 198.19.0.1/15 dev s0");
  dispatcher_.run("ip addr add 198.19.0.2/15 dev e0");
  watch();
  constexpr unsigned kCount = 10000;
  auto address_of = [](unsigned i) {
    return IpAddress::v4({198, 18, static_cast<std::uint8_t>(1 + i / 250), static_cast<std::uint8_t>(1 + i % 250)});
  };
  auto start = Clock::now();
  for (unsigned i = 0; i < kCount; ++i) ASSERT_TRUE(monitor_->keep_neighbor(e0_, address_of(i)));
  double queued = milliseconds_since(start);
  unsigned resolved = 0;
  EXPECT_TRUE(run_until([&] {
    while (resolved < kCount && is_at(address_of(resolved), kServerMac)) ++resolved;
    return resolved == kCount;
  })) << resolved;
  RecordProperty("queued_ms", std::to_string(queued));
  RecordProperty("resolved_ms", std::to_string(milliseconds_since(start)));
  EXPECT_LT(queued, 500);
  EXPECT_FALSE(monitor_->keep_failure(e0_, address_of(kCount - 1))) << "gc_thresh3 counts our entries";
}

TEST_F(Monitor, MakesUpForLostEvents) {
  watch();
  // More events than the queue holds while nobody reads: the kernel drops some and says so.
  dispatcher_.run(
      "for i in $(seq 1 250); do for j in $(seq 1 200); do echo neigh replace 198.18.$i.$j lladdr 02:00:00:00:00:aa "
      "dev e0;"
      " done; done | ip -batch -");
  dispatcher_.run("ip addr add 198.51.100.9/32 dev e0");
  EXPECT_TRUE(run_until([&] { return is_at(ip("198.18.250.200"), mac("02:00:00:00:00:aa")); },
                        std::chrono::seconds(3)));  // sooner than the dump that comes every 5 s anyway
  InterfaceAddress added{.ifindex = e0_, .prefix = {.address = ip("198.51.100.9"), .length = 32}};
  EXPECT_TRUE(run_until([&] { return testing::Matches(testing::Contains(added))(monitor_->addresses()); }));
}

TEST_F(Monitor, StateIsTheKernelsAfterAThousandLinkEventsAndALoss) {
  watch();
  dispatcher_.run(
      "for i in $(seq 1 100); do echo link add v$i type veth peer name w$i; done | ip -batch -;"
      "for i in $(seq 1 500); do echo link set e0 mtu $((1000 + i)); echo link set e0 down; echo link set e0 up; done |"
      " ip -batch -;"
      "for i in $(seq 1 250); do for j in $(seq 1 200); do echo neigh replace 198.18.$i.$j lladdr 02:00:00:00:00:aa "
      "dev e0; done; done | ip -batch -;"
      "for i in $(seq 1 50); do echo link del v$i; echo addr add 198.51.100.$i/32 dev e0; done | ip -batch -;"
      "ip link set e0 down; ip link set v60 name renamed");
  auto kernel = dispatcher_.inside([&] { return HostMonitor::open(io_).value(); });
  EXPECT_TRUE(
      run_until([&] { return monitor_->links() == kernel->links() && monitor_->addresses() == kernel->addresses(); },
                std::chrono::seconds(3)));  // sooner than the dump that comes every 5 s anyway
  while (io_.poll() > 0) {
  }
  EXPECT_EQ(monitor_->links(), kernel->links()) << "older events that waited did not undo it";
  EXPECT_FALSE(monitor_->find_link("e0")->is_up);
  EXPECT_EQ(monitor_->find_link("e0")->mtu, 1500u);
}

TEST_F(Monitor, RefreshKnowsAtOnceWhatTheCallerChanged) {
  watch();
  InterfaceAddress added{.ifindex = e0_, .prefix = {.address = ip("198.51.100.1"), .length = 25}};
  dispatcher_.run("for i in $(seq 1000 1399); do echo link set e0 mtu $i; done | ip -batch -");
  dispatcher_.run("ip addr add 198.51.100.1/25 dev e0");
  auto refreshed = monitor_->refresh();
  ASSERT_TRUE(refreshed) << refreshed.error().message;
  EXPECT_EQ(monitor_->find_link("e0")->mtu, 1399u);
  EXPECT_THAT(monitor_->addresses(), testing::Contains(added));
  EXPECT_TRUE(std::any_of(changes_.begin(), changes_.end(),
                          [](const HostChange& change) { return std::holds_alternative<AddressChanged>(change); }));
  changes_.clear();
  io_.poll();
  EXPECT_TRUE(changes_.empty()) << "nothing older was left to come after the dump";
}

TEST_F(Monitor, RefreshFromAHandlerIsNotUndoneByOlderEvents) {
  watch();
  std::vector<std::uint32_t> seen;
  monitor_->on_change([&](const HostChange&) {
    ASSERT_TRUE(monitor_->refresh());
    seen.push_back(monitor_->find_link("e0")->mtu);
  });
  dispatcher_.run("for i in 1401 1402 1403; do echo link set e0 mtu $i; done | ip -batch -");
  ASSERT_TRUE(run_until([&] { return !seen.empty(); }));
  EXPECT_THAT(seen, testing::Each(1403u));
}

}  // namespace
}  // namespace xdplb
