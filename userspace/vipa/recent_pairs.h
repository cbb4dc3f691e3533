// SPDX-License-Identifier: GPL-2.0-only
// RecentPairs: which MACs were dealt with about which VIPA a while ago. Pure; bounded, for MACs come from the network.
#pragma once

#include "net/address.h"

#include <chrono>
#include <cstddef>
#include <map>
#include <utility>

namespace xdplb {

class RecentPairs {
 public:
  using Clock = std::chrono::steady_clock;
  using Pair = std::pair<MacAddress, IpAddress>;
  static constexpr std::size_t kMaxPairs = 4096;

  explicit RecentPairs(Clock::duration window) : window_(window) {}

  // Notes the pair, unless it was noted within the window: then false.
  bool note(const Pair& pair, Clock::time_point now) {
    auto entry = pairs_.find(pair);
    if (entry != pairs_.end() && now - entry->second < window_) return false;
    if (entry == pairs_.end() && pairs_.size() >= kMaxPairs) {
      std::erase_if(pairs_, [&](const auto& known) { return now - known.second >= window_; });
      // More MACs within the window than a LAN has hosts: made up ones.
      if (pairs_.size() >= kMaxPairs) pairs_.clear();
    }
    pairs_[pair] = now;
    return true;
  }

 private:
  Clock::duration window_;
  std::map<Pair, Clock::time_point> pairs_;
};

}  // namespace xdplb
