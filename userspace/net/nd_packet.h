// SPDX-License-Identifier: GPL-2.0-only
// Neighbour solicitations and advertisements over Ethernet (RFC 4861 4.3, 4.4): whole frames to values and back. Pure.
#pragma once

#include "net/frame.h"

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace xdplb {

// RFC 3971 5.3.2. Tells our own probe that came back over a loop from a foreign one (RFC 7527).
using NdNonce = std::array<std::uint8_t, 6>;

struct NeighbourSolicitation {
  EthernetAddresses ethernet;
  IpAddress source;  // unspecified when the asker probes for a duplicate
  IpAddress destination;
  IpAddress target;
  std::optional<MacAddress> source_mac;  // of the source link-layer address option
  std::optional<NdNonce> nonce{};        // of the nonce option; one of another length is left out
  auto operator<=>(const NeighbourSolicitation&) const = default;
};

struct NeighbourAdvertisement {
  EthernetAddresses ethernet;
  IpAddress source;
  IpAddress destination;
  IpAddress target;
  std::optional<MacAddress> target_mac;  // of the target link-layer address option
  bool is_router = false;                // R
  bool is_solicited = false;             // S
  bool overrides = false;                // O
  auto operator<=>(const NeighbourAdvertisement&) const = default;
};

// IPv6 header, advertisement and one link-layer address option.
using AdvertisementBytes = std::array<std::uint8_t, kEthernetHeader + 40 + 24 + 8>;

// ff02::1, every host of the link.
IpAddress all_hosts_group();

// 33:33 and the last 32 bits of an IPv6 group (RFC 2464 7).
MacAddress group_mac(const IpAddress& group);

// Decodes one Ethernet frame without FCS and validates it by RFC 4861 7.1.1: hop limit, checksum, code, length, target,
// options, and for an unspecified source the solicited-node destination and no source option. A message behind
// extension headers is kOtherType.
[[nodiscard]] Decoded<NeighbourSolicitation> decode_solicitation(std::span<const std::uint8_t> frame);

// The same by RFC 4861 7.1.2: S must be clear when the destination is a group.
[[nodiscard]] Decoded<NeighbourAdvertisement> decode_advertisement(std::span<const std::uint8_t> frame);

// The frame to send, checksum included, with the options that are set.
std::vector<std::uint8_t> encode_solicitation(const NeighbourSolicitation& solicitation);

// RFC 4862 5.4.2 and RFC 7527: asks from :: whether anybody uses `address` without claiming it.
NeighbourSolicitation nd_probe(const MacAddress& own_mac, const IpAddress& address, const NdNonce& nonce);

// RFC 4861 7.2.2: asks as any host does who has `address`.
//
// source  an address of the interface that asks, never a VIPA
NeighbourSolicitation nd_question(const MacAddress& own_mac, const IpAddress& source, const IpAddress& address);

// The frame to send, checksum included. target_mac must be set: without it nobody can learn or correct an entry.
AdvertisementBytes encode_advertisement(const NeighbourAdvertisement& advertisement);

// The answer to `solicitation`: `own_mac` has its target. O is set, for a VIPA has exactly one owner and only O
// corrects a wrong entry. A probe for duplicates (source ::) is answered to all hosts without S (RFC 4861 7.2.4).
NeighbourAdvertisement nd_answer(const NeighbourSolicitation& solicitation, const MacAddress& own_mac);

// Claims `address` for `own_mac`, unasked, to all hosts (RFC 4861 7.2.6).
//
// source  a link-local address of the sending interface
NeighbourAdvertisement nd_announcement(const MacAddress& own_mac, const IpAddress& source, const IpAddress& address);

// The same claim told to one neighbour alone.
NeighbourAdvertisement nd_directed_announcement(const MacAddress& own_mac, const IpAddress& source,
                                                const IpAddress& address, const MacAddress& neighbour_mac,
                                                const IpAddress& neighbour);

}  // namespace xdplb
