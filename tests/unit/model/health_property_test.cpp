// SPDX-License-Identifier: GPL-2.0-only
// Random lives of checks against an oracle that looks at the whole list of results each time.
#include "model/health.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <random>
#include <string>
#include <utility>
#include <vector>

namespace xdplb {
namespace {

using std::chrono::milliseconds;
using WallClock = std::chrono::system_clock;

constexpr int kLives = 300;
constexpr int kEventsOfALife = 200;

// All that ever happened to one check, and what follows from it by the words of health.h.
class Oracle {
 public:
  explicit Oracle(const CheckPace& pace) : pace_(pace) {}

  void set_pace(const CheckPace& pace) {
    pace_ = pace;
    row_.clear();
    one_decides_ = true;
  }
  void seed(Health health) {
    health_ = health;
    one_decides_ = health == Health::kUnknown;
  }
  bool take(CheckCode code, WallClock::time_point at, bool can_fall) {
    all_.emplace_back(code, at);
    if (code == CheckCode::kSocketError) return false;
    row_.push_back(is_success(code));
    const bool is_good = row_.back();
    if (health_ == (is_good ? Health::kUp : Health::kDown)) {
      one_decides_ = false;
      return false;
    }
    if (contradictions() < needed() || (!is_good && !can_fall)) return false;
    health_ = is_good ? Health::kUp : Health::kDown;
    since_ = at;
    row_.clear();
    one_decides_ = false;
    return true;
  }

  unsigned contradictions() const {
    unsigned count = 0;
    for (auto result = row_.rbegin(); result != row_.rend(); ++result, ++count) {
      if (health_ == Health::kUp && *result) break;
      if (health_ == Health::kDown && !*result) break;
    }
    return count;
  }
  milliseconds interval() const {
    const unsigned against = contradictions();
    if (against > 0 && against < needed()) return pace_.fast_interval;
    return health_ == Health::kDown && against == 0 ? pace_.down_interval : pace_.interval;
  }
  Health health() const { return health_; }
  std::optional<WallClock::time_point> since() const { return since_; }
  const std::vector<std::pair<CheckCode, WallClock::time_point>>& all() const { return all_; }

 private:
  unsigned needed() const {
    if (one_decides_) return 1;
    return health_ == Health::kUp ? pace_.fall : pace_.rise;
  }

  CheckPace pace_;
  Health health_ = Health::kUnknown;
  std::optional<WallClock::time_point> since_;
  bool one_decides_ = true;
  std::vector<bool> row_;  // since the state or the pace changed
  std::vector<std::pair<CheckCode, WallClock::time_point>> all_;
};

struct Checked {
  std::string key;
  CheckHealth health;
  Oracle oracle;
};

class Life {
 public:
  explicit Life(std::uint32_t seed) : random_(seed) {
    const int count = pick(1, 5);
    for (int i = 0; i < count; ++i) checks_.push_back(new_check(fmt::format("check{}", i)));
  }

  void run() {
    for (int i = 0; i < kEventsOfALife && !testing::Test::HasFatalFailure(); ++i) {
      if (pick(0, 40) == 0) reload();
      Checked& check = checks_[static_cast<std::size_t>(pick(0, static_cast<int>(checks_.size()) - 1))];
      one_result(check);
      for (const Checked& each : checks_) compare(each);
    }
  }

 private:
  int pick(int from, int to) { return std::uniform_int_distribution<int>(from, to)(random_); }
  double chance() { return std::uniform_real_distribution<double>(0, 1)(random_); }

  CheckPace any_pace() {
    return {.interval = milliseconds(pick(20, 100000)),
            .fast_interval = milliseconds(pick(20, 5000)),
            .down_interval = milliseconds(pick(20, 100000)),
            .fall = static_cast<unsigned>(pick(1, 5)),
            .rise = static_cast<unsigned>(pick(1, 5))};
  }

  Checked new_check(std::string key) {
    const CheckPace pace = any_pace();
    Checked check{.key = std::move(key), .health = CheckHealth(pace), .oracle = Oracle(pace)};
    const auto seed = static_cast<Health>(pick(0, 2));
    check.health.seed(seed);
    check.oracle.seed(seed);
    return check;
  }

  void one_result(Checked& check) {
    now_ += check.health.next_wait(chance());
    if (pick(0, 9) == 0) is_bad_time_ = !is_bad_time_;
    CheckCode code = is_bad_time_ == (pick(0, 4) > 0) ? CheckCode::kL7Timeout : CheckCode::kL7Ok;
    if (pick(0, 9) == 0) code = CheckCode::kSocketError;
    const bool can_fall = pick(0, 3) > 0;
    const Health before = check.health.health();
    const bool has_changed = check.health.take({.code = code}, now_, can_fall);
    ASSERT_EQ(has_changed, check.oracle.take(code, now_, can_fall));
    ASSERT_EQ(has_changed, before != check.health.health());
    ASSERT_TRUE(can_fall || !has_changed || check.health.health() == Health::kUp);
  }

  // Another document: the checks stand in another order, some have another pace, some go and new ones come.
  void reload() {
    std::map<std::string, CheckHealth> kept;
    for (const Checked& check : checks_) kept.emplace(check.key, check.health);
    std::shuffle(checks_.begin(), checks_.end(), random_);
    if (pick(0, 3) == 0 && checks_.size() > 1) checks_.pop_back();
    for (Checked& check : checks_) {
      check.health = kept.at(check.key);
      if (pick(0, 1) == 0) continue;
      const CheckPace pace = any_pace();
      check.health.set_pace(pace);
      check.oracle.set_pace(pace);
      ASSERT_EQ(check.health.health(), kept.at(check.key).health());
      ASSERT_EQ(check.health.since(), kept.at(check.key).since());
      ASSERT_EQ(check.health.last().code, kept.at(check.key).last().code);
    }
    if (pick(0, 3) == 0) checks_.push_back(new_check(fmt::format("new{}", ++created_)));
  }

  void compare(const Checked& check) {
    const auto& [key, health, oracle] = check;
    ASSERT_EQ(health.health(), oracle.health()) << key;
    ASSERT_EQ(health.since(), oracle.since()) << key;
    ASSERT_EQ(health.contradicting(), oracle.contradictions()) << key;
    const milliseconds wait = health.next_wait(chance());
    ASSERT_LE(wait, oracle.interval());
    ASSERT_GE(wait * 10, oracle.interval() * 9);
    const auto history = health.history();
    ASSERT_EQ(history.size(), std::min(oracle.all().size(), CheckHealth::kHistory));
    for (std::size_t back = 1; back <= history.size(); ++back) {
      const auto& [code, at] = oracle.all()[oracle.all().size() - back];
      ASSERT_EQ(history[history.size() - back].code, code);
      ASSERT_EQ(history[history.size() - back].at, at);
    }
  }

  std::mt19937 random_;
  WallClock::time_point now_{};
  bool is_bad_time_ = false;
  int created_ = 0;
  std::vector<Checked> checks_;
};

TEST(CheckHealthLife, AgreesWithTheWholeListOfResults) {
  for (std::uint32_t seed = 0; seed < kLives && !HasFatalFailure(); ++seed) {
    SCOPED_TRACE(fmt::format("seed {}", seed));
    Life(seed).run();
  }
}

}  // namespace
}  // namespace xdplb
