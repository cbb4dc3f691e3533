// SPDX-License-Identifier: GPL-2.0-only
// What a frame is about, for people: addresses, ports, flags. Reads what is there and leaves out the rest.
#pragma once

#include "net/address.h"

#include <cstdint>
#include <optional>
#include <span>
#include <string>

namespace xdplb {

struct PacketSummary {
  std::optional<IpAddress> source;
  std::optional<IpAddress> destination;
  std::uint8_t protocol = 0;                 // of IANA's list; behind IPv6 extension headers
  std::optional<std::uint16_t> source_port;  // TCP and UDP; none of a later fragment
  std::optional<std::uint16_t> destination_port;
  std::uint8_t tcp_flags = 0;  // FIN 1, SYN 2, RST 4, PSH 8, ACK 16
  bool is_fragment = false;
};

// frame  from the Ethernet header on; may be cut off anywhere
PacketSummary summarize_packet(std::span<const std::uint8_t> frame);

// "SYN", "SYN,ACK", "" ...
std::string tcp_flags_text(std::uint8_t flags);

}  // namespace xdplb
