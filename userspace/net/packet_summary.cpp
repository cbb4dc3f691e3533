// SPDX-License-Identifier: GPL-2.0-only
#include "net/packet_summary.h"

#include "net/wire.h"

#include <algorithm>
#include <array>
#include <string_view>

namespace xdplb {
namespace {

constexpr std::uint16_t kIpv4 = 0x0800, kIpv6 = 0x86dd, kVlan = 0x8100, kServiceVlan = 0x88a8;
constexpr std::uint8_t kTcp = 6, kUdp = 17;
constexpr std::uint8_t kHopByHop = 0, kRouting = 43, kFragment = 44, kAuthentication = 51, kDestination = 60;
constexpr int kMaxExtensionHeaders = 8;

using Bytes = std::span<const std::uint8_t>;

void read_transport(Bytes bytes, PacketSummary& summary) {
  if ((summary.protocol != kTcp && summary.protocol != kUdp) || bytes.size() < 4) return;
  summary.source_port = load_be16(bytes.data());
  summary.destination_port = load_be16(bytes.data() + 2);
  if (summary.protocol == kTcp && bytes.size() >= 14) summary.tcp_flags = bytes[13];
}

void read_ipv4(Bytes bytes, PacketSummary& summary) {
  if (bytes.size() < 20) return;
  std::array<std::uint8_t, 4> address{};
  std::copy_n(bytes.begin() + 12, 4, address.begin());
  summary.source = IpAddress::v4(address);
  std::copy_n(bytes.begin() + 16, 4, address.begin());
  summary.destination = IpAddress::v4(address);
  summary.protocol = bytes[9];
  const std::uint16_t fragment = load_be16(bytes.data() + 6);
  summary.is_fragment = (fragment & 0x3fff) != 0;
  const std::size_t header = (bytes[0] & 15U) * 4;
  if ((fragment & 0x1fff) == 0 && header >= 20 && header <= bytes.size())
    read_transport(bytes.subspan(header), summary);
}

void read_ipv6(Bytes bytes, PacketSummary& summary) {
  if (bytes.size() < 40) return;
  std::array<std::uint8_t, 16> address{};
  std::copy_n(bytes.begin() + 8, 16, address.begin());
  summary.source = IpAddress::v6(address);
  std::copy_n(bytes.begin() + 24, 16, address.begin());
  summary.destination = IpAddress::v6(address);
  summary.protocol = bytes[6];
  bytes = bytes.subspan(40);
  for (int i = 0; i < kMaxExtensionHeaders && bytes.size() >= 8; ++i) {
    std::size_t length = 0;
    switch (summary.protocol) {
      case kHopByHop:
      case kRouting:
      case kDestination:
        length = (bytes[1] + 1U) * 8;
        break;
      case kAuthentication:
        length = (bytes[1] + 2U) * 4;
        break;
      case kFragment:
        length = 8;
        summary.is_fragment = true;
        if ((load_be16(bytes.data() + 2) & 0xfff8) != 0) {
          summary.protocol = bytes[0];
          return;
        }
        break;
      default:
        read_transport(bytes, summary);
        return;
    }
    summary.protocol = bytes[0];
    if (length > bytes.size()) return;
    bytes = bytes.subspan(length);
  }
  read_transport(bytes, summary);
}

}  // namespace

PacketSummary summarize_packet(std::span<const std::uint8_t> frame) {
  PacketSummary summary;
  if (frame.size() < 14) return summary;
  std::uint16_t type = load_be16(frame.data() + 12);
  frame = frame.subspan(14);
  for (int tags = 0; tags < 2 && (type == kVlan || type == kServiceVlan) && frame.size() >= 4; ++tags) {
    type = load_be16(frame.data() + 2);
    frame = frame.subspan(4);
  }
  if (type == kIpv4) read_ipv4(frame, summary);
  if (type == kIpv6) read_ipv6(frame, summary);
  return summary;
}

std::string tcp_flags_text(std::uint8_t flags) {
  static constexpr std::array<std::string_view, 5> kNames{"FIN", "SYN", "RST", "PSH", "ACK"};
  std::string text;
  for (std::size_t bit = 0; bit < kNames.size(); ++bit) {
    if ((flags >> bit & 1) == 0) continue;
    if (!text.empty()) text += ',';
    text += kNames[bit];
  }
  return text;
}

}  // namespace xdplb
