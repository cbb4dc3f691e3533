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

// Ranges of VipaConfig and HealthConfig; times in seconds.
inline constexpr unsigned kMaxVipaTime = 3600;  // of hold_s and refresh_s
inline constexpr unsigned kMinRefresh = 2;      // else 0, never
inline constexpr std::size_t kMaxReachTargets = 16;
inline constexpr unsigned kMaxReachInterval = 60;
inline constexpr unsigned kMaxReachMissed = 10;
inline constexpr unsigned kMaxLinkDelay = 255;

// The word's value. Errors: kUsage, naming the text and the words there are.
Result<Pick> parse_pick(std::string_view text);
Result<OnStale> parse_on_stale(std::string_view text);
Result<NoServer> parse_no_server(std::string_view text);
Result<Echo> parse_echo(std::string_view text);
Result<Admin> parse_admin(std::string_view text);
Result<Failback> parse_failback(std::string_view text);
Result<OnConflict> parse_on_conflict(std::string_view text);
Result<DuplicateProbe> parse_duplicate_probe(std::string_view text);
// HealthConfig::needs_all_targets: "any" (one that answers is enough) is false, "all" is true.
Result<bool> parse_reach_policy(std::string_view text);
std::string_view reach_policy_name(bool needs_all_targets);

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

// "192.0.2.21,192.0.2.22", no text for none.
std::string list_text(std::span<const IpAddress> addresses);
// The same back, at least one, none twice. Errors: kUsage, naming the text.
Result<std::vector<IpAddress>> parse_address_list(std::string_view text);

// Whether the kernel would take it for an interface; printable ASCII only.
bool is_interface_name(std::string_view name);
// Whether an entry of VipaConfig::preferred can name an interface: by its name or by an address of it. Errors: kUsage,
// naming the text.
Result<void> check_list_entry(std::string_view text);
// VipaConfig::preferred: "auto" is nullopt, "none" is an empty list, else entries with commas between them, none twice.
// Errors: kUsage, naming the text.
Result<std::optional<std::vector<std::string>>> parse_preferred(std::string_view text);
// The same back, with spaces between the entries.
std::string preferred_text(const std::optional<std::vector<std::string>>& preferred);
// VipaConfig::proxy: a server by its name, one of its addresses or its path. Errors: kUsage, naming the text.
Result<void> check_proxy(std::string_view text);
// VipaConfig::refresh_s: "0", or a time from kMinRefresh to kMaxVipaTime. Errors: kUsage, naming the text.
Result<unsigned> parse_refresh(std::string_view text);

// Every option of a port and its value as text, always the same names in the same order.
using OptionTexts = std::vector<std::pair<std::string_view, std::string>>;
OptionTexts option_texts(const PortConfig& port);
// The same of a VIPA, and of health.
OptionTexts option_texts(const VipaConfig& vipa);
OptionTexts option_texts(const HealthConfig& health);

}  // namespace xdplb
