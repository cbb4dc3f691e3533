// SPDX-License-Identifier: GPL-2.0-only
// Random valid configurations for property tests.
#pragma once

#include "model/config.h"

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
    const unsigned count = below(5);
    for (unsigned i = 0; i < count; ++i) config.clusters.push_back(cluster(i));
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
    for (unsigned i = below(4); i > 0; --i) cluster.ports.push_back(port(i));
    return cluster;
  }

  PortConfig port(unsigned number) {
    PortConfig port{.port = static_cast<std::uint16_t>(one_in(8) ? 65536 - number : number - 1), .servers = {}};
    port.protocol = one_in(2) ? Protocol::kUdp : Protocol::kTcp;
    for (unsigned i = below(6); i > 0; --i) port.servers.push_back(server(i));
    return port;
  }

  ServerConfig server(unsigned number) {
    ServerConfig server{.name = "s" + std::to_string(number), .address = address(2, number), .family = {}};
    if (one_in(3)) server.name = server.address.to_string();
    server.weight = below(kMaxWeight + 1);
    if (one_in(3)) server.family = one_in(2) ? Family::kV4 : Family::kV6;
    return server;
  }

  std::mt19937_64 random_;
};

}  // namespace xdplb::testing
