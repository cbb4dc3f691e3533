// SPDX-License-Identifier: GPL-2.0-only
// AnnounceSchedule: which VIPA is announced when on one interface. Pure: the clock is the caller's.
#pragma once

#include "host/host_state.h"
#include "vipa/token_bucket.h"

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <unordered_map>
#include <vector>

namespace xdplb {

// Gaps between the announcements of one VIPA, so that they go out at 0, 1.1, 2.2, 3.3, 4.4, 10 and 30 s. More than a
// second apart, because Linux before 4.12 ignores a change within a second of the last (locktime); late ones for switch
// ports that forward late (STP, LACP).
inline constexpr std::array<std::chrono::milliseconds, 6> kAnnouncementGaps = {
    std::chrono::milliseconds(1100), std::chrono::milliseconds(1100), std::chrono::milliseconds(1100),
    std::chrono::milliseconds(1100), std::chrono::milliseconds(5600), std::chrono::milliseconds(20000)};
inline constexpr double kAnnouncementRate = 200;  // frames a second on one interface; switches police ARP
inline constexpr double kAnnouncementBurst = 50;  // frames at once

// Frames of one announcement: a request and a reply in ARP, one advertisement in ND.
inline unsigned announcement_frames(const IpAddress& vipa) { return vipa.is_v4() ? 2 : 1; }

class AnnounceSchedule {
 public:
  using Clock = std::chrono::steady_clock;

  // Announces `vipa` from now on; a series that still runs starts over.
  void start(const IpAddress& vipa, Clock::time_point now);
  void cancel(const IpAddress& vipa);
  void clear();

  // The VIPAs to announce now, each at most once, within the frame rate. The first announcement of every VIPA comes
  // before the second of any; one that is late moves those behind it, so none are sent close together.
  std::vector<IpAddress> take_due(Clock::time_point now);

  // When to call take_due again; nullopt when nothing is left to announce.
  std::optional<Clock::time_point> next_wake(Clock::time_point now);

 private:
  static constexpr std::size_t kRounds = kAnnouncementGaps.size() + 1;
  struct Entry {
    IpAddress vipa;
    std::uint64_t series = 0;
    Clock::time_point due;
  };
  void drop_stale_fronts();
  bool is_live(const Entry& entry) const;

  std::array<std::deque<Entry>, kRounds> rounds_;  // each ordered by due: entries come in the order of the clock
  std::unordered_map<IpAddress, std::uint64_t, IpAddressHash> series_;  // the one that counts, by VIPA
  std::uint64_t last_series_ = 0;
  TokenBucket bucket_{kAnnouncementRate, kAnnouncementBurst};
};

}  // namespace xdplb
