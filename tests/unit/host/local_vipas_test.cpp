// SPDX-License-Identifier: GPL-2.0-only
// A host with two adapters on one LAN, a client on that LAN and one behind a router; the VIPA is the host's own.
#include "host/local_vipas.h"

#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include <array>
#include <filesystem>

#include "host/host_profile.h"
#include "sandbox.h"

namespace xdplb {
namespace {

IpAddress ip(const char* text) { return *IpAddress::parse(text); }

const char* const kMac0 = "02:00:00:00:00:04";
const char* const kMac1 = "02:00:00:00:00:05";

// One end of a TCP connection.
class Peer {
 public:
  explicit Peer(int fd) : fd_(fd) {}
  int fd() const { return fd_.get(); }
  // What was sent arrives whole and right; false after the deadline.
  bool send_to(const Peer& other, const std::string& text) const {
    if (::send(fd(), text.data(), text.size(), MSG_NOSIGNAL) != static_cast<ssize_t>(text.size())) return false;
    std::string heard;
    while (heard.size() < text.size()) {
      pollfd waiting{.fd = other.fd(), .events = POLLIN, .revents = 0};
      if (::poll(&waiting, 1, 5000) != 1) return false;
      std::array<char, 4096> part{};
      ssize_t length = ::recv(other.fd(), part.data(), part.size(), 0);
      if (length <= 0) return false;
      heard.append(part.data(), static_cast<std::size_t>(length));
    }
    return heard == text;
  }

 private:
  FileDescriptor fd_;
};

struct Connection {
  Peer client{-1};
  Peer server{-1};
  bool works() const { return client.send_to(server, "to the server") && server.send_to(client, "to the client"); }
};

class Local : public Sandbox {
 protected:
  void SetUp() override {
    Sandbox::SetUp();
    if (IsSkipped()) return;
    plug_in(dispatcher_, "e0", kMac0);
    plug_in(dispatcher_, "e1", kMac1);
    client_ = NetworkNamespace::make();
    router_ = NetworkNamespace::make();
    remote_ = NetworkNamespace::make();
    plug_in(client_, "c0", "02:00:00:00:00:0c");
    plug_in(router_, "r0", "02:00:00:00:00:01");
    router_.run("ip link add r1 type veth peer name m0 netns " + remote_.path() +
                "; ip link set r1 up; echo 1 > /proc/sys/net/ipv4/ip_forward;"
                " echo 1 > /proc/sys/net/ipv6/conf/all/forwarding");
    remote_.run("ip link set m0 up");
    give_addresses();
    e0_ = index("e0");
    e1_ = index("e1");
    folder_ = std::filesystem::temp_directory_path() / ("xdplb-local-" + std::to_string(::getpid()));
    std::filesystem::create_directories(folder_);
    HostProfile profile(folder_ / "host.json");
    dispatcher_.inside([&] {
      ASSERT_TRUE(profile.apply({.interfaces = {"e0", "e1"}, .has_local_v4 = true, .has_local_v6 = true}));
    });
    before_ = dump();
    reopen();
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  void give_addresses() const {
    dispatcher_.run(
        "ip addr add 10.1.1.4/24 dev e0; ip addr add 10.1.1.5/24 dev e1;"
        "ip addr add 2001:db8::4/64 dev e0; ip addr add 2001:db8::5/64 dev e1;"
        "ip route add default via 10.1.1.1 dev e0; ip -6 route add default via 2001:db8::1 dev e0");
    client_.run("ip addr add 10.1.1.9/24 dev c0; ip addr add 2001:db8::9/64 dev c0");
    router_.run(
        "ip addr add 10.1.1.1/24 dev r0; ip addr add 198.51.100.1/24 dev r1;"
        "ip addr add 2001:db8::1/64 dev r0; ip addr add 2001:db8:9::1/64 dev r1");
    remote_.run(
        "ip addr add 198.51.100.9/24 dev m0; ip addr add 2001:db8:9::9/64 dev m0;"
        "ip route add default via 198.51.100.1; ip -6 route add default via 2001:db8:9::1");
  }

  // Another run of the program; the first one never said goodbye.
  void reopen() {
    auto opened = dispatcher_.inside([] { return LocalVipas::open(); });
    ASSERT_TRUE(opened) << opened.error().message;
    vipas_.emplace(std::move(*opened));
  }
  void set(const std::vector<LocalVipa>& wanted) {
    auto done = vipas_->set(wanted);
    ASSERT_TRUE(done) << done.error().message;
  }
  LocalVipa vipa(const char* address, std::uint32_t owner) const {
    return {.address = ip(address), .owner = owner, .interfaces = {e0_, e1_}};
  }
  // What the announcements do.
  void announce(const std::string& mac) const {
    for (const auto& [where, dev] : {std::pair(&client_, " dev c0"), std::pair(&router_, " dev r0")}) {
      for (const char* address : {"10.1.1.7", "2001:db8::7"}) {
        where->run("ip neigh replace " + std::string(address) + " lladdr " + mac + dev + " nud permanent");
      }
    }
  }
  std::uint32_t index(const std::string& name) const { return index_of(dispatcher_, name); }
  std::string output(const std::string& command) const { return dispatcher_.output(command); }
  std::string dump() const {
    return output("ip rule; ip -6 rule; ip route show table all; ip -6 route show table all; ip addr show dev lo");
  }
  static sockaddr_storage endpoint(const IpAddress& address, std::uint16_t port) {
    sockaddr_storage storage{};
    if (address.is_v4()) {
      auto& v4 = reinterpret_cast<sockaddr_in&>(storage);
      v4.sin_family = AF_INET;
      v4.sin_port = htons(port);
      std::copy(address.bytes().begin(), address.bytes().end(), reinterpret_cast<std::uint8_t*>(&v4.sin_addr));
    } else {
      auto& v6 = reinterpret_cast<sockaddr_in6&>(storage);
      v6.sin6_family = AF_INET6;
      v6.sin6_port = htons(port);
      std::copy(address.bytes().begin(), address.bytes().end(), reinterpret_cast<std::uint8_t*>(&v6.sin6_addr));
    }
    return storage;
  }
  Connection connect(const NetworkNamespace& from, const char* address) const {
    const auto target = endpoint(ip(address), 7000);
    const auto* name = reinterpret_cast<const sockaddr*>(&target);
    const int family = target.ss_family;
    FileDescriptor listener = dispatcher_.inside([&] {
      FileDescriptor fd(::socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0));
      const int on = 1;
      ::setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
      EXPECT_EQ(::bind(fd.get(), name, sizeof(target)), 0);
      EXPECT_EQ(::listen(fd.get(), 4), 0);
      return fd;
    });
    Connection made;
    made.client = Peer(from.inside([&] { return ::socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0); }));
    const timeval patience{.tv_sec = 5, .tv_usec = 0};
    ::setsockopt(made.client.fd(), SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
    EXPECT_EQ(::connect(made.client.fd(), name, sizeof(target)), 0) << address << ": " << std::strerror(errno);
    made.server = Peer(::accept(listener.get(), nullptr, nullptr));
    return made;
  }

