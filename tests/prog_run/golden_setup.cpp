// SPDX-License-Identifier: GPL-2.0-only
#include "golden_cases.h"

#include <linux/bpf.h>

namespace xdplb::test {
namespace {

std::vector<std::uint32_t> rows_of(std::uint16_t server) { return {settled_row(server)}; }

// Ports that ask for more than the ordinary.
void add_optional_ports(ClusterSetup& cluster) {
  const Protocol tcp = Protocol::kTcp;
  const Protocol udp = Protocol::kUdp;
  for (std::uint16_t i = 0; i < 6; ++i) {  // servers behind the ways of add_ways()
    const auto server = static_cast<std::uint16_t>(10 + i);
    cluster.ports.push_back({.port = static_cast<std::uint16_t>(100 + i), .protocol = tcp, .rows = rows_of(server)});
    cluster.ports.push_back({.port = static_cast<std::uint16_t>(100 + i), .protocol = udp, .rows = rows_of(server)});
  }
  cluster.ports.push_back({.port = 110, .protocol = tcp, .no_server = XDPLB_NO_SERVER_PASS});
  cluster.ports.push_back({.port = 110, .protocol = udp, .no_server = XDPLB_NO_SERVER_PASS});
  cluster.ports.push_back({.port = 111, .protocol = tcp, .no_server = XDPLB_NO_SERVER_RESET});
  cluster.ports.push_back({.port = 111, .protocol = udp, .no_server = XDPLB_NO_SERVER_RESET});
  const auto tracked = [&](std::uint16_t port, Protocol protocol, xdplb_on_stale on_stale) {
    cluster.ports.push_back({.port = port,
                             .protocol = protocol,
                             .rows = rows_of(2),
                             .pick = XDPLB_PICK_ROUND_ROBIN,
                             .is_tracked = true,
                             .on_stale = on_stale,
                             .members = {settled_row(1)}});
  };
  tracked(120, tcp, XDPLB_STALE_REPICK);
  tracked(121, tcp, XDPLB_STALE_RESET);
  tracked(122, tcp, XDPLB_STALE_DROP);
  tracked(120, udp, XDPLB_STALE_REPICK);
  cluster.ports.push_back({.port = 130, .protocol = tcp, .rows = rows_of(1), .affinity = 7});
}

// A cluster whose later fragments have a line: its ports look at the client's network only.
void add_sticky_cluster(DataplaneSetup& setup) {
  const ClientMask mask{.v4_bits = 24, .v6_bits = 64, .has_port = false};
  const PortSetup port{.port = 80, .rows = rows_of(1), .mask = mask};
  PortSetup fragments = port;
  fragments.port = 0;
  fragments.is_for_fragments = true;
  PortSetup moving = fragments;
  moving.protocol = Protocol::kUdp;
  moving.rows = {moving_row(1, 2)};
  setup.clusters.push_back({.addresses = {kSticky4, kSticky6}, .ports = {port, fragments, moving}});
}

void add_networks(DataplaneSetup& setup) {
  const auto network = [](const char* text, std::uint8_t length) {
    return IpPrefix{.address = ip(text), .length = length};
  };
  setup.clusters.push_back({.ports = {{.port = 80, .rows = rows_of(1)},
                                      {.port = 53, .protocol = Protocol::kUdp, .rows = rows_of(2)},
                                      {.port = 0, .rows = rows_of(9)}},
                            .prefixes = {network("198.18.0.0", 15), network("2001:db8:f000::", 36)},
                            .echo_line = {.rows = rows_of(1)}});
  setup.clusters.push_back({.ports = {{.port = 80, .rows = rows_of(2)}}, .prefixes = {network("198.18.5.0", 24)}});
  setup.clusters.push_back({.addresses = {kExact4}, .ports = {{.port = 81, .rows = rows_of(9)}}});
}

// Servers 10..15 behind ways that change more than the MACs.
void add_ways(DataplaneSetup& setup, std::uint32_t ingress, std::uint32_t other) {
  setup.egresses[10] = {.mac = kIngressMac, .ifindex = ingress, .tag = XDPLB_TAG_SET | 100};
  setup.egresses[11] = {.mac = kIngressMac, .ifindex = ingress, .tag = XDPLB_TAG_NONE};
  setup.egresses[12] = {.mac = kIngressMac, .ifindex = ingress, .decrements_ttl = true};
  setup.egresses[13] = {.mac = kIngressMac, .ifindex = ingress, .is_local = true};
  setup.egresses[14] = {.mac = kOtherMac, .ifindex = other, .tag = XDPLB_TAG_SET | 4094, .decrements_ttl = true};
  setup.egresses[15] = {.mac = kOtherMac, .ifindex = other, .tag = XDPLB_TAG_NONE};
  for (std::uint16_t index = 10; index <= 15; ++index) {
    setup.servers[index] = {.mac = server_mac(index), .egress = index};
  }
  setup.peers = {mac("02:00:00:00:00:af"), kPeerMac};
}

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
                                      {.port = 91, .protocol = tcp, .rows = rows_of(1), .rows_v6 = {{}}}},
                            .echo_line = {.rows = rows_of(2)}});
  setup.clusters.push_back({.addresses = {kDns4, kDns6},
                            .ports = {{.port = 53, .protocol = udp, .rows = rows_of(1)},
                                      {.port = 53, .protocol = tcp, .rows = rows_of(2)},
                                      {.port = 0, .protocol = udp, .rows = rows_of(9)}},
                            .echo = XDPLB_ECHO_DISPATCHER});
  setup.clusters.push_back({.addresses = {kBare4}, .ports = {}, .echo = XDPLB_ECHO_OFF});
  setup.clusters.push_back(
      {.addresses = {kDead4, kDead6}, .ports = {}, .echo = XDPLB_ECHO_DISPATCHER, .is_alive = false});
  add_optional_ports(setup.clusters[0]);
  add_sticky_cluster(setup);
  add_networks(setup);
  add_ways(setup, ingress, other);
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

