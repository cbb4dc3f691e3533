// SPDX-License-Identifier: GPL-2.0-only
// The facts of a server that is set up as docs/server-setup.md says, for tests to spoil.
#pragma once

#include "server/server_judge.h"

#include <linux/fib_rules.h>
#include <linux/rtnetlink.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

namespace xdplb {

inline IpAddress ip(const std::string& text) { return *IpAddress::parse(text); }
inline IpPrefix prefix(const std::string& text) { return *IpPrefix::parse(text); }

constexpr std::uint32_t kLo = 1;
constexpr std::uint32_t kEth0 = 2;
constexpr std::uint32_t kEth1 = 3;

class Server : public testing::Test {
 protected:
  Server() {
    facts_.links = {{.index = kLo, .name = "lo", .is_loopback = true, .is_up = true, .mtu = 65536},
                    {.index = kEth0,
                     .name = "eth0",
                     .mac = *MacAddress::parse("02:00:00:00:00:21"),
                     .is_up = true,
                     .has_arp = true,
                     .kind = "veth",
                     .mtu = 1500,
                     .has_lro = false}};
    address(kLo, "127.0.0.1/8");
    address(kLo, "::1/128");
    address(kEth0, "192.0.2.21/24");
    address(kEth0, "2001:db8:1::21/64");
    address(kLo, "192.0.2.10/32");
    address(kLo, "2001:db8:1::10/128");
    local("127.0.0.0/8", kLo);
    local("127.0.0.1", kLo);
    local("192.0.2.21", kEth0);
    local("192.0.2.10", kLo);
    local("::1", kLo);
    local("2001:db8:1::21", kEth0);
    local("2001:db8:1::10", kLo);
    way("192.0.2.0/24", "", kEth0).protocol = 2;
    way("2001:db8:1::/64", "", kEth0).protocol = 2;
    way("0.0.0.0/0", "192.0.2.1", kEth0);
    way("::/0", "2001:db8:1::1", kEth0);
    for (Family family : {Family::kV4, Family::kV6}) {
      rule(family, 0, 255);
      rule(family, 32766, 254);
    }
    rule(Family::kV4, 32767, 253);
    for (const char* scope : {"all", "default", "lo", "eth0"}) settings(scope);
    facts_.sysctls["net/ipv4/ip_forward"] = 0;
    v4("all", "arp_ignore") = 1;
    v4("all", "arp_announce") = 2;
    facts_.listeners = {{.address = ip("0.0.0.0"), .port = 80}, {.address = ip("::"), .port = 80, .is_v6_only = true}};
    wish_ = {.vipas = {ip("192.0.2.10"), ip("2001:db8:1::10")}, .ports = {{.port = 80}}};
  }

  void settings(const std::string& scope) {
    for (const char* key : {"arp_ignore", "arp_announce", "arp_filter", "proxy_arp", "proxy_arp_pvlan", "rp_filter",
                            "forwarding", "route_localnet", "accept_local"}) {
      v4(scope, key) = 0;
    }
    for (const char* key : {"proxy_ndp", "forwarding", "disable_ipv6"}) v6(scope, key) = 0;
    v6(scope, "accept_dad") = 1;
  }
  int& v4(const std::string& scope, const std::string& key) {
    return facts_.sysctls["net/ipv4/conf/" + scope + "/" + key];
  }
  int& v6(const std::string& scope, const std::string& key) {
    return facts_.sysctls["net/ipv6/conf/" + scope + "/" + key];
  }
  ServerLink& link(const std::string& name) {
    return *std::find_if(facts_.links.begin(), facts_.links.end(), [&](auto& link) { return link.name == name; });
  }
  ServerAddress& address(std::uint32_t ifindex, const std::string& text) {
    facts_.addresses.push_back({.ifindex = ifindex, .prefix = prefix(text)});
    return facts_.addresses.back();
  }
  ServerRoute& local(const std::string& destination, std::uint32_t ifindex) {
    ServerRoute route{.destination = prefix(destination),
                      .ifindex = ifindex,
                      .table = 255,
                      .protocol = 2,
                      .scope = RT_SCOPE_HOST,
                      .type = RTN_LOCAL};
    if (route.destination.is_host()) route.source = route.destination.address;
    facts_.routes.push_back(route);
    return facts_.routes.back();
  }
  ServerRoute& way(const std::string& destination, const std::string& gateway, std::uint32_t ifindex) {
    ServerRoute route{
        .destination = prefix(destination), .ifindex = ifindex, .table = 254, .protocol = 3, .type = RTN_UNICAST};
    if (!gateway.empty()) route.gateway = ip(gateway);
    facts_.routes.push_back(route);
    return facts_.routes.back();
  }
  ServerRule& rule(Family family, std::uint32_t priority, std::uint32_t table) {
    facts_.rules.push_back({.family = family, .priority = priority, .action = FR_ACT_TO_TBL, .table = table});
    return facts_.rules.back();
  }
  // The VIPA's alias and what came with it.
  void drop_alias(const std::string& text) {
    std::erase_if(facts_.addresses, [&](auto& address) { return address.prefix.address == ip(text); });
    std::erase_if(facts_.routes, [&](auto& route) { return route.type == RTN_LOCAL && route.source == ip(text); });
  }
  void drop_defaults() {
    std::erase_if(facts_.routes, [](auto& route) { return route.destination.length == 0; });
  }
  // A second interface in a network of its own.
  void add_eth1() {
    facts_.links.push_back({.index = kEth1,
                            .name = "eth1",
                            .mac = *MacAddress::parse("02:00:00:00:00:22"),
                            .is_up = true,
                            .has_arp = true,
                            .mtu = 1500});
    settings("eth1");
    address(kEth1, "198.51.100.21/24");
    local("198.51.100.21", kEth1);
    way("198.51.100.0/24", "", kEth1).protocol = 2;
  }

  Faults faults() const { return judge_server(facts_, wish_); }
  // "code" of each, a warning with '~' before.
  std::vector<std::string> codes() const {
    std::vector<std::string> found;
    for (const Fault& fault : faults()) {
      found.push_back((fault.severity == Severity::kWarning ? "~" : "") + fault.code);
    }
    return found;
  }
  std::string remedy(const std::string& code) const {
    for (const Fault& fault : faults()) {
      if (fault.code == code) return fault.remedy;
    }
    return "no such fault";
  }

  ServerFacts facts_{};
  ServerWish wish_{};
};

}  // namespace xdplb
