// SPDX-License-Identifier: GPL-2.0-only
// What CheckRounds promises, on a clock of the tests' own: times, limits, and what survives reloads.
#include "advisors/check_rounds.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <map>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <vector>

namespace xdplb {
namespace {

using namespace std::chrono_literals;
using Clock = CheckRounds::Clock;
using std::chrono::duration_cast;
using std::chrono::milliseconds;
using Wanted = CheckScheduler::Wanted;

constexpr auto kProbeTakes = 5ms;

IpAddress server_address(unsigned number) { return IpAddress::v4({192, 0, 2, static_cast<std::uint8_t>(number)}); }

Wanted wanted_check(unsigned server, std::uint16_t port = 80, const std::string& path = "/") {
  Wanted wanted;
  wanted.check.advisor.type = AdvisorType::kHttp;
  wanted.check.advisor.http.path = path;
  wanted.check.server = server_address(server);
  wanted.check.destination = IpAddress::v4({198, 51, 100, 10});
  wanted.check.port = port;
  wanted.check.name = "web/" + std::to_string(port) + "/s" + std::to_string(server);
  return wanted;
}

CheckResult found(CheckCode code) {
  CheckResult result;
  result.code = code;
  return result;
}

// Servers on a clock that jumps from one event to the next.
class Simulation {
 public:
  using Answer = std::function<CheckCode(const Check&, Clock::time_point)>;
  using Takes = std::function<Clock::duration(const Check&)>;

  explicit Simulation(CheckScheduler::Limits limits = {}, std::uint64_t random_seed = 1)
      : rounds_(limits, random_seed), now_(Clock::time_point{} + 1000s) {}

  void set(const std::vector<Wanted>& wanted) { rounds_.set(wanted, now_); }

  void run_for(Clock::duration time) {
    const auto end = now_ + time;
    while (true) {
      begin_due();
      auto next = end;
      if (const auto at = rounds_.next_at()) next = std::min(next, std::max(*at, now_));
      if (!running_.empty()) next = std::min(next, running_.begin()->first);
      now_ = next;
      if (now_ >= end) return;
      end_due();
    }
  }

  // Nothing runs meanwhile: the process was stopped.
  void stall(Clock::duration time) { now_ += time; }

  CheckRounds rounds_;
  Clock::time_point now_;
  Answer answer_ = [](const Check&, Clock::time_point) { return CheckCode::kL4Ok; };
  Takes takes_ = [](const Check&) { return kProbeTakes; };
  std::map<std::string, std::vector<Clock::time_point>> starts_{};  // by name
  std::map<std::string, std::vector<Clock::time_point>> changes_{};
  unsigned most_in_flight_ = 0;
  unsigned most_of_a_server_ = 0;
  unsigned most_of_a_check_ = 0;
  unsigned dropped_ = 0;
  bool can_fall_ = true;

 private:
  void begin_due() {
    while (auto run = rounds_.start(now_)) {
      const Check& check = *run->check();
      starts_[check.name].push_back(now_);
      most_of_a_server_ = std::max(most_of_a_server_, ++of_server_[check.server]);
      most_of_a_check_ = std::max(most_of_a_check_, ++of_check_[check.key()]);
      running_.emplace(now_ + takes_(check), std::move(*run));
      most_in_flight_ = std::max(most_in_flight_, static_cast<unsigned>(running_.size()));
      ASSERT_EQ(rounds_.in_flight(), running_.size());
    }
  }

  void end_due() {
    while (!running_.empty() && running_.begin()->first <= now_) {
      const CheckRounds::Run run = std::move(running_.begin()->second);
      running_.erase(running_.begin());
      const Check& check = *run.check();
      --of_server_[check.server];
      --of_check_[check.key()];
      const auto outcome = rounds_.finish(run, found(answer_(check, now_)), now_, {}, can_fall_);
      if (!outcome) ++dropped_;
      if (outcome && outcome->is_changed()) changes_[check.name].push_back(now_);
    }
  }

