// SPDX-License-Identifier: GPL-2.0-only
#include "frame_generator.h"

#include "golden_cases.h"

#include <algorithm>
#include <array>

namespace xdplb::test {
namespace {

constexpr std::uint32_t kShortestFrame = 14;
constexpr std::array<std::uint16_t, 44> kPorts{
    0,   1,   53,  80,  81,  82,  83,  84,  85,  86,  87,  88,  89,  90, 91, 86, 100,   101,  102,  103,  104,  105,
    110, 111, 120, 121, 122, 120, 121, 122, 130, 130, 130, 443, 444, 80, 53, 86, 65535, 8443, 8443, 1000, 1000, 1000};
// Bytes that mean something to a parser: types, versions, protocols, flags.
constexpr std::array<std::uint8_t, 20> kBytes{0,    1,    4,    6,    17,   43,   44,   51,   58,   60,
                                              0x45, 0x46, 0x60, 0x81, 0x00, 0x88, 0xa8, 0x20, 0xff, 134};

}  // namespace

Frame FrameGenerator::bytes(std::size_t size) {
  Frame result(size);
  std::generate(result.begin(), result.end(), [this] { return byte(); });
  return result;
}

IpAddress FrameGenerator::vipa(Family family) {
  static const std::array<IpAddress, 11> v4{kWeb4,    kWeb4,    kWeb4,    kDns4,   kBare4,   kDead4,
                                            kSticky4, kRouted4, kLonger4, kExact4, kForeign4};
  static const std::array<IpAddress, 8> v6{kWeb6, kWeb6, kWeb6, kDns6, kDead6, kSticky6, kRouted6, kForeign6};
  return family == Family::kV4 ? v4[below(v4.size())] : v6[below(v6.size())];
}

// Half of them come back.
IpAddress FrameGenerator::client(Family family) {
  if (chance(4)) return vipa(family);
  const auto low = static_cast<std::uint8_t>(below(8));
  if (chance(50)) {
    return family == Family::kV4 ? IpAddress::v4({198, 51, 100, low})
                                 : IpAddress::v6({0x20, 1, 0xd, 0xb8, 0, 0, 0, low, 0, 0, 0, 0, 0, 0, 0, low});
  }
  const Frame random = bytes(16);
  std::array<std::uint8_t, 16> address{};
  std::copy(random.begin(), random.end(), address.begin());
  if (family == Family::kV6) return IpAddress::v6(address);
  return IpAddress::v4({address[0], address[1], address[2], address[3]});
}

std::uint16_t FrameGenerator::port() {
  return chance(90) ? kPorts[below(kPorts.size())] : static_cast<std::uint16_t>(below(65536));
}

std::uint8_t FrameGenerator::flags() {
  constexpr std::array<std::uint8_t, 8> kUsual{kSyn, kSyn, kSyn, kAck, kSyn | kAck, kFin | kAck, kRst, kPsh | kAck};
  return chance(80) ? kUsual[below(8)] : byte();
}

MacAddress FrameGenerator::source_mac() {
  if (chance(90)) return kRouterMac;
  return chance(30) ? kPeerMac : server_mac(static_cast<std::uint16_t>(below(16)));
}

void FrameGenerator::add_tags(Packet& packet) {
  constexpr std::array<int, 10> kCounts{0, 0, 0, 0, 0, 1, 1, 2, 2, 3};
  for (int i = kCounts[below(10)]; i > 0; --i) {
    packet.layers.emplace_back(Vlan{.id = static_cast<std::uint16_t>(below(4096)),
                                    .priority = static_cast<std::uint8_t>(below(8)),
                                    .tag = chance(50) ? kTypeVlan : kTypeServiceVlan});
  }
}

void FrameGenerator::add_ipv4(Packet& packet, const IpAddress& source, const IpAddress& destination) {
  Ipv4 layer{.source = source, .destination = destination, .ttl = byte()};
  if (chance(20)) layer.options = bytes(below(41));
  layer.dont_fragment = chance(50);
  layer.more_fragments = chance(12);
  layer.identification = static_cast<std::uint16_t>(below(8));
  if (chance(8)) {
    layer.fragment_offset = static_cast<std::uint16_t>(below(0x2000));
    layer.protocol = chance(50) ? kTcp : kUdp;
  }
  packet.layers.emplace_back(layer);
}

void FrameGenerator::add_ipv6(Packet& packet, const IpAddress& source, const IpAddress& destination) {
  packet.layers.emplace_back(Ipv6{.source = source, .destination = destination, .hop_limit = byte()});
  constexpr std::array kExtensions{kHopByHop, kRouting, kDestinationOptions, kAuthentication};
  constexpr std::array<std::uint32_t, 16> kCounts{0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 2, 3, 8, 9};
  const std::uint32_t headers = kCounts[below(16)];
  const bool is_fragment = chance(16);
  const std::uint32_t place = below(headers + 1);
  for (std::uint32_t i = 0; i <= headers; ++i) {
    if (is_fragment && i == place) {
      const bool is_later = chance(50);
      packet.layers.emplace_back(Ipv6Fragment{.offset = static_cast<std::uint16_t>(is_later ? below(0x2000) : 0),
                                              .more_fragments = chance(60),
                                              .next_header = is_later ? (chance(50) ? kTcp : kUdp) : -1,
                                              .identification = below(8)});
    }
    if (i == headers) break;
    packet.layers.emplace_back(Ipv6Extension{.type = kExtensions[below(4)], .body = bytes(below(20))});
  }
}

void FrameGenerator::add_network(Packet& packet, const IpAddress& source, const IpAddress& destination) {
  if (destination.is_v4()) {
    add_ipv4(packet, source, destination);
  } else {
    add_ipv6(packet, source, destination);
  }
}

void FrameGenerator::add_segment(Packet& packet, std::uint16_t source_port, std::uint16_t destination_port) {
  if (chance(65)) {
    packet.layers.emplace_back(Tcp{.source_port = source_port,
                                   .destination_port = destination_port,
                                   .flags = flags(),
                                   .options = chance(30) ? bytes(below(41)) : Frame{},
                                   .sequence = static_cast<std::uint32_t>(random_()),
                                   .acknowledgment = static_cast<std::uint32_t>(random_())});
  } else {
    packet.layers.emplace_back(Udp{.source_port = source_port, .destination_port = destination_port});
  }
  if (chance(60)) packet.layers.emplace_back(Payload{bytes(below(60))});
}

// What a server of the VIPA sent to a client, as an error quotes it.
Packet FrameGenerator::inner(const IpAddress& destination) {
  Packet packet;
  const Family family = chance(97) ? destination.family() : Family::kV4;
  add_network(packet, chance(95) && family == destination.family() ? destination : vipa(family), client(family));
  if (chance(85)) {
    add_segment(packet, port(), static_cast<std::uint16_t>(1024 + below(4)));
  } else {
    packet.layers.emplace_back(Icmp{.type = byte()});
  }
  return packet;
}

void FrameGenerator::add_icmp(Packet& packet, const IpAddress& destination) {
  const bool is_v4 = destination.is_v4();
  if (chance(25)) {
    packet.layers.emplace_back(Icmp{.type = is_v4 ? kEchoRequest : kEchoRequest6, .code = byte()});
    packet.layers.emplace_back(Payload{bytes(below(40))});
    return;
  }
  constexpr std::array<std::uint8_t, 9> kErrors{3, 4, 5, 11, 12, 1, 2, 3, 4};
  const std::uint8_t type = chance(90) ? kErrors[is_v4 ? below(5) : 5 + below(4)] : byte();
  packet.layers.emplace_back(Icmp{.type = type, .code = byte(), .rest = static_cast<std::uint32_t>(random_())});
  packet.layers.emplace_back(quoted(inner(destination), chance(80) ? 1000 : below(100)));
}

void FrameGenerator::add_transport(Packet& packet, const IpAddress& destination) {
  const std::uint32_t kind = below(100);
  if (kind < 80) {
    add_segment(packet, static_cast<std::uint16_t>(chance(80) ? 1024 + below(4) : below(65536)), port());
  } else if (kind < 96) {
    add_icmp(packet, destination);
  } else {
    if (auto* v4 = std::get_if<Ipv4>(&packet.layers.back())) v4->protocol = byte();
    if (auto* v6 = std::get_if<Ipv6>(&packet.layers.back())) v6->next_header = byte();
    packet.layers.emplace_back(Payload{bytes(below(60))});
  }
}

Frame FrameGenerator::well_formed() {
  const Family family = chance(55) ? Family::kV4 : Family::kV6;
  Packet packet;
  packet.layers.emplace_back(Ethernet{.destination = kDispatcherMac, .source = source_mac()});
  add_tags(packet);
  const IpAddress destination = vipa(family);
  add_network(packet, client(family), destination);
  add_transport(packet, destination);
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
      for (std::uint32_t i = below(3); i < 3; ++i) frame[below(near_headers)] = kBytes[below(kBytes.size())];
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
