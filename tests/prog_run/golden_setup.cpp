// SPDX-License-Identifier: GPL-2.0-only
#include "golden_cases.h"

namespace xdplb::test {
namespace {

std::vector<std::uint32_t> rows_of(std::uint16_t server) { return {settled_row(server)}; }

}  // namespace

MacAddress server_mac(std::uint16_t index) {
  return {.bytes = {0x02, 0x01, 0x5e, 0x77, static_cast<std::uint8_t>(index >> 8),
                    static_cast<std::uint8_t>(index & 0xff)}};
}

DataplaneSetup golden_setup(std::uint32_t ingress, std::uint32_t other) {
  DataplaneSetup setup;
  const Protocol tcp = Protocol::kTcp;
  const Protocol udp = Protocol::kUdp;
  setup.clusters.push_back({.addresses = {kWeb4, kWeb6},
                            .ports = {{.port = 0, .protocol = tcp, .rows = rows_of(9)},
                                      {.port = 443, .protocol = tcp, .rows = rows_of(1)},
                                      {.port = 53, .protocol = udp, .rows = rows_of(2)},
                                      {.port = 65535, .protocol = udp, .rows = rows_of(2)},
                                      {.port = 8443, .protocol = tcp, .rows = rows_of(3)},
                                      {.port = 8443, .protocol = udp, .rows = rows_of(3)},
                                      {.port = 81, .protocol = tcp, .rows = {}},
                                      {.port = 82, .protocol = tcp, .rows = rows_of(5)},
                                      {.port = 83, .protocol = tcp, .rows = rows_of(4)},
                                      {.port = 84, .protocol = tcp, .rows = rows_of(6)},
                                      {.port = 85, .protocol = tcp, .rows = {0, 0}},
                                      {.port = 86, .protocol = tcp, .rows = {moving_row(1, 2)}},
                                      {.port = 87, .protocol = tcp, .rows = rows_of(8)},
                                      {.port = 88, .protocol = tcp, .rows = rows_of(7)},
                                      {.port = 89, .protocol = tcp, .rows = {moving_row(1, 0)}},
                                      {.port = 90, .protocol = tcp, .rows = rows_of(1), .rows_v6 = rows_of(2)},
                                      {.port = 91, .protocol = tcp, .rows = rows_of(1), .rows_v6 = {{}}}}});
  setup.clusters.push_back({.addresses = {kDns4, kDns6},
                            .ports = {{.port = 53, .protocol = udp, .rows = rows_of(1)},
                                      {.port = 53, .protocol = tcp, .rows = rows_of(2)},
                                      {.port = 0, .protocol = udp, .rows = rows_of(9)}}});
  setup.clusters.push_back({.addresses = {kBare4}, .ports = {}});
  for (const std::uint16_t index : std::initializer_list<std::uint16_t>{1, 2, 9})
    setup.servers[index] = {.mac = server_mac(index), .egress = 1};
  setup.servers[3] = {.mac = server_mac(3), .egress = 2};
  setup.servers[4] = {.mac = server_mac(4), .egress = 3};
  setup.servers[5] = {};                                                        // gone, all zero
  setup.servers[6] = {.mac = server_mac(6), .egress = 5};                       // a free slot
  setup.servers[7] = {.mac = server_mac(7), .egress = XDPLB_MAX_EGRESSES - 1};  // the last slot
  setup.servers[8] = {.mac = server_mac(8), .egress = 0};                       // gone, its MAC still there
  setup.egresses[1] = {.mac = kIngressMac, .ifindex = ingress};
  setup.egresses[2] = {.mac = kOtherMac, .ifindex = other};
  setup.egresses[3] = {.mac = kOtherMac, .ifindex = other, .has_device = false};
  setup.egresses[XDPLB_MAX_EGRESSES - 1] = {.mac = kIngressMac, .ifindex = ingress};
  return setup;
}

Packet from_client(const IpAddress& destination) {
  if (destination.is_v4()) return {.layers = {Ipv4{.source = kClient4, .destination = destination}}};
  return {.layers = {Ipv6{.source = kClient6, .destination = destination}}};
}

std::vector<GoldenCase> golden_cases() {
  std::vector<GoldenCase> cases = forwarded_cases();
  for (const auto& more : {passed_cases(), dropped_cases()}) cases.insert(cases.end(), more.begin(), more.end());
  return cases;
}

}  // namespace xdplb::test
