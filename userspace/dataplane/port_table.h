// SPDX-License-Identifier: GPL-2.0-only
// Places the lines of `ports` so that each is found in one of two slots (cuckoo hashing). Pure.
#pragma once

#include "model/plan.h"
#include "xdplb/maps.h"

#include <cstdint>
#include <span>
#include <vector>

namespace xdplb {

// The lines of a plan: for each address and network of a cluster one for each port, one for the address alone, and one
// for later fragments where the ports agree on where those go. Sorted by key.
std::vector<xdplb_port> port_lines(const Plan& plan);

// The key of an address's or a network's own line, and that of the network in the trie.
xdplb_port_key address_key(const IpAddress& address);
xdplb_port_key prefix_line_key(const IpPrefix& prefix);
xdplb_prefix_key prefix_key(const IpPrefix& prefix);

// The two slots of a key within a half, as bpf/cluster.bpf.h computes them.
//
// multiplier  odd: a selector
std::pair<std::uint32_t, std::uint32_t> slots_of(const xdplb_port_key& key, std::uint64_t multiplier);

struct PlacedPorts {
  std::uint64_t selector = 0;               // struct xdplb_settings: multiplier and half
  std::vector<std::uint32_t> line_of_slot;  // XDPLB_PORT_SLOTS entries: index into the lines + 1; 0 = empty
};

// Finds a multiplier and a place for every line of one half. Deterministic.
//
// half  0 or 1
// Errors: kFailed when there are too many lines (half of the slots is the practical limit).
Result<PlacedPorts> place_ports(std::span<const xdplb_port> lines, std::uint32_t half);

}  // namespace xdplb
