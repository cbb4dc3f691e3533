// SPDX-License-Identifier: GPL-2.0-only
#include "advisors/agent_line.h"

#include <algorithm>
#include <optional>

namespace xdplb {
namespace {

constexpr unsigned kMaxPercent = 256;

std::optional<unsigned> parse_percent(std::string_view digits) {
  if (digits.empty() || digits.size() > 3) return std::nullopt;
  unsigned value = 0;
  for (const char digit : digits) {
    if (digit < '0' || digit > '9') return std::nullopt;
    value = 10 * value + static_cast<unsigned>(digit - '0');
  }
  return value <= kMaxPercent ? std::optional(value) : std::nullopt;
}

// False: no word of the language.
bool take_word(std::string_view word, AgentWords& words) {
  if (word == "up") {
    words.is_up = true;
  } else if (word == "down" || word == "fail" || word == "failed" || word == "stopped") {
    words.is_up = false;
  } else if (word == "ready") {
    words.admin = Admin::kReady;
  } else if (word == "drain") {
    words.admin = Admin::kDrain;
  } else if (word == "maint") {
    words.admin = Admin::kDown;
  } else if (word.ends_with('%')) {
    const auto percent = parse_percent(word.substr(0, word.size() - 1));
    if (!percent) return false;
    words.weight_percent = percent;
  } else {
    return word.starts_with("maxconn:");
  }
  return true;
}

}  // namespace

Result<AgentLine> parse_agent_line(std::string_view line) {
  constexpr std::string_view kBetween = " \t,";
  line = line.substr(0, std::min(line.find_first_of("\r\n"), kMaxAgentLine));
  AgentLine parsed;
  const std::size_t sharp = line.find('#');
  if (sharp != std::string_view::npos) parsed.reason = clean_text(line.substr(sharp + 1));
  std::string letters(line.substr(0, sharp));
  std::transform(letters.begin(), letters.end(), letters.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  std::string_view rest = letters;
  bool has_word = false;
  while (true) {
    rest.remove_prefix(std::min(rest.find_first_not_of(kBetween), rest.size()));
    if (rest.empty()) break;
    const std::string_view word = rest.substr(0, rest.find_first_of(kBetween));
    if (!take_word(word, parsed.words)) {
      return fail(ErrorCode::kFailed, "no word of an agent: " + clean_text(word, 40));
    }
    has_word = true;
    rest.remove_prefix(word.size());
  }
  if (!has_word) return fail(ErrorCode::kFailed, "an empty line");
  return parsed;
}

}  // namespace xdplb