  std::multimap<Clock::time_point, CheckRounds::Run> running_{};
  std::map<IpAddress, unsigned> of_server_{};
  std::map<std::string, unsigned> of_check_{};
};

std::vector<milliseconds> gaps_of(const std::vector<Clock::time_point>& times) {
  std::vector<milliseconds> gaps;
  for (std::size_t i = 1; i < times.size(); ++i) gaps.push_back(duration_cast<milliseconds>(times[i] - times[i - 1]));
  return gaps;
}

TEST(CheckRounds, StartsAreSpreadOverTheIntervalAtMostASecond) {
  Simulation simulation;
  std::vector<Wanted> wanted;
  for (unsigned i = 0; i < 200; ++i) wanted.push_back(wanted_check(i, 80));
  wanted.push_back(wanted_check(200));
  wanted.back().hurry = true;
  simulation.set(wanted);
  const auto began = simulation.now_;
  simulation.run_for(1s);
  unsigned first_half = 0;
  for (const Wanted& one : wanted) {
    const auto& starts = simulation.starts_[one.check.name];
    ASSERT_EQ(starts.size(), 1U) << one.check.name;
    if (starts[0] < began + 500ms) ++first_half;
  }
  EXPECT_GT(first_half, 60U);
  EXPECT_LT(first_half, 140U);
  EXPECT_EQ(simulation.starts_["web/80/s200"][0], began);
}

TEST(CheckRounds, IntervalsKeepTheirBoundsAndDoNotDrift) {
  Simulation simulation;
  simulation.takes_ = [](const Check&) { return 700ms; };
  simulation.set({wanted_check(1)});
  simulation.run_for(2000s);
  const auto gaps = gaps_of(simulation.starts_["web/80/s1"]);
  ASSERT_GT(gaps.size(), 1000U);
  for (const milliseconds gap : gaps) {
    EXPECT_GE(gap, 1800ms);
    EXPECT_LE(gap, 2000ms);
  }
  // 1900 ms on average: how long a probe takes adds nothing.
  EXPECT_NEAR(static_cast<double>(gaps.size()), 2000 / 1.9, 10);
}

TEST(CheckRounds, AProbeLongerThanItsIntervalIsFollowedAtOnce) {
  Simulation simulation;
  simulation.takes_ = [](const Check&) { return 3s; };
  simulation.set({wanted_check(1)});
  simulation.run_for(60s);
  for (const milliseconds gap : gaps_of(simulation.starts_["web/80/s1"])) EXPECT_EQ(gap, 3000ms);
  EXPECT_EQ(simulation.most_of_a_check_, 1U);
}

TEST(CheckRounds, FallsAndRisesInTheTimeThatThePacePromises) {
  for (std::uint64_t seed = 1; seed <= 50; ++seed) {
    Simulation simulation({}, seed);
    auto wanted = wanted_check(1);
    wanted.pace = {.interval = 2s, .fast_interval = 500ms, .down_interval = 5s, .fall = 3, .rise = 2};
    simulation.set({wanted});
    simulation.run_for(10s);
    const std::string& name = wanted.check.name;
    const auto died = simulation.now_;
    simulation.answer_ = [](const Check&, Clock::time_point) { return CheckCode::kL7Status; };
    simulation.run_for(20s);
    ASSERT_EQ(simulation.changes_[name].size(), 2U) << "up, then down";
    const auto found_after = simulation.changes_[name][1] - died;
    // At once if the next probe is about to begin, an interval later at most; then two more at the fast pace.
    EXPECT_GE(found_after, 2 * 450ms);
    EXPECT_LE(found_after, 2s + 2 * 500ms + kProbeTakes);
    const auto recovered = simulation.now_;
    simulation.answer_ = [](const Check&, Clock::time_point) { return CheckCode::kL7Ok; };
    simulation.run_for(20s);
    ASSERT_EQ(simulation.changes_[name].size(), 3U);
    EXPECT_GE(simulation.changes_[name][2] - recovered, 450ms);
    EXPECT_LE(simulation.changes_[name][2] - recovered, 5s + 500ms + kProbeTakes);
  }
}

TEST(CheckRounds, LimitsHoldAndNobodyStarves) {
  Simulation simulation({.in_flight = 16, .per_server = 3});
  std::mt19937 random(7);
  simulation.takes_ = [&](const Check&) { return milliseconds(random() % 300); };
  std::vector<Wanted> wanted;
  for (unsigned server = 0; server < 10; ++server) {
    for (std::uint16_t port = 1; port <= 10; ++port) wanted.push_back(wanted_check(server, port));
  }
  simulation.set(wanted);
  simulation.run_for(100s);
  EXPECT_EQ(simulation.most_in_flight_, 16U);
  EXPECT_EQ(simulation.most_of_a_server_, 3U);
  EXPECT_EQ(simulation.most_of_a_check_, 1U);
  for (const Wanted& one : wanted) EXPECT_GT(simulation.starts_[one.check.name].size(), 40U) << one.check.name;
}

TEST(CheckRounds, OneSilentServerMakesNoOtherLate) {
  Simulation simulation({.in_flight = 16, .per_server = 4});
  simulation.takes_ = [](const Check& check) {
    return check.server == server_address(0) ? Clock::duration(4s) : Clock::duration(kProbeTakes);
  };
  std::vector<Wanted> wanted;
  for (unsigned server = 0; server < 10; ++server) {
    for (std::uint16_t port = 1; port <= 10; ++port) wanted.push_back(wanted_check(server, port));
  }
  simulation.set(wanted);
  simulation.run_for(100s);
  for (const Wanted& one : wanted) {
    if (one.check.server == server_address(0)) continue;
    for (const milliseconds gap : gaps_of(simulation.starts_[one.check.name])) EXPECT_LE(gap, 2000ms);
  }
  // 10 probes of 4 s in 4 places: each every 10 s, in turn.
  for (std::uint16_t port = 1; port <= 10; ++port) {
    EXPECT_NEAR(static_cast<double>(simulation.starts_["web/" + std::to_string(port) + "/s0"].size()), 10, 2);
  }
}

TEST(CheckRounds, TellsHowLateProbesBeganForAMinute) {
  Simulation simulation;
  simulation.set({wanted_check(1)});
  simulation.run_for(10s);
  EXPECT_EQ(simulation.rounds_.lateness(simulation.now_).worst, 0us);
  simulation.stall(5s);
  simulation.run_for(5s);
  const Lateness late = simulation.rounds_.lateness(simulation.now_);
  EXPECT_GT(late.worst, 3s);
  EXPECT_LE(late.worst, 5s);
  EXPECT_GT(late.worst_of_interval, 1.5);
  EXPECT_EQ(late.probes, simulation.starts_["web/80/s1"].size());
  simulation.run_for(61s);
  EXPECT_EQ(simulation.rounds_.lateness(simulation.now_).worst, 0us);
}

TEST(CheckRounds, AStallIsNotCaughtUpWith) {
  Simulation simulation;
  simulation.set({wanted_check(1)});
  simulation.run_for(10s);
  simulation.stall(60s);
  const std::size_t before = simulation.starts_["web/80/s1"].size();
  simulation.run_for(1700ms);
  EXPECT_EQ(simulation.starts_["web/80/s1"].size(), before + 1);
}

TEST(CheckRounds, HurryProbesAtOnceUnlessOneIsUnderWay) {
  Simulation simulation;
  simulation.takes_ = [](const Check&) { return 100ms; };
  const auto wanted = wanted_check(1);
  const std::string key = wanted.check.key();
  simulation.set({wanted});
  simulation.run_for(10s);
  const auto& starts = simulation.starts_[wanted.check.name];
  while (starts.back() + 200ms > simulation.now_) simulation.run_for(50ms);
  const auto before = starts.size();
  const auto at = simulation.now_;
  simulation.rounds_.hurry(key, at);
  simulation.run_for(1ms);
  ASSERT_EQ(starts.size(), before + 1);
  EXPECT_EQ(starts.back(), at);
  simulation.rounds_.hurry(key, simulation.now_);
  simulation.run_for(1500ms);
  EXPECT_EQ(starts.size(), before + 1) << "one was under way";
  simulation.rounds_.hurry("no such check", simulation.now_);
}

TEST(CheckRounds, SuspectIsProbedFastUntilFallResultsCame) {
  Simulation simulation;
  auto wanted = wanted_check(1);
  wanted.pace.fast_interval = 100ms;
  simulation.set({wanted});
  simulation.run_for(10s);
  const auto before = simulation.starts_[wanted.check.name].size();
  const auto at = simulation.now_;
  simulation.rounds_.suspect(wanted.check.key(), at);
  simulation.run_for(10s);
  const auto& starts = simulation.starts_[wanted.check.name];
  EXPECT_EQ(starts[before], at);
  EXPECT_LE(starts[before + 3] - at, 300ms);
  EXPECT_GE(starts[before + 4] - starts[before + 3], 1800ms);
}

TEST(CheckRounds, WhatIsTheSameKeepsAllItKnows) {
  Simulation simulation;
  simulation.set({wanted_check(1), wanted_check(2)});
  simulation.run_for(10s);
  const std::string key = wanted_check(1).check.key();
  const auto before = simulation.rounds_.find(key)->history().size();
  const auto starts_before = simulation.starts_["web/80/s1"].size();
  auto renamed = wanted_check(1);
  renamed.check.name = "other/80/s1";
  for (int i = 0; i < 100; ++i) simulation.set({renamed, wanted_check(3)});
  ASSERT_NE(simulation.rounds_.find(key), nullptr);
  EXPECT_EQ(simulation.rounds_.find(key)->history().size(), before);
  EXPECT_EQ(simulation.rounds_.find(key)->health(), Health::kUp);
  EXPECT_EQ(simulation.rounds_.find(wanted_check(2).check.key()), nullptr);
  simulation.run_for(1900ms);
  EXPECT_EQ(simulation.starts_["web/80/s1"].size(), starts_before);
  EXPECT_EQ(simulation.starts_["other/80/s1"].size(), 1U) << "its plan was kept, too";
}

TEST(CheckRounds, AnotherDefinitionKeepsTheStateAndIsProbedAtOnce) {
  Simulation simulation;
  simulation.set({wanted_check(1)});
  simulation.run_for(10s);
  const auto changed = wanted_check(1, 80, "/healthz");
  const auto before = simulation.starts_["web/80/s1"].size();
  simulation.answer_ = [](const Check&, Clock::time_point) { return CheckCode::kL7Status; };
  simulation.set({changed});
  EXPECT_EQ(simulation.rounds_.find(changed.check.key())->health(), Health::kUp);
  EXPECT_EQ(simulation.rounds_.find(wanted_check(1).check.key()), nullptr);
  simulation.run_for(10ms);
  EXPECT_EQ(simulation.starts_["web/80/s1"].size(), before + 1);
  EXPECT_EQ(simulation.rounds_.find(changed.check.key())->health(), Health::kDown) << "the next result decides alone";
}

TEST(CheckRounds, AProbeOfAnEarlierDefinitionIsDropped) {
  Simulation simulation;
  simulation.takes_ = [](const Check&) { return 500ms; };
  auto wanted = wanted_check(1);
  wanted.hurry = true;
  simulation.set({wanted});
  simulation.run_for(100ms);
  EXPECT_EQ(simulation.rounds_.in_flight(), 1U);
  const auto changed = wanted_check(1, 80, "/healthz");
  simulation.set({changed});
  simulation.run_for(450ms);
  EXPECT_EQ(simulation.dropped_, 1U);
  EXPECT_EQ(simulation.rounds_.find(changed.check.key())->health(), Health::kUnknown);
  simulation.run_for(100ms);
  EXPECT_EQ(simulation.rounds_.find(changed.check.key())->health(), Health::kUp);
}

TEST(CheckRounds, WhatIsNotListedEndsAndItsPlaceIsFree) {
  Simulation simulation({.in_flight = 1, .per_server = 1});
  simulation.takes_ = [](const Check&) { return 500ms; };
  auto wanted = wanted_check(1);
  wanted.hurry = true;
  simulation.set({wanted});
  simulation.run_for(100ms);
  simulation.set({});
  simulation.run_for(100ms);
  EXPECT_EQ(simulation.rounds_.next_at(), std::nullopt);
  simulation.run_for(400ms);
  EXPECT_EQ(simulation.dropped_, 1U);
  EXPECT_EQ(simulation.rounds_.in_flight(), 0U);
  simulation.set({wanted});
  simulation.run_for(600ms);
  EXPECT_EQ(simulation.rounds_.find(wanted.check.key())->health(), Health::kUp);
}

TEST(CheckRounds, ASeedCountsAsKnown) {
  Simulation simulation;
  auto wanted = wanted_check(1);
  wanted.seed = Health::kDown;
  simulation.set({wanted});
  EXPECT_EQ(simulation.rounds_.find(wanted.check.key())->health(), Health::kDown);
  simulation.run_for(1s + kProbeTakes);
  EXPECT_EQ(simulation.rounds_.find(wanted.check.key())->health(), Health::kDown) << "rise is 2";
}

TEST(CheckRounds, AShorterPaceIsInForceAtOnce) {
  Simulation simulation;
  auto wanted = wanted_check(1);
  wanted.pace.interval = 1h;
  simulation.set({wanted});
  simulation.run_for(10s);
  ASSERT_EQ(simulation.starts_["web/80/s1"].size(), 1U);
  wanted.pace.interval = 1s;
  simulation.set({wanted});
  simulation.run_for(10s);
  EXPECT_GE(simulation.starts_["web/80/s1"].size(), 10U);
}

TEST(CheckRounds, RandomReloadsKeepEveryPromise) {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    std::mt19937 random(static_cast<unsigned>(seed));
    Simulation simulation({.in_flight = 8, .per_server = 2}, seed);
    simulation.takes_ = [&](const Check&) { return milliseconds(random() % 400); };
    simulation.answer_ = [&](const Check&, Clock::time_point) {
      return random() % 4 == 0 ? CheckCode::kL4Timeout : CheckCode::kL4Ok;
    };
    std::map<std::string, Health> expected;  // by subject: definitions come and go
    std::vector<Wanted> wanted;
    for (int reload = 0; reload < 60; ++reload) {
      wanted.clear();
      for (unsigned server = 0; server < 6; ++server) {
        for (std::uint16_t port = 1; port <= 3; ++port) {
          if (random() % 4 == 0) continue;
          wanted.push_back(wanted_check(server, port, random() % 8 == 0 ? "/other" : "/"));
          if (random() % 8 == 0) wanted.push_back(wanted.back());  // said twice
        }
      }
      std::shuffle(wanted.begin(), wanted.end(), random);
      simulation.set(wanted);
      std::map<std::string, Health> known;
      for (const Wanted& one : wanted) {
        const CheckHealth* health = simulation.rounds_.find(one.check.key());
        ASSERT_NE(health, nullptr);
        const std::string subject = one.check.subject();
        const auto before = expected.find(subject);
        EXPECT_EQ(health->health(), before == expected.end() ? Health::kUnknown : before->second);
      }
      simulation.run_for(milliseconds(random() % 3000));
      for (const Wanted& one : wanted) known[one.check.subject()] = simulation.rounds_.find(one.check.key())->health();
      expected = std::move(known);
    }
    EXPECT_LE(simulation.most_in_flight_, 8U);
    EXPECT_LE(simulation.most_of_a_server_, 2U);
    // Whatever happened, all are probed on.
    simulation.takes_ = [](const Check&) { return kProbeTakes; };
    simulation.starts_.clear();
    simulation.run_for(10s);
    for (const Wanted& one : wanted) EXPECT_GE(simulation.starts_[one.check.name].size(), 4U) << one.check.name;
    simulation.set({});
    simulation.run_for(10s);
    EXPECT_EQ(simulation.rounds_.in_flight(), 0U);
  }
}

TEST(CheckRounds, FrozenDemotionsAreNone) {
  Simulation simulation;
  simulation.set({wanted_check(1)});
  simulation.run_for(10s);
  simulation.can_fall_ = false;
  simulation.answer_ = [](const Check&, Clock::time_point) { return CheckCode::kL4Timeout; };
  simulation.run_for(60s);
  EXPECT_EQ(simulation.rounds_.find(wanted_check(1).check.key())->health(), Health::kUp);
  simulation.can_fall_ = true;
  simulation.run_for(2s + kProbeTakes);
  EXPECT_EQ(simulation.rounds_.find(wanted_check(1).check.key())->health(), Health::kDown);
}

TEST(CheckKey, IsWhatIsAskedAndWhere) {
  const Check check = wanted_check(1).check;
  EXPECT_EQ(check.subject(), "192.0.2.1 198.51.100.10:80");
  EXPECT_EQ(check.key(), "192.0.2.1 198.51.100.10:80 http 61dcae22fdd066b2") << "kept in files: it must stay the same";
  Check same = check;
  same.name = "other/80/s9";
  same.advisor.interval_ms = 100;
  same.advisor.fast_interval_ms = 100;
  same.advisor.fall = 9;
  same.advisor.way = ProbeWay::kOwn;
  same.advisor.port = 80;
  EXPECT_EQ(same.key(), check.key());
}

TEST(CheckKey, DiffersInEverythingElse) {
  const std::vector<std::function<void(Check&)>> changes = {
      [](Check& check) { check.server = server_address(2); },
      [](Check& check) { check.destination = server_address(1); },
      [](Check& check) { check.port = 81; },
      [](Check& check) { check.advisor.type = AdvisorType::kHttps; },
      [](Check& check) { check.advisor.connect_timeout_ms = 1; },
      [](Check& check) { check.advisor.receive_timeout_ms = 1; },
      [](Check& check) { check.advisor.watches = true; },
      [](Check& check) { check.advisor.use_tls = true; },
      [](Check& check) { check.advisor.http.method = "HEAD"; },
      [](Check& check) { check.advisor.http.path = "/x"; },
      [](Check& check) { check.advisor.http.host = "x"; },
      [](Check& check) {
        check.advisor.http.headers = {{"a", "b"}};
      },
      [](Check& check) {
        check.advisor.http.headers = {{"ab", ""}};
      },
      [](Check& check) {
        check.advisor.http.statuses = {{200, 200}};
      },
      [](Check& check) { check.advisor.http.body = ReplyMatch{.text = "x"}; },
      [](Check& check) { check.advisor.http.body = ReplyMatch{.text = "x", .is_regex = true}; },
      [](Check& check) { check.advisor.http.max_bytes = 1; },
      [](Check& check) { check.advisor.tls.verify = true; },
      [](Check& check) { check.advisor.tls.ca_file = "x"; },
      [](Check& check) { check.advisor.tls.server_name = "x"; },
      [](Check& check) { check.advisor.tls.alpn = {"h2"}; },
      [](Check& check) { check.advisor.steps = {{.kind = TcpStep::Kind::kSend, .bytes = "x"}}; },
      [](Check& check) { check.advisor.steps = {{.kind = TcpStep::Kind::kExpect, .match = {.text = "x"}}}; },
      [](Check& check) { check.advisor.dns.name = "x"; },
      [](Check& check) { check.advisor.dns.type = "A"; },
      [](Check& check) { check.advisor.dns.rcodes = {"REFUSED"}; },
      [](Check& check) { check.advisor.dns.answer = "x"; },
      [](Check& check) { check.advisor.dns.over_tcp = true; },
      [](Check& check) { check.advisor.udp.payload = "x"; },
      [](Check& check) { check.advisor.udp.answer = ReplyMatch{}; },
      [](Check& check) { check.advisor.udp.silence = OnSilence::kDown; },
      [](Check& check) { check.advisor.udp.silence = OnSilence::kUp; },
      [](Check& check) {
        check.advisor.exec.command = {"/x", "y"};
      },
      [](Check& check) { check.advisor.exec.command = {"/xy"}; },
      [](Check& check) { check.advisor.exec.user = "root"; },
      [](Check& check) { check.advisor.combine = Combine::kAny; },
      [](Check& check) { check.advisor.at_least = 1; },
      [](Check& check) { check.advisor.checks.resize(1); },
      [](Check& check) {
        check.advisor.checks.resize(1);
        check.advisor.checks[0].port = 81;
      },
  };
  std::set<std::string> keys = {wanted_check(1).check.key()};
  for (std::size_t i = 0; i < changes.size(); ++i) {
    Check check = wanted_check(1).check;
    changes[i](check);
    EXPECT_TRUE(keys.insert(check.key()).second) << "change " << i;
  }
}

}  // namespace
}  // namespace xdplb
