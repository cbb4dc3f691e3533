// SPDX-License-Identifier: GPL-2.0-only
// Random valid configurations for property tests.
#pragma once

#include "model/config.h"
#include "random_advisor.h"

#include <random>
#include <string>

namespace xdplb::testing {

class RandomConfig {
 public:
  explicit RandomConfig(std::uint64_t seed) : random_(seed) {}

  Config make() {
    Config config;
    if (one_in(2)) config.interfaces = interfaces();
    if (one_in(2)) config.secret = "s\"e\\c\xC3\xA4r\n" + std::to_string(below(1000));
    for (unsigned i = below(3); i > 0; --i) config.peers.push_back({{2, 0, 0, 0, 1, static_cast<std::uint8_t>(i)}});
    config.decrement_ttl = one_in(2);
    const unsigned count = below(5);
    for (unsigned i = 0; i < count; ++i) config.clusters.push_back(cluster(i));
    config.fix_host = one_in(2);
    if (one_in(2)) config.health = health();
    config.has_failure_guard = !one_in(3);
    for (const ExitEvent event : kExitEvents) {
      if (one_in(4)) config.exits.push_back(user_exit(event));
    }
    for (unsigned i = below(4); i > 0; --i) config.vipas.push_back(vipa(address(4, i)));
    for (const ClusterConfig& cluster : config.clusters) {
      if (one_in(2)) config.vipas.push_back(vipa(cluster.addresses.front()));
    }
    return config;
  }

 private:
  unsigned below(unsigned limit) { return std::uniform_int_distribution<unsigned>(0, limit - 1)(random_); }
  bool one_in(unsigned count) { return below(count) == 0; }

  std::vector<std::string> interfaces() {
    std::vector<std::string> names;
    for (unsigned i = below(4); i > 0; --i) names.push_back("eth" + std::to_string(i));
    return names;
  }

  // `group` and `number` make it unique; servers and VIPAs use different groups.
  IpAddress address(unsigned group, unsigned number) {
    const auto high = static_cast<std::uint8_t>(number >> 8U);
    const auto low = static_cast<std::uint8_t>(number);
    if (one_in(2)) return IpAddress::v4({10, static_cast<std::uint8_t>(group), high, low});
    return IpAddress::v6(
        {0x20, 0x01, 0x0d, 0xb8, static_cast<std::uint8_t>(group), 0, 0, 0, 0, 0, 0, 0, 0, 0, high, low});
  }

  ClusterConfig cluster(unsigned number) {
    ClusterConfig cluster{.name = "cluster-" + std::to_string(number), .addresses = {}, .ports = {}};
    for (unsigned i = 0; i <= below(3); ++i) cluster.addresses.push_back(address(1, number * 16 + i));
    if (one_in(3)) {
      cluster.prefixes.push_back(
          {.address = IpAddress::v4({198, 51, static_cast<std::uint8_t>(number), 0}), .length = 24});
    }
    if (one_in(2)) cluster.manager = manager();
    if (one_in(3)) cluster.echo = one_in(2) ? Echo::kDispatcher : Echo::kOff;
    for (unsigned i = below(4); i > 0; --i) cluster.ports.push_back(port(i));
    if (!cluster.ports.empty() && one_in(3)) add_follower(cluster);
    return cluster;
  }

  PortConfig port(unsigned number) {
    PortConfig port{.port = static_cast<std::uint16_t>(one_in(8) ? 65536 - number : number - 1), .servers = {}};
    port.protocol = one_in(2) ? Protocol::kUdp : Protocol::kTcp;
    for (unsigned i = below(6); i > 0; --i) port.servers.push_back(server(i));
    if (one_in(2)) set_options(port);
    if (one_in(2)) port.advisor = RandomAdvisor(random_).make(port.port, port.protocol);
    return port;
  }

  void set_options(PortConfig& port) {
    const bool is_udp = port.protocol == Protocol::kUdp;
    port.udp_tracking = is_udp && one_in(2);
    if (!is_udp || port.udp_tracking) port.pick = static_cast<Pick>(below(3));
    port.on_stale = one_in(2) ? OnStale::kDrop : is_udp ? OnStale::kRepick : OnStale::kReset;
    port.no_server = one_in(2) ? NoServer::kPass : is_udp ? NoServer::kDrop : NoServer::kReset;
    port.stale_timeout_s = 1 + below(kMaxTimeout);
    if (one_in(2)) port.sticky_s = below(kMaxTimeout + 1);
    port.sticky_mask_v4 = static_cast<std::uint8_t>(1 + below(32));
    if (one_in(2)) port.sticky_mask_v6 = static_cast<std::uint8_t>(1 + below(128));
    if (one_in(2)) port.new_flow_limit = below(100000);
    if (one_in(2)) port.half_open_limit = below(100000);
    if (one_in(2))
      port.min_up = one_in(2) ? MinUp{.value = 1 + below(1000)} : MinUp{.value = 1 + below(100), .is_percent = true};
    port.on_all_down = one_in(2) ? OnAllDown::kRowsStay : is_udp ? OnAllDown::kDrop : OnAllDown::kReset;
    if (one_in(2)) port.slow_start_s = below(kMaxTimeout + 1);
  }

