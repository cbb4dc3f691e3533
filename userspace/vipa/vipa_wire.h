// SPDX-License-Identifier: GPL-2.0-only
// VipaWire: the interfaces VIPAs are spoken for on: their sockets, groups and paced announcements.
#pragma once

#include "base/result.h"
#include "host/multicast.h"
#include "host/packet_socket.h"
#include "vipa/announce_schedule.h"
#include "vipa/token_bucket.h"
#include "vipa/vipa_service.h"

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

namespace xdplb {

// Not thread-safe; its handlers are called within its own calls and must not destroy it.
class VipaWire : public std::enable_shared_from_this<VipaWire> {
 public:
  using Clock = std::chrono::steady_clock;
  struct Handlers {
    std::function<void(std::uint32_t ifindex, PacketKind kind, std::span<const std::uint8_t> frame, bool tagged)> heard;
    std::function<void(std::uint32_t ifindex, const DueAnnouncement& frame)> announced;  // the kernel took it
    std::function<void(const std::string& interface, int error_number)> send_failed;
  };

  VipaWire(boost::asio::io_context& io, Handlers handlers);

  // The whole list of interfaces, as VipaService::set_interfaces.
  Result<void> set_interfaces(const std::vector<VipaInterface>& interfaces);
  // nullptr when there is none.
  const VipaInterface* find(std::uint32_t ifindex) const;

  // IPv6 VIPAs whose solicited-node groups are joined, on every interface; IPv4 ones are ignored. A join that failed is
  // tried again by the next call of join_groups().
  void add_group_of(const IpAddress& vipa);
  void drop_group_of(const IpAddress& vipa);
  void join_groups();

  // Announcements; without effect on an interface that is not there or not up. They leave with pump().
  void announce(std::uint32_t ifindex, const IpAddress& vipa);
  void announce_once(std::uint32_t ifindex, const IpAddress& vipa);
  void tell(std::uint32_t ifindex, const IpAddress& vipa, const AnnounceTargets& targets);
  void cancel(std::uint32_t ifindex, const IpAddress& vipa);

  // Sends what is due and sees to the rest by itself.
  void pump();
  // The same from the io_context, so that what is said before it leaves together.
  void post_pump();

  // Sends one frame now. False when there is no such interface or the kernel did not take it.
  bool send(std::uint32_t ifindex, Family family, std::span<const std::uint8_t> frame);

  // Takes one answer's share of the interface's answers.
  bool may_answer(std::uint32_t ifindex, Clock::time_point now);

 private:
  static constexpr double kAnswerRate = 2000;  // answers a second on one interface
  static constexpr double kAnswerBurst = 500;

  struct Interface {
    VipaInterface settings;
    std::unique_ptr<PacketSocket> arp{};
    std::unique_ptr<PacketSocket> nd{};
    AnnounceSchedule schedule{};
    TokenBucket answers{kAnswerRate, kAnswerBurst};
    std::unordered_set<IpAddress, IpAddressHash> joined{};  // VIPAs whose group we are in here
    bool was_join_failure_logged = false;
  };

  Result<void> set_interface(const VipaInterface& settings);
  Result<void> open_socket(Interface& interface, PacketKind kind);
  void drop_interfaces_beyond(const std::vector<VipaInterface>& wanted);
  void join_groups(Interface& interface);
  Interface* find_speaker(std::uint32_t ifindex);
  bool send(Interface& interface, Family family, std::span<const std::uint8_t> frame);
  void send_announcement(Interface& interface, const DueAnnouncement& frame);
  void wake_at(std::optional<Clock::time_point> wake);

  boost::asio::io_context& io_;
  boost::asio::steady_timer timer_;
  Handlers handlers_;
  std::unordered_map<std::uint32_t, Interface> interfaces_;
  std::unordered_set<IpAddress, IpAddressHash> group_vipas_;
  MulticastGroups groups_;
  bool is_pump_posted_ = false;
};

}  // namespace xdplb
