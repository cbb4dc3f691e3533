// SPDX-License-Identifier: GPL-2.0-only
// Options as people write them: in documents, on the command line and in messages. The names of the enumerations are in
// model/config.h.
#pragma once

#include "model/config.h"

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace xdplb {

inline constexpr unsigned kMaxVlan = 4094;
inline constexpr unsigned kMaxMinUp = 1000;    // servers
inline constexpr unsigned kMaxExitTime = 300;  // seconds

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
Result<OnAllDown> parse_on_all_down(std::string_view text);
Result<Echo> parse_echo(std::string_view text);
Result<Admin> parse_admin(std::string_view text);
Result<Failback> parse_failback(std::string_view text);
Result<OnConflict> parse_on_conflict(std::string_view text);
Result<DuplicateProbe> parse_duplicate_probe(std::string_view text);
// HealthConfig::needs_all_targets: "any" (one that answers is enough) is false, "all" is true.
Result<bool> parse_reach_policy(std::string_view text);
std::string_view reach_policy_name(bool needs_all_targets);

Result<AdvisorType> parse_advisor_type(std::string_view text);
Result<ProbeWay> parse_probe_way(std::string_view text);
Result<Combine> parse_combine(std::string_view text);
Result<OnSilence> parse_on_silence(std::string_view text);
Result<ExitEvent> parse_exit_event(std::string_view text);

// "300", "300s", "5m" or "2h" as a number of seconds in [min, max]. Errors: kUsage, naming the text.
Result<unsigned> parse_duration(std::string_view text, unsigned min, unsigned max);
// "300s", which parse_duration reads.
std::string duration_text(unsigned seconds);

// "300ms", "2s", "5m", "1h" or "2" (seconds) as a number of milliseconds in [min, max]. Errors: kUsage, naming the
// text.
Result<unsigned> parse_milliseconds(std::string_view text, unsigned min, unsigned max);
// "2s", or "1500ms" for what is no whole number of seconds; parse_milliseconds reads it.
std::string milliseconds_text(unsigned milliseconds);

// MinUp: "2", or "50%". Errors: kUsage, naming the text.
Result<MinUp> parse_min_up(std::string_view text);
std::string min_up_text(const MinUp& min_up);

// StatusRange: "200" or "300-399". Errors: kUsage, naming the text.
Result<StatusRange> parse_status_range(std::string_view text);
std::string status_range_text(const StatusRange& range);

// ManagerConfig::smoothing_tenths: "1.5", "2". Errors: kUsage, naming the text.
Result<unsigned> parse_smoothing(std::string_view text);
std::string smoothing_text(unsigned tenths);
// ManagerConfig::proportions: "49,50,1,0", or "auto". Errors: kUsage, naming the text.
Result<std::optional<std::array<unsigned, 4>>> parse_proportions(std::string_view text);
std::string proportions_text(const std::optional<std::array<unsigned, 4>>& proportions);

// In one line, for a change of configuration and lists: "http /healthz interval 2s fall 5", "tcp interval 2s steps 3".
// Type, path and interval, then what is not the default; long values are cut. What may hold a secret is not told: of
// headers there are the names, of steps their number, of checks their types.
std::string advisor_text(const AdvisorConfig& advisor);
// "off", "on 49,50,1,0 interval 5s": what is not the default.
std::string manager_text(const ManagerConfig& manager);
// "/usr/local/sbin/page down", then the user and the timeout that are not the default.
std::string exit_text(const ExitConfig& exit);

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
