// SPDX-License-Identifier: GPL-2.0-only
// Options as people write them: in documents, on the command line and in messages. The names of the enumerations are in
// model/config.h.
#pragma once

#include "model/config.h"

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace xdplb {

inline constexpr unsigned kMaxVlan = 4094;

// The word's value. Errors: kUsage, naming the text and the words there are.
Result<Pick> parse_pick(std::string_view text);
Result<OnStale> parse_on_stale(std::string_view text);
Result<NoServer> parse_no_server(std::string_view text);
Result<Echo> parse_echo(std::string_view text);
Result<Admin> parse_admin(std::string_view text);

// "300", "300s", "5m" or "2h" as a number of seconds in [min, max]. Errors: kUsage, naming the text.
Result<unsigned> parse_duration(std::string_view text, unsigned min, unsigned max);
// "300s", which parse_duration reads.
std::string duration_text(unsigned seconds);

// ServerConfig::vlan: "keep", "none" or a VLAN id, 1 to 4094. Errors: kUsage, naming the text.
Result<std::optional<std::uint16_t>> parse_vlan(std::string_view text);
std::string vlan_text(const std::optional<std::uint16_t>& vlan);

// What was said of the two masks of sticky clients.
struct StickyMasks {
  std::optional<std::uint8_t> v4{};
  std::optional<std::uint8_t> v6{};
  bool operator==(const StickyMasks&) const = default;
};
// One mask or two: "/24" is IPv4's, one above "/32" IPv6's; of two the first is IPv4's. Errors: kUsage, naming the
// text.
Result<StickyMasks> parse_sticky_masks(std::span<const std::string> texts);
std::string mask_text(unsigned length);  // "/24"

// Adds "192.0.2.10" or "198.51.100.0/24" to the addresses or prefixes of a cluster; "0.0.0.0" and "::" are everything.
// Errors: kUsage, naming the text; for one with host bits the network that was meant.
Result<void> add_cluster_address(std::string_view text, std::vector<IpAddress>& addresses,
                                 std::vector<IpPrefix>& prefixes);
// The same back, addresses first.
std::vector<std::string> address_texts(std::span<const IpAddress> addresses, std::span<const IpPrefix> prefixes);

// Every option of a port and its value as text, always the same names in the same order.
std::vector<std::pair<std::string_view, std::string>> option_texts(const PortConfig& port);

}  // namespace xdplb
