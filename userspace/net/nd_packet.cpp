// SPDX-License-Identifier: GPL-2.0-only
#include "net/nd_packet.h"

#include "net/checksum.h"
#include "net/wire.h"

#include <algorithm>
#include <cassert>

namespace xdplb {
namespace {

constexpr std::size_t kIpv6Header = 40;  // bytes
constexpr std::size_t kNdHeader = 24;    // type, code, checksum, flags, target
constexpr std::size_t kMacOption = 8;    // type, length, MAC; a nonce of 6 bytes is as long
constexpr std::size_t kMessageAt = kEthernetHeader + kIpv6Header;
constexpr std::uint8_t kNextHeaderIcmpv6 = 58;
constexpr std::uint8_t kOnLinkHopLimit = 255;
constexpr std::uint8_t kTypeSolicitation = 135;
constexpr std::uint8_t kTypeAdvertisement = 136;
constexpr std::uint8_t kOptionSourceMac = 1;
constexpr std::uint8_t kOptionTargetMac = 2;
constexpr std::uint8_t kOptionNonce = 14;
constexpr std::uint8_t kFlagRouter = 0x80;
constexpr std::uint8_t kFlagSolicited = 0x40;
constexpr std::uint8_t kFlagOverride = 0x20;

// What a solicitation and an advertisement have in common, validated.
struct NdMessage {
  EthernetAddresses ethernet;
  IpAddress source;
  IpAddress destination;
  IpAddress target;
  std::uint8_t flags = 0;
  std::optional<MacAddress> mac;
  std::optional<NdNonce> nonce;
};

struct NdOptions {
  std::optional<MacAddress> mac;
  std::optional<NdNonce> nonce;
};

// The first MAC of `wanted` type and the first nonce. Other options are skipped, as RFC 4861 4.6 demands.
Decoded<NdOptions> read_options(std::span<const std::uint8_t> options, std::uint8_t wanted) {
  NdOptions read;
  while (!options.empty()) {
    if (options.size() < 2) return Refusal::kOption;
    const std::size_t length = options[1] * std::size_t{8};
    if (length == 0 || length > options.size()) return Refusal::kOption;
    if (options[0] == wanted && length != kMacOption) return Refusal::kOption;
    const MacAddress value = load_mac(&options[2]);
    if (options[0] == wanted && !read.mac) read.mac = value;
    if (options[0] == kOptionNonce && length == kMacOption && !read.nonce) read.nonce = value.bytes;
    options = options.subspan(length);
  }
  if (read.mac && read.mac->is_multicast()) return Refusal::kOption;
  return read;
}

// The ICMPv6 message of `type`, cut at the IPv6 payload length: the frame may be padded.
Decoded<std::span<const std::uint8_t>> find_message(std::span<const std::uint8_t> frame, std::uint8_t type) {
  if (frame.size() < kEthernetHeader) return Refusal::kTruncated;
  if (load_be16(&frame[12]) != kEtherTypeIpv6) return Refusal::kOtherType;
  const auto packet = frame.subspan(kEthernetHeader);
  if (packet.size() < kIpv6Header) return Refusal::kTruncated;
  if (packet[0] >> 4 != 6 || packet[6] != kNextHeaderIcmpv6) return Refusal::kOtherType;
  const std::size_t length = load_be16(&packet[4]);
  if (length == 0 || packet.size() < kIpv6Header + length) return Refusal::kTruncated;
  const auto message = packet.subspan(kIpv6Header, length);
  if (message[0] != type) return Refusal::kOtherType;
  if (message.size() < kNdHeader) return Refusal::kTruncated;
  return message;
}

Decoded<NdMessage> decode(std::span<const std::uint8_t> frame, std::uint8_t type, std::uint8_t option) {
  const auto message = find_message(frame, type);
  if (!message) return message.error();
  const std::uint8_t* ip = &frame[kEthernetHeader];
  NdMessage nd{
      .ethernet = {.destination = load_mac(&frame[0]), .source = load_mac(&frame[6])},
      .source = load_ipv6(ip + 8),
      .destination = load_ipv6(ip + 24),
      .target = load_ipv6(&(*message)[8]),
      .flags = (*message)[4],
      .mac = std::nullopt,
      .nonce = std::nullopt,
  };
  if (ip[7] != kOnLinkHopLimit) return Refusal::kHopLimit;
  if (icmpv6_checksum(nd.source, nd.destination, *message) != 0) return Refusal::kChecksum;
  if ((*message)[1] != 0) return Refusal::kCode;
  if (nd.target.is_multicast() || nd.source.is_multicast()) return Refusal::kAddress;
  const auto options = read_options(message->subspan(kNdHeader), option);
  if (!options) return options.error();
  nd.mac = options->mac;
  nd.nonce = options->nonce;
  return nd;
}

bool is_solicited_node_group(const IpAddress& address) {
  // ff02::1:ff00:0/104 (RFC 4291 2.7.1).
  static const IpPrefix groups{
      .address = IpAddress::v6({0xff, 0x02, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0xff, 0, 0, 0}),
      .length = 104,
  };
  return groups.contains(address);
}

void put_option(std::span<std::uint8_t> out, std::uint8_t type, const std::array<std::uint8_t, 6>& value) {
  out[0] = type;
  out[1] = kMacOption / 8;
  std::copy(value.begin(), value.end(), out.begin() + 2);
}

// Fills the headers of a frame whose options are in place; the checksum covers them.
void put_message(std::span<std::uint8_t> out, std::uint8_t type, const NdMessage& nd) {
  const auto put = [&out](std::size_t offset, std::span<const std::uint8_t> bytes) {
    std::copy(bytes.begin(), bytes.end(), out.begin() + static_cast<std::ptrdiff_t>(offset));
  };
  put(0, nd.ethernet.destination.bytes);
  put(6, nd.ethernet.source.bytes);
  store_be16(&out[12], kEtherTypeIpv6);

  std::uint8_t* ip = &out[kEthernetHeader];
  ip[0] = 6 << 4;
  store_be16(ip + 4, static_cast<std::uint16_t>(out.size() - kMessageAt));
  ip[6] = kNextHeaderIcmpv6;
  ip[7] = kOnLinkHopLimit;
  put(kEthernetHeader + 8, nd.source.bytes());
  put(kEthernetHeader + 24, nd.destination.bytes());

  out[kMessageAt] = type;
  out[kMessageAt + 4] = nd.flags;
  put(kMessageAt + 8, nd.target.bytes());
  store_be16(&out[kMessageAt + 2], icmpv6_checksum(nd.source, nd.destination, out.subspan(kMessageAt)));
}

}  // namespace

IpAddress all_hosts_group() { return IpAddress::v6({0xff, 0x02, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1}); }

MacAddress group_mac(const IpAddress& group) {
  const auto bytes = group.bytes();
  return {{0x33, 0x33, bytes[12], bytes[13], bytes[14], bytes[15]}};
}

Decoded<NeighbourSolicitation> decode_solicitation(std::span<const std::uint8_t> frame) {
  const auto nd = decode(frame, kTypeSolicitation, kOptionSourceMac);
  if (!nd) return nd.error();
  if (nd->source.is_unspecified()) {
    if (!is_solicited_node_group(nd->destination)) return Refusal::kAddress;
    if (nd->mac) return Refusal::kOption;
  }
  return NeighbourSolicitation{
      .ethernet = nd->ethernet,
      .source = nd->source,
      .destination = nd->destination,
      .target = nd->target,
      .source_mac = nd->mac,
      .nonce = nd->nonce,
  };
}

Decoded<NeighbourAdvertisement> decode_advertisement(std::span<const std::uint8_t> frame) {
  const auto nd = decode(frame, kTypeAdvertisement, kOptionTargetMac);
  if (!nd) return nd.error();
  const bool is_solicited = (nd->flags & kFlagSolicited) != 0;
  if (is_solicited && nd->destination.is_multicast()) return Refusal::kAddress;
  return NeighbourAdvertisement{
      .ethernet = nd->ethernet,
      .source = nd->source,
      .destination = nd->destination,
      .target = nd->target,
      .target_mac = nd->mac,
      .is_router = (nd->flags & kFlagRouter) != 0,
      .is_solicited = is_solicited,
      .overrides = (nd->flags & kFlagOverride) != 0,
  };
}

std::vector<std::uint8_t> encode_solicitation(const NeighbourSolicitation& solicitation) {
  const std::size_t options = (solicitation.source_mac ? 1 : 0) + (solicitation.nonce ? 1 : 0);
  std::vector<std::uint8_t> out(kMessageAt + kNdHeader + options * kMacOption);
  auto option = kMessageAt + kNdHeader;
  if (solicitation.source_mac) {
    put_option(std::span(out).subspan(option), kOptionSourceMac, solicitation.source_mac->bytes);
    option += kMacOption;
  }
  if (solicitation.nonce) put_option(std::span(out).subspan(option), kOptionNonce, *solicitation.nonce);
  const NdMessage message{.ethernet = solicitation.ethernet,
                          .source = solicitation.source,
                          .destination = solicitation.destination,
                          .target = solicitation.target,
                          .flags = 0,
                          .mac = std::nullopt,
                          .nonce = std::nullopt};
  put_message(out, kTypeSolicitation, message);
  return out;
}

NeighbourSolicitation nd_probe(const MacAddress& own_mac, const IpAddress& address, const NdNonce& nonce) {
  const IpAddress group = solicited_node_group(address);
  return {.ethernet = {.destination = group_mac(group), .source = own_mac},
          .source = IpAddress::v6({}),
          .destination = group,
          .target = address,
          .source_mac = std::nullopt,
          .nonce = nonce};
}

NeighbourSolicitation nd_question(const MacAddress& own_mac, const IpAddress& source, const IpAddress& address) {
  const IpAddress group = solicited_node_group(address);
  return {.ethernet = {.destination = group_mac(group), .source = own_mac},
          .source = source,
          .destination = group,
          .target = address,
          .source_mac = own_mac};
}

AdvertisementBytes encode_advertisement(const NeighbourAdvertisement& advertisement) {
  assert(advertisement.target_mac);
  AdvertisementBytes out{};
  put_option(std::span(out).subspan(kMessageAt + kNdHeader), kOptionTargetMac, advertisement.target_mac->bytes);
  const unsigned flags = (advertisement.is_router ? kFlagRouter : 0U) |
                         (advertisement.is_solicited ? kFlagSolicited : 0U) |
                         (advertisement.overrides ? kFlagOverride : 0U);
  const NdMessage message{.ethernet = advertisement.ethernet,
                          .source = advertisement.source,
                          .destination = advertisement.destination,
                          .target = advertisement.target,
                          .flags = static_cast<std::uint8_t>(flags),
                          .mac = std::nullopt,
                          .nonce = std::nullopt};
  put_message(out, kTypeAdvertisement, message);
  return out;
}

NeighbourAdvertisement nd_answer(const NeighbourSolicitation& solicitation, const MacAddress& own_mac) {
  if (solicitation.source.is_unspecified()) {
    return nd_announcement(own_mac, solicitation.target, solicitation.target);
  }
  return {
      .ethernet = {.destination = solicitation.source_mac.value_or(solicitation.ethernet.source), .source = own_mac},
      .source = solicitation.target,
      .destination = solicitation.source,
      .target = solicitation.target,
      .target_mac = own_mac,
      .is_router = false,
      .is_solicited = true,
      .overrides = true,
  };
}

NeighbourAdvertisement nd_announcement(const MacAddress& own_mac, const IpAddress& source, const IpAddress& address) {
  return {
      .ethernet = {.destination = group_mac(all_hosts_group()), .source = own_mac},
      .source = source,
      .destination = all_hosts_group(),
      .target = address,
      .target_mac = own_mac,
      .is_router = false,
      .is_solicited = false,
      .overrides = true,
  };
}

NeighbourAdvertisement nd_directed_announcement(const MacAddress& own_mac, const IpAddress& source,
                                                const IpAddress& address, const MacAddress& neighbour_mac,
                                                const IpAddress& neighbour) {
  NeighbourAdvertisement told = nd_announcement(own_mac, source, address);
  told.ethernet.destination = neighbour_mac;
  told.destination = neighbour;
  return told;
}

}  // namespace xdplb
