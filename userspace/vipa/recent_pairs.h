// SPDX-License-Identifier: GPL-2.0-only
// RecentPairs: which interface last dealt with a MAC about a VIPA, for a while. Pure; bounded, for MACs come from the
// network.
#pragma once

#include "net/address.h"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <utility>

namespace xdplb {

class RecentPairs {
 public:
  using Clock = std::chrono::steady_clock;
  using Pair = std::pair<MacAddress, IpAddress>;
  static constexpr std::size_t kMaxPairs = 4096;

  explicit RecentPairs(Clock::duration window) : window_(window) {}

  // The interface put() last, unless that was longer ago than the window.
  std::optional<std::uint32_t> holder(const Pair& pair, Clock::time_point now) const {
    auto entry = pairs_.find(pair);
    if (entry == pairs_.end() || now - entry->second.at > window_) return std::nullopt;
    return entry->second.ifindex;
  }

  void put(const Pair& pair, std::uint32_t ifindex, Clock::time_point now) {
    if (pairs_.size() >= kMaxPairs) {
      std::erase_if(pairs_, [&](const auto& entry) { return now - entry.second.at > window_; });
      // More MACs within the window than a LAN has hosts: made up ones.
      if (pairs_.size() >= kMaxPairs) pairs_.clear();
    }
    pairs_[pair] = {.ifindex = ifindex, .at = now};
  }

 private:
  struct Holder {
    std::uint32_t ifindex = 0;
    Clock::time_point at;
  };
  Clock::duration window_;
  std::map<Pair, Holder> pairs_;
};

}  // namespace xdplb
