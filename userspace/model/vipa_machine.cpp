// SPDX-License-Identifier: GPL-2.0-only
// The machine of one VIPA. Its states, and what takes it from one to another:
//
//   silent    an entry is usable -> probing (first claim, or silent for more than 10 s) or owned; a backup: standby
//   probing   the quiet time is over -> owned; a foreign claim or probe -> conflict; the entry fails -> another's
//   probes owned     the entry fails -> owned through best(), or silent; a better entry was healthy for the hold ->
//   owned
//             through it; a foreign claim -> defended, or (yield, twice) conflict; any claim at all, as a backup:
//             standby
//   standby   three questions in a row unanswered -> owned; nothing to ask through -> silent
//   conflict  the back-off is over -> as from silent, always with probes
//   routed    asks now and then, and never answers
//   disabled  until the operator takes it in again, then as from silent, with probes
//
// What changes who answers begins with StopAnswering of the old interface, in move() and release() only. Whatever else
// there is to do, timers of states that are left are forgotten: their epochs are stale then.
#include "model/vipa_machine.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace xdplb {

VipaMachine::VipaMachine(const IpAddress& address, const VipaRules& rules, std::uint32_t seed)
    : address_(address), rules_(rules), random_(seed) {
  random_.discard(8);  // the first numbers of neighbouring seeds are alike
}

VipaSteps VipaMachine::update(const VipaRules& rules, const std::vector<VipaEntry>& entries, Clock::time_point now) {
  Turn turn{now};
  const VipaRules before = std::exchange(rules_, rules);
  if (since_ == TimePoint{}) since_ = now;
  take_entries(entries, now);
  if (state_ == VipaState::kDisabled) return std::move(turn.steps);
  if (before.role != rules.role) change_role(turn);
  follow_list(turn);
  if (state_ == VipaState::kOwned && before.refresh != rules.refresh) arm_refresh(turn);
  return std::move(turn.steps);
}

VipaSteps VipaMachine::announce_again(std::uint32_t ifindex, Clock::time_point now) {
  Turn turn{now};
  if (state_ != VipaState::kOwned || ifindex != owner_) return {};
  turn.add(AnnounceSeries{owner_});
  turn.add(TellNeighbours{owner_});
  arm_refresh(turn);
  return std::move(turn.steps);
}

VipaSteps VipaMachine::timer(VipaTimer timer, std::uint64_t epoch, Clock::time_point now) {
  Timer& armed = timer_of(timer);
  if (!armed.is_armed || armed.epoch != epoch) return {};
  armed.is_armed = false;
  Turn turn{now};
  switch (timer) {
    case VipaTimer::kProbe:
      go_on_probing(turn);
      break;
    case VipaTimer::kHold:
      review_failback(turn);
      break;
    case VipaTimer::kBackoff:
      if (const auto chosen = choose()) start_claim(entries_[*chosen], turn);
      if (state_ == VipaState::kConflict) go_silent("the conflict is over, but no interface can claim it", turn);
      break;
    case VipaTimer::kRefresh:
      turn.add(AnnounceOnce{owner_});
      arm_refresh(turn);
      break;
    case VipaTimer::kWatch:
      go_on_watching(turn);
      break;
  }
  return std::move(turn.steps);
}

VipaSteps VipaMachine::hear(const ForeignClaim& claim, Clock::time_point now) {
  Turn turn{now};
  if (claim.is_own_kernel) {
    hear_own_kernel(claim, turn);
    return std::move(turn.steps);
  }
  switch (state_) {
    case VipaState::kDisabled:
      break;
    case VipaState::kRouted:
    case VipaState::kStandby:
      if (claim.is_probe && state_ == VipaState::kRouted) break;  // it wants to have it, but does not answer
      if (!claim.is_probe) answered_by_ = claim.mac;
      is_answered_ = true;
      unanswered_ = 0;
      break;
    case VipaState::kSilent:
      ours_until_.reset();
      if (!claim.is_probe) ++claims_;
      break;
    case VipaState::kConflict:
      if (!claim.is_probe) ++claims_;
      break;
    case VipaState::kProbing:
      ++claims_;
      give_up(claim, turn);
      break;
    case VipaState::kOwned:
      hear_as_owner(claim, turn);
      break;
  }
  return std::move(turn.steps);
}

