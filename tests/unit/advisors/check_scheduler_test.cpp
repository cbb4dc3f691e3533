// SPDX-License-Identifier: GPL-2.0-only
// CheckScheduler on a real loop with probes that the test answers, and with real services on loopback.
#include "advisors/check_scheduler.h"

#include "advisors/probe_tools.h"
#include "loopback_server.h"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <string>
#include <vector>

namespace xdplb {
namespace {

namespace asio = boost::asio;
using namespace std::chrono_literals;
using Wanted = CheckScheduler::Wanted;

const IpAddress kVipa = IpAddress::v4({198, 51, 100, 10});
const IpAddress kServer = IpAddress::v4({192, 0, 2, 21});

Wanted wanted_check(std::uint16_t port = 80) {
  Wanted wanted;
  wanted.check.server = kServer;
  wanted.check.destination = kVipa;
  wanted.check.port = port;
  wanted.check.name = "web/80/s1";
  wanted.hurry = true;
  return wanted;
}

class SchedulerTest : public testing::Test {
 protected:
  // Runs the loop until `holds`; false when the deadline passes first.
  template <typename Condition>
  bool run_until(const Condition& holds) {
    const auto end = std::chrono::steady_clock::now() + 10s;
    while (!holds()) {
      if (std::chrono::steady_clock::now() >= end) return false;
      if (io_.stopped()) io_.restart();
      io_.run_one_for(20ms);
    }
    return true;
  }

  asio::io_context io_;
};

// A probe that ends with `code_of(target)` when the test lets it.
class Scheduler : public SchedulerTest {
 protected:
  Scheduler() {
    scheduler_ = std::make_unique<CheckScheduler>(
        io_, [this](const AdvisorConfig& advisor, const ProbeTarget& target) { return answer(advisor, target); },
        CheckScheduler::Limits{});
    scheduler_->on_result([this](const Check& check, const CheckHealth& health, bool changed) {
      results_.push_back({check.name, health.last(), health.health(), changed});
    });
  }

  asio::awaitable<CheckResult> answer(const AdvisorConfig& advisor, const ProbeTarget& target) {
    asked_.push_back({advisor.type, target});
    if (is_held_) co_await gate_.async_wait(asio::as_tuple(asio::use_awaitable));
    CheckResult result;
    result.code = target.destination == kVipa ? vipa_code_ : own_code_;
    co_return result;
  }

