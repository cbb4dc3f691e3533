// SPDX-License-Identifier: GPL-2.0-only
// The health of one checked thing (a server through one address of its cluster): rise and fall, when it is probed next,
// the last results. Pure: time and chance are arguments.
#pragma once

#include "model/advisor_config.h"
#include "model/check_result.h"

#include <array>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace xdplb {

using HealthClock = std::chrono::steady_clock;

enum class Health : std::uint8_t { kUnknown, kUp, kDown };
std::string_view health_name(Health health);  // "unknown", "up", "down"

// When and how often; a part of an AdvisorConfig.
struct CheckPace {
  std::chrono::milliseconds interval{2000};
  std::chrono::milliseconds fast_interval{2000};
  std::chrono::milliseconds down_interval{2000};
  unsigned fall = 3;
  unsigned rise = 2;
  bool operator==(const CheckPace&) const = default;
};
CheckPace pace_of(const AdvisorConfig& advisor);

// A result as it is kept.
struct HistoryEntry {
  std::chrono::system_clock::time_point at{};
  CheckCode code = CheckCode::kNone;
  std::chrono::microseconds latency{};
  std::string text{};
};

class CheckHealth {
 public:
  static constexpr std::size_t kHistory = 64;

  explicit CheckHealth(const CheckPace& pace) : pace_(pace) {}

  // The definition of the check changed, or its pace: the state stays, and the next result that counts decides alone.
  // Not for a check of which nothing changed.
  void set_pace(const CheckPace& pace);
  // Known from an earlier life: counts until `fall` or `rise` results contradict it.
  void seed(Health health);

  // A result came. True: the state changed. A code that says nothing of the server (kSocketError, this host's fault,
  // kL2ArpLeak and kNone) changes nothing but the history: it neither counts nor ends a row of results.
  //
  // The first result of an unknown check decides alone. In any other state `fall` failures or `rise` successes in a row
  // do. `can_fall` false: demotions are frozen (model/failure_guard.h): failures are counted and the check stays what
  // it is, up or unknown; once enough were counted the first failure after the freeze decides.
  bool take(const CheckResult& result, std::chrono::system_clock::time_point at, bool can_fall = true);

  Health health() const { return health_; }
  // Since when; none while unknown, or while it is what it was seeded with.
  std::optional<std::chrono::system_clock::time_point> since() const { return since_; }
  // Results in a row that contradict the state, and how many change it: "2 of 3" for "going down". More than needed
  // while demotions are frozen.
  unsigned contradicting() const { return contradicting_; }
  unsigned needed() const;
  const CheckPace& pace() const { return pace_; }
  // The newest last; at most kHistory.
  std::vector<HistoryEntry> history() const;
  // The last result that counted; while none did, the last one.
  const CheckResult& last() const { return last_; }
  // The code of the newest result, whether it counted or not; kNone before the first.
  CheckCode newest() const { return taken_ == 0 ? CheckCode::kNone : ring_[(taken_ - 1) % kHistory].code; }

  // How long to wait from the start of the last probe to the start of the next: the interval that applies, less up to
  // 10 % by chance, never more, so that a failure is found within the time the interval promises. It is the fast one
  // while results contradict the state and are not yet enough, the one of down servers while down and not contradicted.
  //
  // chance  0..1
  std::chrono::milliseconds next_wait(double chance) const;

 private:
  void remember(const CheckResult& result, std::chrono::system_clock::time_point at);

  CheckPace pace_;
  Health health_ = Health::kUnknown;
  std::optional<std::chrono::system_clock::time_point> since_;
  unsigned contradicting_ = 0;
  bool next_decides_ = true;
  CheckResult last_{};
  std::array<HistoryEntry, kHistory> ring_{};
  std::size_t taken_ = 0;  // results ever
};

// The first probe of each of many checks, spread over the interval, at most 1 s. chance  0..1
std::chrono::milliseconds start_wait(const CheckPace& pace, double chance);

}  // namespace xdplb
