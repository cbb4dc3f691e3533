// SPDX-License-Identifier: GPL-2.0-only
// A host on two LANs, a cluster of two servers, and what is seen when all is right: tests change one thing.
#pragma once

#include "verify/verify_judge.h"
#include "verify/verify_plan.h"
#include "verify/verify_task.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

namespace xdplb::test {

inline IpAddress ip(const char* text) { return *IpAddress::parse(text); }
inline MacAddress mac(const char* text) { return *MacAddress::parse(text); }

inline const MacAddress kOwnMac = mac("02:00:00:00:0a:02");
inline const MacAddress kS1 = mac("02:00:00:00:00:21");
inline const MacAddress kS2 = mac("02:00:00:00:00:22");
inline const MacAddress kStranger = mac("02:00:00:00:00:99");
inline const IpAddress kVipa = ip("192.0.2.10");
inline const IpAddress kVipa6 = ip("2001:db8:1::10");

inline HostSnapshot host() {
  HostSnapshot host;
  host.links = {{.index = 1, .name = "lo", .mac = {}, .is_up = true, .has_carrier = true, .is_loopback = true},
                {.index = 2, .name = "eth0", .mac = kOwnMac, .is_up = true, .has_carrier = true},
                {.index = 3, .name = "eth1", .mac = mac("02:00:00:00:0b:02"), .is_up = true, .has_carrier = true},
                {.index = 4, .name = "eth2", .mac = mac("02:00:00:00:0c:02"), .is_up = true}};
  const auto add = [&host](std::uint32_t ifindex, const char* prefix) {
    host.addresses.push_back({.ifindex = ifindex, .prefix = *IpPrefix::parse(prefix)});
  };
  add(1, "127.0.0.1/8");
  add(2, "fe80::2/64");
  add(2, "192.0.2.2/24");
  add(2, "2001:db8:1::2/64");
  add(3, "198.51.100.2/24");
  add(3, "fe80::3/64");
  add(4, "203.0.113.2/24");
  return host;
}

// Cluster web, port 80, of s1 and s2.
inline VerifyTask task() {
  VerifyTask task;
  PortConfig port{.port = 80};
  port.servers = {{.name = "s1", .address = ip("192.0.2.21")}, {.name = "s2", .address = ip("192.0.2.22")}};
  ClusterConfig cluster{.name = "web", .addresses = {kVipa}};
  cluster.ports.push_back(std::move(port));
  task.config.clusters.push_back(std::move(cluster));
  return task;
}

inline ServerConfig& server(VerifyTask& task, std::size_t which, std::size_t port = 0) {
  return task.config.clusters[0].ports[port].servers[which];
}

inline CheckResult check(CheckCode code, const char* text = "") {
  CheckResult result;
  result.code = code;
  result.text = text;
  return result;
}

// All is right: the owner is this host, nobody else answers, every server does all.
inline VerifySeen all_well(const VerifyPlan& plan) {
  VerifySeen seen;
  for (const auto& vipa : plan.vipas) seen.vipas[vipa.address] = {.before = {}, .after = Answerers{}};
  for (const auto& row : plan.rows) {
    for (const auto& adapter : row.adapters) {
      auto machine = mac("02:00:00:00:00:00");
      machine.bytes[5] = adapter.address.bytes().back() == 21   ? 0x21
                         : adapter.address.bytes().back() == 22 ? 0x22
                                                                : 0x31;
      seen.adapters[adapter.address] = {{machine, "eth0"}};
    }
    RowSeen one{.was_asked = true, .echo = row.vipa};
    for (const auto& port : row.ports)
      one.ports.push_back(port.advisor ? std::optional(check(CheckCode::kL4Ok)) : std::nullopt);
    seen.rows.push_back(std::move(one));
  }
  return seen;
}

inline std::vector<std::string> codes(const VerifyReport& report) {
  std::vector<std::string> codes;
  for (const auto& fault : report.faults) codes.push_back(fault.code + " " + fault.object);
  return codes;
}

}  // namespace xdplb::test
