// SPDX-License-Identifier: GPL-2.0-only
// The frames every program is measured with.
#pragma once

#include <cstdint>
#include <vector>

namespace xdplb::bench {

// kIcmpError: a router tells of a TCP packet to the client that it was too big.
enum class Transport { kTcp, kTcpSyn, kUdp, kIcmpError };

// One frame of a client. Clients are 198.18.0.0/22 or the last 16 bits of 2001:db8:1::, ports 1024 to 2047.
struct FrameSpec {
  std::uint8_t family = 4;  // 4 or 6
  Transport transport = Transport::kTcp;
  bool vlan = false;                // one 802.1Q tag
  std::uint32_t cluster_index = 0;  // see vipa_of
  std::uint32_t flows =
      1;  // 1, or a power of 4 up to 2^20: written into struct traffic, see traffic.bpf.h; 1 for errors
  std::uint32_t random = 0;  // where the sequence of clients begins
};

inline constexpr std::uint16_t kFirstClientPort = 1024;

// Destination port of all frames, host order.
inline constexpr std::uint16_t kPort = 80;

// The VIPA of a cluster: 10.99.0.0 + index, in network order.
std::uint32_t vipa_of(std::uint32_t cluster_index);
// The IPv6 one: 2001:db8:99:: + index; the four words in network order.
void vipa6_of(std::uint32_t cluster_index, std::uint32_t (&words)[4]);

// A whole Ethernet frame with right IPv4 and TCP checksums (IPv4 only) as long as struct traffic is not applied.
std::vector<std::uint8_t> make_frame(const FrameSpec& spec);

}  // namespace xdplb::bench
