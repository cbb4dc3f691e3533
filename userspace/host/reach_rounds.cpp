// SPDX-License-Identifier: GPL-2.0-only
#include "host/reach_rounds.h"

#include <algorithm>
#include <limits>

namespace xdplb {
namespace {

constexpr std::size_t kAsksASlice = 500;
constexpr auto kSlice = std::chrono::milliseconds(10);
constexpr auto kHurry = std::chrono::milliseconds(100);
constexpr unsigned kHurriedRounds = 3;
constexpr std::uint16_t kSequencesBack = 16;  // a machine far away answers the ask before the last

}  // namespace

ReachRounds::Clock::duration ReachRounds::part_of_interval(double from, double to) {
  const std::chrono::duration<double, std::milli> part(static_cast<double>(interval_.count()) *
                                                       std::uniform_real_distribution<double>(from, to)(random_));
  return std::chrono::duration_cast<Clock::duration>(part);
}

void ReachRounds::schedule(const ReachQuestion& question, State& state, Clock::time_point due) {
  due_.erase({state.due, question});
  state.due = due;
  due_.emplace(due, question);
}

void ReachRounds::set(const std::set<std::uint32_t>& interfaces, const std::vector<ReachQuestion>& questions,
                      std::chrono::milliseconds interval, Clock::time_point now) {
  const std::set<ReachQuestion> wanted(questions.begin(), questions.end());
  for (auto entry = states_.begin(); entry != states_.end();) {
    if (wanted.contains(entry->first)) {
      ++entry;
      continue;
    }
    due_.erase({entry->second.due, entry->first});
    entry = states_.erase(entry);
  }
  const bool is_paced_anew = interval != interval_;
  interval_ = interval;
  for (const ReachQuestion& question : wanted) {
    State& state = states_[question];
    const bool waits = !interfaces.contains(question.ifindex);
    if (waits) {
      due_.erase({state.due, question});
      state.is_asked = false;
    } else if (state.is_waiting) {
      schedule(question, state, now);
    } else if (is_paced_anew) {
      schedule(question, state, std::min(state.due, now + part_of_interval(0.5, 1.0)));
    }
    state.is_waiting = waits;
  }
}

void ReachRounds::hurry(const ReachQuestion& question, Clock::time_point now) {
  auto entry = states_.find(question);
  if (entry == states_.end() || entry->second.is_waiting || entry->second.hurried != 0) return;
  entry->second.hurried = kHurriedRounds;
  entry->second.is_excused = true;
  schedule(question, entry->second, now);
}

void ReachRounds::take_round(const ReachQuestion& question, State& state, Clock::time_point now, Turn& turn) {
  const bool is_first = state.sequence == 0;
  if (state.is_asked && !state.is_excused) {
    if (state.missed < std::numeric_limits<unsigned>::max()) ++state.missed;
    if (state.hurried != 0) --state.hurried;
    state.mac.reset();
    state.told.reset();
    turn.outcomes.push_back({.question = question, .missed = state.missed, .mac = std::nullopt});
  }
  state.is_asked = true;
  state.is_excused = false;
  if (++state.sequence == 0) state.sequence = 1;
  turn.asks.push_back({.question = question, .mac = state.mac, .sequence = state.sequence});
  // The first rounds differ much in length: what began together shall not stay together.
  const auto pause = is_first ? part_of_interval(0.5, 1.0) : part_of_interval(0.95, 1.05);
  schedule(question, state, now + (state.hurried != 0 ? Clock::duration(kHurry) : pause));
}

ReachRounds::Turn ReachRounds::turn(Clock::time_point now) {
  if (now - slice_start_ >= kSlice) {
    slice_start_ = now;
    slice_asks_ = 0;
  }
  Turn turn;
  while (!due_.empty() && due_.begin()->first <= now && slice_asks_ < kAsksASlice) {
    const ReachQuestion question = due_.begin()->second;
    take_round(question, states_.at(question), now, turn);
    ++slice_asks_;
  }
  return turn;
}

std::optional<ReachRounds::Clock::time_point> ReachRounds::next_at() const {
  if (due_.empty()) return std::nullopt;
  const auto next = due_.begin()->first;
  return slice_asks_ < kAsksASlice ? next : std::max(next, slice_start_ + kSlice);
}

std::optional<ReachRounds::Outcome> ReachRounds::answer(const ReachQuestion& question, std::optional<MacAddress> mac,
                                                        std::optional<std::uint16_t> sequence, Clock::time_point now) {
  auto entry = states_.find(question);
  if (entry == states_.end() || !entry->second.is_asked) return std::nullopt;
  State& state = entry->second;
  if (sequence && static_cast<std::uint16_t>(state.sequence - *sequence) >= kSequencesBack) return std::nullopt;
  const bool is_news = !state.has_answered || state.missed != 0 || state.told != mac;
  if (state.hurried != 0) schedule(question, state, now + part_of_interval(0.95, 1.05));
  state.missed = 0;
  state.hurried = 0;
  state.has_answered = true;
  state.is_asked = false;
  state.is_excused = false;
  state.mac = mac;
  state.told = mac;
  if (!is_news) return std::nullopt;
  return Outcome{.question = question, .missed = 0, .mac = mac};
}

}  // namespace xdplb
