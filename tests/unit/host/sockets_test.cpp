// SPDX-License-Identifier: GPL-2.0-only
// packet_socket, multicast and sysctl against the running kernel.
#include <gmock/gmock.h>

#include <cerrno>
#include <fstream>
#include <set>
#include <sstream>

#include "host/host_monitor.h"
#include "host/multicast.h"
#include "host/packet_socket.h"
#include "host/sysctl.h"
#include "net/arp_packet.h"
#include "net/nd_packet.h"
#include "sandbox.h"

namespace xdplb {
namespace {

IpAddress ip(const char* text) { return *IpAddress::parse(text); }
MacAddress mac(const char* text) { return *MacAddress::parse(text); }
std::vector<std::uint8_t> bytes(std::span<const std::uint8_t> data) { return {data.begin(), data.end()}; }

class Sockets : public Sandbox {
 protected:
  void SetUp() override {
    Sandbox::SetUp();
    if (IsSkipped()) return;
    plug_in(dispatcher_, "e0", "02:00:00:00:00:01");
    plug_in(dispatcher_, "e1", "02:00:00:00:00:02");
    e0_ = index("e0");
    e1_ = index("e1");
  }
  std::uint32_t index(const std::string& name) {
    return dispatcher_.inside([&] { return HostMonitor::open(io_).value()->find_link(name)->index; });
  }
  std::unique_ptr<PacketSocket> open(std::uint32_t ifindex, PacketKind kind) {
    auto opened = dispatcher_.inside([&] { return PacketSocket::open(io_, ifindex, "e", kind); });
    EXPECT_TRUE(opened);
    return std::move(*opened);
  }

