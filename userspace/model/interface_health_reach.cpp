// SPDX-License-Identifier: GPL-2.0-only
// What silent reach targets mean: the interface is broken, or the targets are.
//
// An interface has lost its targets after reach_missed questions in a row without an answer (of any target, or of one
// when all are needed). Whose fault that is, the other interfaces tell that are usable but for their own targets:
//   - one answers still, or asks nobody: the interface has failed;
//   - all of them lost theirs, too, or there is no other: the targets are blamed, and nobody fails. Nothing is left to
//     move to, so a failure would only make the host mute.
// Interfaces ask at different instants of the same interval. When targets die, the first misses of two interfaces are
// less than an interval apart. So one without a miss an interval after the first miss of the other is answered, and
// before that it is not known. One that has missed something, but not enough yet, is waited for, too: until it answers
// or has lost its targets as well, one more interval at most. After that the interface that asked first has failed,
// unless all who were waited for have never been answered since their link is up: they are not healthy themselves.
// Once a target answers on any interface the targets are blamed no longer, and the misses so far are forgiven: the
// others get as many new chances as an interface that has never missed.
#include "model/interface_health.h"

#include <algorithm>
#include <vector>

namespace xdplb {

std::optional<unsigned> InterfaceHealth::unanswered(const Interface& interface,
                                                    const std::map<IpAddress, unsigned>& forgiven) const {
  std::optional<unsigned> result;
  for (const auto& target : config_.reach_targets) {
    const auto found = interface.missed.find(target);
    if (found == interface.missed.end()) continue;
    const auto pardon = forgiven.find(target);
    const unsigned count = found->second - (pardon == forgiven.end() ? 0 : pardon->second);
    if (!result) result = count;
    result = config_.needs_all_targets ? std::max(*result, count) : std::min(*result, count);
  }
  return result;
}

std::string InterfaceHealth::silent_targets(const Interface& interface) const {
  std::string text;
  for (const auto& target : config_.reach_targets) {
    const auto found = interface.missed.find(target);
    if (found == interface.missed.end() || found->second == 0) continue;
    if (!text.empty()) text += ", ";
    text += target.to_string();
  }
  return text;
}

void InterfaceHealth::follow_reach(Interface& interface, Clock::time_point now) {
  if (interface.has_lost_reach && unanswered(interface).value_or(0) == 0) {
    interface.has_lost_reach = false;
    interface.good_since = now;
    interface.is_settled = false;
  }
  const unsigned missed = unanswered(interface, interface.forgiven).value_or(0);
  if (missed == 0) interface.first_miss.reset();
  if (missed > 0 && !interface.first_miss) interface.first_miss = now;
  if (missed < config_.reach_missed) interface.lost.reset();
  if (missed >= config_.reach_missed && !interface.lost) interface.lost = now;
}

void InterfaceHealth::end_blame(Clock::time_point now) {
  const auto is_answered = [&](const auto& item) {
    return item.second.is_contender() && !item.second.awaits_answer && unanswered(item.second) == 0U;
  };
  const auto is_lost = [&](const auto& item) { return item.second.is_contender() && item.second.lost; };
  const bool is_over = std::any_of(interfaces_.begin(), interfaces_.end(), is_answered) ||
                       std::none_of(interfaces_.begin(), interfaces_.end(), is_lost);
  if (!is_over) return;
  is_reach_suspect_ = false;
  for (auto& [name, interface] : interfaces_) {
    if (!interface.is_contender()) continue;
    interface.forgiven = interface.missed;
    follow_reach(interface, now);
  }
}

InterfaceHealth::Blame InterfaceHealth::blame_for(const Interface& lost, Clock::time_point now) const {
  bool is_waiting_for_healthy = false;
  bool is_waiting = false;
  for (const auto& [name, other] : interfaces_) {
    if (&other == &lost || !other.is_contender() || other.lost) continue;
    if (!unanswered(other) && !other.awaits_answer) return Blame::kInterface;
    const bool had_its_turn =
        now - *lost.first_miss >= turn() || (other.answered && *other.answered >= *lost.first_miss);
    const bool is_answered = unanswered(other) == 0U && !other.awaits_answer;
    if (is_answered && had_its_turn) return Blame::kInterface;
    is_waiting = true;
    is_waiting_for_healthy |= !other.awaits_answer;
  }
  if (is_waiting && now - *lost.lost < turn()) return Blame::kUndecided;
  return is_waiting_for_healthy ? Blame::kInterface : Blame::kTargets;
}

void InterfaceHealth::judge_reach(Clock::time_point now) {
  if (is_reach_suspect_) end_blame(now);
  std::vector<Interface*> failed;
  for (auto& [name, interface] : interfaces_) {
    interface.judge_at.reset();
    if (!interface.is_contender() || !interface.lost) continue;
    const Blame blame = is_reach_suspect_ ? Blame::kTargets : blame_for(interface, now);
    if (blame == Blame::kInterface) failed.push_back(&interface);
    if (blame == Blame::kTargets) {
      is_reach_suspect_ = true;
      interface.awaits_answer = false;
    }
    if (blame != Blame::kUndecided) continue;
    const auto others_turn = *interface.first_miss + turn();
    interface.judge_at = others_turn > now ? std::min(others_turn, *interface.lost + turn()) : *interface.lost + turn();
  }
  for (Interface* interface : failed) interface->has_lost_reach = true;  // all were judged by what was before
}

}  // namespace xdplb