  struct Asked {
    AdvisorType type;
    ProbeTarget target;
  };
  struct Told {
    std::string name;
    CheckResult result;
    Health health;
    bool is_changed;
  };
  asio::steady_timer gate_{io_, std::chrono::steady_clock::time_point::max()};
  bool is_held_ = false;
  CheckCode vipa_code_ = CheckCode::kL4Ok;
  CheckCode own_code_ = CheckCode::kL4Ok;
  std::vector<Asked> asked_;
  std::vector<Told> results_;
  std::unique_ptr<CheckScheduler> scheduler_;
};

TEST_F(Scheduler, TellsEachResultAndWhetherTheStateChanged) {
  auto wanted = wanted_check();
  wanted.pace.interval = 20ms;
  scheduler_->set({wanted});
  ASSERT_TRUE(run_until([&] { return results_.size() == 2; }));
  EXPECT_EQ(results_[0].health, Health::kUp);
  EXPECT_TRUE(results_[0].is_changed);
  EXPECT_FALSE(results_[1].is_changed);
  EXPECT_EQ(scheduler_->find(wanted.check.key())->health(), Health::kUp);
  EXPECT_EQ(scheduler_->find("another"), nullptr);
  EXPECT_EQ(scheduler_->lateness().probes, 2U);
  EXPECT_EQ(asked_[0].target.server, "web/80/s1");
}

TEST_F(Scheduler, SendsWithTheMarkOfTheWay) {
  scheduler_->on_way([](const Check&) { return CheckScheduler::Way{.mark = 7}; });
  scheduler_->set({wanted_check()});
  ASSERT_TRUE(run_until([&] { return results_.size() == 1; }));
  EXPECT_EQ(asked_[0].target.mark, 7U);
}

TEST_F(Scheduler, SendsNothingWithoutAWay) {
  scheduler_->on_way([](const Check&) {
    return CheckScheduler::Way{.code = CheckCode::kL2NoMac, .why = "no answer to ARP for 192.0.2.21"};
  });
  scheduler_->set({wanted_check()});
  ASSERT_TRUE(run_until([&] { return results_.size() == 1; }));
  EXPECT_TRUE(asked_.empty());
  EXPECT_EQ(results_[0].result.code, CheckCode::kL2NoMac);
  EXPECT_EQ(results_[0].result.text, "no answer to ARP for 192.0.2.21");
  EXPECT_EQ(results_[0].health, Health::kDown);
}

TEST_F(Scheduler, AsksTheOwnAddressAfterAFailureThroughTheVipa) {
  vipa_code_ = CheckCode::kL4Timeout;
  auto wanted = wanted_check();
  wanted.check.advisor.type = AdvisorType::kHttp;
  wanted.pace.interval = 20ms;
  scheduler_->on_way(
      [](const Check& check) { return CheckScheduler::Way{.mark = check.destination == kVipa ? 7U : 0U}; });
  scheduler_->on_own_address([](const Check&) { return std::optional(kServer); });
  scheduler_->set({wanted});
  ASSERT_TRUE(run_until([&] { return results_.size() == 2; }));
  ASSERT_GE(asked_.size(), 3U);
  EXPECT_EQ(asked_[1].target.destination, kServer);
  EXPECT_EQ(asked_[1].target.mark, 0U);
  EXPECT_EQ(asked_[1].target.port, 80);
  EXPECT_EQ(asked_[1].type, AdvisorType::kConnect);
  EXPECT_EQ(asked_[2].target.destination, kVipa) << "once is enough";
  for (const Told& told : results_) EXPECT_EQ(told.result.code, CheckCode::kL3NoVip);
}

TEST_F(Scheduler, LeavesTheCodeWhenTheOwnAddressIsSilentToo) {
  vipa_code_ = own_code_ = CheckCode::kL4Timeout;
  scheduler_->on_own_address([](const Check&) { return std::optional(kServer); });
  scheduler_->set({wanted_check()});
  ASSERT_TRUE(run_until([&] { return results_.size() == 1; }));
  EXPECT_EQ(asked_.size(), 2U);
  EXPECT_EQ(results_[0].result.code, CheckCode::kL4Timeout);
}

TEST_F(Scheduler, AsksNoOwnAddressOfACheckToIt) {
  own_code_ = CheckCode::kL4Timeout;
  auto wanted = wanted_check();
  wanted.check.destination = kServer;
  scheduler_->on_own_address([](const Check&) { return std::optional(kServer); });
  scheduler_->set({wanted});
  ASSERT_TRUE(run_until([&] { return results_.size() == 1; }));
  EXPECT_EQ(asked_.size(), 1U);
}

TEST_F(Scheduler, AsksBeforeACheckMayFall) {
  vipa_code_ = CheckCode::kL4Refused;
  scheduler_->on_can_fall([](const Check&) { return false; });
  scheduler_->set({wanted_check()});
  ASSERT_TRUE(run_until([&] { return results_.size() == 1; }));
  EXPECT_EQ(results_[0].health, Health::kUnknown);
}

TEST_F(Scheduler, DropsAProbeOfACheckThatEnded) {
  is_held_ = true;
  scheduler_->set({wanted_check()});
  ASSERT_TRUE(run_until([&] { return asked_.size() == 1; }));
  scheduler_->set({});
  is_held_ = false;
  gate_.cancel();
  scheduler_->set({wanted_check(81)});
  ASSERT_TRUE(run_until([&] { return results_.size() == 1; }));
  EXPECT_EQ(asked_[1].target.port, 81);
}

TEST_F(Scheduler, IsSilentAfterClose) {
  is_held_ = true;
  scheduler_->set({wanted_check(), wanted_check(81)});
  ASSERT_TRUE(run_until([&] { return asked_.size() == 2; }));
  scheduler_->close();
  gate_.cancel();
  io_.restart();
  io_.run();  // nothing is left to wait for
  EXPECT_TRUE(results_.empty());
}

TEST_F(Scheduler, MayBeDestroyedWhileProbesAreUnderWay) {
  is_held_ = true;
  scheduler_->set({wanted_check()});
  ASSERT_TRUE(run_until([&] { return asked_.size() == 1; }));
  scheduler_.reset();
  gate_.cancel();
  io_.restart();
  io_.run();
  EXPECT_TRUE(results_.empty());
}

TEST_F(Scheduler, HandlersMaySetTheListAnew) {
  scheduler_->on_result([&](const Check& check, const CheckHealth& health, bool changed) {
    scheduler_->set({wanted_check(static_cast<std::uint16_t>(check.port + 1))});
    results_.push_back({check.name, health.last(), health.health(), changed});
  });
  scheduler_->set({wanted_check()});
  ASSERT_TRUE(run_until([&] { return results_.size() >= 50; }));
  EXPECT_EQ(asked_[49].target.port, 129);
}

TEST_F(Scheduler, HandlersMayCloseIt) {
  scheduler_->on_result([&](const Check&, const CheckHealth& health, bool changed) {
    results_.push_back({"", health.last(), health.health(), changed});
    scheduler_->close();
  });
  scheduler_->set({wanted_check(), wanted_check(81), wanted_check(82)});
  ASSERT_TRUE(run_until([&] { return results_.size() == 1; }));
  io_.restart();
  io_.run();
  EXPECT_EQ(results_.size(), 1U);
}

// With real connections.
class Watch : public SchedulerTest {
 protected:
  Wanted watched(const LoopbackServer& server) const {
    Wanted wanted;
    wanted.check.server = wanted.check.destination = server.target().destination;
    wanted.check.port = server.target().port;
    wanted.check.advisor.watches = true;
    wanted.hurry = true;
    wanted.pace.interval = wanted.pace.down_interval = 1h;
    wanted.pace.fast_interval = 20ms;
    return wanted;
  }

