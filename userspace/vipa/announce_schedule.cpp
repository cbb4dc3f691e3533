// SPDX-License-Identifier: GPL-2.0-only
#include "vipa/announce_schedule.h"

#include <algorithm>

namespace xdplb {

void AnnounceSchedule::start(const IpAddress& vipa, Clock::time_point now) {
  series_[vipa] = ++last_series_;
  rounds_.front().push_back({.vipa = vipa, .series = last_series_, .due = now});
}

void AnnounceSchedule::cancel(const IpAddress& vipa) { series_.erase(vipa); }

void AnnounceSchedule::clear() {
  series_.clear();
  for (auto& round : rounds_) round.clear();
}

bool AnnounceSchedule::is_live(const Entry& entry) const {
  auto current = series_.find(entry.vipa);
  return current != series_.end() && current->second == entry.series;
}

void AnnounceSchedule::drop_stale_fronts() {
  for (auto& round : rounds_) {
    while (!round.empty() && !is_live(round.front())) round.pop_front();
  }
}

std::vector<IpAddress> AnnounceSchedule::take_due(Clock::time_point now) {
  std::vector<IpAddress> due;
  for (std::size_t number = 0; number < kRounds; ++number) {
    auto& round = rounds_[number];
    for (; !round.empty() && round.front().due <= now; round.pop_front()) {
      if (!is_live(round.front())) continue;
      Entry entry = round.front();
      if (!bucket_.take(announcement_frames(entry.vipa), now)) return due;
      due.push_back(entry.vipa);
      if (number + 1 == kRounds) {
        series_.erase(entry.vipa);
        continue;
      }
      entry.due = now + kAnnouncementGaps[number];
      rounds_[number + 1].push_back(entry);
    }
  }
  return due;
}

std::optional<AnnounceSchedule::Clock::time_point> AnnounceSchedule::next_wake(Clock::time_point now) {
  drop_stale_fronts();
  std::optional<Clock::time_point> wake;
  for (const auto& round : rounds_) {
    if (round.empty()) continue;
    auto at = std::max(round.front().due, bucket_.ready_at(announcement_frames(round.front().vipa), now));
    wake = wake ? std::min(*wake, at) : at;
  }
  return wake;
}

}  // namespace xdplb
