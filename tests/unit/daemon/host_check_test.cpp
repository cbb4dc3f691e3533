// SPDX-License-Identifier: GPL-2.0-only
#include "daemon/host_check.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace xdplb {
namespace {

using testing::HasSubstr;

IpAddress ip(const char* text) { return IpAddress::parse(text).value(); }

class HostCheckTest : public testing::Test {
 protected:
  HostCheckTest() {
    next.clusters = {{.name = "web",
                      .addresses = {ip("192.0.2.10")},
                      .ports = {{.port = 80, .servers = {{.name = "s1", .address = ip("192.0.2.21")}}}}}};
    own("192.0.2.2/24", 3);
  }
  void own(const char* prefix, std::uint32_t ifindex) {
    addresses.push_back({.ifindex = ifindex, .prefix = IpPrefix::parse(prefix).value()});
  }
  Result<void> check() const {
    return check_host({.next = next,
                       .now = now,
                       .addresses = addresses,
                       .interfaces = interfaces,
                       .has_loaded = !interfaces.empty()});
  }
  std::string refusal() const {
    const auto checked = check();
    return checked ? "" : checked.error().message;
  }
  ServerConfig& server() { return next.clusters[0].ports[0].servers[0]; }

  Config next;
  Config now;
  std::vector<InterfaceAddress> addresses;
  std::vector<std::uint32_t> interfaces{3};
};

TEST_F(HostCheckTest, AServerOnALoadedNetworkFits) { EXPECT_TRUE(check()); }

TEST_F(HostCheckTest, AServerElsewhereIsRefusedUnlessItIsKnown) {
  server().address = ip("198.51.100.1");
  EXPECT_THAT(refusal(), HasSubstr("server web/80/s1: 198.51.100.1 is on no loaded interface's network"));
  now = next;
  EXPECT_TRUE(check());
}

TEST_F(HostCheckTest, EveryAdapterOfAServerMustBeReachable) {
  server().further_addresses = {ip("192.0.2.22"), ip("198.51.100.1")};
  EXPECT_THAT(refusal(), HasSubstr("198.51.100.1"));
  own("198.51.100.2/24", 3);
  EXPECT_TRUE(check());
}

TEST_F(HostCheckTest, WithoutInterfacesTheRemedyIsToLoadOne) {
  interfaces.clear();
  EXPECT_THAT(refusal(), HasSubstr("no interface is loaded"));
}

TEST_F(HostCheckTest, AVipaOfThisHostIsRefusedUnlessTheHostIsAServerOrTheVipaIsLocal) {
  own("192.0.2.10/32", 1);
  EXPECT_THAT(refusal(), HasSubstr("cluster web: 192.0.2.10 is an address of this host"));
  next.vipas = {{.address = ip("192.0.2.10"), .preferred = {{"eth0"}}, .is_local = true}};
  EXPECT_TRUE(check());
  next.vipas.clear();
  server().further_addresses = {ip("192.0.2.2")};
  EXPECT_TRUE(check());
}

TEST_F(HostCheckTest, AVipaOfNoClusterIsLookedAtAsWell) {
  next.vipas = {{.address = ip("192.0.2.2"), .preferred = {{"eth0"}}}};
  EXPECT_THAT(refusal(), HasSubstr("vipa 192.0.2.2: it is an address of this host"));
  next.vipas[0].is_local = true;
  EXPECT_TRUE(check());
}

TEST(AdapterAddresses, AreThoseOfServersWithSeveral) {
  Config config;
  config.clusters = {
      {.name = "web",
       .ports = {{.servers = {{.name = "a", .address = ip("192.0.2.1")},
                              {.name = "b", .address = ip("192.0.2.2"), .further_addresses = {ip("192.0.2.3")}}}}}}};
  EXPECT_EQ(server_addresses(config), (std::set{ip("192.0.2.1"), ip("192.0.2.2"), ip("192.0.2.3")}));
  EXPECT_EQ(adapter_addresses(config), (std::set{ip("192.0.2.2"), ip("192.0.2.3")}));
}

TEST(InterfacesApart, OneThatStandsOnAnotherIsRefusedInEitherOrder) {
  const auto link = [](std::uint32_t index, const char* name, std::uint32_t master, std::uint32_t lower) {
    Link made;
    made.index = index;
    made.name = name;
    made.master = master;
    made.lower = lower;
    return std::pair(index, made);
  };
  // eth0 and eth1 are members of bond0, bond0.10 its VLAN and a port of br0; eth2.10 stands on eth2.
  const std::map<std::uint32_t, Link> links = {
      link(2, "eth0", 5, 0),     link(3, "eth1", 5, 0), link(4, "eth2", 0, 0),   link(5, "bond0", 0, 0),
      link(6, "bond0.10", 7, 5), link(7, "br0", 0, 0),  link(8, "eth2.10", 0, 4)};
  struct Case {
    std::vector<std::uint32_t> loaded;
    const char* upper;  // nullptr: they fit
    const char* lower;
  };
  for (const Case& c :
       {Case{{}, nullptr, nullptr}, Case{{8}, nullptr, nullptr}, Case{{2, 3, 4}, nullptr, nullptr},
        Case{{5, 8}, nullptr, nullptr}, Case{{4, 7}, nullptr, nullptr}, Case{{4, 8}, "eth2.10", "eth2"},
        Case{{8, 4}, "eth2.10", "eth2"}, Case{{5, 3}, "bond0", "eth1"}, Case{{2, 6}, "bond0.10", "eth0"},
        Case{{7, 2}, "br0", "eth0"}, Case{{6, 7}, "br0", "bond0.10"}}) {
    const auto apart = check_apart(links, c.loaded);
    if (c.upper == nullptr) {
      EXPECT_TRUE(apart) << testing::PrintToString(c.loaded);
      continue;
    }
    ASSERT_FALSE(apart) << c.upper;
    EXPECT_EQ(apart.error().code, ErrorCode::kConflict);
    EXPECT_THAT(apart.error().message, HasSubstr(std::string(c.upper) + ": it stands on " + c.lower));
  }
}

}  // namespace
}  // namespace xdplb
