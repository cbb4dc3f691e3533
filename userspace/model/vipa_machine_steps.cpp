// SPDX-License-Identifier: GPL-2.0-only
// VipaMachine: who answers from now on, what is asked before and announced after, and the timers of all that.
#include "model/vipa_machine.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace xdplb {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

// RFC 5227 2.1.1 with PROBE_WAIT, PROBE_MIN, PROBE_MAX, PROBE_NUM and ANNOUNCE_WAIT; RFC 4862 5.4 with one solicitation
// and RetransTimer. The fast times are those of machines on one LAN that answer within milliseconds.
struct ProbeTimes {
  unsigned count;
  milliseconds longest_wait;  // before the first
  milliseconds shortest_gap;
  milliseconds longest_gap;
  milliseconds quiet;  // after the last
};

ProbeTimes probe_times(DuplicateProbe probe, bool is_v6) {
  if (probe == DuplicateProbe::kOff) return {.count = 0, .longest_wait{}, .shortest_gap{}, .longest_gap{}, .quiet{}};
  const bool is_fast = probe == DuplicateProbe::kFast;
  if (is_v6)
    return {.count = 1,
            .longest_wait{},
            .shortest_gap{},
            .longest_gap{},
            .quiet = is_fast ? milliseconds(400) : milliseconds(1000)};
  if (is_fast)
    return {.count = 3,
            .longest_wait{},
            .shortest_gap = milliseconds(150),
            .longest_gap = milliseconds(250),
            .quiet = milliseconds(400)};
  return {.count = 3,
          .longest_wait = milliseconds(1000),
          .shortest_gap = milliseconds(1000),
          .longest_gap = milliseconds(2000),
          .quiet = milliseconds(2000)};
}

constexpr seconds kFirstBackoff{10};
constexpr seconds kLongestBackoff{60};  // RATE_LIMIT_INTERVAL of RFC 5227
constexpr seconds kDefendInterval{10};  // of RFC 5227
constexpr seconds kContestedFor{60};
constexpr seconds kContestedRefresh{10};
// An announcement is a request and a reply, and each is heard on every interface of the LAN: one claim.
constexpr milliseconds kCopiesOfClaim{200};
constexpr milliseconds kAskAgain{1000};
constexpr milliseconds kAskSeldom{30000};

}  // namespace

// ---- Who answers.

void VipaMachine::set_state(VipaState state, TimePoint now) {
  if (state_ != state) since_ = now;
  state_ = state;
}

void VipaMachine::start_claim(const VipaEntry& entry, Turn& turn) {
  const bool was_ours = ours_until_ && turn.now <= *ours_until_;
  if (was_ours || rules_.probe == DuplicateProbe::kOff) return claim(entry, turn);
  start_probing(entry, turn);
}

void VipaMachine::start_probing(const VipaEntry& entry, Turn& turn) {
  disarm_all();
  ours_until_.reset();
  asked_ = entry.ifindex;
  probes_sent_ = 0;
  set_state(VipaState::kProbing, turn.now);
  const ProbeTimes times = probe_times(rules_.probe, address_.is_v6());
  if (times.longest_wait.count() == 0) return go_on_probing(turn);
  arm(VipaTimer::kProbe, random_between(milliseconds(0), times.longest_wait), turn);
}

void VipaMachine::go_on_probing(Turn& turn) {
  const ProbeTimes times = probe_times(rules_.probe, address_.is_v6());
  if (probes_sent_ >= times.count) {
    if (const auto index = usable(asked_)) claim(entries_[*index], turn);
    return;
  }
  turn.add(Ask{.ifindex = asked_, .is_probe = true});
  ++probes_sent_;
  const bool is_last = probes_sent_ == times.count;
  arm(VipaTimer::kProbe, is_last ? times.quiet : random_between(times.shortest_gap, times.longest_gap), turn);
}

