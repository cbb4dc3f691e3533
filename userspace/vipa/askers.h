// SPDX-License-Identifier: GPL-2.0-only
// Askers: who asked for a VIPA lately and so holds an entry that a move makes wrong. Pure; bounded, for askers come
// from the network.
#pragma once

#include "net/address.h"
#include "vipa/announce_schedule.h"

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <vector>

namespace xdplb {

class Askers {
 public:
  using Clock = std::chrono::steady_clock;
  static constexpr std::size_t kMaxAskers = 64;              // an interface, and told of one move
  static constexpr auto kLately = std::chrono::seconds(60);  // an entry is used longer, but then asks again by itself

  // `ip` at `mac` was answered to a question that the interface heard.
  void note(std::uint32_t ifindex, const IpAddress& ip, const MacAddress& mac, Clock::time_point now) {
    auto& askers = by_interface_[ifindex];
    auto same =
        std::find_if(askers.begin(), askers.end(), [&](const Asker& asker) { return asker.target.address == ip; });
    if (same == askers.end() && askers.size() == kMaxAskers) {
      same = std::min_element(askers.begin(), askers.end(), [](const auto& a, const auto& b) { return a.at < b.at; });
    }
    if (same == askers.end()) same = askers.emplace(same);
    *same = {.target = {.address = ip, .mac = mac}, .at = now};
  }

  // Of one family, on any interface (the one that heard them may be the one that failed), the latest first, each
  // address once.
  std::vector<AnnounceTarget> recent(Family family, Clock::time_point now) const {
    std::vector<Asker> found;
    for (const auto& [ifindex, askers] : by_interface_) {
      for (const auto& asker : askers) {
        if (now - asker.at <= kLately && asker.target.address.family() == family) found.push_back(asker);
      }
    }
    std::sort(found.begin(), found.end(), [](const Asker& a, const Asker& b) { return a.at > b.at; });
    std::vector<AnnounceTarget> targets;
    for (const auto& asker : found) {
      auto same = [&](const AnnounceTarget& target) { return target.address == asker.target.address; };
      if (std::any_of(targets.begin(), targets.end(), same)) continue;
      targets.push_back(asker.target);
      if (targets.size() == kMaxAskers) break;
    }
    return targets;
  }

  // Forgets interfaces that are gone and whose last asker asked too long ago.
  void forget(const std::function<bool(std::uint32_t ifindex)>& is_gone, Clock::time_point now) {
    std::erase_if(by_interface_, [&](const auto& entry) {
      auto is_old = [&](const Asker& asker) { return now - asker.at > kLately; };
      return is_gone(entry.first) && std::all_of(entry.second.begin(), entry.second.end(), is_old);
    });
  }

 private:
  struct Asker {
    AnnounceTarget target;
    Clock::time_point at;
  };
  std::map<std::uint32_t, std::vector<Asker>> by_interface_;
};

}  // namespace xdplb
