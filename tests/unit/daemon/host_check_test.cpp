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

}  // namespace
}  // namespace xdplb
