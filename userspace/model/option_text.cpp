// SPDX-License-Identifier: GPL-2.0-only
#include "model/option_text.h"

#include "model/text.h"
#include "model/words.h"

#include <fmt/format.h>

#include <array>

namespace xdplb {
namespace {

constexpr std::array<Word<Pick>, 3> kPicks = {
    {{Pick::kHash, "hash"}, {Pick::kRoundRobin, "wrr"}, {Pick::kLeastConnections, "least-connections"}}};
constexpr std::array<Word<OnStale>, 3> kOnStales = {
    {{OnStale::kRepick, "repick"}, {OnStale::kReset, "reset"}, {OnStale::kDrop, "drop"}}};
constexpr std::array<Word<NoServer>, 3> kNoServers = {
    {{NoServer::kDrop, "drop"}, {NoServer::kPass, "pass"}, {NoServer::kReset, "reset"}}};
constexpr std::array<Word<OnAllDown>, 3> kOnAllDowns = {
    {{OnAllDown::kRowsStay, "rows-stay"}, {OnAllDown::kDrop, "drop"}, {OnAllDown::kReset, "reset"}}};
constexpr std::array<Word<Echo>, 3> kEchoes = {
    {{Echo::kServer, "server"}, {Echo::kDispatcher, "dispatcher"}, {Echo::kOff, "off"}}};
constexpr std::array<Word<Admin>, 4> kAdmins = {
    {{Admin::kReady, "ready"}, {Admin::kDrain, "drain"}, {Admin::kDrainNow, "drain-now"}, {Admin::kDown, "down"}}};

constexpr std::array<Word<Failback>, 3> kFailbacks = {
    {{Failback::kDelayed, "delayed"}, {Failback::kImmediate, "immediate"}, {Failback::kManual, "manual"}}};
constexpr std::array<Word<OnConflict>, 2> kOnConflicts = {
    {{OnConflict::kDefend, "defend"}, {OnConflict::kYield, "yield"}}};
constexpr std::array<Word<DuplicateProbe>, 3> kProbes = {
    {{DuplicateProbe::kFast, "fast"}, {DuplicateProbe::kRfc, "rfc"}, {DuplicateProbe::kOff, "off"}}};
constexpr std::array<Word<bool>, 2> kReachPolicies = {{{false, "any"}, {true, "all"}}};

Result<std::uint8_t> parse_mask(std::string_view text, unsigned max) {
  const bool is_mask = text.starts_with('/');
  const auto length = parse_number(text.substr(is_mask ? 1 : 0), max, "mask");
  if (is_mask && length && *length > 0) return static_cast<std::uint8_t>(*length);
  return fail(ErrorCode::kUsage, fmt::format("{} is no mask from /1 to /{}", quote(text), max));
}

// The factor of a unit, 0 for none that is known.
unsigned unit_seconds(char unit) {
  if (unit == 's') return 1;
  if (unit == 'm') return 60;
  return unit == 'h' ? 3600 : 0;
}

}  // namespace

std::string_view pick_name(Pick pick) { return name_in(kPicks, pick); }
std::string_view on_stale_name(OnStale on_stale) { return name_in(kOnStales, on_stale); }
std::string_view no_server_name(NoServer no_server) { return name_in(kNoServers, no_server); }
std::string_view on_all_down_name(OnAllDown on_all_down) { return name_in(kOnAllDowns, on_all_down); }
std::string_view echo_name(Echo echo) { return name_in(kEchoes, echo); }
std::string_view admin_name(Admin admin) { return name_in(kAdmins, admin); }
std::string_view failback_name(Failback failback) { return name_in(kFailbacks, failback); }
std::string_view on_conflict_name(OnConflict on_conflict) { return name_in(kOnConflicts, on_conflict); }
std::string_view duplicate_probe_name(DuplicateProbe probe) { return name_in(kProbes, probe); }
std::string_view reach_policy_name(bool needs_all_targets) { return name_in(kReachPolicies, needs_all_targets); }

Result<Pick> parse_pick(std::string_view text) { return value_in(kPicks, text); }
Result<OnStale> parse_on_stale(std::string_view text) { return value_in(kOnStales, text); }
Result<NoServer> parse_no_server(std::string_view text) { return value_in(kNoServers, text); }
Result<OnAllDown> parse_on_all_down(std::string_view text) { return value_in(kOnAllDowns, text); }
Result<Echo> parse_echo(std::string_view text) { return value_in(kEchoes, text); }
Result<Admin> parse_admin(std::string_view text) { return value_in(kAdmins, text); }
Result<Failback> parse_failback(std::string_view text) { return value_in(kFailbacks, text); }
Result<OnConflict> parse_on_conflict(std::string_view text) { return value_in(kOnConflicts, text); }
Result<DuplicateProbe> parse_duplicate_probe(std::string_view text) { return value_in(kProbes, text); }
Result<bool> parse_reach_policy(std::string_view text) { return value_in(kReachPolicies, text); }

Result<unsigned> parse_duration(std::string_view text, unsigned min, unsigned max) {
  std::string_view digits = text;
  unsigned unit = text.empty() ? 0 : unit_seconds(text.back());
  if (unit != 0) digits.remove_suffix(1);
  unit = unit == 0 ? 1 : unit;
  const auto number = parse_number(digits, max / unit, "time");
  if (number && *number * unit >= min) return *number * unit;
  return fail(ErrorCode::kUsage, fmt::format("{} is no time from {} to {} seconds, written like 90, 90s, 5m or 2h",
                                             quote(text), min, max));
}

std::string duration_text(unsigned seconds) { return fmt::format("{}s", seconds); }

Result<std::optional<std::uint16_t>> parse_vlan(std::string_view text) {
  using Vlan = std::optional<std::uint16_t>;
  if (text == "keep") return Vlan();
  if (text == "none") return Vlan(std::uint16_t{0});
  const auto number = parse_number(text, kMaxVlan, "VLAN");
  if (number && *number > 0) return Vlan(static_cast<std::uint16_t>(*number));
  return fail(ErrorCode::kUsage,
              fmt::format("{} is neither keep nor none nor a VLAN from 1 to {}", quote(text), kMaxVlan));
}

std::string vlan_text(const std::optional<std::uint16_t>& vlan) {
  if (!vlan) return "keep";
  return *vlan == 0 ? "none" : std::to_string(*vlan);
}

Result<StickyMasks> parse_sticky_masks(std::span<const std::string> texts) {
  constexpr unsigned kV4 = 32;
  constexpr unsigned kV6 = 128;
  if (texts.empty() || texts.size() > 2) {
    return fail(ErrorCode::kUsage, "a mask is needed, or two: that of IPv4 and that of IPv6, like /24 and /64");
  }
  const auto last = parse_mask(texts.back(), kV6);
  if (!last) return last.error();
  if (texts.size() == 1 && *last <= kV4) return StickyMasks{.v4 = *last};
  if (texts.size() == 1) return StickyMasks{.v6 = *last};
  const auto first = parse_mask(texts.front(), kV4);
  if (!first) return fail(ErrorCode::kUsage, first.error().message + ", as the first of two is IPv4's");
  return StickyMasks{.v4 = *first, .v6 = *last};
}

std::string mask_text(unsigned length) { return fmt::format("/{}", length); }

Result<void> add_cluster_address(std::string_view text, std::vector<IpAddress>& addresses,
                                 std::vector<IpPrefix>& prefixes) {
  const bool is_network = text.find('/') != std::string_view::npos;
  const auto parsed = IpPrefix::parse(text);
  if (!parsed && is_network) return parsed.error();
  if (!parsed) return fail(ErrorCode::kUsage, fmt::format("{} is not an IPv4 or IPv6 address", quote(text)));
  if (!is_network && parsed->address.is_unspecified()) {
    prefixes.push_back({.address = parsed->address, .length = 0});
    return {};
  }
  if (parsed->is_host()) {
    addresses.push_back(parsed->address);
    return {};
  }
  if (const IpPrefix network = parsed->network(); network != *parsed) {
    return fail(ErrorCode::kUsage, fmt::format("{} is an address within a network: write {} or {}", quote(text),
                                               network.to_string(), parsed->address.to_string()));
  }
  prefixes.push_back(*parsed);
  return {};
}

std::vector<std::string> address_texts(std::span<const IpAddress> addresses, std::span<const IpPrefix> prefixes) {
  std::vector<std::string> texts;
  for (const IpAddress& address : addresses) texts.push_back(address.to_string());
  for (const IpPrefix& prefix : prefixes) texts.push_back(prefix.to_string());
  return texts;
}

OptionTexts option_texts(const PortConfig& port) {
  const auto limit = [](unsigned number) { return number == 0 ? std::string("none") : std::to_string(number); };
  return {{"pick", std::string(pick_name(port.pick))},
          {"sticky", duration_text(port.sticky_s)},
          {"sticky_mask", fmt::format("/{},/{}", port.sticky_mask_v4, port.sticky_mask_v6)},
          {"crossport", port.crossport ? std::to_string(*port.crossport) : "none"},
          {"stale_timeout", duration_text(port.stale_timeout_s)},
          {"on_stale", std::string(on_stale_name(port.on_stale))},
          {"no_server", std::string(no_server_name(port.no_server))},
          {"udp_tracking", port.udp_tracking ? "on" : "off"},
          {"new_flow_limit", limit(port.new_flow_limit)},
          {"half_open_limit", limit(port.half_open_limit)},
          {"advisor", port.advisor ? advisor_text(*port.advisor) : "none"},
          {"min_up", min_up_text(port.min_up)},
          {"on_all_down", std::string(on_all_down_name(port.on_all_down))},
          {"slow_start", duration_text(port.slow_start_s)}};
}

}  // namespace xdplb
