// SPDX-License-Identifier: GPL-2.0-only
// AskerLimit: so many answers a second for each asker. Pure; bounded, for MACs come from the network.
#pragma once

#include "net/address.h"
#include "vipa/token_bucket.h"

#include <chrono>
#include <cstddef>
#include <map>

namespace xdplb {

class AskerLimit {
 public:
  using Clock = std::chrono::steady_clock;
  static constexpr double kRate = 50;  // answers a second
  static constexpr double kBurst = 50;
  static constexpr std::size_t kMaxAskers = 4096;

  // Whether one more answer may go to `asker`.
  bool take(const MacAddress& asker, Clock::time_point now) {
    auto entry = askers_.find(asker);
    if (entry == askers_.end()) {
      if (askers_.size() >= kMaxAskers) make_room(now);
      entry = askers_.try_emplace(asker).first;
    }
    entry->second.last = now;
    return entry->second.bucket.take(1, now);
  }

 private:
  struct Asker {
    TokenBucket bucket{kRate, kBurst};
    Clock::time_point last{};
  };

  void make_room(Clock::time_point now) {
    // The bucket of who was silent for so long is full again.
    constexpr auto kRefilled = std::chrono::duration<double>(kBurst / kRate);
    std::erase_if(askers_, [&](const auto& entry) { return now - entry.second.last > kRefilled; });
    // More MACs within a second than a LAN has hosts: made up ones. The interface's own limit still holds.
    if (askers_.size() >= kMaxAskers) askers_.clear();
  }

  std::map<MacAddress, Asker> askers_;
};

}  // namespace xdplb
