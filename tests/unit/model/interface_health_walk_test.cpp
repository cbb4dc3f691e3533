// SPDX-License-Identifier: GPL-2.0-only
// Random walks through the health of interfaces whose targets and LANs fail as they like.
#include "model/interface_health.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cerrno>
#include <map>
#include <random>
#include <string>
#include <utility>
#include <vector>

namespace xdplb {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr int kWalks = 500;
constexpr int kEventsOfAWalk = 100;
const IpAddress kTarget = IpAddress::v4({192, 0, 2, 1});

// Every interface asks once a second, each at its own instant; an answer comes when the LAN and the target live.
class Walk {
 public:
  explicit Walk(std::uint32_t seed) : random_(seed) {
    health_.configure({.reach_targets = {kTarget}, .reach_missed = static_cast<unsigned>(pick(1, 4))}, now_);
    const int count = pick(1, 4);
    for (int i = 0; i < count; ++i) {
      const std::string name = fmt::format("eth{}", i);
      links_[name] = {.exists = true, .ifindex = static_cast<std::uint32_t>(i + 1), .is_up = true, .has_carrier = true};
      asks_[name] = now_ + milliseconds(pick(0, 999));
      is_lan_alive_[name] = true;
    }
    health_.set_links(links_, now_);
  }

  void run() {
    for (int i = 0; i < kEventsOfAWalk && !testing::Test::HasFatalFailure(); ++i) {
      one_event();
      pass(milliseconds(pick(0, 5000)));
    }
    // In the end all is well for long: so it must be found.
    is_target_alive_ = true;
    for (auto& [name, is_alive] : is_lan_alive_) is_alive = true;
    for (auto& [name, facts] : links_) facts.has_carrier = true;
    health_.set_links(links_, now_);
    for (const auto& [name, facts] : links_) health_.set_disabled(name, false, now_);
    pass(seconds(20));
    ASSERT_FALSE(health_.is_reach_suspect());
    for (const auto& [name, verdict] : health_.verdicts()) ASSERT_EQ(verdict.state, HealthState::kUp) << verdict.reason;
  }

 private:
  int pick(int from, int to) { return std::uniform_int_distribution<int>(from, to)(random_); }
  std::string any_name() { return fmt::format("eth{}", pick(0, static_cast<int>(links_.size()) - 1)); }

  void one_event() {
    const std::string name = any_name();
    switch (pick(0, 5)) {
      case 0:
        links_[name].has_carrier = !links_[name].has_carrier;
        return health_.set_links(links_, now_);
      case 1:
        is_target_alive_ = !is_target_alive_;
        return;
      case 2:
      case 3:
        is_lan_alive_[name] = !is_lan_alive_[name];
        return;
      case 4:
        return health_.set_disabled(name, pick(0, 1) == 1, now_);
      default:
        return health_.note_send_error(name, pick(0, 1) == 1 ? ENOBUFS : ENETDOWN, now_);
    }
  }

  // One that settles is none that has failed: its targets answered, or it is not known yet.
  int usable() const {
    const auto verdicts = health_.verdicts();
    return static_cast<int>(std::count_if(verdicts.begin(), verdicts.end(), [](const auto& item) {
      const HealthState state = item.second.state;
      return state == HealthState::kUp || state == HealthState::kSuspect || state == HealthState::kSettling;
    }));
  }

  void pass(milliseconds time) {
    const auto end = now_ + time;
    while (!testing::Test::HasFatalFailure()) {
      const auto next = std::min_element(asks_.begin(), asks_.end(),
                                         [](const auto& a, const auto& b) { return a.second < b.second; });
      const auto wake = health_.next_wake();
      if (next->second > end && (!wake || *wake > end)) break;
      const int before = usable();
      if (wake && *wake <= next->second) {
        ASSERT_GT(*wake, now_);
        now_ = *wake;
        health_.tick(now_);
      } else {
        now_ = next->second;
        next->second += seconds(1);
        end_round(next->first);
      }
      ASSERT_TRUE(before == 0 || usable() > 0) << "silence alone has made every interface fail";
    }
    now_ = end;
  }

  void end_round(const std::string& name) {
    const bool is_answered = is_target_alive_ && is_lan_alive_[name] && links_[name].has_carrier;
    missed_[name] = is_answered ? 0 : missed_[name] + 1;
    health_.set_reach(name, {{kTarget, missed_[name]}}, now_);
  }

  std::mt19937 random_;
  InterfaceHealth health_;
  std::map<std::string, LinkFacts> links_;
  std::map<std::string, InterfaceHealth::Clock::time_point> asks_;
  std::map<std::string, bool> is_lan_alive_;
  std::map<std::string, unsigned> missed_;
  bool is_target_alive_ = true;
  InterfaceHealth::Clock::time_point now_{seconds(1000)};
};

TEST(InterfaceHealthWalk, SilenceAloneNeverFailsAllAndHealthIsFoundAgain) {
  for (std::uint32_t seed = 1; seed <= kWalks; ++seed) {
    SCOPED_TRACE(fmt::format("walk {}", seed));
    Walk walk(seed);
    walk.run();
    if (HasFatalFailure()) return;
  }
}

// Whatever the instants of their rounds: when the target alone dies, no interface is ever found failed.
TEST(InterfaceHealthWalk, DeadTargetFailsNobody) {
  std::mt19937 random(1);
  for (unsigned missed = 1; missed <= 5; ++missed) {
    for (int i = 0; i < 500; ++i) {
      InterfaceHealth health;
      InterfaceHealth::Clock::time_point now{seconds(1000)};
      health.configure({.reach_targets = {kTarget}, .reach_missed = missed}, now);
      std::map<std::string, LinkFacts> links;
      std::vector<std::pair<milliseconds, std::string>>
          rounds;  // the end of the first unanswered round, after the target's death
      for (std::uint32_t k = 0; k < 3; ++k) {
        const std::string name = fmt::format("eth{}", k);
        links[name] = {.exists = true, .ifindex = k + 1, .is_up = true, .has_carrier = true};
        rounds.emplace_back(milliseconds(1000 + std::uniform_int_distribution<int>(0, 999)(random)), name);
      }
      std::sort(rounds.begin(), rounds.end());
      health.set_links(links, now);
      for (const auto& [name, facts] : links) health.set_reach(name, {{kTarget, 0}}, now);
      now += seconds(10);
      for (unsigned count = 1; count <= missed + 2; ++count) {
        for (const auto& [first, name] : rounds) {
          const auto end = InterfaceHealth::Clock::time_point(seconds(1010)) + first + seconds(count - 1);
          for (auto wake = health.next_wake(); wake && *wake < end; wake = health.next_wake()) health.tick(*wake);
          health.set_reach(name, {{kTarget, count}}, end);
          for (const auto& [other, verdict] : health.verdicts()) ASSERT_NE(verdict.state, HealthState::kDown) << other;
        }
      }
      ASSERT_TRUE(health.is_reach_suspect());
    }
  }
}

}  // namespace
}  // namespace xdplb
