// SPDX-License-Identifier: GPL-2.0-only
#include "model/advisor_config.h"

#include "model/text.h"

#include <fmt/format.h>

#include <iterator>
#include <optional>

namespace xdplb {
namespace {

std::optional<unsigned> hex_digit(char letter) {
  if (letter >= '0' && letter <= '9') return static_cast<unsigned>(letter - '0');
  if (letter >= 'a' && letter <= 'f') return static_cast<unsigned>(letter - 'a') + 10;
  if (letter >= 'A' && letter <= 'F') return static_cast<unsigned>(letter - 'A') + 10;
  return std::nullopt;
}

// The byte of an escape of one letter.
std::optional<char> plain_escape(char letter) {
  switch (letter) {
    case 'r':
      return '\r';
    case 'n':
      return '\n';
    case 't':
      return '\t';
    case '0':
      return '\0';
    case '\\':
      return '\\';
    default:
      return std::nullopt;
  }
}

// Takes the escape at the beginning of `rest`, which is behind the backslash, off it.
std::optional<char> take_escape(std::string_view& rest) {
  if (rest.empty()) return std::nullopt;
  const char letter = rest.front();
  if (letter != 'x') {
    rest.remove_prefix(1);
    return plain_escape(letter);
  }
  if (rest.size() < 3) return std::nullopt;
  const auto high = hex_digit(rest[1]);
  const auto low = hex_digit(rest[2]);
  if (!high || !low) return std::nullopt;
  rest.remove_prefix(3);
  return static_cast<char>(*high << 4U | *low);
}

}  // namespace

bool is_preset(AdvisorType type) { return type >= AdvisorType::kSmtp; }

Result<std::string> unescape_bytes(std::string_view text) {
  std::string bytes;
  std::string_view rest = text;
  while (!rest.empty()) {
    const char letter = rest.front();
    rest.remove_prefix(1);
    const auto byte = letter == '\\' ? take_escape(rest) : letter;
    if (!byte) {
      return fail(ErrorCode::kUsage,
                  fmt::format("{} has an unknown escape, there are \\r \\n \\t \\0 \\\\ and \\xHH", quote(text)));
    }
    bytes += *byte;
  }
  return bytes;
}

std::string escape_bytes(std::string_view bytes) {
  std::string text;
  for (const char byte : bytes) {
    if (byte == '\r') {
      text += "\\r";
    } else if (byte == '\n') {
      text += "\\n";
    } else if (byte == '\t') {
      text += "\\t";
    } else if (byte == '\0') {
      text += "\\0";
    } else if (byte == '\\') {
      text += "\\\\";
    } else if (byte >= ' ' && byte <= '~') {
      text += byte;
    } else {
      fmt::format_to(std::back_inserter(text), "\\x{:02x}", static_cast<unsigned char>(byte));
    }
  }
  return text;
}

}  // namespace xdplb
