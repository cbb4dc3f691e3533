// SPDX-License-Identifier: GPL-2.0-only
// MachineTimers: the timers of all VIPA machines in one queue. Pure: the clock is the caller's.
#pragma once

#include "model/vipa_machine.h"
#include "net/address.h"

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <tuple>
#include <utility>
#include <vector>

namespace xdplb {

class MachineTimers {
 public:
  using Clock = std::chrono::steady_clock;
  struct Due {
    IpAddress vipa;
    VipaTimer timer = VipaTimer::kProbe;
    std::uint64_t epoch = 0;
    Clock::time_point due{};
  };

  // A timer of the same VIPA and kind is replaced.
  void arm(const IpAddress& vipa, const ArmTimer& wanted) {
    auto [armed, is_new] = armed_.try_emplace({vipa, wanted.timer});
    if (!is_new) queue_.erase({armed->second.due, vipa, wanted.timer});
    armed->second = {.vipa = vipa, .timer = wanted.timer, .epoch = wanted.epoch, .due = wanted.due};
    queue_.insert({wanted.due, vipa, wanted.timer});
  }

  // All timers of a VIPA that is gone.
  void drop(const IpAddress& vipa) {
    auto first = armed_.lower_bound({vipa, VipaTimer{}});
    auto last = first;
    for (; last != armed_.end() && last->first.first == vipa; ++last) {
      queue_.erase({last->second.due, vipa, last->first.second});
    }
    armed_.erase(first, last);
  }

  // Takes out those whose time has come, the earliest first.
  std::vector<Due> take_due(Clock::time_point now) {
    std::vector<Due> due;
    while (!queue_.empty() && std::get<0>(*queue_.begin()) <= now) {
      auto armed = armed_.find({std::get<1>(*queue_.begin()), std::get<2>(*queue_.begin())});
      due.push_back(armed->second);
      armed_.erase(armed);
      queue_.erase(queue_.begin());
    }
    return due;
  }

  std::optional<Clock::time_point> next() const {
    if (queue_.empty()) return std::nullopt;
    return std::get<0>(*queue_.begin());
  }

 private:
  std::map<std::pair<IpAddress, VipaTimer>, Due> armed_;
  std::set<std::tuple<Clock::time_point, IpAddress, VipaTimer>> queue_;
};

}  // namespace xdplb
