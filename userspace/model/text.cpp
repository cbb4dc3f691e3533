// SPDX-License-Identifier: GPL-2.0-only
#include "model/text.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <iterator>

namespace xdplb {
namespace {

// Long enough for any name of ours, short enough for one line.
constexpr std::size_t kMaxQuoted = 64;

// No key has more letters than this, so a longer word is no slip of the finger.
constexpr std::size_t kMaxWord = 24;

bool is_plain(char letter) { return letter >= ' ' && letter <= '~'; }

using Row = std::array<std::size_t, kMaxWord + 1>;

// Optimal string alignment: insert, delete, replace, swap of two neighbours. Both words are at most kMaxWord long.
std::size_t edit_distance(std::string_view a, std::string_view b) {
  Row above{};     // distances of a[0..i-1) to the prefixes of b
  Row previous{};  // of a[0..i)
  Row current{};
  for (std::size_t j = 0; j <= b.size(); ++j) previous[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    current[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t replaced = previous[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
      current[j] = std::min({previous[j] + 1, current[j - 1] + 1, replaced});
      const bool swapped = i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1];
      if (swapped) current[j] = std::min(current[j], above[j - 2] + 1);
    }
    above = previous;
    previous = current;
  }
  return previous[b.size()];
}

}  // namespace

std::string quote(std::string_view text) {
  std::string result = "\"";
  for (const char letter : text.substr(0, kMaxQuoted)) {
    if (letter == '"' || letter == '\\') result += '\\';
    if (is_plain(letter)) {
      result += letter;
    } else {
      fmt::format_to(std::back_inserter(result), "\\x{:02x}", static_cast<unsigned char>(letter));
    }
  }
  if (text.size() > kMaxQuoted) result += "...";
  return result + '"';
}

std::optional<std::string_view> nearest(std::string_view word, std::span<const std::string_view> candidates) {
  if (word.size() > kMaxWord) return std::nullopt;
  std::optional<std::string_view> best;
  // A third of the letters may be wrong: "adress" is "address", "foo" is nothing.
  std::size_t limit = std::max<std::size_t>(1, word.size() / 3) + 1;
  for (const std::string_view candidate : candidates) {
    if (candidate.size() > kMaxWord) continue;
    const std::size_t distance = edit_distance(word, candidate);
    if (distance >= limit || distance >= candidate.size()) continue;
    limit = distance;
    best = candidate;
  }
  return best;
}

}  // namespace xdplb
