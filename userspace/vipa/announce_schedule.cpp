// SPDX-License-Identifier: GPL-2.0-only
#include "vipa/announce_schedule.h"

#include <algorithm>
#include <span>

namespace xdplb {
namespace {

bool is_request(std::size_t queue) { return queue % 2 == 0; }

AnnouncementForm form_of(std::size_t queue) {
  return is_request(queue) ? AnnouncementForm::kFirst : AnnouncementForm::kReply;
}

std::span<const std::chrono::milliseconds> gaps_of(const IpAddress& vipa) {
  if (vipa.is_v4()) return kAnnouncementGaps;
  return kAdvertisementGaps;
}

}  // namespace

void AnnounceSchedule::put(Queue& queue, Place& place, const IpAddress& vipa, Clock::time_point due) {
  place.entry = queue.emplace(std::pair(due, ++last_number_), vipa).first;
}

void AnnounceSchedule::start(const IpAddress& vipa, Clock::time_point now) {
  auto [series, is_new] = series_.try_emplace(vipa);
  Place& place = series->second;
  if (!is_new && place.queue == 0) return;
  if (!is_new) rounds_[place.queue].erase(place.entry);
  place.queue = 0;
  put(rounds_[0], place, vipa, now);
}

void AnnounceSchedule::add_once(const IpAddress& vipa, Clock::time_point now) {
  auto [once, is_new] = once_.try_emplace(vipa);
  if (!is_new && once->second.queue == 0) return;
  if (!is_new) singles_[once->second.queue].erase(once->second.entry);
  once->second.queue = 0;
  put(singles_[0], once->second, vipa, now);
}

void AnnounceSchedule::tell(const IpAddress& vipa, const AnnounceTargets& targets) {
  auto [told, is_new] = told_.insert_or_assign(vipa, Told{.targets = targets});
  if (is_new) turns_.push_back(vipa);
}

void AnnounceSchedule::cancel(const IpAddress& vipa) {
  if (auto series = series_.find(vipa); series != series_.end()) {
    rounds_[series->second.queue].erase(series->second.entry);
    series_.erase(series);
  }
  if (auto once = once_.find(vipa); once != once_.end()) {
    singles_[once->second.queue].erase(once->second.entry);
    once_.erase(once);
  }
  // Its turn stays in the queue, and passes.
  if (auto told = told_.find(vipa); told != told_.end()) told->second.next = told->second.targets->size();
}

void AnnounceSchedule::clear() {
  for (auto& round : rounds_) round.clear();
  for (auto& single : singles_) single.clear();
  series_.clear();
  once_.clear();
  told_.clear();
  turns_.clear();
}

// The frame at the head of its queue was sent: on to the next one of its series.
void AnnounceSchedule::advance(Places::iterator series, Clock::time_point now) {
  const IpAddress vipa = series->first;
  Place& place = series->second;
  rounds_[place.queue].erase(place.entry);
  if (is_request(place.queue) && vipa.is_v4()) {
    ++place.queue;
    return put(rounds_[place.queue], place, vipa, now);
  }
  const std::size_t round = place.queue / 2;
  const auto gaps = gaps_of(vipa);
  if (round == gaps.size()) {
    series_.erase(series);
    return;
  }
  place.queue = 2 * (round + 1);
  put(rounds_[place.queue], place, vipa, now + gaps[round]);
}

void AnnounceSchedule::advance_once(Places::iterator once, Clock::time_point now) {
  const IpAddress vipa = once->first;
  Place& place = once->second;
  singles_[place.queue].erase(place.entry);
  if (place.queue == 1 || vipa.is_v6()) {
    once_.erase(once);
    return;
  }
  place.queue = 1;
  put(singles_[1], place, vipa, now);
}

void AnnounceSchedule::take_once(Clock::time_point now, std::vector<DueAnnouncement>& due) {
  for (std::size_t number = 0; number < singles_.size(); ++number) {
    auto& queue = singles_[number];
    while (!queue.empty() && bucket_.take(1, now)) {
      const IpAddress vipa = queue.begin()->second;
      due.push_back({.vipa = vipa, .form = form_of(number)});
      advance_once(once_.find(vipa), now);
    }
  }
}

void AnnounceSchedule::take_series(Clock::time_point now, std::vector<DueAnnouncement>& due) {
  for (std::size_t number = 0; number < kQueues; ++number) {
    auto& queue = rounds_[number];
    while (!queue.empty() && queue.begin()->first.first <= now) {
      if (!bucket_.take(1, now)) return;
      const IpAddress vipa = queue.begin()->second;
      due.push_back({.vipa = vipa, .form = form_of(number)});
      advance(series_.find(vipa), now);
    }
  }
}

void AnnounceSchedule::take_directed(Clock::time_point now, std::vector<DueAnnouncement>& due) {
  while (!turns_.empty()) {
    const IpAddress vipa = turns_.front();
    auto told = told_.find(vipa);
    Told& whom = told->second;
    if (!whom.is_done()) {
      if (!bucket_.take(1, now)) return;
      due.push_back({.vipa = vipa, .form = AnnouncementForm::kDirected, .target = (*whom.targets)[whom.next++]});
    }
    turns_.pop_front();
    if (whom.is_done()) {
      told_.erase(told);
    } else {
      turns_.push_back(vipa);
    }
  }
}

std::vector<DueAnnouncement> AnnounceSchedule::take_due(Clock::time_point now) {
  std::vector<DueAnnouncement> due;
  take_once(now, due);
  take_series(now, due);
  take_directed(now, due);
  return due;
}

std::optional<AnnounceSchedule::Clock::time_point> AnnounceSchedule::next_wake(Clock::time_point now) {
  std::optional<Clock::time_point> earliest;
  const auto consider = [&](Clock::time_point at) { earliest = earliest ? std::min(*earliest, at) : at; };
  for (const auto& single : singles_) {
    if (!single.empty()) consider(single.begin()->first.first);
  }
  for (const auto& round : rounds_) {
    if (!round.empty()) consider(round.begin()->first.first);
  }
  if (!turns_.empty()) consider(now);
  if (!earliest) return std::nullopt;
  return std::max(*earliest, bucket_.ready_at(1, now));
}

}  // namespace xdplb
