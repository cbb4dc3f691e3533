// SPDX-License-Identifier: GPL-2.0-only
// VipaService::Impl: runs the machines over one VipaWire. Only for vipa_service*.cpp.
#pragma once

#include "vipa/asker_limit.h"
#include "vipa/askers.h"
#include "vipa/claim_book.h"
#include "vipa/machine_timers.h"
#include "vipa/recent_pairs.h"
#include "vipa/vipa_service.h"
#include "vipa/vipa_wire.h"

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <set>
#include <span>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

namespace xdplb {

// Shared with the pending handlers, which hold it weakly: closing the service ends them.
class VipaService::Impl : public std::enable_shared_from_this<Impl> {
 public:
  explicit Impl(boost::asio::io_context& io);

  void close();
  void on_conflict(ConflictHandler handler) { conflict_handler_ = std::move(handler); }
  void on_event(EventHandler handler) { event_handler_ = std::move(handler); }
  void on_send_error(SendErrorHandler handler) { send_error_handler_ = std::move(handler); }

  Result<void> set_interfaces(const std::vector<VipaInterface>& interfaces);
  void set_vipas(const std::vector<ManagedVipa>& wanted, Clock::time_point event_at);
  void announce_again(std::uint32_t ifindex);
  void set_neighbours(const std::vector<KnownNeighbour>& neighbours) { neighbours_ = neighbours; }
  void set_other_macs(const std::vector<MacAddress>& macs) { other_macs_ = {macs.begin(), macs.end()}; }

  void ask(const IpAddress& address);
  Result<void> move_to(const IpAddress& address, const std::string& entry);
  Result<void> resume(const IpAddress& address);
  Result<void> set_disabled(const IpAddress& address, bool is_disabled);
  void restore(const IpAddress& address, bool is_disabled, const std::string& pinned);

  const VipaCounters& counters() const { return counters_; }
  std::vector<VipaStatus> status() const;
  std::optional<VipaStatus> status(const IpAddress& address) const;

 private:
  struct Vipa {
    VipaMachine machine;
    VipaRole role = VipaRole::kOwner;
    std::uint64_t requests = 0;
    std::uint64_t answers = 0;
    std::uint64_t announcements = 0;
    std::optional<Clock::time_point> last_announcement{};
    std::optional<Clock::time_point> event_at{};  // of a move or claim whose first announcement did not leave yet
    std::optional<std::chrono::nanoseconds> event_to_announcement{};
    ClaimBook claims{};
    std::optional<NdNonce> nonce{};  // of the last probe
  };
  using Vipas = std::unordered_map<IpAddress, Vipa, IpAddressHash>;

  // What one machine wants done.
  struct Wish {
    IpAddress vipa;
    VipaSteps steps;
    Clock::time_point event_at;
  };
  // Over all VIPAs every StopAnswering comes first, then every StartAnswering, then what is sent.
  void run(const std::vector<Wish>& wishes);
  void run_one(const IpAddress& address, VipaSteps steps, Clock::time_point event_at);
  void start(const IpAddress& address, Clock::time_point event_at);
  void take(const IpAddress&, const StopAnswering&) {}   // run() did
  void take(const IpAddress&, const StartAnswering&) {}  // run() did
  void take(const IpAddress& address, const AnnounceSeries& step) { wire_->announce(step.ifindex, address); }
  void take(const IpAddress& address, const AnnounceOnce& step) { wire_->announce_once(step.ifindex, address); }
  void take(const IpAddress& address, const TellNeighbours& step);
  void take(const IpAddress& address, const Ask& step);
  void take(const IpAddress& address, const ArmTimer& step) { timers_.arm(address, step); }
  void take(const IpAddress& address, const TellEvent& step);

  Vipas::iterator add(const IpAddress& address, const VipaRules& rules);
  void drop_vipas_beyond(const std::vector<ManagedVipa>& wanted);
  void set_own_macs(const std::vector<VipaInterface>& interfaces);
  void collect_announced_again(std::uint32_t ifindex, Clock::time_point now, std::vector<Wish>& wishes);
  bool is_own_mac(const MacAddress& mac) const;
  std::vector<AnnounceTarget> find_targets(std::uint32_t ifindex, Family family) const;

  void hear(std::uint32_t ifindex, PacketKind kind, std::span<const std::uint8_t> frame, bool tagged);
  void hear(std::uint32_t ifindex, const Silence& silence);
  void hear(std::uint32_t ifindex, const Answer& answer);
  void hear(std::uint32_t ifindex, const Claim& claim);
  bool is_expected(const Vipa& vipa, const Claim& claim) const;
  void suppress(SilenceReason reason) { ++counters_.suppressed[static_cast<std::size_t>(reason)]; }
  void note_announced(const DueAnnouncement& frame);
  void note_send_error(const std::string& interface, int error_number);

  void arm_timer();
  void run_timers();
  // Calls `tell` from the io_context.
  void post(std::function<void(Impl&)> tell);

  boost::asio::io_context& io_;
  boost::asio::steady_timer timer_;
  std::optional<Clock::time_point> timer_due_{};  // what timer_ waits for
  std::shared_ptr<VipaWire> wire_;
  AnswerView view_;
  Vipas vipas_;
  MachineTimers timers_;
  struct Word {
    bool is_disabled = false;
    std::string pinned{};
  };
  std::map<IpAddress, Word> restored_;  // of VIPAs that did not come yet

  std::set<MacAddress> own_macs_;
  std::map<MacAddress, Clock::time_point> former_macs_;  // frames from them may still wait in a sibling's socket
  std::set<MacAddress> other_macs_;
  std::vector<KnownNeighbour> neighbours_;
  Askers askers_;
  std::map<std::pair<std::uint32_t, Family>, AnnounceTargets> targets_;  // of one run(): the same for all VIPAs
  AskerLimit asker_limit_;
  RecentPairs told_conflicts_;
  VipaCounters counters_;
  std::random_device random_;
  ConflictHandler conflict_handler_;
  EventHandler event_handler_;
  SendErrorHandler send_error_handler_;
};

}  // namespace xdplb
