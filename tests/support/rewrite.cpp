// SPDX-License-Identifier: GPL-2.0-only
#include "rewrite.h"

#include "xdplb/maps.h"

#include <algorithm>

namespace xdplb::test {
namespace {

constexpr std::uint8_t kAnswerTtl = 64;

auto at(Frame& frame, std::size_t offset) { return frame.begin() + static_cast<std::ptrdiff_t>(offset); }

void set16(Frame& frame, std::size_t offset, std::uint32_t value) {
  frame[offset] = static_cast<std::uint8_t>(value >> 8 & 0xff);
  frame[offset + 1] = static_cast<std::uint8_t>(value & 0xff);
}

// RFC 1624 equation 3: the checksum at `offset` after a word went from `before` to `after`.
void update_checksum(Frame& frame, std::size_t offset, std::uint16_t before, std::uint16_t after) {
  std::uint32_t sum = (~get16(frame, offset) & 0xffffU) + (~before & 0xffffU) + after;
  while (sum >> 16 != 0) sum = (sum & 0xffff) + (sum >> 16);
  set16(frame, offset, ~sum);
}

// Writes one word of what the checksum at `checksum` covers.
void patch16(Frame& frame, std::size_t offset, std::size_t checksum, std::uint16_t value) {
  update_checksum(frame, checksum, get16(frame, offset), value);
  set16(frame, offset, value);
}

void swap_addresses(Frame& frame, const IpReading& ip) {
  std::swap_ranges(at(frame, 0), at(frame, 6), at(frame, 6));
  const std::size_t size = ip.is_v4() ? 4 : 16;
  const std::size_t source = ip.network + (ip.is_v4() ? 12 : 8);
  std::swap_ranges(at(frame, source), at(frame, source + size), at(frame, source + size));
}

}  // namespace

bool decrement_ttl(Frame& frame, const IpReading& ip) {
  const std::size_t offset = ip.network + (ip.is_v4() ? 8 : 7);
  if (frame[offset] <= 1) return false;
  if (ip.is_v4()) {
    patch16(frame, offset, ip.network + 10, static_cast<std::uint16_t>(get16(frame, offset) - 0x100));
  } else {
    --frame[offset];
  }
  return true;
}

void set_tag(Frame& frame, std::uint16_t tag) {
  const std::uint16_t type = get16(frame, 12);
  const bool is_tagged = type == kTypeVlan || type == kTypeServiceVlan;
  const auto id = static_cast<std::uint16_t>(tag & XDPLB_TAG_VLAN_MASK);
  if (tag == XDPLB_TAG_NONE && is_tagged) {
    frame.erase(at(frame, 12), at(frame, 16));
  } else if ((tag & XDPLB_TAG_SET) != 0 && is_tagged) {
    set16(frame, 14, (get16(frame, 14) & 0xf000U) | id);
  } else if ((tag & XDPLB_TAG_SET) != 0) {
    frame.insert(at(frame, 12), 4, 0);
    set16(frame, 12, kTypeVlan);
    set16(frame, 14, id);
  }
}

Frame echo_answer(const Frame& frame, const IpReading& ip) {
  Frame answer = frame;
  swap_addresses(answer, ip);
  const std::size_t message = ip.transport;
  const std::uint8_t type = ip.is_v4() ? 0 : 129;
  patch16(answer, message, message + 2, static_cast<std::uint16_t>(type << 8 | answer[message + 1]));
  if (ip.is_v4()) {
    const std::size_t ttl = ip.network + 8;
    patch16(answer, ttl, ip.network + 10, static_cast<std::uint16_t>(kAnswerTtl << 8 | answer[ttl + 1]));
  } else {
    answer[ip.network + 7] = kAnswerTtl;
  }
  return answer;
}

std::optional<Frame> reset_answer(const Frame& frame, const IpReading& ip) {
  const std::size_t header = ip.transport;
  const std::int64_t data_bytes = ip.transport_bytes - (frame[header + 12] >> 4) * 4;
  const std::uint8_t flags = frame[header + 13];
  const bool is_whole = !ip.is_first_fragment && !ip.is_later_fragment && !ip.has_more_headers;
  if (!is_whole || frame[header + 12] >> 4 < 5 || data_bytes < 0 || (flags & kRst) != 0) return std::nullopt;

  const bool acks = (flags & kAck) != 0;
  const Tcp reset{.source_port = get16(frame, header + 2),
                  .destination_port = get16(frame, header),
                  .flags = static_cast<std::uint8_t>(acks ? kRst : kRst | kAck),
                  .sequence = acks ? get32(frame, header + 8) : 0,
                  .acknowledgment = acks ? 0
                                         : get32(frame, header + 4) + static_cast<std::uint32_t>(data_bytes) +
                                               ((flags & kSyn) != 0 ? 1U : 0U) + ((flags & kFin) != 0 ? 1U : 0U),
                  .window = 0};
  const Frame segment =
      ip.is_v4()
          ? Ipv4{.source = ip.destination, .destination = ip.source, .dont_fragment = true, .identification = 0} / reset
          : Ipv6{.source = ip.destination, .destination = ip.source} / reset;
  Frame answer(frame.begin(), frame.begin() + static_cast<std::ptrdiff_t>(ip.network));
  std::swap_ranges(at(answer, 0), at(answer, 6), at(answer, 6));
  answer.insert(answer.end(), segment.begin(), segment.end());
  return answer;
}

}  // namespace xdplb::test
