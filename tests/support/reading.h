// SPDX-License-Identifier: GPL-2.0-only
// What a frame's headers say, read slowly and with every bound checked.
#pragma once

#include "packet.h"

#include "net/address.h"

#include "xdplb/outcomes.h"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

namespace xdplb::test {

using Bytes = std::span<const std::uint8_t>;

// An IP header and those behind it, up to the transport header. Offsets count from the frame's first byte.
struct IpReading {
  // XDPLB_CONTINUE, TRUNCATED (the headers end beyond the frame, or contradict themselves) or HEADERS_TOO_LONG.
  xdplb_outcome defect = XDPLB_CONTINUE;
  IpAddress source{};
  IpAddress destination{};
  std::size_t network = 0;        // offset of the IP header
  std::size_t transport = 0;      // offset of the transport header; it may lie beyond the frame
  int protocol = 0;               // of the transport header
  bool has_more_headers = false;  // IPv4 options, IPv6 extension headers
  bool is_first_fragment = false;
  bool is_later_fragment = false;
  std::uint32_t identification = 0;  // of a fragment
  int fragment_protocol = 0;         // what all fragments of its packet say of their protocol
  std::int64_t transport_bytes = 0;  // from the transport header on, by the lengths the headers state; may be < 0

  bool is_v4() const { return source.is_v4(); }
};

// Reads the IP header at `network`; nullopt when the frame ends within it.
std::optional<IpReading> read_ip(Bytes frame, std::size_t network, Family family);

// Where the Ethernet header and its tags end.
struct LinkReading {
  xdplb_outcome defect = XDPLB_CONTINUE;  // TRUNCATED or NOT_IP
  std::size_t network = 0;                // offset of the IP header
  Family family = Family::kV4;
};
LinkReading read_link(Bytes frame);

// TCP or UDP.
struct TransportReading {
  std::uint16_t source_port = 0;
  std::uint16_t destination_port = 0;
  std::uint8_t tcp_flags = 0;  // 0 for UDP
  bool has_payload = false;    // TCP: as the lengths say; UDP: true
};
// nullopt when the frame ends within the header.
std::optional<TransportReading> read_transport(Bytes frame, const IpReading& ip);

std::uint16_t get16(Bytes bytes, std::size_t offset);
std::uint32_t get32(Bytes bytes, std::size_t offset);

}  // namespace xdplb::test
