// SPDX-License-Identifier: GPL-2.0-only
// Random frames around the golden setup: mostly well formed, some damaged, some noise.
#pragma once

#include "support/packet.h"

#include <cstdint>
#include <random>

namespace xdplb::test {

class FrameGenerator {
 public:
  explicit FrameGenerator(std::uint64_t seed) : random_(seed) {}

  // 14 bytes or more.
  Frame next();
  std::uint32_t below(std::uint32_t limit) { return static_cast<std::uint32_t>(random_() >> 32) % limit; }

 private:
  bool chance(std::uint32_t percent) { return below(100) < percent; }
  std::uint8_t byte() { return static_cast<std::uint8_t>(below(256)); }
  Frame bytes(std::size_t size);
  IpAddress vipa(Family family);
  IpAddress client(Family family);
  std::uint16_t port();
  std::uint8_t flags();
  MacAddress source_mac();
  void add_tags(Packet& packet);
  void add_ipv4(Packet& packet, const IpAddress& source, const IpAddress& destination);
  void add_ipv6(Packet& packet, const IpAddress& source, const IpAddress& destination);
  void add_network(Packet& packet, const IpAddress& source, const IpAddress& destination);
  void add_segment(Packet& packet, std::uint16_t source_port, std::uint16_t destination_port);
  void add_transport(Packet& packet, const IpAddress& destination);
  void add_icmp(Packet& packet, const IpAddress& destination);
  Packet inner(const IpAddress& destination);
  Frame well_formed();
  void damage(Frame& frame);
  Frame noise();

  std::mt19937_64 random_;
};

}  // namespace xdplb::test