void VipaMachine::claim(const VipaEntry& entry, Turn& turn) {
  const bool was_ours = std::exchange(ours_until_, std::nullopt).has_value();
  disarm_all();
  asked_ = 0;
  owner_ = entry.ifindex;
  owner_entry_ = entry.name;
  answered_by_.reset();
  has_told_of_kernel_ = false;
  claimed_at_ = turn.now;
  set_state(VipaState::kOwned, turn.now);
  note_move("", entry.name, "first_claim", turn.now);
  turn.add(StartAnswering{owner_});
  turn.add(AnnounceSeries{owner_});
  if (was_ours) turn.add(TellNeighbours{owner_});  // it may be another interface than before the silence
  turn.tell("vipa_owned", fmt::format("{} answers from now on{}", entry.name,
                                      was_ours                               ? ": it is healthy again"
                                      : rules_.role == VipaRole::kBackup     ? ": nobody else does"
                                      : rules_.probe != DuplicateProbe::kOff ? ": nobody else has it"
                                                                             : ""));
  arm_refresh(turn);
  // While it was asked for, a better entry may have become healthy, or the operator have taken back the choice.
  follow_owner(turn);
}

// From one of our interfaces to another: the old one is mute before the new one says a word.
void VipaMachine::move(const VipaEntry& entry, const std::string& cause, const std::string& why, Turn& turn) {
  forget_failback();
  const std::string former = std::exchange(owner_entry_, entry.name);
  turn.add(StopAnswering{owner_});
  owner_ = entry.ifindex;
  since_ = turn.now;
  ++moves_;
  note_move(former, entry.name, cause, turn.now);
  turn.add(StartAnswering{owner_});
  turn.add(AnnounceSeries{owner_});
  turn.add(TellNeighbours{owner_});
  turn.tell("vipa_moved", fmt::format("{} -> {}: {}", former, entry.name, why));
  arm_refresh(turn);
}

// Nobody answers here any more; the caller says which state that is.
void VipaMachine::release(const std::string& cause, Turn& turn) {
  disarm_all();
  forget_failback();
  // It was ours for long: the next conflict is a new one.
  if (claimed_at_ && turn.now - *claimed_at_ >= kLongestBackoff) conflicts_ = 0;
  turn.add(StopAnswering{owner_});
  note_move(owner_entry_, "", cause, turn.now);
  owner_ = 0;
  owner_entry_.clear();
}

void VipaMachine::go_silent(const std::string& why, Turn& turn) {
  disarm_all();
  asked_ = 0;
  set_state(VipaState::kSilent, turn.now);
  turn.tell("vipa_silent", why);
}

void VipaMachine::note_move(std::string from, std::string to, std::string cause, TimePoint at) {
  last_move_ = VipaMove{.from = std::move(from), .to = std::move(to), .cause = std::move(cause), .at = at};
}

void VipaMachine::forget_failback() {
  disarm(VipaTimer::kHold);
  failback_ = 0;
  failback_entry_.clear();
}

// ---- Who else answers: standby and routed.

void VipaMachine::start_watching(VipaState state, Turn& turn) {
  disarm_all();
  asked_ = 0;
  unanswered_ = 0;
  answered_by_.reset();
  set_state(state, turn.now);
  ask_who_answers(turn);
}

void VipaMachine::ask_who_answers(Turn& turn) {
  const auto index = best();
  if (!index) return;
  const std::uint32_t ifindex = entries_[*index].ifindex;
  // What was asked through another interface tells nothing of this one's LAN.
  if (std::exchange(asked_, ifindex) != ifindex) unanswered_ = 0;
  is_answered_ = false;
  is_pausing_ = false;
  turn.add(Ask{.ifindex = asked_, .is_probe = false});
  arm(VipaTimer::kWatch, random_between(kAskAgain * 3 / 4, kAskAgain), turn);
}

void VipaMachine::go_on_watching(Turn& turn) {
  if (is_pausing_) return ask_who_answers(turn);
  if (!is_answered_) ++unanswered_;
  const bool is_absent = unanswered_ >= kUnanswered;
  if (is_absent) answered_by_.reset();
  if (state_ == VipaState::kStandby) {
    const auto chosen = is_absent ? choose() : std::nullopt;
    if (chosen) return claim(entries_[*chosen], turn);
    return ask_who_answers(turn);
  }
  if (!is_answered_ && !is_absent) return ask_who_answers(turn);
  is_pausing_ = true;
  arm(VipaTimer::kWatch, random_between(kAskSeldom * 3 / 4, kAskSeldom) - kAskAgain, turn);
}

// ---- Another machine has it.

