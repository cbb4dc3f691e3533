// SPDX-License-Identifier: GPL-2.0-only
// ReachRounds: decides which questions are to be asked when, and counts those without an answer. Pure.
#pragma once

#include "host/reach_prober.h"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <random>
#include <set>
#include <utility>
#include <vector>

namespace xdplb {

class ReachRounds {
 public:
  using Clock = std::chrono::steady_clock;
  using Outcome = ReachProber::Outcome;

  struct Ask {
    ReachQuestion question;
    std::optional<MacAddress> mac;  // that answered last; nullopt: ask everybody
    std::uint16_t sequence = 0;     // counts the asks of this question
  };
  struct Turn {
    std::vector<Ask> asks;
    std::vector<Outcome> outcomes;
  };

  explicit ReachRounds(std::uint64_t seed) : random_(seed) {}

  // Those through an interface that is not in `interfaces` wait, with their count.
  void set(const std::set<std::uint32_t>& interfaces, const std::vector<ReachQuestion>& questions,
           std::chrono::milliseconds interval, Clock::time_point now);
  void hurry(const ReachQuestion& question, Clock::time_point now);

  // What is due, at most 500 asks in 10 ms. The rounds that ended without an answer come as outcomes.
  Turn turn(Clock::time_point now);
  // When turn() has something to do next; nullopt: never.
  std::optional<Clock::time_point> next_at() const;

  // An answer came. nullopt when nobody was asked, `sequence` is none of the last 16, or it tells nothing new.
  std::optional<Outcome> answer(const ReachQuestion& question, std::optional<MacAddress> mac,
                                std::optional<std::uint16_t> sequence, Clock::time_point now);

 private:
  struct State {
    unsigned missed = 0;
    bool has_answered = false;  // ever
    bool is_asked = false;      // and not answered since
    bool is_excused = false;    // the round was cut short: its silence does not count
    bool is_waiting = true;     // its interface is not listed
    unsigned hurried = 0;       // rounds left at the short interval
    std::uint16_t sequence = 0;
    std::optional<MacAddress> mac{};   // that answered the last ask
    std::optional<MacAddress> told{};  // in the last outcome
    Clock::time_point due{};
  };
  using Due = std::pair<Clock::time_point, ReachQuestion>;

  void schedule(const ReachQuestion& question, State& state, Clock::time_point due);
  Clock::duration part_of_interval(double from, double to);
  void take_round(const ReachQuestion& question, State& state, Clock::time_point now, Turn& turn);

  std::mt19937_64 random_;
  std::chrono::milliseconds interval_{1000};
  std::map<ReachQuestion, State> states_;
  std::set<Due> due_;
  Clock::time_point slice_start_{};
  std::size_t slice_asks_ = 0;
};

}  // namespace xdplb
