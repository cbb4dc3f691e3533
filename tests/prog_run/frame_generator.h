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

 private:
  std::uint32_t below(std::uint32_t limit);
  bool chance(std::uint32_t percent) { return below(100) < percent; }
  std::uint8_t byte() { return static_cast<std::uint8_t>(below(256)); }
  Frame bytes(std::size_t size);
  IpAddress destination(Family family);
  IpAddress source(Family family);
  std::uint16_t port();
  std::uint8_t flags();
  void add_tags(Packet& packet);
  void add_network(Packet& packet, Family family);
  void add_transport(Packet& packet);
  Frame well_formed();
  void damage(Frame& frame);
  Frame noise();

  std::mt19937_64 random_;
};

}  // namespace xdplb::test
