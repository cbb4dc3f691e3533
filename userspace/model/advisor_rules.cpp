// SPDX-License-Identifier: GPL-2.0-only
#include "model/advisor_rules.h"

#include "model/text.h"

#include <fmt/format.h>
#include <re2/re2.h>

#include <algorithm>
#include <array>
#include <span>
#include <string_view>

namespace xdplb {
namespace {

constexpr std::size_t kMaxToken = 64;
constexpr std::size_t kMaxHostName = 255;
constexpr std::size_t kMaxLabel = 63;
constexpr std::size_t kMaxUser = 32;

Error refuse(std::string_view text, std::string_view why) {
  return fail(ErrorCode::kUsage, fmt::format("{} {}", quote(text), why));
}

bool is_letter_or_digit(char letter) {
  return (letter >= 'a' && letter <= 'z') || (letter >= 'A' && letter <= 'Z') || (letter >= '0' && letter <= '9');
}
bool is_visible(char letter) { return letter > ' ' && letter <= '~'; }
bool is_printable(char letter) { return letter >= ' ' && letter <= '~'; }
bool is_token(char letter) {
  return is_letter_or_digit(letter) || std::string_view("!#$%&'*+-.^_`|~").find(letter) != std::string_view::npos;
}

bool consists_of(std::string_view text, bool (*is_good)(char)) {
  return std::all_of(text.begin(), text.end(), is_good);
}

// Letters, digits and some more, at least one character.
bool is_made_of(std::string_view text, std::string_view more, std::size_t max) {
  const auto is_good = [&](char letter) {
    return is_letter_or_digit(letter) || more.find(letter) != std::string_view::npos;
  };
  return !text.empty() && text.size() <= max && std::all_of(text.begin(), text.end(), is_good);
}

bool equals_ignoring_case(std::string_view a, std::string_view b) {
  const auto lower = [](char letter) {
    return letter >= 'A' && letter <= 'Z' ? static_cast<char>(letter + ('a' - 'A')) : letter;
  };
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [&](char x, char y) { return lower(x) == lower(y); });
}

Result<void> check_word(const std::string& text, std::span<const std::string_view> words) {
  if (std::find(words.begin(), words.end(), text) != words.end()) return {};
  return refuse(text, fmt::format("is not one of {}", fmt::join(words, ", ")));
}

}  // namespace

Result<void> check_http_method(const std::string& text) {
  if (!text.empty() && text.size() <= kMaxToken && consists_of(text, is_token)) return {};
  return refuse(text, fmt::format("is no method: up to {} letters, digits and marks without spaces", kMaxToken));
}

Result<void> check_http_path(const std::string& text) {
  if (text != "*" && !text.starts_with('/')) {
    return refuse(text, "begins with no '/' and is none of *, vip, own and both");
  }
  if (text.size() > kMaxHttpText) return refuse(text, fmt::format("is longer than {} bytes", kMaxHttpText));
  if (consists_of(text, is_visible)) return {};
  return refuse(text, "may only have visible ASCII: write other bytes like %20");
}

Result<void> check_http_host(const std::string& text) {
  if (text.empty() || is_made_of(text, "-._~:[]", kMaxHostName)) return {};
  return refuse(text, "is no host, nor host:port");
}

Result<void> check_http_header(const std::string& name) {
  if (name.empty() || name.size() > kMaxToken || !consists_of(name, is_token)) {
    return refuse(name, fmt::format("is no name of a header: up to {} letters, digits and marks", kMaxToken));
  }
  constexpr std::array<std::string_view, 3> kOurs = {"Connection", "Content-Length", "Transfer-Encoding"};
  if (equals_ignoring_case(name, "Host")) return refuse(name, "has a key of its own: \"host\"");
  for (const std::string_view ours : kOurs) {
    if (equals_ignoring_case(name, ours)) return refuse(name, "is written by the probe itself");
  }
  return {};
}

Result<void> check_http_value(const std::string& text) {
  if (text.size() > kMaxHttpText) return refuse(text, fmt::format("is longer than {} bytes", kMaxHttpText));
  if (consists_of(text, [](char letter) { return is_printable(letter) || letter == '\t'; })) return {};
  return refuse(text, "may only have printable ASCII");
}

