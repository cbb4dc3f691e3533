// SPDX-License-Identifier: GPL-2.0-only
// A VipaMachine on a clock of the test's own, its steps as short words, its timers run when they are due.
#pragma once

#include "model/vipa_machine.h"

#include <fmt/format.h>
#include <gmock/gmock.h>

#include <map>
#include <string>
#include <utility>
#include <vector>

namespace xdplb {

using Words = std::vector<std::string>;

// "stop 1", "start 2", "series 2", "once 2", "tell 2", "probe 1", "ask 1"; empty for timers and events.
inline std::string step_word(const VipaStep& step) {
  if (const auto* stop = std::get_if<StopAnswering>(&step)) return fmt::format("stop {}", stop->ifindex);
  if (const auto* start = std::get_if<StartAnswering>(&step)) return fmt::format("start {}", start->ifindex);
  if (const auto* series = std::get_if<AnnounceSeries>(&step)) return fmt::format("series {}", series->ifindex);
  if (const auto* once = std::get_if<AnnounceOnce>(&step)) return fmt::format("once {}", once->ifindex);
  if (const auto* tell = std::get_if<TellNeighbours>(&step)) return fmt::format("tell {}", tell->ifindex);
  if (const auto* ask = std::get_if<Ask>(&step))
    return fmt::format("{} {}", ask->is_probe ? "probe" : "ask", ask->ifindex);
  return "";
}

class VipaMachineTest : public testing::Test {
 protected:
  using Clock = VipaMachine::Clock;

  VipaMachineTest() {
    for (std::uint32_t i = 0; i < 3; ++i)
      entries.push_back({.name = fmt::format("eth{}", i),
                         .ifindex = i + 1,
                         .interface = fmt::format("eth{}", i),
                         .state = EntryState::kUp,
                         .reason = "healthy"});
  }

  // Takes the steps of one call: words, events and timers.
  void take(const VipaSteps& steps) {
    for (const auto& step : steps) {
      if (const auto* armed = std::get_if<ArmTimer>(&step)) timers[armed->timer] = *armed;
      if (const auto* event = std::get_if<TellEvent>(&step)) events.push_back(event->code + ": " + event->text);
      if (std::string word = step_word(step); !word.empty()) words.push_back(std::move(word));
    }
  }
  void update() { take(machine.update(rules, entries, now)); }
  void set(std::size_t entry, EntryState state, const std::string& cause = "", const std::string& reason = "") {
    entries[entry].state = state;
    entries[entry].cause = cause;
    entries[entry].reason = reason;
    update();
  }
  void fail_entry(std::size_t entry) { set(entry, EntryState::kFailed, "no_carrier", "no carrier"); }
  void heal(std::size_t entry) { set(entry, EntryState::kUp, "", "healthy"); }
  // Runs what is due until then.
  void pass(Clock::duration time) {
    const auto end = now + time;
    for (;;) {
      auto next = timers.end();
      for (auto it = timers.begin(); it != timers.end(); ++it)
        if (it->second.due <= end && (next == timers.end() || it->second.due < next->second.due)) next = it;
      if (next == timers.end()) break;
      const ArmTimer due = next->second;
      timers.erase(next);
      now = std::max(now, due.due);
      take(machine.timer(due.timer, due.epoch, now));
    }
    now = end;
  }
  // What was done since the last call.
  Words done() { return std::exchange(words, {}); }
  std::string last_event() const { return events.empty() ? "" : events.back(); }
  VipaState state() const { return machine.report().state; }
  // Owned by the first entry, all of the start is over.
  void own() {
    update();
    pass(std::chrono::seconds(2));
    ASSERT_EQ(machine.answering(), 1u);
    words.clear();
    events.clear();
  }
  ForeignClaim claim(std::uint8_t last = 0x99) const {
    return {.mac = {{2, 0, 0, 0, 0, last}}, .ifindex = 1, .is_probe = false};
  }
  ForeignClaim foreign_probe() const { return {.mac = {{2, 0, 0, 0, 0, 0x98}}, .ifindex = 2, .is_probe = true}; }
  void hear(const ForeignClaim& heard) { take(machine.hear(heard, now)); }

  VipaRules rules{};
  std::vector<VipaEntry> entries{};
  IpAddress address = IpAddress::v4({192, 0, 2, 10});
  VipaMachine machine{address, rules, 1};
  Clock::time_point now{std::chrono::seconds(1000)};
  std::map<VipaTimer, ArmTimer> timers{};
  Words words{};
  std::vector<std::string> events{};
};

}  // namespace xdplb
