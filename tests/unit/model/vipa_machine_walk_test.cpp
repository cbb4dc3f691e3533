// SPDX-License-Identifier: GPL-2.0-only
// Random walks through the machine of a VIPA: whatever happens, exactly what the steps say answers, never two at once,
// and somebody whenever somebody can.
#include "model/vipa_machine.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <random>
#include <string>
#include <vector>

namespace xdplb {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using TimePoint = VipaMachine::Clock::time_point;

constexpr int kWalks = 12000;
constexpr int kEventsOfAWalk = 50;

class Walk {
 public:
  explicit Walk(std::uint32_t seed) : random_(seed) {
    rules_ = random_rules();
    const std::string address = chance(2) ? "192.0.2.10" : "2001:db8::10";
    machine_.emplace(*IpAddress::parse(address), rules_, seed);
    if (chance(5)) machine_->restore(chance(2), "e1");
    const int count = pick(1, 4);
    for (int i = 0; i < count; ++i) add_entry();
    update();
  }

  void run() {
    for (int i = 0; i < kEventsOfAWalk && !testing::Test::HasFatalFailure(); ++i) one_event();
  }
  bool has_moved() const { return machine_->report().moves > 0; }

 private:
  int pick(int from, int to) { return std::uniform_int_distribution<int>(from, to)(random_); }
  bool chance(int of) { return pick(1, of) == 1; }

  VipaRules random_rules() {
    VipaRules rules;
    rules.role = chance(2) ? VipaRole::kOwner : static_cast<VipaRole>(pick(0, 2));
    rules.failback = static_cast<Failback>(pick(0, 2));
    rules.hold = seconds(pick(0, 3) * 15);
    rules.on_conflict = static_cast<OnConflict>(pick(0, 1));
    rules.probe = static_cast<DuplicateProbe>(pick(0, 2));
    rules.refresh = seconds(pick(0, 2) * 20);
    return rules;
  }

  void add_entry() {
    const int number = pick(1, 5);
    const std::string name = fmt::format("e{}", pick(0, 6));
    const bool is_known = std::any_of(entries_.begin(), entries_.end(), [&](const auto& e) { return e.name == name; });
    if (is_known) return;
    // 1..5 for up to seven names: several stand for one interface now and then.
    entries_.push_back({.name = name,
                        .ifindex = static_cast<std::uint32_t>(number),
                        .interface = fmt::format("eth{}", number),
                        .state = static_cast<EntryState>(pick(0, 3))});
    // All entries of one interface are in one state.
    for (auto& entry : entries_)
      if (entry.ifindex == entries_.back().ifindex) entry.state = entries_.back().state;
  }

  void change_state() {
    if (entries_.empty()) return;
    const std::uint32_t ifindex =
        entries_[static_cast<std::size_t>(pick(0, static_cast<int>(entries_.size()) - 1))].ifindex;
    const auto state = chance(2) ? EntryState::kUp : static_cast<EntryState>(pick(0, 3));
    const unsigned factor = 1U << pick(0, 4);
    for (auto& entry : entries_) {
      if (entry.ifindex != ifindex) continue;
      entry.state = state;
      entry.cause = state == EntryState::kFailed ? "no_carrier" : "";
      entry.hold_factor = factor;
    }
  }

  void change_list() {
    const auto index = entries_.empty() ? 0 : static_cast<std::size_t>(pick(0, static_cast<int>(entries_.size()) - 1));
    switch (pick(0, 4)) {
      case 0:
        return add_entry();
      case 1:
        if (!entries_.empty()) entries_.erase(entries_.begin() + static_cast<std::ptrdiff_t>(index));
        return;
      case 2:
        return std::shuffle(entries_.begin(), entries_.end(), random_);
      case 3:
        if (!entries_.empty()) entries_[index].ifindex = 0;
        return;
      default:
        if (!entries_.empty()) entries_[index].ifindex = ++last_ifindex_;  // another device
        return;
    }
  }

  void one_event() {
    switch (pick(0, 15)) {
      case 0:
        rules_ = random_rules();
        return update();
      case 1:
      case 2:
        change_list();
        return update();
      case 3:
      case 4:
      case 5:
      case 6:
        change_state();
        return update();
      case 7:
        return check(machine_->hear({.mac = {{2, 0, 0, 0, 0, static_cast<std::uint8_t>(pick(1, 2))}},
                                     .ifindex = static_cast<std::uint32_t>(pick(1, 5)),
                                     .is_probe = chance(3),
                                     .is_answer = chance(2),
                                     .is_own_kernel = chance(5)},
                                    now_));
      case 8:
        return operator_says();
      case 9:
        return check(machine_->announce_again(static_cast<std::uint32_t>(pick(1, 9)), now_));
      case 10:
        return fire_stale();
      case 11:
        return check(machine_->update(rules_, entries_, now_));
      default:
        return pass(chance(2) ? milliseconds(pick(0, 1500)) : milliseconds(pick(0, 40000)));
    }
  }

