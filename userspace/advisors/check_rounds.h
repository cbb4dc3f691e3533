// SPDX-License-Identifier: GPL-2.0-only
// CheckRounds: which check is probed when, and what became of it. Pure: no sockets, time is an argument.
#pragma once

#include "advisors/check_scheduler.h"
#include "advisors/lateness.h"
#include "advisors/own_address.h"
#include "model/health.h"

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <unordered_map>
#include <vector>

namespace xdplb {

// A probe starts at its planned time, or when its server and all together have a place for it; who was planned first
// goes first. The next is planned from the plan of the last, so that nothing drifts, but never doubled: one that began
// more than a tenth of its interval late counts from when it began. All that happens once a probe costs O(log n).
class CheckRounds {
 public:
  using Clock = HealthClock;
  struct Entry;

  // A probe that began; it goes back to finish(), whatever becomes of it.
  class Run {
   public:
    const std::shared_ptr<const Check>& check() const { return check_; }

   private:
    friend class CheckRounds;
    std::shared_ptr<Entry> entry_{};
    std::shared_ptr<const Check> check_{};
    std::uint64_t definition_ = 0;
  };
  // What a result did. Valid as long as it is kept, whatever set() says.
  class Outcome {
   public:
    const Check& check() const { return *check_; }
    const std::string& key() const;
    const CheckHealth& health() const;
    bool is_changed() const { return is_changed_; }

   private:
    friend class CheckRounds;
    std::shared_ptr<Entry> entry_{};
    std::shared_ptr<const Check> check_{};
    bool is_changed_ = false;
  };

  CheckRounds(CheckScheduler::Limits limits, std::uint64_t random_seed);
  ~CheckRounds();
  CheckRounds(const CheckRounds&) = delete;
  CheckRounds& operator=(const CheckRounds&) = delete;

  // As CheckScheduler::set.
  void set(std::vector<CheckScheduler::Wanted> wanted, Clock::time_point now);
  // Probed at once unless it is under way.
  void hurry(const std::string& key, Clock::time_point now);
  // The same, and the next `fall` results come at the fast pace.
  void suspect(const std::string& key, Clock::time_point now);
  const CheckHealth* find(const std::string& key) const;

  // When start() may give one; nullopt: not before finish(), set(), hurry() or suspect().
  std::optional<Clock::time_point> next_at() const;
  // The next probe that is to begin now; nullopt: none.
  std::optional<Run> start(Clock::time_point now);
  // The probe of `run` found `result`. True: the server's own address is asked before finish(), within the same place
  // of the limits, and answer_own() says what came of it; without an answer it is taken for silent.
  bool must_ask_own(const Run& run, const CheckResult& result);
  void answer_own(const Run& run, const IpAddress& own, bool is_there);
  // nullopt: nobody waits for it any more.
  std::optional<Outcome> finish(const Run& run, CheckResult result, Clock::time_point now,
                                std::chrono::system_clock::time_point at, bool can_fall);

  unsigned in_flight() const { return in_flight_; }
  Lateness lateness(Clock::time_point now) const { return meter_.read(now); }

 private:
  struct Server;
  // Nodes move between queues and are not made anew.
  using Queue = std::multimap<Clock::time_point, Entry*>;

  static void move(Entry& entry, Queue& queue, Clock::time_point planned);
  static void take_out(Entry& entry);
  bool is_current(const Run& run) const;
  double chance() { return std::uniform_real_distribution<double>(0, 1)(random_); }
  std::shared_ptr<Server> server_of(const IpAddress& address);
  // Those that wait for a place at the server and have one now.
  void wake_waiting(Server& server);
  void keep(Entry& entry, CheckScheduler::Wanted& wanted, Clock::time_point now);
  void redefine(Entry& entry, CheckScheduler::Wanted& wanted, Clock::time_point now);
  std::shared_ptr<Entry> make(CheckScheduler::Wanted& wanted, Clock::time_point now);
  void plan_next(Entry& entry, Clock::time_point now);

  CheckScheduler::Limits limits_;
  std::mt19937_64 random_;
  std::unordered_map<std::string, std::shared_ptr<Entry>> entries_{};  // by key
  std::map<IpAddress, std::weak_ptr<Server>> servers_{};
  Queue due_{};  // by planned time: all that are not under way, but those that wait for a place at their server
  unsigned in_flight_ = 0;
  LatenessMeter meter_{};
};

}  // namespace xdplb
