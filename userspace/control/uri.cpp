// SPDX-License-Identifier: GPL-2.0-only
#include "control/uri.h"

#include <fmt/format.h>

namespace xdplb {
namespace {

constexpr std::string_view kUnreserved = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~";
constexpr std::string_view kSubDelimiters = "!$&'()*+,;=";
constexpr std::string_view kHex = "0123456789ABCDEF";

bool is_any_of(char c, std::string_view set) { return set.find(c) != std::string_view::npos; }

bool is_allowed(char c, bool in_query) {
  if (is_any_of(c, kUnreserved) || is_any_of(c, kSubDelimiters) || is_any_of(c, ":@")) return true;
  return in_query && is_any_of(c, "/?[]");
}

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

Error bad_target(std::string_view why) { return fail(ErrorCode::kUsage, fmt::format("request target: {}", why)); }

Result<std::string> decode(std::string_view text, bool in_query) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    char c = text[i];
    if (c == '%') {
      const int high = i + 2 < text.size() ? hex_digit(text[i + 1]) : -1;
      const int low = i + 2 < text.size() ? hex_digit(text[i + 2]) : -1;
      if (high < 0 || low < 0) return bad_target("a '%' is not followed by two hexadecimal digits");
      c = static_cast<char>(high * 16 + low);
      i += 2;
      const auto byte = static_cast<unsigned char>(c);
      if (byte < 0x20 || byte == 0x7f) return bad_target("it holds an escaped control character");
    } else if (!is_allowed(c, in_query)) {
      return bad_target("it holds a character that must be escaped as %XX");
    }
    out.push_back(c);
  }
  return out;
}

std::string encode(std::string_view text, std::string_view also_plain) {
  std::string out;
  for (const char c : text) {
    if (is_any_of(c, kUnreserved) || is_any_of(c, also_plain)) {
      out.push_back(c);
      continue;
    }
    const auto byte = static_cast<unsigned char>(c);
    out.append({'%', kHex[byte >> 4], kHex[byte & 15]});
  }
  return out;
}

Result<void> decode_query(std::string_view text, Target& target) {
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('&'), text.size());
    const std::string_view part = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    const std::size_t equals = part.find('=');
    if (equals == std::string_view::npos) return bad_target("each part of a query is KEY=VALUE");
    auto key = decode(part.substr(0, equals), true);
    if (!key) return key.error();
    auto value = decode(part.substr(equals + 1), true);
    if (!value) return value.error();
    target.query.emplace_back(std::move(*key), std::move(*value));
  }
  return {};
}

}  // namespace

Result<Target> parse_target(std::string_view text) {
  if (text.empty() || text.front() != '/') return bad_target("it does not start with '/'");
  const std::size_t mark = std::min(text.find('?'), text.size());
  std::string_view path = text.substr(1, mark - 1);
  Target target;
  for (bool more = true; more;) {
    const std::size_t end = path.find('/');
    auto segment = decode(path.substr(0, end), false);
    if (!segment) return segment.error();
    target.segments.push_back(std::move(*segment));
    more = end != std::string_view::npos;
    if (more) path.remove_prefix(end + 1);
  }
  if (mark < text.size()) {
    if (auto done = decode_query(text.substr(mark + 1), target); !done) return done.error();
  }
  return target;
}

std::string encode_segment(std::string_view text) { return encode(text, ":"); }

std::string encode_query_value(std::string_view text) { return encode(text, ":/"); }

}  // namespace xdplb