Result<VipaSteps> VipaMachine::move_to(const std::string& entry, Clock::time_point now) {
  const std::string vipa = "vipa " + address_.to_string();
  if (state_ == VipaState::kDisabled)
    return fail(ErrorCode::kConflict,
                fmt::format("{}: not moved to {}: it is deactivated; reactivate it first", vipa, entry));
  if (rules_.role == VipaRole::kRouted)
    return fail(ErrorCode::kConflict, fmt::format("{}: not moved to {}: it is routed, this host never answers for it; "
                                                  "give it a list of interfaces first",
                                                  vipa, entry));
  const EntryIndex index = find_entry(entry);
  if (!index)
    return fail(ErrorCode::kNotFound,
                fmt::format("{}: {} is not in its list; `xdplb vipa show {}` lists its interfaces", vipa, entry,
                            address_.to_string()));
  const VipaEntry& chosen = entries_[*index];
  const bool is_there = state_ == VipaState::kOwned && chosen.ifindex == owner_;
  if (!is_there && (chosen.state != EntryState::kUp || chosen.ifindex == 0))
    return fail(
        ErrorCode::kConflict,
        fmt::format("{}: not moved to {}: it is not healthy ({}); choose another interface, or wait until it is", vipa,
                    entry, chosen.reason.empty() ? "no such interface" : chosen.reason));
  Turn turn{now};
  pinned_ = entry;
  if (state_ == VipaState::kOwned) forget_failback();
  if (state_ == VipaState::kOwned && !is_there) move(chosen, "operator", "moved by the operator", turn);
  if (state_ == VipaState::kProbing && asked_ != chosen.ifindex) start_probing(chosen, turn);
  return std::move(turn.steps);
}

VipaSteps VipaMachine::resume(Clock::time_point now) {
  Turn turn{now};
  pinned_.clear();
  review_failback(turn);
  return std::move(turn.steps);
}

VipaSteps VipaMachine::set_disabled(bool is_disabled, Clock::time_point now) {
  Turn turn{now};
  if (is_disabled == (state_ == VipaState::kDisabled)) return {};
  if (is_disabled) {
    if (state_ == VipaState::kOwned) release("operator", turn);
    disarm_all();
    asked_ = 0;
    set_state(VipaState::kDisabled, now);
    turn.tell("vipa_disabled", "deactivated by the operator: nobody answers here");
    return std::move(turn.steps);
  }
  ours_until_.reset();
  conflicts_ = 0;
  set_state(VipaState::kSilent, now);
  turn.tell("vipa_enabled", "reactivated by the operator");
  follow_list(turn);
  return std::move(turn.steps);
}

void VipaMachine::restore(bool is_disabled, const std::string& pinned) {
  if (is_disabled) state_ = VipaState::kDisabled;
  pinned_ = pinned;
}

std::uint32_t VipaMachine::answering() const { return owner_; }

bool VipaMachine::heeds_probes() const {
  const bool is_backup = rules_.role == VipaRole::kBackup;
  return state_ == VipaState::kProbing || state_ == VipaState::kStandby || (is_backup && state_ == VipaState::kOwned);
}

// ---- What follows from the list.

void VipaMachine::take_entries(const std::vector<VipaEntry>& entries, TimePoint now) {
  const bool is_same_order = std::equal(entries_.begin(), entries_.end(), entries.begin(), entries.end(),
                                        [](const auto& a, const auto& b) { return a.name == b.name; });
  if (!is_same_order) order_since_ = now;
  entries_ = entries;
  std::map<std::uint32_t, TimePoint> up_since;
  for (auto& entry : entries_) {
    if (entry.ifindex == 0) entry.state = EntryState::kFailed;
    if (entry.state != EntryState::kUp) continue;
    const auto known = up_since_.find(entry.ifindex);
    up_since.emplace(entry.ifindex, known == up_since_.end() ? now : known->second);
  }
  up_since_ = std::move(up_since);
}

// A backup that owns it goes on until somebody else claims it, and the other way round: nobody need notice.
void VipaMachine::change_role(Turn& turn) {
  if (state_ == VipaState::kOwned && rules_.role != VipaRole::kRouted) return;
  if (state_ == VipaState::kOwned) {
    const std::string former = owner_entry_;
    release("list_changed", turn);
    turn.tell("vipa_released", fmt::format("{} stops answering: it is routed from now on", former));
  }
  disarm_all();
  asked_ = 0;
  conflicts_ = 0;
  ours_until_.reset();
  answered_by_.reset();
  set_state(VipaState::kSilent, turn.now);
}

