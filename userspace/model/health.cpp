// SPDX-License-Identifier: GPL-2.0-only
#include "model/health.h"

#include <algorithm>

namespace xdplb {
namespace {

using std::chrono::milliseconds;

constexpr double kJitter = 0.1;  // of an interval
constexpr milliseconds kMaxStartWait{1000};

// Whether it says anything of the server.
bool counts(CheckCode code) {
  return code != CheckCode::kSocketError && code != CheckCode::kL2ArpLeak && code != CheckCode::kNone;
}

// Rounded down.
milliseconds part_of(milliseconds time, double part) {
  return milliseconds(static_cast<milliseconds::rep>(static_cast<double>(time.count()) * part));
}

}  // namespace

std::string_view health_name(Health health) {
  switch (health) {
    case Health::kUnknown:
      return "unknown";
    case Health::kUp:
      return "up";
    case Health::kDown:
      return "down";
  }
  return "unknown";
}

CheckPace pace_of(const AdvisorConfig& advisor) {
  return {.interval = milliseconds(advisor.interval_ms),
          .fast_interval = milliseconds(advisor.fast_ms()),
          .down_interval = milliseconds(advisor.down_ms()),
          .fall = advisor.fall,
          .rise = advisor.rise};
}

void CheckHealth::set_pace(const CheckPace& pace) {
  pace_ = pace;
  contradicting_ = 0;
  next_decides_ = true;
}

void CheckHealth::seed(Health health) {
  health_ = health;
  since_.reset();
  contradicting_ = 0;
  next_decides_ = health == Health::kUnknown;
}

unsigned CheckHealth::needed() const {
  if (next_decides_) return 1;
  return health_ == Health::kDown ? pace_.rise : pace_.fall;
}

bool CheckHealth::take(const CheckResult& result, std::chrono::system_clock::time_point at, bool can_fall) {
  remember(result, at);
  if (!counts(result.code)) return false;
  const Health told = result.ok() ? Health::kUp : Health::kDown;
  if (told == health_) {
    contradicting_ = 0;
    next_decides_ = false;
    return false;
  }
  ++contradicting_;
  if (contradicting_ < needed()) return false;
  if (told == Health::kDown && !can_fall) return false;
  health_ = told;
  since_ = at;
  contradicting_ = 0;
  next_decides_ = false;
  return true;
}

void CheckHealth::remember(const CheckResult& result, std::chrono::system_clock::time_point at) {
  ring_[taken_ % kHistory] = {.at = at, .code = result.code, .latency = result.latency, .text = result.text};
  ++taken_;
  if (counts(result.code) || !counts(last_.code)) last_ = result;
}

std::vector<HistoryEntry> CheckHealth::history() const {
  const std::size_t kept = std::min(taken_, kHistory);
  std::vector<HistoryEntry> entries;
  entries.reserve(kept);
  for (std::size_t i = taken_ - kept; i < taken_; ++i) entries.push_back(ring_[i % kHistory]);
  return entries;
}

milliseconds CheckHealth::next_wait(double chance) const {
  milliseconds interval = pace_.interval;
  if (health_ == Health::kDown && contradicting_ == 0) interval = pace_.down_interval;
  if (contradicting_ > 0 && contradicting_ < needed()) interval = pace_.fast_interval;
  return interval - part_of(interval, kJitter * std::clamp(chance, 0.0, 1.0));
}

milliseconds start_wait(const CheckPace& pace, double chance) {
  return part_of(std::min(pace.interval, kMaxStartWait), std::clamp(chance, 0.0, 1.0));
}

}  // namespace xdplb
