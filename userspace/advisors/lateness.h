// SPDX-License-Identifier: GPL-2.0-only
// LatenessMeter: the worst of the last minute, in memory that does not grow. Pure.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>

namespace xdplb {

// How late probes began against their plan.
struct Lateness {
  std::uint64_t probes = 0;           // since the start
  std::chrono::microseconds worst{};  // of the last 60 s
  double worst_of_interval = 0;       // of the last 60 s, as a part of the interval
};

class LatenessMeter {
 public:
  using Clock = std::chrono::steady_clock;

  // A probe began.
  //
  // late      against its plan, not negative
  // interval  that its plan kept, not 0
  void add(Clock::time_point now, Clock::duration late, Clock::duration interval);
  Lateness read(Clock::time_point now) const;

 private:
  static constexpr std::size_t kSeconds = 60;
  struct Second {
    std::int64_t number = -1;  // since the clock's epoch
    Clock::duration worst{};
    double worst_of_interval = 0;
  };

  std::uint64_t probes_ = 0;
  std::array<Second, kSeconds> seconds_{};  // by number modulo kSeconds
};

}  // namespace xdplb