// From silence to whatever the role asks for, when an interface can do it.
void VipaMachine::begin(Turn& turn) {
  if (rules_.role == VipaRole::kRouted) return start_watching(VipaState::kRouted, turn);
  const auto chosen = choose();
  if (!chosen) return;
  if (rules_.role == VipaRole::kBackup) {
    turn.tell("vipa_standby", "claims it when nobody else answers");
    return start_watching(VipaState::kStandby, turn);
  }
  start_claim(entries_[*chosen], turn);
}

void VipaMachine::follow_list(Turn& turn) {
  switch (state_) {
    case VipaState::kSilent:
      begin(turn);
      break;
    case VipaState::kProbing:
      if (usable(asked_)) break;
      if (const auto chosen = choose()) {
        start_probing(entries_[*chosen], turn);
      } else {
        go_silent(list_failures(), turn);
      }
      break;
    case VipaState::kStandby:
    case VipaState::kRouted:
      follow_watch(turn);
      break;
    case VipaState::kOwned:
      follow_owner(turn);
      break;
    case VipaState::kConflict:
    case VipaState::kDisabled:
      break;
  }
}

void VipaMachine::follow_owner(Turn& turn) {
  if (const auto index = usable(owner_)) {
    owner_entry_ = entries_[*index].name;
    const auto pin = find_entry(pinned_);
    if (!pin || entries_[*pin].ifindex != owner_) pinned_.clear();
    review_failback(turn);
    return;
  }
  pinned_.clear();
  const std::string former = owner_entry_;
  const std::string cause = owner_failure();
  const std::string why = cause == "list_changed" ? former + " left the list" : list_failures();
  if (const auto next = best()) {
    move(entries_[*next], cause, why, turn);
    return;
  }
  release(cause, turn);
  ours_until_ = turn.now + kOursFor;
  go_silent(fmt::format("{} stops answering, nobody takes over: {}", former, list_failures()), turn);
}

void VipaMachine::follow_watch(Turn& turn) {
  if (usable(asked_)) return;
  asked_ = 0;
  disarm(VipaTimer::kWatch);
  if (best()) return ask_who_answers(turn);
  if (state_ == VipaState::kStandby) go_silent(list_failures(), turn);
}

// Moves to a better entry when its time has come, else waits for that; the best one only, so that there is one move.
void VipaMachine::review_failback(Turn& turn) {
  if (state_ != VipaState::kOwned) return;
  const EntryIndex index = pinned_.empty() ? better() : std::nullopt;
  if (!index) return forget_failback();
  const VipaEntry& entry = entries_[*index];
  // Another order alone is no reason to hurry.
  const auto since = std::max(up_since_.at(entry.ifindex), order_since_);
  const TimePoint due = since + hold_of(entry);
  if (rules_.failback == Failback::kImmediate)
    return move(entry, "failback", fmt::format("failback: {} is healthy again", entry.name), turn);
  if (rules_.failback == Failback::kDelayed && due <= turn.now) {
    const auto healthy_for = std::chrono::duration_cast<std::chrono::seconds>(turn.now - since);
    return move(entry, "failback", fmt::format("failback: {} was healthy for {} s", entry.name, healthy_for.count()),
                turn);
  }
  const bool is_news = failback_ != entry.ifindex;
  failback_ = entry.ifindex;
  failback_entry_ = entry.name;
  if (rules_.failback == Failback::kManual) {
    disarm(VipaTimer::kHold);
    if (is_news)
      turn.tell("vipa_failback_pending", fmt::format("{} is healthy again; {} answers until the operator moves it "
                                                     "(manual failback)",
                                                     entry.name, owner_entry_));
    return;
  }
  const Timer& hold = timer_of(VipaTimer::kHold);
  if (!hold.is_armed || hold.due != due) arm(VipaTimer::kHold, due - turn.now, turn);
  if (!is_news) return;
  const auto wait = std::chrono::ceil<std::chrono::seconds>(due - turn.now);
  turn.tell("vipa_failback_pending", fmt::format("{} is healthy again; takes over from {} in {} s if it stays so",
                                                 entry.name, owner_entry_, wait.count()));
}

}  // namespace xdplb