  ProbeTools tools_{io_};
  CheckScheduler scheduler_{io_, tools_, {}};
};

TEST_F(Watch, ProbesAtOnceAndFastWhenTheServerEndsTheConnection) {
  std::atomic<int> connections = 0;
  std::atomic<bool> ends = false;
  // The first connection is the probe's; the second, which says nothing, the watch's.
  LoopbackServer server([&](Peer& peer) {
    if (++connections != 2) return;
    while (!ends) ::usleep(1000);
    peer.reset();
  });
  int results = 0;
  scheduler_.on_result([&](const Check&, const CheckHealth& health, bool) {
    EXPECT_EQ(health.health(), Health::kUp);
    ++results;
  });
  scheduler_.set({watched(server)});
  ASSERT_TRUE(run_until([&] { return connections == 2; }));
  EXPECT_EQ(results, 1);
  ends = true;
  // Once at once, and `fall` results at the fast pace: the interval is an hour.
  EXPECT_TRUE(run_until([&] { return results == 4; }));
}

TEST_F(Watch, LeavesAServerAloneThatEndsIdleConnectionsSoon) {
  std::atomic<int> connections = 0;
  LoopbackServer server([&](Peer&) { ++connections; });
  int results = 0;
  scheduler_.on_result([&](const Check&, const CheckHealth&, bool) { ++results; });
  scheduler_.set({watched(server)});
  ASSERT_TRUE(run_until([&] { return results == 5; }));
  ASSERT_TRUE(run_until([&] { return connections == 6; })) << "five probes and one watch";
}

TEST_F(Watch, EndsWithItsCheck) {
  std::atomic<int> ended = 0;
  std::atomic<int> connections = 0;
  LoopbackServer server([&](Peer& peer) {
    ++connections;
    peer.wait_for_end();
    ++ended;
  });
  scheduler_.set({watched(server)});
  ASSERT_TRUE(run_until([&] { return connections == 2; }));
  scheduler_.set({});
  EXPECT_TRUE(run_until([&] { return ended == 2; }));
}

}  // namespace
}  // namespace xdplb