  void operator_says() {
    switch (pick(0, 3)) {
      case 0:
        return check(machine_->resume(now_));
      case 1:
        return check(machine_->set_disabled(chance(2), now_));
      default:
        break;
    }
    auto moved = machine_->move_to(fmt::format("e{}", pick(0, 6)), now_);
    if (moved) check(*moved);
  }

  void fire_stale() {
    if (history_.empty()) return;
    const ArmTimer old = history_[static_cast<std::size_t>(pick(0, static_cast<int>(history_.size()) - 1))];
    const auto current = timers_.find(old.timer);
    if (current != timers_.end() && current->second.epoch == old.epoch) return;
    const VipaSteps steps = machine_->timer(old.timer, old.epoch, now_);
    ASSERT_TRUE(steps.empty()) << "a stale timer did something";
  }

  void pass(milliseconds time) {
    const TimePoint end = now_ + time;
    for (;;) {
      const auto next = std::min_element(timers_.begin(), timers_.end(),
                                         [](const auto& a, const auto& b) { return a.second.due < b.second.due; });
      if (next == timers_.end() || next->second.due > end) break;
      const ArmTimer due = next->second;
      timers_.erase(next);
      now_ = std::max(now_, due.due);
      check(machine_->timer(due.timer, due.epoch, now_));
      if (testing::Test::HasFatalFailure()) return;
    }
    now_ = end;
  }

  void update() {
    std::map<std::uint32_t, TimePoint> up_since;
    for (const auto& entry : entries_) {
      if (entry.ifindex == 0 || entry.state != EntryState::kUp) continue;
      up_since[entry.ifindex] = up_since_.contains(entry.ifindex) ? up_since_.at(entry.ifindex) : now_;
    }
    up_since_ = up_since;
    check(machine_->update(rules_, entries_, now_));
  }

  void check_step(const VipaStep& step) {
    if (const auto* stop = std::get_if<StopAnswering>(&step)) {
      ASSERT_EQ(stop->ifindex, answering_) << "stops what does not answer";
      ASSERT_NE(stop->ifindex, 0u);
      answering_ = 0;
    } else if (const auto* start = std::get_if<StartAnswering>(&step)) {
      ASSERT_EQ(answering_, 0u) << "two would answer";
      ASSERT_NE(start->ifindex, 0u);
      answering_ = start->ifindex;
    } else if (const auto* series = std::get_if<AnnounceSeries>(&step)) {
      ASSERT_EQ(series->ifindex, answering_);
    } else if (const auto* once = std::get_if<AnnounceOnce>(&step)) {
      ASSERT_EQ(once->ifindex, answering_);
    } else if (const auto* tell = std::get_if<TellNeighbours>(&step)) {
      ASSERT_EQ(tell->ifindex, answering_);
    } else if (const auto* ask = std::get_if<Ask>(&step)) {
      ASSERT_EQ(answering_, 0u) << "asks for what is its own";
      ASSERT_EQ(ask->is_probe, rules_.role == VipaRole::kOwner);
      ASSERT_NE(state_of(ask->ifindex), EntryState::kFailed);
    } else if (const auto* armed = std::get_if<ArmTimer>(&step)) {
      ASSERT_GE(armed->due, now_);
      ASSERT_GT(armed->epoch, epochs_[armed->timer]);
      epochs_[armed->timer] = armed->epoch;
      timers_[armed->timer] = *armed;
      history_.push_back(*armed);
    } else if (const auto* event = std::get_if<TellEvent>(&step)) {
      ASSERT_FALSE(event->text.empty());
      ASSERT_EQ(event->text.find('\n'), std::string::npos);
    }
  }

  EntryState state_of(std::uint32_t ifindex) const {
    const auto found =
        std::find_if(entries_.begin(), entries_.end(), [&](const auto& e) { return e.ifindex == ifindex; });
    return ifindex == 0 || found == entries_.end() ? EntryState::kFailed : found->state;
  }

  std::ptrdiff_t position(const std::string& name) const {
    return std::find_if(entries_.begin(), entries_.end(), [&](const auto& e) { return e.name == name; }) -
           entries_.begin();
  }

  static VipaState state_for(VipaTimer timer, VipaRole role) {
    switch (timer) {
      case VipaTimer::kProbe:
        return VipaState::kProbing;
      case VipaTimer::kBackoff:
        return VipaState::kConflict;
      case VipaTimer::kWatch:
        return role == VipaRole::kRouted ? VipaState::kRouted : VipaState::kStandby;
      case VipaTimer::kHold:
      case VipaTimer::kRefresh:
        break;
    }
    return VipaState::kOwned;
  }

  void check(const VipaSteps& steps) {
    const VipaState before = state_;
    for (const auto& step : steps) {
      check_step(step);
      if (testing::Test::HasFatalFailure()) return;
    }
    const VipaReport report = machine_->report();
    state_ = report.state;
    ASSERT_EQ(machine_->answering(), answering_);
    ASSERT_EQ(report.owner, answering_);
    ASSERT_EQ(state_ == VipaState::kOwned, answering_ != 0);
    ASSERT_EQ(report.owner_entry.empty(), answering_ == 0);
    ASSERT_FALSE(report.reason.empty());
    for (const auto& step : steps) {
      const auto* armed = std::get_if<ArmTimer>(&step);
      ASSERT_TRUE(armed == nullptr || state_for(armed->timer, rules_.role) == state_) << "armed for nothing";
    }
    const bool is_mute = (before == VipaState::kDisabled || before == VipaState::kSilent) && before == state_;
    ASSERT_TRUE(!is_mute || steps.empty());
    check_owner(report);
    check_timers(report);
    check_failback(report);
  }