void VipaMachine::give_up(const ForeignClaim& claim, Turn& turn) {
  const bool was_owned = state_ == VipaState::kOwned;
  if (was_owned) release("conflict", turn);
  disarm_all();
  const std::string where = entry_name(claim.ifindex);
  conflict_ =
      fmt::format("{} {} (heard on {})", claim.mac.to_string(), claim.is_probe ? "wants it, too" : "has it", where);
  if (claim.is_own_kernel)
    conflict_ = fmt::format("this host's kernel answers, too (heard on {}): {}", where,
                            address_.is_v4() ? "arp_ignore of its interfaces must be 1, `fix_host` sees to that"
                                             : "the address may be on no interface but lo");
  asked_ = 0;
  ours_until_.reset();
  const seconds backoff = std::min(kFirstBackoff * (1U << std::min(conflicts_, 3U)), kLongestBackoff);
  ++conflicts_;
  set_state(VipaState::kConflict, turn.now);
  arm(VipaTimer::kBackoff, backoff, turn);
  turn.tell(was_owned ? "vipa_yielded" : "vipa_conflict",
            fmt::format("{}; tried again in {} s", conflict_, backoff.count()));
}

void VipaMachine::hear_as_owner(const ForeignClaim& claim, Turn& turn) {
  if (rules_.role == VipaRole::kBackup) {
    ++claims_;
    const std::string former = owner_entry_;
    release("conflict", turn);
    turn.tell("vipa_standby", fmt::format("{} stops answering: {} {}", former, claim.mac.to_string(),
                                          claim.is_probe ? "is about to have it" : "has it"));
    start_watching(VipaState::kStandby, turn);
    if (!claim.is_probe) answered_by_ = claim.mac;
    return;
  }
  if (claim.is_probe) return;  // it is answered, as any question
  ++claims_;
  const bool is_copy = claimant_ == claim.mac && turn.now - claimant_at_ < kCopiesOfClaim;
  if (!is_copy) claimant_at_ = turn.now;
  claimant_ = claim.mac;
  contested_until_ = turn.now + kContestedFor;
  if (!defended_at_ || turn.now - *defended_at_ >= kDefendInterval) {
    defended_at_ = turn.now;
    ++defences_;
    turn.add(AnnounceOnce{owner_});
    turn.tell("vipa_defended", fmt::format("{} claims it (heard on {}): {} announced it again", claim.mac.to_string(),
                                           entry_name(claim.ifindex), owner_entry_));
    arm_refresh(turn);
    return;
  }
  if (rules_.on_conflict == OnConflict::kYield && !is_copy) give_up(claim, turn);
}

void VipaMachine::hear_own_kernel(const ForeignClaim& claim, Turn& turn) {
  if (state_ == VipaState::kProbing) return give_up(claim, turn);
  if (state_ != VipaState::kOwned || has_told_of_kernel_) return;
  has_told_of_kernel_ = true;
  turn.tell("vipa_conflict",
            fmt::format("this host's kernel answers beside {} (heard on {})", owner_entry_, entry_name(claim.ifindex)));
}

// ---- Timers.

void VipaMachine::arm(VipaTimer timer, Clock::duration delay, Turn& turn) {
  Timer& armed = timer_of(timer);
  ++armed.epoch;
  armed.is_armed = true;
  armed.due = turn.now + delay;
  turn.add(ArmTimer{.timer = timer, .epoch = armed.epoch, .due = armed.due});
}

// While another machine claims it, often enough that the last word is ours. Drawn from the second half of the interval,
// so that VIPAs that moved together do not go on together.
void VipaMachine::arm_refresh(Turn& turn) {
  const bool is_contested = contested_until_ && turn.now < *contested_until_;
  seconds interval = rules_.refresh;
  if (is_contested) interval = interval == seconds(0) ? kContestedRefresh : std::min(interval, kContestedRefresh);
  if (interval == seconds(0)) return disarm(VipaTimer::kRefresh);
  arm(VipaTimer::kRefresh, random_between(milliseconds(interval) / 2, interval), turn);
}

void VipaMachine::disarm(VipaTimer timer) {
  Timer& armed = timer_of(timer);
  ++armed.epoch;
  armed.is_armed = false;
}

void VipaMachine::disarm_all() {
  for (std::size_t i = 0; i < kVipaTimerCount; ++i) disarm(static_cast<VipaTimer>(i));
}

VipaMachine::Clock::duration VipaMachine::random_between(milliseconds from, milliseconds to) {
  return milliseconds(std::uniform_int_distribution<milliseconds::rep>(from.count(), to.count())(random_));
}

}  // namespace xdplb
