// SPDX-License-Identifier: GPL-2.0-only
// AnnounceSchedule: which announcement of which VIPA leaves one interface when. Pure: the clock is the caller's.
#pragma once

#include "host/host_state.h"
#include "vipa/token_bucket.h"

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <unordered_map>
#include <utility>
#include <vector>

namespace xdplb {

// Gaps between the announcements of one IPv4 VIPA, so that they go out at 0, 1.1, 2.2, 3.3, 4.4, 10 and 30 s. More than
// a second apart, because Linux before 4.12 ignores a change within a second of the last (locktime); late ones for
// switch ports that forward late (STP, LACP).
inline constexpr std::array<std::chrono::milliseconds, 6> kAnnouncementGaps = {
    std::chrono::milliseconds(1100), std::chrono::milliseconds(1100), std::chrono::milliseconds(1100),
    std::chrono::milliseconds(1100), std::chrono::milliseconds(5600), std::chrono::milliseconds(20000)};
// Of an IPv6 VIPA: at 0, 1 and 2 s (RFC 4861 7.2.6: three, a second apart), 10 and 30 s.
inline constexpr std::array<std::chrono::milliseconds, 4> kAdvertisementGaps = {
    std::chrono::milliseconds(1000), std::chrono::milliseconds(1000), std::chrono::milliseconds(8000),
    std::chrono::milliseconds(20000)};
inline constexpr double kAnnouncementRate = 200;  // frames a second on one interface; switches police ARP
inline constexpr double kAnnouncementBurst = 50;  // frames at once

// Who is told by unicast.
struct AnnounceTarget {
  IpAddress address;
  MacAddress mac;
  auto operator<=>(const AnnounceTarget&) const = default;
};
// Shared by the VIPAs that moved together.
using AnnounceTargets = std::shared_ptr<const std::vector<AnnounceTarget>>;

enum class AnnouncementForm : std::uint8_t {
  kFirst,     // ARP: the request; ND: the advertisement
  kReply,     // ARP only: the same claim as a reply; follows each request
  kDirected,  // to one neighbour
};

// One frame to send.
struct DueAnnouncement {
  IpAddress vipa;
  AnnouncementForm form = AnnouncementForm::kFirst;
  AnnounceTarget target{};  // of kDirected
  bool operator==(const DueAnnouncement&) const = default;
};

// All frames are paced by one bucket. What leaves first while frames wait: single announcements (a defence must have
// the last word soon); then of the series the first request of every VIPA, their replies, the second requests, and so
// on, for one frame is enough to correct most neighbours; then unicast, one neighbour of every VIPA in turn.
class AnnounceSchedule {
 public:
  using Clock = std::chrono::steady_clock;

  // Announces `vipa` from now on; a series that still runs starts over, but keeps its place while its first frame
  // waits.
  void start(const IpAddress& vipa, Clock::time_point now);
  // Announces it one time more, beside a series; one that still waits will do.
  void add_once(const IpAddress& vipa, Clock::time_point now);
  // Tells it to each of them; replaces those of an earlier call who are still waiting. May be empty, not null.
  void tell(const IpAddress& vipa, const AnnounceTargets& targets);

  void cancel(const IpAddress& vipa);
  void clear();

  // The frames to send now, within the frame rate. An announcement that is late moves those behind it in its series, so
  // none are sent close together.
  std::vector<DueAnnouncement> take_due(Clock::time_point now);

  // When to call take_due again; nullopt when nothing is left to announce.
  std::optional<Clock::time_point> next_wake(Clock::time_point now);

 private:
  static constexpr std::size_t kRounds = kAnnouncementGaps.size() + 1;
  static constexpr std::size_t kQueues = 2 * kRounds;  // of each round the requests, then the replies

  // Frames of one kind in the order they are due; the number keeps those of one instant in the order they came.
  using Queue = std::map<std::pair<Clock::time_point, std::uint64_t>, IpAddress>;
  struct Place {
    std::size_t queue = 0;
    Queue::iterator entry{};
  };
  using Places = std::unordered_map<IpAddress, Place, IpAddressHash>;

  void put(Queue& queue, Place& place, const IpAddress& vipa, Clock::time_point due);
  void advance(Places::iterator series, Clock::time_point now);
  void advance_once(Places::iterator once, Clock::time_point now);
  void take_series(Clock::time_point now, std::vector<DueAnnouncement>& due);
  void take_once(Clock::time_point now, std::vector<DueAnnouncement>& due);
  void take_directed(Clock::time_point now, std::vector<DueAnnouncement>& due);

  std::array<Queue, kQueues> rounds_;
  std::array<Queue, 2> singles_;  // requests, replies
  Places series_;                 // where each VIPA's next frame waits
  Places once_;
  struct Told {
    AnnounceTargets targets;
    std::size_t next = 0;  // at the end: nobody is left to tell
    bool is_done() const { return next == targets->size(); }
  };
  std::unordered_map<IpAddress, Told, IpAddressHash> told_;
  std::deque<IpAddress> turns_;  // the keys of told_: whose neighbour is told next
  std::uint64_t last_number_ = 0;
  TokenBucket bucket_{kAnnouncementRate, kAnnouncementBurst};
};

}  // namespace xdplb