  NetworkNamespace client_, router_, remote_;
  std::filesystem::path folder_;
  std::optional<LocalVipas> vipas_;
  std::string before_;
  std::uint32_t e0_ = 0;
  std::uint32_t e1_ = 0;
};

TEST_F(Local, ConnectionsFollowTheOwnerWhenTheCableIsPulled) {
  set({vipa("10.1.1.7", e0_), vipa("2001:db8::7", e0_)});
  announce(kMac0);
  std::vector<Connection> connections;
  for (const auto* from : {&client_, &remote_}) {
    for (const char* address : {"10.1.1.7", "2001:db8::7"}) {
      connections.push_back(connect(*from, address));
      EXPECT_TRUE(connections.back().works()) << address;
    }
  }
  EXPECT_THAT(output("ip route get 198.51.100.9 from 10.1.1.7"), testing::HasSubstr("dev e0"));
  lan_.run("ip link set port-e0 down");
  await(dispatcher_, "ip link show e0", "NO-CARRIER");
  set({vipa("10.1.1.7", e1_), vipa("2001:db8::7", e1_)});
  announce(kMac1);
  for (const auto& connection : connections) EXPECT_TRUE(connection.works());
  for (const char* way : {"198.51.100.9 from 10.1.1.7", "10.1.1.9 from 10.1.1.7", "2001:db8:9::9 from 2001:db8::7",
                          "2001:db8::9 from 2001:db8::7"}) {
    EXPECT_THAT(output("ip route get " + std::string(way)), testing::HasSubstr("dev e1")) << way;
  }
  lan_.run("ip link set port-e0 up");
  await(lan_, "bridge link show dev port-e0", "state forwarding");
  set({vipa("10.1.1.7", e0_), vipa("2001:db8::7", e0_)});
  announce(kMac0);
  for (const auto& connection : connections) EXPECT_TRUE(connection.works()) << "and back";
  connections.clear();
  set({});
  EXPECT_EQ(dump(), before_);
}

TEST_F(Local, ConnectionsFollowWhenTheInterfaceIsTakenDown) {
  set({vipa("10.1.1.7", e0_), vipa("2001:db8::7", e0_)});
  announce(kMac0);
  std::vector<Connection> connections;
  for (const char* address : {"10.1.1.7", "2001:db8::7"}) connections.push_back(connect(remote_, address));
  dispatcher_.run("ip link set e0 down");  // the kernel drops its routes, the default one, too
  EXPECT_EQ(output("ip route show default"), "");
  for (int again = 0; again < 2; ++again) set({vipa("10.1.1.7", e1_), vipa("2001:db8::7", e1_)});
  announce(kMac1);
  for (const auto& connection : connections) EXPECT_TRUE(connection.works());
}

TEST_F(Local, EqualListChangesNothing) {
  dispatcher_.run(
      "ip route add 203.0.113.0/24 dev lo; ip -6 route add 2001:db8:77::/48 via 2001:db8::2 dev e1 metric 5");
  set({vipa("10.1.1.7", e0_), vipa("2001:db8::7", e1_)});
  auto events = dispatcher_.inside([] {
    return NetlinkSocket::open(std::array<unsigned, 3>{7, 11, 5});  // RTNLGRP_IPV4_ROUTE, IPV6_ROUTE, IPV4_IFADDR
  });
  const std::string made = dump();
  // The kernel itself may say something meanwhile, but not each time.
  unsigned count = 1;
  for (int attempt = 0; attempt < 5 && count != 0; ++attempt) {
    set({vipa("10.1.1.7", e0_), vipa("2001:db8::7", e1_)});
    count = 0;
    ASSERT_TRUE(events->receive(100, [&](const NetlinkMessage&) { ++count; }));
  }
  EXPECT_EQ(count, 0u) << "not even the same again";
  EXPECT_EQ(dump(), made);
  reopen();
  set({vipa("10.1.1.7", e0_), vipa("2001:db8::7", e1_)});
  EXPECT_EQ(dump(), made) << "a later run adopts it";
}

TEST_F(Local, WhatAnEarlierRunLeftIsRemoved) {
  set({vipa("10.1.1.7", e0_), vipa("10.1.1.8", e1_), vipa("2001:db8::7", e1_)});
  reopen();
  set({vipa("10.1.1.8", e1_)});
  EXPECT_THAT(output("ip addr show dev lo"),
              testing::AllOf(testing::HasSubstr("10.1.1.8/32"), testing::Not(testing::HasSubstr("10.1.1.7")),
                             testing::Not(testing::HasSubstr("2001:db8::7"))));
  reopen();
  set({});
  EXPECT_EQ(dump(), before_);
}

TEST_F(Local, AddressOfTheOperatorStays) {
  dispatcher_.run("ip addr add 10.1.1.7/32 dev lo; ip addr add 2001:db8::7/128 dev lo nodad");
  const std::string with_address = dump();
  set({vipa("10.1.1.7", e0_), vipa("2001:db8::7", e0_)});
  EXPECT_NE(dump(), with_address);
  set({});
  EXPECT_EQ(dump(), with_address);
}

TEST_F(Local, WithoutOwnerRoutesStayAsTheyWere) {
  set({vipa("10.1.1.7", 0)});
  EXPECT_THAT(output("ip addr show dev lo"), testing::HasSubstr("10.1.1.7/32"));
  EXPECT_THAT(output("ip rule"), testing::Not(testing::HasSubstr("10.1.1.7")));
  set({vipa("10.1.1.7", e1_)});
  const std::string owned = dump();
  set({vipa("10.1.1.7", 0)});
  EXPECT_EQ(dump(), owned);
}

TEST_F(Local, OtherNetworksAreLeftToTheMainTable) {
  plug_in(dispatcher_, "e2", "02:00:00:00:00:06");
  dispatcher_.run(
      "ip addr add 203.0.113.1/24 dev e2; ip addr add 2001:db8:2::1/64 dev e2;"
      "ip route add 192.0.2.0/24 via 203.0.113.2; ip -6 route add 2001:db8:3::/64 via 2001:db8:2::2");
  set({vipa("10.1.1.7", e1_), vipa("2001:db8::7", e1_)});
  for (const char* way : {"203.0.113.9 from 10.1.1.7", "192.0.2.9 from 10.1.1.7", "2001:db8:2::9 from 2001:db8::7",
                          "2001:db8:3::9 from 2001:db8::7"}) {
    EXPECT_THAT(output("ip route get " + std::string(way)), testing::HasSubstr("dev e2")) << way;
  }
  EXPECT_THAT(output("ip route get 8.8.8.8 from 10.1.1.7"), testing::HasSubstr("dev e1"));
  dispatcher_.run("ip link del e2");
  set({vipa("10.1.1.7", e1_), vipa("2001:db8::7", e1_)});
  EXPECT_THAT(output("ip route show table 1480851456"), testing::Not(testing::HasSubstr("throw")));
  EXPECT_THAT(output("ip -6 route show table 1480851456"), testing::Not(testing::HasSubstr("throw")));
}

TEST_F(Local, FailureNamesTheVipaAndTheOthersAreDone) {
  auto done = vipas_->set({vipa("10.1.1.7", 9999), vipa("10.1.1.8", e1_)});
  EXPECT_TRUE(done) << "nothing leads through an interface that is gone";
  dispatcher_.run("echo 1 > /proc/sys/net/ipv6/conf/lo/disable_ipv6");
  done = vipas_->set({vipa("2001:db8::7", e0_), vipa("10.1.1.8", e0_)});
  ASSERT_FALSE(done);
  EXPECT_THAT(done.error().message, testing::StartsWith("local VIPA 2001:db8::7: address 2001:db8::7/128"));
  EXPECT_THAT(output("ip route get 10.1.1.9 from 10.1.1.8"), testing::HasSubstr("dev e0"));
}

}  // namespace
}  // namespace xdplb
