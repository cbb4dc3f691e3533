// SPDX-License-Identifier: GPL-2.0-only
#include "host/probe_routes.h"

#include "host/probe_route_objects.h"

#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "sandbox.h"

namespace xdplb {
namespace {

IpAddress ip(const char* text) { return *IpAddress::parse(text); }
MacAddress mac(const char* text) { return *MacAddress::parse(text); }

const IpAddress kVipa4 = ip("198.51.100.10");
const IpAddress kVipa6 = ip("2001:db8:1::10");
const IpAddress kServer1 = ip("192.0.2.11");
const IpAddress kServer2 = ip("192.0.2.12");
constexpr const char* kMac1 = "02:00:00:00:00:11";
constexpr const char* kMac2 = "02:00:00:00:00:12";
constexpr std::uint16_t kPort = 7777;
constexpr std::uint32_t kForeignMark = 0x21;

sockaddr_storage to_sockaddr(const IpAddress& address, std::uint16_t port) {
  sockaddr_storage storage{};
  if (address.is_v4()) {
    auto* v4 = reinterpret_cast<sockaddr_in*>(&storage);
    v4->sin_family = AF_INET;
    v4->sin_port = htons(port);
    std::memcpy(&v4->sin_addr, address.bytes().data(), 4);
  } else {
    auto* v6 = reinterpret_cast<sockaddr_in6*>(&storage);
    v6->sin6_family = AF_INET6;
    v6->sin6_port = htons(port);
    std::memcpy(&v6->sin6_addr, address.bytes().data(), 16);
  }
  return storage;
}

FileDescriptor open_socket(const IpAddress& of_family, int type, std::uint32_t mark) {
  FileDescriptor fd(::socket(of_family.is_v4() ? AF_INET : AF_INET6, type | SOCK_CLOEXEC, 0));
  const timeval limit{.tv_sec = 3, .tv_usec = 0};
  ::setsockopt(fd.get(), SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
  ::setsockopt(fd.get(), SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
  EXPECT_EQ(::setsockopt(fd.get(), SOL_SOCKET, SO_MARK, &mark, sizeof(mark)), 0);
  return fd;
}

// A dispatcher with two servers, both with the VIPAs on lo.
class Probes : public Sandbox {
 protected:
  void SetUp() override {
    Sandbox::SetUp();
    if (IsSkipped()) return;
    plug_in(dispatcher_, "e0", "02:00:00:00:00:01");
    dispatcher_.run("ip addr add 192.0.2.4/24 dev e0; ip addr add 2001:db8::4/64 dev e0");
    e0_ = index_of(dispatcher_, "e0");
    make_server(server1_, "s1", kMac1, "192.0.2.11", "2001:db8::11");
    make_server(server2_, "s2", kMac2, "192.0.2.12", "2001:db8::12");
    probes_.emplace(open("default"));
  }

  void make_server(NetworkNamespace& server, const std::string& name, const char* mac_text, const std::string& v4,
                   const std::string& v6) const {
    server = NetworkNamespace::make();
    plug_in(server, name, mac_text);
    server.run("ip addr add " + v4 + "/24 dev " + name + "; ip addr add " + v6 + "/64 dev " + name +
               "; ip addr add 198.51.100.10/32 dev lo; ip addr add 2001:db8:1::10/128 dev lo");
  }

  ProbeRoutes open(const std::string& instance) const {
    return *dispatcher_.inside([&] { return ProbeRoutes::open(instance); });
  }
  ProbeNextHop hop(const IpAddress& server, const char* mac_text) const {
    return {.server = server, .mac = mac(mac_text), .ifindex = e0_};
  }
  std::vector<ProbeNextHop> both() const { return {hop(kServer1, kMac1), hop(kServer2, kMac2)}; }
  static void must(const Result<void>& done) { ASSERT_TRUE(done) << done.error().message; }

  // All that a run could leave.
  std::string state() const {
    return dispatcher_.output(
        "ip rule; ip -6 rule; ip route show table all | grep -v ^local; ip -6 route show table all | grep -v ^local;"
        "ip -6 neigh show nud permanent");
  }

  // A datagram to `vipa` with the mark comes out of the listener in this server.
  bool arrives(const NetworkNamespace& at, const IpAddress& vipa, std::uint32_t mark) const {
    const sockaddr_storage where = to_sockaddr(vipa, kPort);
    const FileDescriptor listener = at.inside([&] { return open_socket(vipa, SOCK_DGRAM, 0); });
    EXPECT_EQ(::bind(listener.get(), reinterpret_cast<const sockaddr*>(&where), sizeof(where)), 0);
    const FileDescriptor sender = dispatcher_.inside([&] { return open_socket(vipa, SOCK_DGRAM, mark); });
    if (::sendto(sender.get(), "x", 1, 0, reinterpret_cast<const sockaddr*>(&where), sizeof(where)) != 1) return false;
    char byte = 0;
    return ::recv(listener.get(), &byte, 1, 0) == 1;
  }

  // The interface and gateway that the kernel chooses, as `ip route get` says.
  std::string lookup(const std::string& address, std::uint32_t mark) const {
    return dispatcher_.output("ip route get " + address + " mark " + std::to_string(mark) + " 2>&1 | head -1");
  }

  NetworkNamespace server1_;
  NetworkNamespace server2_;
  std::uint32_t e0_ = 0;
  std::optional<ProbeRoutes> probes_;
};

TEST_F(Probes, OfBothFamiliesReachTheServerOfTheMark) {
  must(probes_->set(both()));
  for (const IpAddress& vipa : {kVipa4, kVipa6}) {
    const std::uint32_t mark1 = probes_->mark_of(kServer1, vipa.family());
    const std::uint32_t mark2 = probes_->mark_of(kServer2, vipa.family());
    EXPECT_EQ(mark1 & ProbeRoutes::kMarkMask, ProbeRoutes::kMarkBase);
    EXPECT_NE(mark1, mark2);
    EXPECT_TRUE(arrives(server1_, vipa, mark1)) << vipa.to_string() << '\n' << state();
    EXPECT_TRUE(arrives(server2_, vipa, mark2)) << vipa.to_string() << '\n' << state();
  }
}

TEST_F(Probes, ReachAServerThatIsKnownByIpv6) {
  const IpAddress server = ip("2001:db8::12");
  must(probes_->set({{.server = server, .mac = {}, .ifindex = e0_}}));
  for (const IpAddress& vipa : {kVipa4, kVipa6}) {
    EXPECT_TRUE(arrives(server2_, vipa, probes_->mark_of(server, vipa.family()))) << vipa.to_string() << '\n'
                                                                                  << state();
  }
}

TEST_F(Probes, ConnectThroughTheVipa) {
  must(probes_->set(both()));
  for (const IpAddress& vipa : {kVipa4, kVipa6}) {
    const sockaddr_storage where = to_sockaddr(vipa, kPort);
    const FileDescriptor listener = server2_.inside([&] { return open_socket(vipa, SOCK_STREAM, 0); });
    ASSERT_EQ(::bind(listener.get(), reinterpret_cast<const sockaddr*>(&where), sizeof(where)), 0);
    ASSERT_EQ(::listen(listener.get(), 4), 0);
    for (const bool is_listening : {true, false}) {
      const IpAddress& server = is_listening ? kServer2 : kServer1;
      const FileDescriptor client =
          dispatcher_.inside([&] { return open_socket(vipa, SOCK_STREAM, probes_->mark_of(server, vipa.family())); });
      const int done = ::connect(client.get(), reinterpret_cast<const sockaddr*>(&where), sizeof(where));
      EXPECT_EQ(done == 0 ? 0 : errno, is_listening ? 0 : ECONNREFUSED) << server.to_string();
    }
  }
}

TEST_F(Probes, FollowTheMac) {
  must(probes_->set(both()));
  const std::uint32_t mark = probes_->mark_of(kServer1, Family::kV6);
  server1_.run("ip link set s1 address 02:00:00:00:00:a1");
  must(probes_->set({hop(kServer1, "02:00:00:00:00:a1"), hop(kServer2, kMac2)}));
  EXPECT_EQ(probes_->mark_of(kServer1, Family::kV6), mark);
  EXPECT_TRUE(arrives(server1_, kVipa6, mark)) << state();
  EXPECT_THAT(dispatcher_.output("ip -6 neigh show nud permanent"), testing::Not(testing::HasSubstr(kMac1)));
}

TEST_F(Probes, WithoutAMacThereIsOnlyTheServersOwnFamily) {
  must(probes_->set({{.server = kServer1, .mac = {}, .ifindex = e0_}}));
  EXPECT_NE(probes_->mark_of(kServer1, Family::kV4), 0U);
  EXPECT_EQ(probes_->failure_of(kServer1, Family::kV4), "");
  EXPECT_EQ(probes_->mark_of(kServer1, Family::kV6), 0U);
  EXPECT_EQ(probes_->failure_of(kServer1, Family::kV6), "the MAC of 192.0.2.11 is not known");
  must(probes_->set({hop(kServer1, kMac1)}));
  EXPECT_NE(probes_->mark_of(kServer1, Family::kV6), 0U);
  must(probes_->set({{.server = kServer1, .mac = {}, .ifindex = e0_}}));
  EXPECT_EQ(probes_->mark_of(kServer1, Family::kV6), 0U);
  EXPECT_EQ(dispatcher_.output("ip -6 neigh show nud permanent"), "");
}

TEST_F(Probes, AnInterfaceWithoutIpv6IsNoFailureOfTheList) {
  dispatcher_.run("sysctl -qw net.ipv6.conf.e0.disable_ipv6=1");
  must(probes_->set(both()));
  EXPECT_TRUE(arrives(server1_, kVipa4, probes_->mark_of(kServer1, Family::kV4)));
  EXPECT_EQ(probes_->mark_of(kServer1, Family::kV6), 0U);
  EXPECT_THAT(probes_->failure_of(kServer1, Family::kV6), testing::HasSubstr("IPv6 is disabled"));
  dispatcher_.run("sysctl -qw net.ipv6.conf.e0.disable_ipv6=0");
  probes_->doubt();
  must(probes_->set(both()));
  EXPECT_NE(probes_->mark_of(kServer1, Family::kV6), 0U) << probes_->failure_of(kServer1, Family::kV6);
}

TEST_F(Probes, AnInterfaceThatIsNotThereFailsForItsServerAndIsTriedAgain) {
  auto done = probes_->set({{.server = kServer1, .mac = mac(kMac1), .ifindex = 999}, hop(kServer2, kMac2)});
  ASSERT_FALSE(done);
  EXPECT_EQ(probes_->mark_of(kServer1, Family::kV4), 0U);
  EXPECT_THAT(probes_->failure_of(kServer1, Family::kV4), testing::HasSubstr("route 0.0.0.0/0 via 192.0.2.11"));
  EXPECT_TRUE(arrives(server2_, kVipa4, probes_->mark_of(kServer2, Family::kV4)));
  must(probes_->set(both()));
  EXPECT_TRUE(arrives(server1_, kVipa4, probes_->mark_of(kServer1, Family::kV4)));
}

TEST_F(Probes, AreMadeOnceAndMarksStay) {
  must(probes_->set(both()));
  const std::string made = state();
  const std::uint32_t mark2 = probes_->mark_of(kServer2, Family::kV4);
  must(probes_->set(both()));
  EXPECT_EQ(state(), made);
  probes_->doubt();
  must(probes_->set(both()));
  EXPECT_EQ(state(), made);
  must(probes_->set({hop(kServer2, kMac2)}));
  EXPECT_EQ(probes_->mark_of(kServer1, Family::kV4), 0U);
  EXPECT_EQ(probes_->mark_of(kServer2, Family::kV4), mark2);
  EXPECT_THAT(state(), testing::Not(testing::HasSubstr("192.0.2.11")));
  must(probes_->set({hop(kServer2, kMac2), hop(kServer1, kMac1)}));
  EXPECT_EQ(probes_->mark_of(kServer2, Family::kV4), mark2);
  EXPECT_TRUE(arrives(server1_, kVipa4, probes_->mark_of(kServer1, Family::kV4)));
}

TEST_F(Probes, AServerMovesToAnotherInterface) {
  plug_in(dispatcher_, "e1", "02:00:00:00:00:02");
  must(probes_->set(both()));
  const std::uint32_t mark = probes_->mark_of(kServer1, Family::kV4);
  ProbeNextHop moved = hop(kServer1, kMac1);
  moved.ifindex = index_of(dispatcher_, "e1");
  must(probes_->set({moved, hop(kServer2, kMac2)}));
  EXPECT_EQ(probes_->mark_of(kServer1, Family::kV4), mark);
  EXPECT_THAT(lookup("198.51.100.10", mark), testing::HasSubstr("via 192.0.2.11 dev e1"));
  EXPECT_THAT(lookup("2001:db8:1::10", mark), testing::HasSubstr("dev e1"));
  const std::string neighbors = dispatcher_.output("ip -6 neigh show nud permanent");
  EXPECT_EQ(std::count(neighbors.begin(), neighbors.end(), '\n'), 2) << neighbors;
}

TEST_F(Probes, WhatAnInterfaceTookAlongComesBackAfterADoubt) {
  must(probes_->set(both()));
  const std::uint32_t mark = probes_->mark_of(kServer1, Family::kV4);
  dispatcher_.run("ip link set e0 down");
  EXPECT_THAT(lookup("198.51.100.10", mark), testing::HasSubstr("unreachable"));
  dispatcher_.run("ip link set e0 up; ip addr add 2001:db8::4/64 dev e0");
  await(dispatcher_, "ip link show e0", "state UP");
  await(lan_, "bridge link show dev port-e0", "state forwarding");
  EXPECT_FALSE(arrives(server1_, kVipa4, mark)) << "nobody told of it";
  probes_->doubt();
  must(probes_->set(both()));
  EXPECT_TRUE(arrives(server1_, kVipa4, mark));
  EXPECT_TRUE(arrives(server1_, kVipa6, mark)) << state();
}

TEST_F(Probes, OneServerMoreDoesNotReadTheKernel) {
  must(probes_->set({hop(kServer1, kMac1)}));
  const std::string mark1 = std::to_string(probes_->mark_of(kServer1, Family::kV4));
  dispatcher_.run("ip rule del pref 5801 fwmark " + mark1);
  must(probes_->set(both()));
  EXPECT_TRUE(arrives(server2_, kVipa4, probes_->mark_of(kServer2, Family::kV4)));
  EXPECT_THAT(lookup("198.51.100.10", probes_->mark_of(kServer1, Family::kV4)), testing::HasSubstr("unreachable"));
  probes_->doubt();
  must(probes_->set(both()));
  EXPECT_TRUE(arrives(server1_, kVipa4, probes_->mark_of(kServer1, Family::kV4)));
}

TEST_F(Probes, LeftByACrashAreAdoptedOrRemoved) {
  const std::string before = state();
  must(probes_->set(both()));
  const std::uint32_t mark2 = probes_->mark_of(kServer2, Family::kV4);
  probes_.emplace(open("default"));
  must(probes_->set({hop(kServer2, kMac2)}));
  EXPECT_EQ(probes_->mark_of(kServer2, Family::kV4), mark2);
  EXPECT_TRUE(arrives(server2_, kVipa6, mark2));
  EXPECT_THAT(state(), testing::Not(testing::HasSubstr("192.0.2.11")));
  probes_.emplace(open("default"));
  must(probes_->clear());
  EXPECT_EQ(state(), before);
}

TEST_F(Probes, LeftByACrashInTheMiddleAreRemovedByAnEmptyList) {
  const std::string before = state();
  must(probes_->set(both()));
  for (const char* gone : {"ip rule del pref 5801", "ip -6 route flush table all proto 88", "ip rule del pref 5800",
                           "ip -6 rule del pref 5802",
                           "ip rule flush; ip rule add pref 32766 lookup main;"
                           "ip rule add pref 32767 lookup default"}) {
    dispatcher_.run(gone);
    probes_.emplace(open("default"));
    must(probes_->set({}));
    EXPECT_EQ(state(), before) << gone;
    must(probes_->set(both()));
  }
}

TEST_F(Probes, NothingIsMadeForAnEmptyList) {
  const std::string before = state();
  must(probes_->set({}));
  EXPECT_EQ(state(), before);
}

TEST_F(Probes, LeaveRulesRoutesAndNeighborsOfOthersAsTheyAre) {
  dispatcher_.run(
      "ip rule add pref 5801 fwmark 9 lookup 99; ip -6 rule add pref 5801 from 2001:db8:9::/48 lookup 99;"
      "ip rule add pref 5801 fwmark 0x58010001 lookup 99; ip route add default via 192.0.2.1 dev e0 table 99;"
      "ip neigh add fe80::58:1:1 lladdr 02:00:00:00:00:99 dev e0 nud permanent;"
      "ip route add 203.0.113.0/24 via 192.0.2.1 dev e0 table 1459683329 proto 4");
  const std::string before = state();
  must(probes_->set(both()));
  must(probes_->set({}));
  EXPECT_EQ(state(), before);
}

TEST_F(Probes, RulesOfTheOperatorBeforeAndBehindStayInForce) {
  dispatcher_.run(
      "ip route add default via 192.0.2.1 dev e0; ip route add default via 192.0.2.101 dev e0 table 101;"
      "ip route add default via 192.0.2.102 dev e0 table 102;"
      "ip rule add pref 1000 to 203.0.113.1 lookup 101; ip rule add pref 20000 to 203.0.113.2 lookup 102;"
      "ip rule add pref 20001 fwmark 0x21 lookup 102");
  const auto lookups = [&](std::uint32_t mark) {
    std::string all;
    for (const char* address : {"203.0.113.1", "203.0.113.2", "203.0.113.3"}) {
      const std::string line = lookup(address, mark);
      all += line.substr(line.find("via "), line.find(" dev") - line.find("via ")) + ",";
    }
    return all;
  };
  const std::string unmarked = lookups(0);
  const std::string foreign = lookups(kForeignMark);
  EXPECT_EQ(unmarked, "via 192.0.2.101,via 192.0.2.102,via 192.0.2.1,");
  EXPECT_EQ(foreign, "via 192.0.2.101,via 192.0.2.102,via 192.0.2.102,");
  must(probes_->set(both()));
  EXPECT_EQ(lookups(0), unmarked);
  EXPECT_EQ(lookups(kForeignMark), foreign);
  EXPECT_EQ(lookups(0x58000000), unmarked) << "a mark that looks like ours and belongs to nobody";
  EXPECT_EQ(lookups(probes_->mark_of(kServer1, Family::kV4)), "via 192.0.2.101,via 192.0.2.11,via 192.0.2.11,");
}

TEST_F(Probes, AMarkWithoutARouteLeadsNowhere) {
  dispatcher_.run("ip route add default via 192.0.2.1 dev e0; ip route add default via 2001:db8::1 dev e0");
  must(probes_->set(both()));
  const std::uint32_t mark = probes_->mark_of(kServer1, Family::kV4);
  must(probes_->set({hop(kServer2, kMac2)}));
  EXPECT_THAT(lookup("198.51.100.10", mark), testing::HasSubstr("unreachable"));
  EXPECT_THAT(lookup("2001:db8:1::10", mark), testing::HasSubstr("unreachable"));
}

TEST_F(Probes, OfTwoInstancesDoNotTouchEachOther) {
  const std::string before = state();
  ProbeRoutes other = open("an-instance-with-a-long-name");
  must(probes_->set(both()));
  const std::string one = state();
  must(other.set(both()));
  const std::uint32_t mark = probes_->mark_of(kServer1, Family::kV4);
  const std::uint32_t others = other.mark_of(kServer1, Family::kV4);
  EXPECT_NE(mark & 0xffff0000, others & 0xffff0000);
  EXPECT_TRUE(arrives(server1_, kVipa6, mark));
  EXPECT_TRUE(arrives(server1_, kVipa6, others));
  must(other.clear());
  EXPECT_EQ(state(), one) << "the guard stays for who is left";
  must(other.set({hop(kServer2, kMac2)}));
  must(probes_->clear());
  EXPECT_THAT(dispatcher_.output("ip rule"), testing::HasSubstr("goto 5802"));
  EXPECT_TRUE(arrives(server2_, kVipa4, other.mark_of(kServer2, Family::kV4)));
  must(other.clear());
  EXPECT_EQ(state(), before);
}

TEST_F(Probes, TakeTheNextMarksWhenAnotherInstanceHasOurs) {
  const auto control = dispatcher_.inside([] { return RouteControl::open(); });
  const auto ours = choose_probe_byte("default", {});
  ASSERT_TRUE(ours);
  const RouteChange taken{.kind = RouteChange::Kind::kPut, .object = probe_claim("other", ours->byte)};
  auto mutable_control = dispatcher_.inside([] { return RouteControl::open(); });
  must(mutable_control->apply({taken})->front());
  must(probes_->set(both()));
  EXPECT_EQ(probes_->mark_of(kServer1, Family::kV4) >> 16 & 0xff, ours->byte % 255U + 1);
  EXPECT_TRUE(arrives(server1_, kVipa4, probes_->mark_of(kServer1, Family::kV4)));
  must(probes_->clear());
  EXPECT_THAT(dispatcher_.output("ip rule"), testing::HasSubstr("iif xp:other"));
}

TEST_F(Probes, TwoThousandServersAreMadeAndRemoved) {
  std::vector<ProbeNextHop> hops;
  for (std::uint16_t i = 0; i < 2000; ++i) {
    hops.push_back(
        {.server = IpAddress::v4({10, 1, static_cast<std::uint8_t>(i / 250), static_cast<std::uint8_t>(1 + i % 250)}),
         .mac = mac(kMac1),
         .ifindex = e0_});
  }
  const std::string before = state();
  must(probes_->set(hops));
  EXPECT_THAT(dispatcher_.output("ip rule | grep -c ^5801.*lookup; ip -6 rule | grep -c ^5801"), "2000\n2000\n");
  for (const ProbeNextHop& one : hops) {
    EXPECT_NE(probes_->mark_of(one.server, Family::kV4), 0U);
    EXPECT_NE(probes_->mark_of(one.server, Family::kV6), 0U) << probes_->failure_of(one.server, Family::kV6);
  }
  must(probes_->clear());
  EXPECT_EQ(state(), before);
}

TEST(ProbeClaims, OfTwoInstancesOnAByteTheFirstCounts) {
  const std::uint8_t byte = choose_probe_byte("a", {})->byte;
  const Rule first = probe_claim("b", byte);
  const Rule second = probe_claim("a", byte);
  const auto chosen = choose_probe_byte("a", {first, second});
  ASSERT_TRUE(chosen);
  EXPECT_FALSE(chosen->is_claimed);
  EXPECT_NE(chosen->byte, byte);
  EXPECT_THAT(chosen->surplus, testing::ElementsAre(second));
  const auto others = choose_probe_byte("b", {first, second});
  EXPECT_TRUE(others->is_claimed);
  EXPECT_EQ(others->byte, byte);
}

TEST(ProbeClaims, TheLastFreeByteIsFoundAndNoneIsToldOf) {
  std::vector<Rule> rules;
  for (unsigned byte = 1; byte <= 255; ++byte) {
    if (byte != 77) rules.push_back(probe_claim("i" + std::to_string(byte), static_cast<std::uint8_t>(byte)));
  }
  EXPECT_EQ(choose_probe_byte("a", rules)->byte, 77);
  rules.push_back(probe_claim("i77", 77));
  EXPECT_FALSE(choose_probe_byte("a", rules));
  EXPECT_TRUE(choose_probe_byte("i3", rules)->is_claimed);
}

TEST(ProbeObjects, KnowTheirSlotAndInstance) {
  const ProbeNextHop hop{.server = kServer1, .mac = mac(kMac1), .ifindex = 2};
  const std::uint32_t mark = probe_mark(0x42, 0x1234);
  EXPECT_EQ(mark, 0x58421234U);
  EXPECT_EQ(probe_next_hop(mark), ip("fe80::58:42:1234"));
  const auto objects = probe_objects(hop, mark, true);
  EXPECT_EQ(objects.size(), 5U);
  for (const auto& object : objects) {
    EXPECT_EQ(probe_slot(object, 0x42), 0x1234);
    EXPECT_EQ(probe_slot(object, 0x43), std::nullopt);
  }
  EXPECT_EQ(probe_objects(hop, mark, false).size(), 2U);
  EXPECT_EQ(probe_slot(Route{.table = 0x58421234}, 0x42), std::nullopt) << "a table of local VIPAs";
  for (const Rule& rule : {probe_guard(Family::kV4), probe_claim("a", 0x42), probe_stop(Family::kV4, 0x42)}) {
    EXPECT_EQ(probe_slot(rule, 0x42), std::nullopt);
  }
}

}  // namespace
}  // namespace xdplb