GoldenCase changed(std::string description, const Frame& frame, std::uint16_t server, const Frame& leaves,
                   xdplb_outcome outcome, Flow flow) {
  const xdplb_counters counters{.packets = 1,
                                .bytes = frame.size(),
                                .new_flows = flow == Flow::kNew || flow == Flow::kNewAndClosed ? 1U : 0U,
                                .closed_flows = flow == Flow::kClosed || flow == Flow::kNewAndClosed ? 1U : 0U};
  return {.description = std::move(description),
          .frame = frame,
          .expected = {.outcome = outcome,
                       .verdict = outcome_verdict(outcome),
                       .frame = leaves,
                       .server = server,
                       .counters = counters}};
}

GoldenCase forwarded(std::string description, const Packet& rest, std::uint16_t server, Flow flow) {
  const Ethernet out{.destination = server_mac(server), .source = kIngressMac};
  return changed(std::move(description), kIn / rest, server, out / rest, XDPLB_OUTCOME_FORWARDED, flow);
}

GoldenCase redirected(std::string description, const Packet& rest, std::uint16_t server, Flow flow) {
  const Ethernet out{.destination = server_mac(server), .source = kOtherMac};
  return changed(std::move(description), kIn / rest, server, out / rest, XDPLB_OUTCOME_REDIRECTED, flow);
}

GoldenCase passed(std::string description, const Frame& frame, xdplb_outcome outcome) {
  return {.description = std::move(description),
          .frame = frame,
          .expected = {.outcome = outcome, .verdict = XDP_PASS, .frame = frame}};
}

GoldenCase dropped(std::string description, const Frame& frame, xdplb_outcome outcome) {
  return {.description = std::move(description), .frame = frame, .expected = {.outcome = outcome, .verdict = XDP_DROP}};
}

GoldenCase answered(std::string description, const Frame& frame, const Frame& answer, xdplb_outcome outcome) {
  return {.description = std::move(description),
          .frame = frame,
          .expected = {.outcome = outcome, .verdict = XDP_TX, .frame = answer}};
}

GoldenCase behind(std::vector<Frame> before, GoldenCase golden) {
  golden.before = std::move(before);
  return golden;
}

Frame cut(Frame frame, std::size_t size) {
  frame.resize(size);
  return frame;
}

Packet from_client(const IpAddress& destination) {
  if (destination.is_v4()) return {.layers = {Ipv4{.source = kClient4, .destination = destination}}};
  return {.layers = {Ipv6{.source = kClient6, .destination = destination}}};
}

std::vector<GoldenCase> golden_cases() {
  std::vector<GoldenCase> cases = forwarded_cases();
  for (const auto& more : {passed_cases(), dropped_cases(), header_cases(), icmp_cases(), way_cases(), refusal_cases()})
    cases.insert(cases.end(), more.begin(), more.end());
  return cases;
}

}  // namespace xdplb::test
