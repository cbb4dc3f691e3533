// SPDX-License-Identifier: GPL-2.0-only
// Writes a neighbour solicitation as an asker sends it; the product only reads them.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "net/checksum.h"
#include "net/nd_packet.h"

namespace xdplb {

using Solicitation = NeighbourSolicitation;

inline std::vector<std::uint8_t> encode_solicitation(const Solicitation& s) {
  constexpr std::size_t kMessage = kEthernetHeader + 40;
  std::size_t length = s.source_mac ? 32 : 24;
  std::vector<std::uint8_t> frame(kMessage + length);
  auto put = [&](std::size_t at, auto bytes) {
    std::copy(bytes.begin(), bytes.end(), frame.begin() + static_cast<std::ptrdiff_t>(at));
  };
  put(0, s.ethernet.destination.bytes);
  put(6, s.ethernet.source.bytes);
  put(12, std::vector<std::uint8_t>{0x86, 0xdd, 0x60, 0, 0, 0, 0, static_cast<std::uint8_t>(length), 58, 255});
  put(kEthernetHeader + 8, s.source.bytes());
  put(kEthernetHeader + 24, s.destination.bytes());
  frame[kMessage] = 135;
  put(kMessage + 8, s.target.bytes());
  if (s.source_mac) {
    put(kMessage + 24, std::vector<std::uint8_t>{1, 1});
    put(kMessage + 26, s.source_mac->bytes);
  }
  auto sum = icmpv6_checksum(s.source, s.destination, std::span(frame).subspan(kMessage));
  frame[kMessage + 2] = static_cast<std::uint8_t>(sum >> 8);
  frame[kMessage + 3] = static_cast<std::uint8_t>(sum & 0xff);
  return frame;
}

}  // namespace xdplb
