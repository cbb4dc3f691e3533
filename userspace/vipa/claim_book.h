// SPDX-License-Identifier: GPL-2.0-only
// ClaimBook: who else claimed one VIPA. Pure; bounded, for MACs come from the network.
#pragma once

#include "vipa/answer.h"
#include "vipa/vipa_service.h"

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace xdplb {

class ClaimBook {
 public:
  using Clock = std::chrono::steady_clock;
  static constexpr std::size_t kMaxClaimants = 8;
  // One announcement is up to two frames, and each of our interfaces on the LAN hears it.
  static constexpr auto kOneClaim = std::chrono::milliseconds(100);

  // False when it is the same claim once more.
  bool note(std::uint32_t ifindex, const Claim& claim, bool is_expected, Clock::time_point now) {
    auto same =
        std::find_if(claimants_.begin(), claimants_.end(), [&](const auto& c) { return c.heard.mac == claim.mac; });
    const bool is_known = same != claimants_.end();
    const bool is_same_kind = is_known && same->was_probe == claim.is_probe && same->was_answer == claim.is_answer;
    if (is_same_kind && now - same->heard.last < kOneClaim) return false;
    Claimant latest{};
    if (is_known) latest = *same;
    if (is_known || claimants_.size() == kMaxClaimants) claimants_.erase(is_known ? same : claimants_.end() - 1);
    latest.heard.mac = claim.mac;
    latest.heard.ifindex = ifindex;
    latest.heard.count += 1;
    latest.heard.last = now;
    latest.heard.is_own_kernel = claim.is_own_kernel;
    latest.heard.is_expected = is_expected;
    latest.was_probe = claim.is_probe;
    latest.was_answer = claim.is_answer;
    claimants_.insert(claimants_.begin(), latest);
    return true;
  }

  // Last heard first.
  std::vector<ClaimHeard> list() const {
    std::vector<ClaimHeard> heard;
    heard.reserve(claimants_.size());
    for (const auto& claimant : claimants_) heard.push_back(claimant.heard);
    return heard;
  }

 private:
  struct Claimant {
    ClaimHeard heard;
    bool was_probe = false;
    bool was_answer = false;
  };
  std::vector<Claimant> claimants_;  // last heard first
};

}  // namespace xdplb
