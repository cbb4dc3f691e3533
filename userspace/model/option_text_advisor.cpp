// SPDX-License-Identifier: GPL-2.0-only
// Words and numbers of advisors, managers and user exits as text.
#include "model/option_text.h"
#include "model/text.h"
#include "model/words.h"
#include "net/address.h"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>

namespace xdplb {
namespace {

constexpr std::array<Word<AdvisorType>, 21> kAdvisorTypes = {
    {{AdvisorType::kConnect, "connect"}, {AdvisorType::kPing, "ping"},
     {AdvisorType::kHttp, "http"},       {AdvisorType::kHttps, "https"},
     {AdvisorType::kTcp, "tcp"},         {AdvisorType::kDns, "dns"},
     {AdvisorType::kUdp, "udp"},         {AdvisorType::kAgent, "agent"},
     {AdvisorType::kExec, "exec"},       {AdvisorType::kComposite, "composite"},
     {AdvisorType::kSmtp, "smtp"},       {AdvisorType::kImap, "imap"},
     {AdvisorType::kPop3, "pop3"},       {AdvisorType::kFtp, "ftp"},
     {AdvisorType::kRedis, "redis"},     {AdvisorType::kLdap, "ldap"},
     {AdvisorType::kMysql, "mysql"},     {AdvisorType::kPgsql, "pgsql"},
     {AdvisorType::kSip, "sip"},         {AdvisorType::kNntp, "nntp"},
     {AdvisorType::kTelnet, "telnet"}}};
constexpr std::array<Word<ProbeWay>, 3> kProbeWays = {
    {{ProbeWay::kVip, "vip"}, {ProbeWay::kOwn, "own"}, {ProbeWay::kBoth, "both"}}};
constexpr std::array<Word<Combine>, 3> kCombines = {
    {{Combine::kAll, "all"}, {Combine::kAny, "any"}, {Combine::kAtLeast, "at-least"}}};
constexpr std::array<Word<OnSilence>, 2> kOnSilences = {{{OnSilence::kDown, "down"}, {OnSilence::kUp, "up"}}};
constexpr std::array<Word<ExitEvent>, kExitEvents.size()> kExitWords = {{{ExitEvent::kServerDown, "server_down"},
                                                                         {ExitEvent::kServerUp, "server_up"},
                                                                         {ExitEvent::kAllDown, "all_down"},
                                                                         {ExitEvent::kSomeUp, "some_up"},
                                                                         {ExitEvent::kVipaMoved, "vipa_moved"},
                                                                         {ExitEvent::kHalfOpenHigh, "half_open_high"},
                                                                         {ExitEvent::kHalfOpenOk, "half_open_ok"}}};

// The milliseconds of a unit at the end of `text`, which is taken off; seconds when there is none.
unsigned take_unit(std::string_view& text) {
  constexpr std::array<Word<unsigned>, 4> kUnits = {{{1, "ms"}, {1000, "s"}, {60000, "m"}, {3600000, "h"}}};
  for (const auto& [milliseconds, name] : kUnits) {
    if (!text.ends_with(name)) continue;
    text.remove_suffix(name.size());
    return milliseconds;
  }
  return 1000;
}

}  // namespace

std::string_view advisor_type_name(AdvisorType type) { return name_in(kAdvisorTypes, type); }
std::string_view probe_way_name(ProbeWay way) { return name_in(kProbeWays, way); }
std::string_view combine_name(Combine combine) { return name_in(kCombines, combine); }
std::string_view on_silence_name(OnSilence on_silence) { return name_in(kOnSilences, on_silence); }
std::string_view exit_event_name(ExitEvent event) { return name_in(kExitWords, event); }

Result<AdvisorType> parse_advisor_type(std::string_view text) { return value_in(kAdvisorTypes, text); }
Result<ProbeWay> parse_probe_way(std::string_view text) { return value_in(kProbeWays, text); }
Result<Combine> parse_combine(std::string_view text) { return value_in(kCombines, text); }
Result<OnSilence> parse_on_silence(std::string_view text) { return value_in(kOnSilences, text); }
Result<ExitEvent> parse_exit_event(std::string_view text) { return value_in(kExitWords, text); }

Result<unsigned> parse_milliseconds(std::string_view text, unsigned min, unsigned max) {
  std::string_view digits = text;
  const unsigned unit = take_unit(digits);
  const auto number = parse_number(digits, max / unit, "time");
  if (number && *number * unit >= min) return *number * unit;
  return fail(ErrorCode::kUsage, fmt::format("{} is no time from {} to {}, written like 500ms, 2, 2s or 5m",
                                             quote(text), milliseconds_text(min), milliseconds_text(max)));
}

std::string milliseconds_text(unsigned milliseconds) {
  return milliseconds % 1000 == 0 ? fmt::format("{}s", milliseconds / 1000) : fmt::format("{}ms", milliseconds);
}

Result<MinUp> parse_min_up(std::string_view text) {
  const bool is_percent = text.ends_with('%');
  const std::string_view digits = text.substr(0, text.size() - (is_percent ? 1 : 0));
  const auto number = parse_number(digits, is_percent ? 100 : kMaxMinUp, "min_up");
  if (number && *number > 0) return MinUp{.value = *number, .is_percent = is_percent};
  return fail(ErrorCode::kUsage,
              fmt::format("{} is neither a number of servers from 1 to {} nor percent of them, 1% to 100%", quote(text),
                          kMaxMinUp));
}

std::string min_up_text(const MinUp& min_up) { return fmt::format("{}{}", min_up.value, min_up.is_percent ? "%" : ""); }

Result<StatusRange> parse_status_range(std::string_view text) {
  constexpr unsigned kMin = 100;
  constexpr unsigned kMax = 599;
  const std::size_t dash = text.find('-');
  const auto first = parse_number(text.substr(0, dash), kMax, "status");
  const auto last = dash == std::string_view::npos ? first : parse_number(text.substr(dash + 1), kMax, "status");
  if (first && last && *first >= kMin && *last >= *first) {
    return StatusRange{.first = static_cast<std::uint16_t>(*first), .last = static_cast<std::uint16_t>(*last)};
  }
  return fail(ErrorCode::kUsage, fmt::format("{} is neither a status from {} to {} nor a range of them like 300-399",
                                             quote(text), kMin, kMax));
}

std::string status_range_text(const StatusRange& range) {
  return range.first == range.last ? std::to_string(range.first) : fmt::format("{}-{}", range.first, range.last);
}

Result<unsigned> parse_smoothing(std::string_view text) {
  const std::size_t dot = text.find('.');
  const bool has_tenths = dot != std::string_view::npos;
  const auto whole = parse_number(text.substr(0, dot), 100, "smoothing");
  const auto tenths = has_tenths ? parse_number(text.substr(dot + 1), 9, "smoothing") : Result<unsigned>(0U);
  const bool is_short = !has_tenths || text.size() == dot + 2;
  if (whole && tenths && is_short) {
    const unsigned value = *whole * 10 + *tenths;
    if (value >= 10 && value <= 1000) return value;
  }
  return fail(ErrorCode::kUsage,
              fmt::format("{} is no number from 1.0 to 100.0 with at most one digit after the point", quote(text)));
}

std::string smoothing_text(unsigned tenths) { return fmt::format("{}.{}", tenths / 10, tenths % 10); }

Result<std::optional<std::array<unsigned, 4>>> parse_proportions(std::string_view text) {
  std::optional<std::array<unsigned, 4>> proportions;
  if (text == "auto") return proportions;
  std::string_view rest = text;
  bool is_good = std::count(text.begin(), text.end(), ',') == 3;
  for (unsigned& part : proportions.emplace()) {
    const std::size_t comma = std::min(rest.find(','), rest.size());
    const auto number = parse_number(rest.substr(0, comma), 100, "proportion");
    is_good = is_good && number;
    part = number ? *number : 0;
    rest.remove_prefix(std::min(comma + 1, rest.size()));
  }
  if (is_good && std::accumulate(proportions->begin(), proportions->end(), 0U) == 100) return proportions;
  return fail(ErrorCode::kUsage,
              fmt::format("{} is neither auto nor four percentages that sum to 100, like 49,50,1,0", quote(text)));
}

std::string proportions_text(const std::optional<std::array<unsigned, 4>>& proportions) {
  return proportions ? fmt::format("{}", fmt::join(*proportions, ",")) : "auto";
}

}  // namespace xdplb
