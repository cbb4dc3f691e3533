// SPDX-License-Identifier: GPL-2.0-only
// A packet as far as it is known, and whether an nftables expression holds for it. Pure.
#pragma once

#include "net/address.h"
#include "server/route_lookup.h"

#include <nlohmann/json.hpp>

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace xdplb {

// What is unset may be anything.
struct NftPacket {
  Family family = Family::kV4;
  std::optional<IpAddress> source{};
  std::optional<IpAddress> destination{};
  std::optional<Protocol> protocol{};
  std::optional<std::uint16_t> source_port{};
  std::optional<std::uint16_t> destination_port{};
  std::vector<std::string> incoming{};  // one of these interfaces; empty: not known
  std::vector<std::string> outgoing{};
  bool is_answer = false;            // of a connection that is established; else the first of a new one
  bool is_destination_own = true;    // the destination is a local address
  bool is_source_elsewhere = false;  // the way to the source leaves by another interface than it came by
};

// Elements of named sets and maps, by "FAMILY TABLE NAME".
using NftSets = std::map<std::string, nlohmann::json>;

struct NftContext {
  const NftPacket& packet;
  const NftSets& sets;
  std::string table{};  // "inet filter": where names of sets belong
};

// The value of "match": {"op", "left", "right"}.
Match match_nft(const nlohmann::json& match, const NftContext& context);

// Of a verdict map: the verdicts that are possible, each with how sure it is; ends at one that is certain. `key` is the
// expression, `data` {"set": [[key, verdict], ...]} or "@name". Returns false when it cannot be told at all.
bool match_nft_map(const nlohmann::json& key, const nlohmann::json& data, const NftContext& context,
                   std::vector<std::pair<Match, nlohmann::json>>& out);

}  // namespace xdplb
