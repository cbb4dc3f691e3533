// SPDX-License-Identifier: GPL-2.0-only
// What this host's kernel knows of its links, addresses and neighbours: plain values.
#pragma once

#include "net/address.h"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <variant>
#include <vector>

namespace xdplb {

struct Link {
  std::uint32_t index = 0;
  std::string name;
  MacAddress mac;      // zero when the device has no Ethernet address
  bool is_up = false;  // IFF_UP: the operator wants it up
  bool has_carrier =
      false;  // IFF_LOWER_UP and operstate UP or UNKNOWN; many virtual devices never say more than UNKNOWN
  std::uint32_t master = 0;         // index of the bridge or bond it is enslaved to, 0 = none
  std::uint32_t lower = 0;          // of a VLAN, macvlan or ipvlan interface: index of the one it stands on, 0 = none
  std::uint16_t hardware_type = 0;  // ARPHRD_*
  bool is_loopback = false;
  std::uint32_t mtu = 0;          // bytes
  std::uint32_t xdp_prog_id = 0;  // of the attached XDP program, 0 = none
  bool is_usable() const { return is_up && has_carrier; }
  bool operator==(const Link&) const = default;
};

struct InterfaceAddress {
  std::uint32_t ifindex = 0;
  IpPrefix prefix;  // the interface's own address with the length of its subnet
  auto operator<=>(const InterfaceAddress&) const = default;
};

enum class NeighborState : std::uint8_t {
  kUnresolved,  // asked, no answer yet (NUD_INCOMPLETE, NUD_NONE)
  kValid,       // the kernel would send to `mac` now (REACHABLE, STALE, DELAY, PROBE, PERMANENT, NOARP)
  kFailed,      // asked often enough without an answer (NUD_FAILED)
  kGone,        // no entry in the kernel's table; only in a NeighborChanged
};

struct Neighbor {
  std::uint32_t ifindex = 0;
  IpAddress address;
  MacAddress mac;  // zero unless kValid
  NeighborState state = NeighborState::kUnresolved;
  bool is_permanent = false;  // set by the operator: never touched by us
  bool is_managed = false;    // the kernel keeps it resolved by itself (NTF_EXT_MANAGED)
  bool operator==(const Neighbor&) const = default;
};

// Names one entry of the neighbour table.
struct NeighborKey {
  std::uint32_t ifindex = 0;
  IpAddress address;
  bool operator==(const NeighborKey&) const = default;
};

struct IpAddressHash {
  std::size_t operator()(const IpAddress& address) const;
};
struct NeighborKeyHash {
  std::size_t operator()(const NeighborKey& key) const { return IpAddressHash{}(key.address) * 31 + key.ifindex; }
};

struct LinkChanged {
  std::uint32_t index = 0;  // new, changed or gone: look it up
};
struct AddressChanged {
  std::uint32_t ifindex = 0;
};
struct NeighborChanged {
  Neighbor neighbor;
};
// The kernel says that the neighbours of a link must learn its addresses anew: a bond's active member changed, or a
// virtual machine was moved (IFLA_EVENT).
struct NeighboursMustLearn {
  std::uint32_t index = 0;
};
using HostChange = std::variant<LinkChanged, AddressChanged, NeighborChanged, NeighboursMustLearn>;

// The first of `candidates` (interface indexes in order of preference) that has an address whose subnet contains
// `address`; nullopt when none has. Pure.
std::optional<std::uint32_t> find_connected(std::span<const InterfaceAddress> addresses, const IpAddress& address,
                                            std::span<const std::uint32_t> candidates);

}  // namespace xdplb
