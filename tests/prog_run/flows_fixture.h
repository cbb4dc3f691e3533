// SPDX-License-Identifier: GPL-2.0-only
// Tests of what the program writes down: one cluster, three servers, time that stands still until a test moves it.
#pragma once

#include "golden_cases.h"
#include "support/prog_run.h"

#include <linux/bpf.h>

#include <cstdint>
#include <optional>

namespace xdplb::test {

class FlowsFixture : public ProgRun {
 protected:
  // Servers 1 to 9 lead somewhere.
  DataplaneSetup with_ports(std::vector<PortSetup> ports) const {
    DataplaneSetup setup;
    setup.clusters.push_back({.addresses = {kWeb4, kWeb6}, .ports = std::move(ports)});
    for (std::uint16_t i = 1; i <= 9; ++i) setup.servers[i] = {.mac = server_mac(i), .egress = 1};
    setup.egresses[1] = {.mac = kIngressMac, .ifindex = interfaces_.ingress};
    return setup;
  }

  void install(std::vector<PortSetup> ports) {
    setup_ = with_ports(std::move(ports));
    layout_ = layout_ports(setup_);
    program_.install(setup_);
  }

  // Server by the MAC the frame leaves with, 0 when it does not leave.
  std::uint16_t send(const Frame& frame) {
    const Observation seen = program_.dispatch(frame);
    last_verdict_ = seen.verdict;
    return seen.verdict == XDP_TX ? static_cast<std::uint16_t>(seen.frame[4] * 256 + seen.frame[5]) : std::uint16_t{0};
  }
  std::uint16_t tcp(std::uint16_t client_port, std::uint8_t flags, std::size_t data = 0, std::uint16_t port = 80) {
    const Packet packet =
        kIn / from_client(vipa_) / Tcp{.source_port = client_port, .destination_port = port, .flags = flags};
    return send(data == 0 ? packet : packet / payload(data));
  }
  std::uint16_t udp(std::uint16_t client_port, std::uint16_t port = 80) {
    return send(kIn / from_client(vipa_) / Udp{.source_port = client_port, .destination_port = port} / payload(5));
  }

  std::uint64_t tag_of(std::uint16_t client_port, Protocol protocol = Protocol::kTcp, std::uint16_t port = 80) const {
    const IpAddress client = vipa_.is_v4() ? kClient4 : kClient6;
    return flow_tag({.protocol = static_cast<std::uint8_t>(protocol),
                     .family = client.family(),
                     .client = flow_address(client),
                     .vipa = flow_address(vipa_),
                     .client_port = client_port,
                     .port = port},
                    kFlowSeeds);
  }
  std::optional<FlowValue> entry(std::uint16_t client_port, Protocol protocol = Protocol::kTcp) {
    return program_.find_flow(tag_of(client_port, protocol));
  }
  std::size_t entries() {
    std::size_t count = 0;
    for (const xdplb_flow& flow : program_.flows()) count += flow.tag != 0 ? 1 : 0;
    return count;
  }

  // First row of the port at `index` of the setup, for the family of vipa_; with one row it is the row.
  std::uint32_t row(std::size_t index = 0) const {
    return layout_.places[0].ports[index].first_row[vipa_.is_v4() ? 0 : 1];
  }
  const xdplb_state& state(std::size_t index = 0) {
    return program_.tables().states[layout_.places[0].ports[index].options];
  }
  std::uint16_t touch(std::size_t index = 0) { return program_.tables().touches[row(index)]; }
  std::uint32_t active(std::uint16_t server) { return program_.tables().active[server]; }

  DataplaneSetup setup_;
  PortLayout layout_;
  IpAddress vipa_ = kWeb4;
  int last_verdict_ = 0;
};

}  // namespace xdplb::test
