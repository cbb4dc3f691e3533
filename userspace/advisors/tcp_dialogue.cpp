// SPDX-License-Identifier: GPL-2.0-only
#include "advisors/tcp_dialogue.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace xdplb {
namespace {

constexpr std::size_t kFirstLineBytes = 100;
constexpr std::size_t kCompactAt = 4096;

}  // namespace

Result<TcpDialogue> TcpDialogue::make(std::vector<TcpStep> steps) {
  TcpDialogue dialogue;
  for (std::size_t i = 0; i < steps.size(); ++i) {
    auto& matcher = dialogue.matchers_.emplace_back();
    if (steps[i].kind == TcpStep::Kind::kSend) continue;
    auto made = ReplyMatcher::make(steps[i].match);
    if (!made) return made.error();
    matcher = std::move(*made);
    dialogue.last_expect_ = i + 1;
  }
  dialogue.steps_ = std::move(steps);
  dialogue.advance();
  return dialogue;
}

TcpDialogue::Need TcpDialogue::need() const {
  if (verdict_.code != CheckCode::kNone) return Need::kNothing;
  return steps_[at_].kind == TcpStep::Kind::kSend ? Need::kSend : Need::kRead;
}

void TcpDialogue::sent() {
  ++at_;
  advance();
}

void TcpDialogue::take(std::string_view bytes) {
  if (verdict_.code != CheckCode::kNone) return;
  if (first_line_.size() < kFirstLineBytes && first_line_.find('\n') == std::string::npos) {
    first_line_ += bytes.substr(0, kFirstLineBytes - first_line_.size());
  }
  bytes_ += bytes;
  advance();
}

void TcpDialogue::end() {
  if (verdict_.code != CheckCode::kNone) return;
  if (is_at_goodbye()) {
    at_ = steps_.size();
    advance();
    return;
  }
  verdict_ = {CheckCode::kL7Response, "connection ended " + doing()};
}

bool TcpDialogue::is_at_goodbye() const { return last_expect_ > 0 && at_ >= last_expect_; }

std::string TcpDialogue::doing() const {
  if (at_ >= steps_.size()) return "at the end";
  if (!matchers_[at_]) return fmt::format("sending (step {} of {})", at_ + 1, steps_.size());
  const std::string_view rest = std::string_view(bytes_).substr(matched_);
  return fmt::format("waiting for {} (step {} of {}), got {}", matchers_[at_]->name(), at_ + 1, steps_.size(),
                     rest.empty() ? "nothing" : quote_bytes(rest));
}

void TcpDialogue::advance() {
  while (verdict_.code == CheckCode::kNone && at_ < steps_.size() && matchers_[at_]) {
    const std::size_t before = at_;
    match();
    if (at_ == before) return;
  }
  if (verdict_.code != CheckCode::kNone || at_ < steps_.size()) return;
  verdict_ = {CheckCode::kL7Ok, first_line_.substr(0, first_line_.find_first_of("\r\n"))};
}

// Goes one step on when the expect of this one is met; decides when it cannot be.
void TcpDialogue::match() {
  const ReplyMatcher& matcher = *matchers_[at_];
  scanned_ += bytes_.size() - look_at_;
  const std::size_t end = matcher.find_end(bytes_, look_at_);
  if (end != ReplyMatcher::kNone) {
    matched_ = look_at_ = end;
    scanned_ = 0;
    ++at_;
    // The byte before tells whether a line begins here.
    if (matched_ > kCompactAt) {
      bytes_.erase(0, matched_ - 1);
      matched_ = look_at_ = 1;
    }
    return;
  }
  look_at_ = matcher.resume_at(look_at_, bytes_.size());
  const std::string_view rest = std::string_view(bytes_).substr(matched_);
  if (rest.size() > kMaxUnmatched || scanned_ > kMaxScanned) {
    verdict_ = {CheckCode::kL7Response,
                fmt::format("no {} in {} bytes: {}", matcher.name(), rest.size(), quote_bytes(rest))};
  }
}

}  // namespace xdplb
