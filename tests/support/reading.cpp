// SPDX-License-Identifier: GPL-2.0-only
#include "reading.h"

#include <algorithm>
#include <array>

namespace xdplb::test {
namespace {

constexpr int kMaxExtensionHeaders = 8;

template <std::size_t kSize>
std::array<std::uint8_t, kSize> get_array(Bytes bytes, std::size_t offset) {
  std::array<std::uint8_t, kSize> result{};
  std::copy_n(bytes.begin() + static_cast<std::ptrdiff_t>(offset), kSize, result.begin());
  return result;
}

bool is_extension(int header) {
  return header == kHopByHop || header == kRouting || header == kDestinationOptions || header == kAuthentication ||
         header == kFragment;
}

void read_ipv4(IpReading& ip, Bytes frame) {
  const Bytes header = frame.subspan(ip.network);
  ip.source = IpAddress::v4(get_array<4>(header, 12));
  ip.destination = IpAddress::v4(get_array<4>(header, 16));
  const std::size_t header_size = (header[0] & 0xfU) * 4U;
  if (header[0] >> 4 != 4 || header_size < 20) {
    ip.defect = XDPLB_OUTCOME_TRUNCATED;
    return;
  }
  const std::uint16_t fragment = get16(header, 6);
  ip.is_later_fragment = (fragment & 0x1fff) != 0;
  ip.is_first_fragment = (fragment & 0x3fff) == 0x2000;
  ip.identification = get16(header, 4);
  ip.protocol = ip.fragment_protocol = header[9];
  ip.transport = ip.network + header_size;
  ip.has_more_headers = header_size > 20;
  ip.transport_bytes = std::int64_t{get16(header, 2)} - static_cast<std::int64_t>(header_size);
}

// The Fragment header at ip.transport. RFC 8200 4.5.
void read_fragment_header(IpReading& ip, Bytes header) {
  const std::uint16_t word = get16(header, 2);
  ip.is_later_fragment = word >> 3 != 0;
  ip.is_first_fragment = word >> 3 == 0 && (word & 1) != 0;
  ip.identification = get32(header, 4);
  ip.fragment_protocol = header[0];
}

void read_ipv6(IpReading& ip, Bytes frame) {
  const Bytes header = frame.subspan(ip.network);
  ip.source = IpAddress::v6(get_array<16>(header, 8));
  ip.destination = IpAddress::v6(get_array<16>(header, 24));
  if (header[0] >> 4 != 6) {
    ip.defect = XDPLB_OUTCOME_TRUNCATED;
    return;
  }
  ip.protocol = header[6];
  ip.transport = ip.network + 40;
  ip.transport_bytes = get16(header, 4);
  for (int followed = 0; is_extension(ip.protocol) && !ip.is_later_fragment; ++followed) {
    if (followed == kMaxExtensionHeaders) {
      ip.defect = XDPLB_OUTCOME_HEADERS_TOO_LONG;
      return;
    }
    if (ip.transport + 8 > frame.size()) {
      ip.defect = XDPLB_OUTCOME_TRUNCATED;
      return;
    }
    const Bytes extension = frame.subspan(ip.transport);
    std::size_t size = (extension[1] + 1U) * 8U;
    if (ip.protocol == kFragment) {
      size = 8;
      read_fragment_header(ip, extension);
    } else if (ip.protocol == kAuthentication) {
      size = (extension[1] + 2U) * 4U;
    }
    ip.has_more_headers = true;
    ip.protocol = extension[0];
    ip.transport += size;
    ip.transport_bytes -= static_cast<std::int64_t>(size);
  }
}

}  // namespace

std::uint16_t get16(Bytes bytes, std::size_t offset) {
  return static_cast<std::uint16_t>(bytes[offset] << 8 | bytes[offset + 1]);
}

std::uint32_t get32(Bytes bytes, std::size_t offset) {
  return std::uint32_t{get16(bytes, offset)} << 16 | get16(bytes, offset + 2);
}

std::optional<IpReading> read_ip(Bytes frame, std::size_t network, Family family) {
  const std::size_t header_size = family == Family::kV4 ? 20 : 40;
  if (network + header_size > frame.size()) return std::nullopt;
  IpReading ip{.network = network};
  if (family == Family::kV4) {
    read_ipv4(ip, frame);
  } else {
    read_ipv6(ip, frame);
  }
  return ip;
}

LinkReading read_link(Bytes frame) {
  std::size_t type_offset = 12;
  for (int tags = 0; tags <= 2; ++tags, type_offset += 4) {
    if (frame.size() < type_offset + 2) return {.defect = XDPLB_OUTCOME_TRUNCATED};
    const std::uint16_t type = get16(frame, type_offset);
    if (type == kTypeVlan || type == kTypeServiceVlan) continue;
    if (type == kTypeIpv4) return {.network = type_offset + 2, .family = Family::kV4};
    if (type == kTypeIpv6) return {.network = type_offset + 2, .family = Family::kV6};
    break;
  }
  return {.defect = XDPLB_OUTCOME_NOT_IP};
}

std::optional<TransportReading> read_transport(Bytes frame, const IpReading& ip) {
  const std::size_t header_size = ip.protocol == kTcp ? 20 : 8;
  if (ip.transport + header_size > frame.size()) return std::nullopt;
  const Bytes header = frame.subspan(ip.transport);
  TransportReading transport{
      .source_port = get16(header, 0), .destination_port = get16(header, 2), .has_payload = true};
  if (ip.protocol == kTcp) {
    transport.tcp_flags = header[13];
    transport.has_payload = ip.transport_bytes > (header[12] >> 4) * 4;
  }
  return transport;
}

}  // namespace xdplb::test