  // A port that shares the affinity of the first one.
  void add_follower(ClusterConfig& cluster) {
    PortConfig& lead = cluster.ports.front();
    if (lead.sticky_s == 0) lead.sticky_s = 60;
    PortConfig follower = lead;
    follower.port = 7777;
    follower.crossport = lead.port;
    cluster.ports.push_back(follower);
  }

  ServerConfig server(unsigned number) {
    ServerConfig server{.name = "s" + std::to_string(number), .address = address(2, number), .family = {}};
    if (one_in(3)) server.name = server.address.to_string();
    if (one_in(3)) {
      for (unsigned i = below(4); i > 0; --i) server.further_addresses.push_back(address(3, 8 * number + i));
    }
    server.weight = below(kMaxWeight + 1);
    if (one_in(3)) server.family = one_in(2) ? Family::kV4 : Family::kV6;
    if (one_in(3)) server.vlan = static_cast<std::uint16_t>(below(4095));
    if (one_in(3)) server.tier = below(kMaxTier + 1);
    server.has_fixed_weight = one_in(4);
    if (one_in(3)) server.admin = static_cast<Admin>(below(4));
    return server;
  }

  ManagerConfig manager() {
    ManagerConfig manager{.is_on = one_in(2)};
    if (one_in(2)) {
      const unsigned first = below(101);
      const unsigned second = below(101 - first);
      manager.proportions = {first, second, 0, 100 - first - second};
    }
    if (one_in(2)) manager.interval_s = 1 + below(3600);
    if (one_in(2)) manager.refresh = 1 + below(100);
    if (one_in(2)) manager.sensitivity = below(101);
    if (one_in(2)) manager.smoothing_tenths = 10 + below(991);
    if (one_in(2)) manager.weight_bound = 1 + below(100);
    return manager;
  }

  ExitConfig user_exit(ExitEvent event) {
    ExitConfig exit{.event = event, .command = {"/usr/local/sbin/page"}};
    for (unsigned i = below(3); i > 0; --i) exit.command.push_back("an \"argument\" \xC3\xA4 " + std::to_string(i));
    if (one_in(2)) exit.user = "pager-" + std::to_string(below(10));
    if (one_in(2)) exit.timeout_s = 1 + below(300);
    return exit;
  }

  HealthConfig health() {
    HealthConfig health{.needs_all_targets = one_in(2),
                        .reach_interval_s = 1 + below(60),
                        .reach_missed = 1 + below(10),
                        .up_delay_s = below(256),
                        .down_delay_s = below(256)};
    for (unsigned i = below(4); i > 0; --i) health.reach_targets.push_back(address(5, i));
    return health;
  }

  VipaConfig vipa(const IpAddress& address) {
    VipaConfig vipa{.address = address};
    if (one_in(2)) vipa.preferred = list(address.family());
    const bool is_routed = vipa.preferred && vipa.preferred->empty();
    if (is_routed && one_in(2)) vipa.proxy = one_in(2) ? "s1" : "10.6.0.1";
    vipa.is_local = vipa.preferred && one_in(2);
    vipa.is_backup = !is_routed && one_in(2);
    vipa.failback = static_cast<Failback>(below(3));
    if (one_in(2)) vipa.hold_s = below(3601);
    vipa.on_conflict = one_in(2) ? OnConflict::kYield : OnConflict::kDefend;
    vipa.probe = static_cast<DuplicateProbe>(below(3));
    if (one_in(2)) vipa.refresh_s = one_in(2) ? 0 : 2 + below(3599);
    return vipa;
  }

  // Names and addresses of interfaces.
  std::vector<std::string> list(Family family) {
    std::vector<std::string> entries;
    for (unsigned i = below(5); i > 0; --i) {
      const std::string number = std::to_string(i);
      const std::string address = (family == Family::kV4 ? "10.7.0." : "2001:db8:7::") + number;
      entries.push_back(one_in(2) ? "eth" + number : address);
    }
    return entries;
  }

  std::mt19937_64 random_;
};

}  // namespace xdplb::testing
