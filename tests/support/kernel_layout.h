// SPDX-License-Identifier: GPL-2.0-only
// A setup as the bytes of xdplb/maps.h, worked out apart from userspace/dataplane: the two must agree on what the
// program reads.
#pragma once

#include "setup.h"

#include "xdplb/maps.h"

#include <array>
#include <cstdint>
#include <map>
#include <utility>
#include <vector>

namespace xdplb::test {

// Key of a port, or with port and protocol 0 the address alone.
xdplb_port_key make_key(const IpAddress& address, int protocol, std::uint16_t port);
// The same of a network.
xdplb_port_key make_key(const IpPrefix& prefix, int protocol, std::uint16_t port);
xdplb_prefix_key make_prefix_key(const IpPrefix& prefix);

// Multiplier of one half: odd, with the bit that names the half. Other bits are those of `seed`.
std::uint64_t make_selector(std::uint32_t half, std::uint64_t seed);

// The slots of a half, 0..XDPLB_PORT_SLOTS-1, where a packet looks for `key`; they may be the same one.
std::array<std::uint32_t, 2> slots_of(const xdplb_port_key& key, std::uint64_t selector);

// Places the lines of one half of `ports`: cuckoo hashing by the two slots of each key.
class PortTable {
 public:
  explicit PortTable(std::uint64_t selector) : selector_(selector) {}

  // False when the lines cannot be placed with this selector; one of them is lost then.
  [[nodiscard]] bool insert(const xdplb_port& line);
  const std::map<std::uint32_t, xdplb_port>& lines() const { return lines_; }

 private:
  std::uint64_t selector_;
  std::map<std::uint32_t, xdplb_port> lines_;
};

// The rows of one port and family, or its members, and where they lie.
struct RowSlice {
  std::uint32_t first_row = 0;
  std::vector<std::uint32_t> rows{};
};

// Where the parts of one port, or of the addresses of one cluster, lie.
struct LinePlace {
  std::uint16_t options = 0;                 // index
  std::array<std::uint32_t, 2> first_row{};  // by family; 0: no rows
  std::uint32_t first_member = 0;
};

struct ClusterPlace {
  LinePlace address{};
  std::vector<LinePlace> ports{};  // in the order of the setup
};

struct PortLayout {
  std::vector<xdplb_port> lines{};  // of all addresses and ports, in the order of the setup
  std::vector<RowSlice> slices{};
  std::vector<std::pair<std::uint16_t, xdplb_options>> options{};  // by index
  std::vector<ClusterPlace> places{};                              // of the clusters, in the order of the setup
};

// Lays out rows from setup.first_row on, each slice at a multiple of its size. Options are numbered from 1 on: each
// cluster, then its ports.
PortLayout layout_ports(const DataplaneSetup& setup);

xdplb_server make_server(const ServerSetup& server);
xdplb_egress make_egress(const EgressSetup& egress);
// The six bytes of the wire in the low 48 bits, as on a little-endian machine.
std::uint64_t mac_word(const MacAddress& mac);

}  // namespace xdplb::test