  void check_owner(const VipaReport& report) {
    if (state_ == VipaState::kOwned) {
      ASSERT_NE(state_of(answering_), EntryState::kFailed) << "owned by one that has failed";
    }
    const bool can_be_owned = std::any_of(entries_.begin(), entries_.end(),
                                          [&](const auto& e) { return state_of(e.ifindex) != EntryState::kFailed; });
    ASSERT_FALSE(state_ == VipaState::kSilent && can_be_owned) << report.reason;
    const bool is_routed = rules_.role == VipaRole::kRouted && state_ != VipaState::kDisabled;
    ASSERT_EQ(state_ == VipaState::kRouted, is_routed);
    ASSERT_FALSE(state_ == VipaState::kStandby && rules_.role != VipaRole::kBackup);
  }

  // Whoever waits has something to wait for.
  void check_timers(const VipaReport& report) {
    const auto is_armed = [&](VipaTimer timer) { return timers_.contains(timer); };
    ASSERT_TRUE(state_ != VipaState::kProbing || is_armed(VipaTimer::kProbe));
    ASSERT_TRUE(state_ != VipaState::kConflict || is_armed(VipaTimer::kBackoff));
    ASSERT_TRUE(state_ != VipaState::kStandby || is_armed(VipaTimer::kWatch));
    const bool needs_refresh = state_ == VipaState::kOwned && rules_.refresh > seconds(0);
    ASSERT_TRUE(!needs_refresh || is_armed(VipaTimer::kRefresh));
    ASSERT_TRUE(!report.failback_at || timers_.at(VipaTimer::kHold).due == report.failback_at);
    ASSERT_EQ(report.retry_at.has_value(), state_ == VipaState::kConflict);
  }

  void check_failback(const VipaReport& report) {
    ASSERT_EQ(report.failback_at.has_value(), !report.failback_to.empty() && rules_.failback == Failback::kDelayed);
    ASSERT_TRUE(report.failback_to.empty() || state_ == VipaState::kOwned);
    if (!report.failback_to.empty()) {
      ASSERT_LT(position(report.failback_to), position(report.owner_entry)) << "only better ones are waited for";
    }
    check_nothing_better_is_forgotten(report);
    const bool is_new = report.moves > moves_;
    moves_ = report.moves;
    if (!is_new || report.last_move->cause != "failback") return;
    ASSERT_NE(rules_.failback, Failback::kManual);
    ASSERT_EQ(state_of(answering_), EntryState::kUp);
    if (rules_.failback == Failback::kImmediate) return;
    const auto entry =
        std::find_if(entries_.begin(), entries_.end(), [&](const auto& e) { return e.ifindex == answering_; });
    ASSERT_GE(now_ - up_since_.at(answering_), std::min(rules_.hold * entry->hold_factor, kMaxHold));
  }

  void check_nothing_better_is_forgotten(const VipaReport& report) {
    if (state_ != VipaState::kOwned || !report.pinned.empty()) return;
    const auto first_up = std::find_if(entries_.begin(), entries_.end(),
                                       [](const auto& e) { return e.state == EntryState::kUp && e.ifindex != 0; });
    if (first_up == entries_.end() || first_up->ifindex == answering_) return;
    if (position(first_up->name) > position(report.owner_entry)) return;
    ASSERT_EQ(report.failback_to, first_up->name);
    ASSERT_NE(rules_.failback, Failback::kImmediate);
  }

  std::mt19937 random_;
  VipaRules rules_;
  std::vector<VipaEntry> entries_;
  std::optional<VipaMachine> machine_;
  TimePoint now_{seconds(1000)};
  std::map<VipaTimer, ArmTimer> timers_;
  std::map<VipaTimer, std::uint64_t> epochs_;
  std::vector<ArmTimer> history_;
  std::map<std::uint32_t, TimePoint> up_since_;
  VipaState state_ = VipaState::kSilent;
  std::uint32_t answering_ = 0;
  std::uint32_t last_ifindex_ = 5;
  std::uint64_t moves_ = 0;
};

TEST(VipaMachineWalk, NeverTwoAndAlwaysOneWhileOneIsHealthy) {
  int moved = 0;
  for (std::uint32_t seed = 1; seed <= kWalks; ++seed) {
    SCOPED_TRACE(fmt::format("walk {}", seed));
    Walk walk(seed);
    if (!HasFatalFailure()) walk.run();
    if (HasFatalFailure()) return;
    moved += walk.has_moved() ? 1 : 0;
  }
  EXPECT_GT(moved, kWalks / 4) << "the walks should lead somewhere";
}

}  // namespace
}  // namespace xdplb
