// SPDX-License-Identifier: GPL-2.0-only
#include "advisors/reply_match.h"

#include "model/advisor_rules.h"
#include "model/check_result.h"

#include <re2/re2.h>

#include <algorithm>

namespace xdplb {
namespace {

constexpr std::size_t kQuotedBytes = 60;

}  // namespace

ReplyMatcher::ReplyMatcher() = default;
ReplyMatcher::ReplyMatcher(ReplyMatcher&&) noexcept = default;
ReplyMatcher& ReplyMatcher::operator=(ReplyMatcher&&) noexcept = default;
ReplyMatcher::~ReplyMatcher() = default;

Result<ReplyMatcher> ReplyMatcher::make(const ReplyMatch& match) {
  ReplyMatcher matcher;
  matcher.text_ = match.text;
  matcher.name_ = match.is_regex ? "/" + match.text + "/" : quote_bytes(match.text);
  if (match.is_regex) {
    re2::RE2::Options options(re2::RE2::Latin1);
    options.set_log_errors(false);
    options.set_max_mem(kMaxRegexMemory);
    matcher.regex_ = std::make_unique<re2::RE2>("(?m)" + match.text, options);
    if (!matcher.regex_->ok()) {
      return fail(ErrorCode::kUsage, "regular expression " + match.text + ": " + matcher.regex_->error());
    }
  }
  return matcher;
}

std::size_t ReplyMatcher::find_end(std::string_view bytes, std::size_t from) const {
  if (from > bytes.size()) return kNone;
  if (!regex_) {
    const std::size_t found = bytes.find(text_, from);
    return found == kNone ? kNone : found + text_.size();
  }
  re2::StringPiece found;
  const re2::StringPiece all(bytes.data(), bytes.size());
  if (!regex_->Match(all, from, bytes.size(), re2::RE2::UNANCHORED, &found, 1)) return kNone;
  return static_cast<std::size_t>(found.data() - bytes.data()) + found.size();
}

std::size_t ReplyMatcher::resume_at(std::size_t from, std::size_t size) const {
  if (regex_ || text_.empty()) return from;
  return std::max(from, size - std::min(size, text_.size() - 1));
}

std::string quote_bytes(std::string_view bytes) {
  const std::string_view begin = bytes.substr(0, kQuotedBytes);
  return '"' + clean_text(begin, kQuotedBytes) + (begin.size() < bytes.size() ? "\"..." : "\"");
}

}  // namespace xdplb
