// SPDX-License-Identifier: GPL-2.0-only
// ReplyMatcher: looks for a ReplyMatch in bytes from strangers, in linear time and bounded memory.
#pragma once

#include "base/result.h"
#include "model/advisor_config.h"

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

namespace re2 {
class RE2;
}

namespace xdplb {

class ReplyMatcher {
 public:
  // Errors: kUsage, a regular expression that RE2 does not take.
  static Result<ReplyMatcher> make(const ReplyMatch& match);
  ReplyMatcher(ReplyMatcher&&) noexcept;
  ReplyMatcher& operator=(ReplyMatcher&&) noexcept;
  ~ReplyMatcher();

  static constexpr std::size_t kNone = std::string_view::npos;
  // Where the first match that begins at or after `from` ends, or kNone. Regular expressions see bytes (Latin-1), and
  // `^` and `$` match at lines.
  std::size_t find_end(std::string_view bytes, std::size_t from = 0) const;
  bool is_in(std::string_view bytes) const { return find_end(bytes) != kNone; }
  // It is not in bytes[from, size): where to look on when more bytes have come.
  std::size_t resume_at(std::size_t from, std::size_t size) const;
  // For messages: "PONG" in quotes, or /^\+OK/.
  const std::string& name() const { return name_; }

 private:
  ReplyMatcher();
  std::string text_{};
  std::string name_{};
  std::unique_ptr<re2::RE2> regex_{};  // null: text_ literally
};

// The beginning of what a stranger sent, for messages: at most 60 bytes, cleaned, in quotes.
std::string quote_bytes(std::string_view bytes);

}  // namespace xdplb