Result<void> check_regex(const std::string& text) {
  if (text.empty()) return fail(ErrorCode::kUsage, "an empty expression matches anything, leave it out");
  if (text.size() > kMaxMatchText) return refuse(text, fmt::format("is longer than {} bytes", kMaxMatchText));
  if (!consists_of(text, is_printable)) {
    return refuse(text, "may only have printable ASCII: write other bytes as \\n, \\t or \\xHH");
  }
  RE2::Options options(RE2::Latin1);
  options.set_log_errors(false);
  options.set_max_mem(kMaxRegexMemory);
  const RE2 regex(text, options);
  if (regex.ok()) return {};
  return refuse(text, fmt::format("is no regular expression of RE2: {}", quote(regex.error())));
}

Result<void> check_match_text(const std::string& bytes) {
  if (bytes.empty()) return fail(ErrorCode::kUsage, "an empty text is in anything, leave it out");
  if (bytes.size() <= kMaxMatchText) return {};
  return refuse(bytes, fmt::format("is longer than {} bytes", kMaxMatchText));
}

Result<void> check_server_name(const std::string& text) {
  if (text.empty() || is_made_of(text, "-._", kMaxHostName)) return {};
  return refuse(text, "is no name of a server");
}

Result<void> check_alpn(const std::string& text) {
  if (!text.empty() && text.size() <= kMaxToken && consists_of(text, is_visible)) return {};
  return refuse(text, "is no protocol like h2 or http/1.1");
}

Result<void> check_file_path(const std::string& text) {
  if (text.empty()) return {};
  if (text.starts_with('/') && text.find('\0') == std::string::npos && text.size() <= kMaxArgument) return {};
  return refuse(text, "is no absolute path of a file");
}

Result<void> check_dns_name(const std::string& text) {
  if (text == ".") return {};
  // RFC 1035 2.3.4: labels of 1 to 63 bytes, 255 in all with their lengths and the root.
  bool is_good = is_made_of(text, "-._*", kMaxHostName - 2 + (text.ends_with('.') ? 1 : 0));
  std::string_view rest = text;
  while (is_good && !rest.empty()) {
    const std::size_t dot = std::min(rest.find('.'), rest.size());
    is_good = dot > 0 && dot <= kMaxLabel;
    rest.remove_prefix(std::min(dot + 1, rest.size()));
  }
  if (is_good) return {};
  return refuse(text, "is no domain name");
}

Result<void> check_dns_type(const std::string& text) {
  constexpr std::array<std::string_view, 9> kTypes = {"A", "AAAA", "CNAME", "MX", "NS", "PTR", "SOA", "SRV", "TXT"};
  return check_word(text, kTypes);
}

Result<void> check_dns_rcode(const std::string& text) {
  constexpr std::array<std::string_view, 11> kRcodes = {"NOERROR", "FORMERR", "SERVFAIL", "NXDOMAIN",
                                                        "NOTIMP",  "REFUSED", "YXDOMAIN", "YXRRSET",
                                                        "NXRRSET", "NOTAUTH", "NOTZONE"};
  return check_word(text, kRcodes);
}

Result<void> check_dns_answer(const std::string& text) {
  if (text.size() <= kMaxHostName && consists_of(text, is_printable)) return {};
  return refuse(text, fmt::format("is no answer: up to {} printable ASCII characters", kMaxHostName));
}

Result<void> check_user(const std::string& text) {
  if (is_made_of(text, "-_.", kMaxUser) && !text.starts_with('-')) return {};
  return refuse(text, "is no name of a user");
}

Result<void> check_argument(const std::string& text) {
  if (text.size() > kMaxArgument) return refuse(text, fmt::format("is longer than {} bytes", kMaxArgument));
  if (text.find('\0') == std::string::npos) return {};
  return refuse(text, "holds a NUL byte");
}

Result<void> check_program(const std::string& text) {
  if (text.starts_with('/')) return {};
  return refuse(text, "is no absolute path of a program");
}

}  // namespace xdplb