  std::uint32_t e0_ = 0;
  std::uint32_t e1_ = 0;
};

struct Heard {
  std::vector<std::uint8_t> frame;
  bool tagged = false;
};

TEST_F(Sockets, HearWhatTheOtherSendsButNotThemselves) {
  auto here = open(e0_, PacketKind::kArp);
  auto there = open(e1_, PacketKind::kArp);
  std::vector<Heard> at_sender;
  std::vector<Heard> at_receiver;
  here->on_frame([&](std::span<const std::uint8_t> frame, bool tagged) {
    at_sender.push_back({bytes(frame), tagged});
  });
  there->on_frame([&](std::span<const std::uint8_t> frame, bool tagged) {
    at_receiver.push_back({bytes(frame), tagged});
  });
  auto frame = encode_arp(arp_probe(mac("02:00:00:00:00:01"), ip("192.0.2.77")));
  ASSERT_TRUE(here->send(frame));
  ASSERT_TRUE(run_until([&] { return !at_receiver.empty(); }));
  EXPECT_EQ(at_receiver[0].frame, bytes(frame));
  EXPECT_FALSE(at_receiver[0].tagged);
  EXPECT_TRUE(at_sender.empty());
}

TEST_F(Sockets, FlagTaggedFramesAndNotPriorityTags) {
  auto there = open(e1_, PacketKind::kArp);
  std::vector<Heard> heard;
  there->on_frame([&](std::span<const std::uint8_t> frame, bool tagged) { heard.push_back({bytes(frame), tagged}); });
  auto sender = open(e0_, PacketKind::kArp);
  auto plain = encode_arp(arp_probe(mac("02:00:00:00:00:01"), ip("192.0.2.77")));
  for (bool has_id : {true, false}) {
    auto tagged = bytes(plain);
    tagged.insert(tagged.begin() + 12, {0x81, 0x00, 0x20, static_cast<std::uint8_t>(has_id ? 7 : 0)});
    ASSERT_TRUE(sender->send(tagged));
  }
  ASSERT_TRUE(run_until([&] { return heard.size() == 2; }));
  EXPECT_TRUE(heard[0].tagged);
  EXPECT_FALSE(heard[1].tagged);
  EXPECT_EQ(bytes(std::span(heard[0].frame).first(plain.size())), bytes(plain)) << "without the tag";
}

TEST_F(Sockets, DiscoverySocketHearsAdvertisementsOnly) {
  auto there = open(e1_, PacketKind::kNeighborDiscovery);
  std::vector<Heard> heard;
  there->on_frame([&](std::span<const std::uint8_t> frame, bool tagged) { heard.push_back({bytes(frame), tagged}); });
  auto sender = open(e0_, PacketKind::kNeighborDiscovery);
  auto wanted = encode_advertisement(nd_announcement(mac("02:00:00:00:00:01"), ip("fe80::1"), ip("2001:db8::10")));
  auto other = wanted;
  other[54] = 134;  // router advertisement
  ASSERT_TRUE(sender->send(other));
  ASSERT_TRUE(sender->send(encode_arp(arp_probe(mac("02:00:00:00:00:01"), ip("192.0.2.77")))));
  ASSERT_TRUE(sender->send(wanted));
  ASSERT_TRUE(run_until([&] {
    for (const auto& frame : heard) EXPECT_TRUE(frame.frame[54] == 135 || frame.frame[54] == 136);
    return !heard.empty() && heard.back().frame == bytes(wanted);
  }));
}

TEST_F(Sockets, HearAgainAfterTheInterfaceWasDown) {
  auto there = open(e1_, PacketKind::kArp);
  auto sender = open(e0_, PacketKind::kArp);
  unsigned heard = 0;
  there->on_frame([&](std::span<const std::uint8_t>, bool) { ++heard; });
  dispatcher_.run("ip link set e1 down; ip link set e1 up");
  auto frame = encode_arp(arp_probe(mac("02:00:00:00:00:01"), ip("192.0.2.77")));
  EXPECT_TRUE(run_until([&] {
    EXPECT_TRUE(sender->send(frame));  // the bridge port needs a moment to forward again
    return heard > 0;
  }));
}

TEST_F(Sockets, SendErrorNamesTheInterface) {
  auto sender = open(e0_, PacketKind::kArp);
  EXPECT_EQ(sender->last_errno(), 0);
  dispatcher_.run("ip link set e0 down");
  auto sent = sender->send(encode_arp(arp_probe(mac("02:00:00:00:00:01"), ip("192.0.2.77"))));
  ASSERT_FALSE(sent);
  EXPECT_THAT(sent.error().message, testing::HasSubstr("interface e"));
  EXPECT_EQ(sender->last_errno(), ENETDOWN);
}

TEST_F(Sockets, OpenOnNoInterfaceFails) {
  auto opened = dispatcher_.inside([&] { return PacketSocket::open(io_, 9999, "gone0", PacketKind::kArp); });
  ASSERT_FALSE(opened);
  EXPECT_THAT(opened.error().message, testing::HasSubstr("gone0"));
}

class Groups : public Sockets {
 protected:
  // The groups the kernel listens to on e0, as 32 hex digits.
  std::set<std::string> kernel_groups() const {
    return dispatcher_.inside([] {
      std::set<std::string> groups;
      std::ifstream file("/proc/thread-self/net/igmp6");
      for (std::string line; std::getline(file, line);) {
        std::istringstream fields(line);
        std::string index, name, group;
        fields >> index >> name >> group;
        if (name == "e0") groups.insert(group);
      }
      return groups;
    });
  }
  static IpAddress vipa(unsigned i) {
    return IpAddress::v6({0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, static_cast<std::uint8_t>(i >> 8),
                          static_cast<std::uint8_t>(i & 0xff)});
  }
};

TEST_F(Groups, AreLeftWithTheirLastUser) {
  MulticastGroups groups;
  const std::string group = "ff0200000000000000000001ff000010";
  dispatcher_.inside([&] {
    ASSERT_TRUE(groups.join(e0_, solicited_node_group(ip("2001:db8::10"))));
    ASSERT_TRUE(groups.join(e0_, solicited_node_group(ip("2001:db8:1::10")))) << "the same group";
  });
  EXPECT_EQ(groups.membership_count(), 1u);
  EXPECT_THAT(kernel_groups(), testing::Contains(group));
  groups.leave(e0_, solicited_node_group(ip("2001:db8::10")));
  EXPECT_THAT(kernel_groups(), testing::Contains(group));
  groups.leave(e0_, solicited_node_group(ip("2001:db8::10")));
  EXPECT_THAT(kernel_groups(), testing::Not(testing::Contains(group)));
  groups.leave(e0_, solicited_node_group(ip("2001:db8::10")));
  EXPECT_EQ(groups.membership_count(), 0u);
}

TEST_F(Groups, HoldThousandsOfMemberships) {
  std::size_t before = kernel_groups().size();
  MulticastGroups groups;
  constexpr unsigned kCount = 5000;  // more than one socket holds with the default net.core.optmem_max
  dispatcher_.inside([&] {
    for (unsigned i = 0; i < kCount; ++i) ASSERT_TRUE(groups.join(e0_, solicited_node_group(vipa(1000 + i)))) << i;
  });
  EXPECT_EQ(kernel_groups().size(), before + kCount);
  groups.leave_all(e0_);
  EXPECT_EQ(kernel_groups().size(), before);
}

TEST_F(Groups, JoinOnNoInterfaceFails) {
  MulticastGroups groups;
  auto joined = dispatcher_.inside([&] { return groups.join(9999, solicited_node_group(ip("2001:db8::10"))); });
  ASSERT_FALSE(joined);
  EXPECT_THAT(joined.error().message, testing::HasSubstr("9999"));
  EXPECT_EQ(groups.membership_count(), 0u);
}

using Sysctl = Sockets;

TEST_F(Sysctl, ReadsAndWritesTheNamespaceOfTheThread) {
  dispatcher_.inside([] { ASSERT_TRUE(write_sysctl("net/ipv4/conf/all/arp_ignore", 2)); });
  lan_.inside([] { ASSERT_TRUE(write_sysctl("net/ipv4/conf/all/arp_ignore", 1)); });
  EXPECT_EQ(dispatcher_.inside([] { return *read_sysctl("net/ipv4/conf/all/arp_ignore"); }), 2);
  EXPECT_EQ(lan_.inside([] { return *read_sysctl("net/ipv4/conf/all/arp_ignore"); }), 1);
}

TEST_F(Sysctl, NsenterByNameOfFileSeesThatNamespace) {
  dispatcher_.inside([] { ASSERT_TRUE(write_sysctl("net/ipv4/conf/all/arp_announce", 2)); });
  std::string command =
      "test $(nsenter --net=" + dispatcher_.path() + " cat /proc/sys/net/ipv4/conf/all/arp_announce) = 2";
  EXPECT_EQ(std::system(command.c_str()), 0);
}

TEST_F(Sysctl, EffectiveValueIsTheLarger) {
  dispatcher_.inside([] {
    ASSERT_TRUE(write_sysctl("net/ipv4/conf/all/arp_ignore", 1));
    ASSERT_TRUE(write_sysctl("net/ipv4/conf/e0/arp_ignore", 2));
    EXPECT_EQ(*read_effective_ipv4_conf("e0", "arp_ignore"), 2);
    EXPECT_EQ(*read_effective_ipv4_conf("e1", "arp_ignore"), 1);
  });
}

TEST_F(Sysctl, InterfaceNameMayHoldADot) {
  dispatcher_.run("ip link add e0.100 type veth peer name x1");
  EXPECT_TRUE(dispatcher_.inside([] { return read_sysctl("net/ipv4/conf/e0.100/arp_ignore"); }));
}

TEST(SysctlName, FailuresNameTheSetting) {
  EXPECT_EQ(read_sysctl("net/ipv4/conf/no-such-interface/arp_ignore").error().code, ErrorCode::kNotFound);
  EXPECT_EQ(read_sysctl("../version").error().code, ErrorCode::kUsage);
  EXPECT_EQ(read_sysctl("/etc/passwd").error().code, ErrorCode::kUsage);
  EXPECT_EQ(read_sysctl("").error().code, ErrorCode::kUsage);
  auto text = read_sysctl("kernel/ostype");
  EXPECT_EQ(text.error().code, ErrorCode::kFailed);
  EXPECT_THAT(text.error().message, testing::HasSubstr("kernel/ostype"));
}

}  // namespace
}  // namespace xdplb
