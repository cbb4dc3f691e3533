// SPDX-License-Identifier: GPL-2.0-only
#include "frame_generator.h"

#include "golden_cases.h"

#include <algorithm>
#include <array>

namespace xdplb::test {
namespace {

constexpr std::uint32_t kShortestFrame = 14;
constexpr std::array<std::uint16_t, 22> kPorts{0,  1,  53, 81, 82,  83,  84,   85,   86,    87,   88,
                                               89, 90, 91, 80, 443, 444, 1000, 8443, 65535, 1000, 1000};
// Bytes that mean something to a parser: types, versions, protocols, flags.
constexpr std::array<std::uint8_t, 16> kBytes{0,    1,    4,    6,    17,   44,   58,   0x45,
                                              0x46, 0x60, 0x81, 0x00, 0x88, 0xa8, 0x20, 0xff};

}  // namespace

std::uint32_t FrameGenerator::below(std::uint32_t limit) { return static_cast<std::uint32_t>(random_() >> 32) % limit; }

Frame FrameGenerator::bytes(std::size_t size) {
  Frame result(size);
  std::generate(result.begin(), result.end(), [this] { return byte(); });
  return result;
}

IpAddress FrameGenerator::destination(Family family) {
  const std::array<IpAddress, 4> v4{kWeb4, kDns4, kBare4, kForeign4};
  const std::array<IpAddress, 4> v6{kWeb6, kDns6, kForeign6, kWeb6};
  return family == Family::kV4 ? v4[below(4)] : v6[below(4)];
}

IpAddress FrameGenerator::source(Family family) {
  if (chance(10)) return destination(family);
  const Frame random = bytes(16);
  std::array<std::uint8_t, 16> address{};
  std::copy(random.begin(), random.end(), address.begin());
  if (family == Family::kV6) return IpAddress::v6(address);
  return IpAddress::v4({address[0], address[1], address[2], address[3]});
}

std::uint16_t FrameGenerator::port() {
  return chance(85) ? kPorts[below(22)] : static_cast<std::uint16_t>(below(65536));
}

std::uint8_t FrameGenerator::flags() {
  constexpr std::array<std::uint8_t, 6> kUsual{kSyn, kAck, kSyn | kAck, kFin | kAck, kRst, kPsh | kAck};
  return chance(60) ? kUsual[below(6)] : byte();
}

void FrameGenerator::add_tags(Packet& packet) {
  constexpr std::array<int, 10> kCounts{0, 0, 0, 0, 0, 1, 1, 2, 2, 3};
  for (int i = kCounts[below(10)]; i > 0; --i) {
    packet.layers.emplace_back(Vlan{.id = static_cast<std::uint16_t>(below(4096)),
                                    .priority = static_cast<std::uint8_t>(below(8)),
                                    .tag = chance(50) ? kTypeVlan : kTypeServiceVlan});
  }
}

void FrameGenerator::add_network(Packet& packet, Family family) {
  if (family == Family::kV4) {
    Ipv4 layer{.source = source(family), .destination = destination(family), .ttl = byte()};
    if (chance(20)) layer.options = bytes(below(41));
    layer.dont_fragment = chance(50);
    if (chance(8)) layer.more_fragments = true;
    if (chance(8)) layer.fragment_offset = static_cast<std::uint16_t>(below(0x2000));
    packet.layers.emplace_back(layer);
    return;
  }
  packet.layers.emplace_back(Ipv6{.source = source(family), .destination = destination(family), .hop_limit = byte()});
  constexpr std::array kExtensions{kHopByHop, kRouting, kDestinationOptions, kAuthentication};
  if (chance(10)) {
    packet.layers.emplace_back(Ipv6Extension{.type = kExtensions[below(4)], .body = bytes(below(30))});
  }
  if (chance(6)) {
    packet.layers.emplace_back(
        Ipv6Fragment{.offset = static_cast<std::uint16_t>(below(0x2000)), .more_fragments = chance(50)});
  }
}

void FrameGenerator::add_transport(Packet& packet) {
  const std::uint32_t kind = below(100);
  if (kind < 50) {
    packet.layers.emplace_back(
        Tcp{.source_port = port(), .destination_port = port(), .flags = flags(), .options = bytes(below(41))});
  } else if (kind < 85) {
    packet.layers.emplace_back(Udp{.source_port = port(), .destination_port = port()});
  } else if (kind < 93) {
    packet.layers.emplace_back(Icmp{.type = byte(), .code = byte()});
  } else if (auto* v4 = std::get_if<Ipv4>(&packet.layers.back())) {
    v4->protocol = byte();
  } else if (auto* v6 = std::get_if<Ipv6>(&packet.layers.back())) {
    v6->next_header = byte();
  }
  if (chance(70)) packet.layers.emplace_back(Payload{bytes(below(80))});
}

Frame FrameGenerator::well_formed() {
  const Family family = chance(55) ? Family::kV4 : Family::kV6;
  Packet packet;
  packet.layers.emplace_back(Ethernet{.destination = kDispatcherMac, .source = kRouterMac});
  add_tags(packet);
  add_network(packet, family);
  add_transport(packet);
  return packet;
}

void FrameGenerator::damage(Frame& frame) {
  const auto size = static_cast<std::uint32_t>(frame.size());
  const std::uint32_t near_headers = std::min(size, 80U);
  switch (below(4)) {
    case 0:
      for (std::uint32_t i = below(4); i < 4; ++i) {
        frame[below(near_headers)] ^= static_cast<std::uint8_t>(1U << below(8));
      }
      return;
    case 1:
      for (std::uint32_t i = below(3); i < 3; ++i) frame[below(near_headers)] = kBytes[below(16)];
      return;
    case 2:
      frame.resize(kShortestFrame + below(size - kShortestFrame + 1));
      return;
    default: {
      // Everything behind moves: headers are read at the wrong place.
      const auto place = frame.begin() + static_cast<std::ptrdiff_t>(below(near_headers));
      if (chance(50) && size > kShortestFrame) {
        frame.erase(place);
      } else {
        frame.insert(place, byte());
      }
    }
  }
}

Frame FrameGenerator::noise() {
  constexpr std::array<std::uint16_t, 5> kTypes{kTypeIpv4, kTypeIpv6, kTypeVlan, kTypeServiceVlan, kTypeArp};
  Frame frame = bytes(kShortestFrame + below(120));
  const std::uint16_t type = kTypes[below(5)];
  frame[12] = static_cast<std::uint8_t>(type >> 8);
  frame[13] = static_cast<std::uint8_t>(type & 0xff);
  return frame;
}

Frame FrameGenerator::next() {
  if (chance(4)) return noise();
  Frame frame = well_formed();
  if (chance(45)) damage(frame);
  return frame;
}

}  // namespace xdplb::test
