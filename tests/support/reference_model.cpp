// SPDX-License-Identifier: GPL-2.0-only
#include "reference_model.h"

#include <linux/bpf.h>

#include <algorithm>
#include <array>
#include <span>

namespace xdplb::test {
namespace {

using Bytes = std::span<const std::uint8_t>;

std::uint16_t get16(Bytes bytes, std::size_t offset) {
  return static_cast<std::uint16_t>(bytes[offset] << 8 | bytes[offset + 1]);
}

template <std::size_t kSize>
std::array<std::uint8_t, kSize> get_array(Bytes bytes, std::size_t offset) {
  std::array<std::uint8_t, kSize> result{};
  std::copy_n(bytes.begin() + static_cast<std::ptrdiff_t>(offset), kSize, result.begin());
  return result;
}

// A frame as far as it can be read; `defect` is what hinders it from reaching a port.
struct Reading {
  xdplb_outcome defect = XDPLB_CONTINUE;
  bool has_addresses = false;
  IpAddress source{};
  IpAddress destination{};
  Protocol protocol = Protocol::kTcp;
  std::uint16_t source_port = 0;
  std::uint16_t destination_port = 0;
  std::uint8_t tcp_flags = 0;
};

void read_transport(Reading& reading, int protocol, Bytes bytes) {
  if (protocol != kTcp && protocol != kUdp) {
    reading.defect = XDPLB_OUTCOME_OTHER_PROTOCOL;
    return;
  }
  const std::size_t header_size = protocol == kTcp ? 20 : 8;
  if (bytes.size() < header_size) {
    reading.defect = XDPLB_OUTCOME_TRUNCATED;
    return;
  }
  reading.protocol = protocol == kTcp ? Protocol::kTcp : Protocol::kUdp;
  reading.source_port = get16(bytes, 0);
  reading.destination_port = get16(bytes, 2);
  if (protocol == kTcp) reading.tcp_flags = bytes[13];
}

void read_ipv4(Reading& reading, Bytes bytes) {
  if (bytes.size() < 20) {
    reading.defect = XDPLB_OUTCOME_TRUNCATED;
    return;
  }
  reading.has_addresses = true;
  reading.source = IpAddress::v4(get_array<4>(bytes, 12));
  reading.destination = IpAddress::v4(get_array<4>(bytes, 16));
  const std::size_t header_size = (bytes[0] & 0xfU) * 4U;
  const bool more_fragments = (bytes[6] & 0x20) != 0;
  const int fragment_offset = get16(bytes, 6) & 0x1fff;
  if (bytes[0] >> 4 != 4 || header_size < 20) {
    reading.defect = XDPLB_OUTCOME_TRUNCATED;
  } else if (more_fragments || fragment_offset != 0) {
    reading.defect = XDPLB_OUTCOME_FRAGMENT;
  } else {
    read_transport(reading, bytes[9], bytes.subspan(std::min(header_size, bytes.size())));
  }
}

void read_ipv6(Reading& reading, Bytes bytes) {
  if (bytes.size() < 40) {
    reading.defect = XDPLB_OUTCOME_TRUNCATED;
    return;
  }
  reading.has_addresses = true;
  reading.source = IpAddress::v6(get_array<16>(bytes, 8));
  reading.destination = IpAddress::v6(get_array<16>(bytes, 24));
  const int next = bytes[6];
  if (bytes[0] >> 4 != 6) {
    reading.defect = XDPLB_OUTCOME_TRUNCATED;
  } else if (next == kFragment) {
    reading.defect = XDPLB_OUTCOME_FRAGMENT;
  } else if (next == kHopByHop || next == kRouting || next == kDestinationOptions || next == kAuthentication) {
    reading.defect = XDPLB_OUTCOME_EXTENSION_HEADER;
  } else {
    read_transport(reading, next, bytes.subspan(40));
  }
}

Reading read_frame(Bytes frame) {
  Reading reading;
  std::size_t type_offset = 12;
  for (int tags = 0; tags <= 2; ++tags, type_offset += 4) {
    if (frame.size() < type_offset + 2) {
      reading.defect = XDPLB_OUTCOME_TRUNCATED;
      return reading;
    }
    const std::uint16_t type = get16(frame, type_offset);
    if (type != kTypeVlan && type != kTypeServiceVlan) break;
  }
  // After a third tag type_offset lies beyond the frame's third type: no IP either way.
  const bool too_many_tags = type_offset > 20;
  const std::uint16_t type = too_many_tags ? 0 : get16(frame, type_offset);
  if (type == kTypeIpv4) {
    read_ipv4(reading, frame.subspan(type_offset + 2));
  } else if (type == kTypeIpv6) {
    read_ipv6(reading, frame.subspan(type_offset + 2));
  } else {
    reading.defect = XDPLB_OUTCOME_NOT_IP;
  }
  return reading;
}

const ClusterSetup* cluster_of(const DataplaneSetup& setup, const IpAddress& address) {
  for (const ClusterSetup& cluster : setup.clusters) {
    if (std::count(cluster.addresses.begin(), cluster.addresses.end(), address) != 0) return &cluster;
  }
  return nullptr;
}

const PortSetup* port_of(const ClusterSetup& cluster, Protocol protocol, std::uint16_t number) {
  for (const PortSetup& port : cluster.ports) {
    if (port.protocol == protocol && port.port == number) return &port;
  }
  return nullptr;
}

Journey ended(xdplb_outcome outcome, const Frame& frame) {
  Journey journey{.outcome = outcome, .verdict = outcome_verdict(outcome), .frame = frame};
  if (journey.verdict == XDP_DROP) journey.frame.reset();
  return journey;
}

xdplb_counters counters_of(const Reading& reading, const Frame& frame) {
  const bool is_new = (reading.tcp_flags & kSyn) != 0 && (reading.tcp_flags & kAck) == 0;
  const bool is_closed = (reading.tcp_flags & (kFin | kRst)) != 0;
  return {.packets = 1, .bytes = frame.size(), .new_flows = is_new ? 1U : 0U, .closed_flows = is_closed ? 1U : 0U};
}

Journey send(const DataplaneSetup& setup, const Frame& frame, std::uint32_t ingress, std::uint16_t index,
             const Reading& reading) {
  const auto server = setup.servers.find(index);
  if (server == setup.servers.end() || server->second.egress == 0) return ended(XDPLB_OUTCOME_SERVER_GONE, frame);
  const auto egress = setup.egresses.find(server->second.egress);
  if (egress == setup.egresses.end()) return ended(XDPLB_OUTCOME_NO_EGRESS, frame);
  const bool is_ingress = egress->second.ifindex == ingress;
  if (!is_ingress && !egress->second.has_device) return ended(XDPLB_OUTCOME_NO_EGRESS, frame);

  Journey journey = ended(is_ingress ? XDPLB_OUTCOME_FORWARDED : XDPLB_OUTCOME_REDIRECTED, frame);
  std::copy_n(server->second.mac.bytes.begin(), 6, journey.frame->begin());
  std::copy_n(egress->second.mac.bytes.begin(), 6, journey.frame->begin() + 6);
  journey.server = index;
  journey.counters = counters_of(reading, frame);
  return journey;
}

}  // namespace

std::string_view outcome_name(int outcome) {
  switch (outcome) {
    case XDPLB_CONTINUE:
      return "none";
#define XDPLB_NAME(NAME, name, VERDICT, meaning) \
  case XDPLB_OUTCOME_##NAME:                     \
    return #name;
      XDPLB_OUTCOMES(XDPLB_NAME)
#undef XDPLB_NAME
    default:
      return "unknown";
  }
}

int outcome_verdict(int outcome) {
  switch (outcome) {
#define XDPLB_VERDICT(NAME, name, VERDICT, meaning) \
  case XDPLB_OUTCOME_##NAME:                        \
    return XDP_##VERDICT;
    XDPLB_OUTCOMES(XDPLB_VERDICT)
#undef XDPLB_VERDICT
    default:
      return XDP_ABORTED;
  }
}

std::string verdict_name(int verdict) {
  static constexpr std::array kNames{"ABORTED", "DROP", "PASS", "TX", "REDIRECT"};
  const auto index = static_cast<std::size_t>(verdict);
  return index < kNames.size() ? kNames[index] : std::to_string(verdict);
}

Journey expected_journey(const DataplaneSetup& setup, const Frame& frame, std::uint32_t ingress) {
  const Reading reading = read_frame(frame);
  if (!reading.has_addresses) return ended(reading.defect, frame);
  const ClusterSetup* cluster = cluster_of(setup, reading.destination);
  if (cluster == nullptr) {
    const bool from_vipa = cluster_of(setup, reading.source) != nullptr;
    return ended(from_vipa ? XDPLB_OUTCOME_FROM_VIPA : XDPLB_OUTCOME_NOT_FOR_VIPA, frame);
  }
  if (reading.defect != XDPLB_CONTINUE) return ended(reading.defect, frame);

  const PortSetup* port = port_of(*cluster, reading.protocol, reading.destination_port);
  if (port == nullptr) port = port_of(*cluster, reading.protocol, 0);
  if (port == nullptr) return ended(XDPLB_OUTCOME_NO_PORT, frame);
  const auto& rows = port->rows_of(reading.destination.family());
  if (rows.empty()) return ended(XDPLB_OUTCOME_NO_SERVER, frame);
  const Endpoint client{.address = reading.source, .port = reading.source_port};
  const std::uint32_t row = client_row(client, port->seeds, static_cast<std::uint32_t>(rows.size() - 1));
  const auto owner = static_cast<std::uint16_t>(rows[row] & XDPLB_ROW_SERVER_MASK);
  if (owner == 0) return ended(XDPLB_OUTCOME_NO_SERVER, frame);
  return send(setup, frame, ingress, owner, reading);
}

}  // namespace xdplb::test
