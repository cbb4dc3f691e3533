// SPDX-License-Identifier: GPL-2.0-only
// TokenBucket: so many a second on average, so many at once. The clock is the caller's.
#pragma once

#include <algorithm>
#include <chrono>

namespace xdplb {

class TokenBucket {
 public:
  using Clock = std::chrono::steady_clock;

  // Starts full. rate: tokens a second, > 0; burst: tokens it holds.
  TokenBucket(double rate, double burst) : rate_(rate), burst_(burst), tokens_(burst) {}

  // Takes `count` tokens when there are as many; `now` must not go back.
  bool take(double count, Clock::time_point now) {
    refill(now);
    if (tokens_ < count) return false;
    tokens_ -= count;
    return true;
  }

  // When take(count) would succeed; count <= burst.
  Clock::time_point ready_at(double count, Clock::time_point now) {
    refill(now);
    if (tokens_ >= count) return now;
    // One nanosecond more, lest rounding down wakes us an instant early.
    auto wait = std::chrono::duration<double>((count - tokens_) / rate_);
    return now + std::chrono::duration_cast<Clock::duration>(wait) + std::chrono::nanoseconds(1);
  }

 private:
  void refill(Clock::time_point now) {
    tokens_ = std::min(burst_, tokens_ + rate_ * std::chrono::duration<double>(now - refilled_at_).count());
    refilled_at_ = now;
  }

  double rate_;
  double burst_;
  double tokens_;
  Clock::time_point refilled_at_{};
};

}  // namespace xdplb
