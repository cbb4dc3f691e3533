// SPDX-License-Identifier: GPL-2.0-only
// TcpDialogue: where a conversation of sends and expects stands. Pure: the probe moves the bytes.
#pragma once

#include "advisors/reply_match.h"
#include "advisors/verdict.h"
#include "base/result.h"
#include "model/advisor_config.h"

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace xdplb {

// What the server sends is one run of bytes: every expect looks for its match behind the match of the one before,
// however the bytes were cut into packets and whatever was sent between.
class TcpDialogue {
 public:
  static constexpr std::size_t kMaxUnmatched = 65536;   // bytes in which an expect may look
  static constexpr std::size_t kMaxScanned = 16 << 20;  // bytes that a regular expression may see for one expect

  // Errors: kUsage, as ReplyMatcher::make.
  static Result<TcpDialogue> make(std::vector<TcpStep> steps);

  enum class Need : std::uint8_t { kSend, kRead, kNothing };
  Need need() const;
  // With kSend: the bytes; tell by sent() when they are gone.
  const std::string& to_send() const { return steps_[at_].bytes; }
  void sent();
  // Bytes that came. They may come early.
  void take(std::string_view bytes);
  // The server sends nothing more.
  void end();

  // With kNothing: kL7Ok with the first line that came, or kL7Response.
  const Verdict& verdict() const { return verdict_; }
  // All expects are met; what is left are words of goodbye that nobody must hear.
  bool is_at_goodbye() const;
  // "waiting for "PONG" (step 2 of 3), got "-LOADING"", "sending (step 1 of 3)"
  std::string doing() const;

 private:
  TcpDialogue() = default;
  void advance();
  void match();

  std::vector<TcpStep> steps_{};
  std::vector<std::optional<ReplyMatcher>> matchers_{};  // as steps_; none for a send
  std::size_t at_ = 0;                                   // step
  std::size_t last_expect_ = 0;                          // behind it; 0: there is none
  std::string bytes_{};                                  // that came, from a bit before matched_ on
  std::size_t matched_ = 0;                              // in bytes_: behind the last match
  std::size_t look_at_ = 0;                              // in bytes_: where the search goes on
  std::size_t scanned_ = 0;
  std::string first_line_{};
  Verdict verdict_{};
};

}  // namespace xdplb
