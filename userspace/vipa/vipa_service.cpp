// SPDX-License-Identifier: GPL-2.0-only
#include "vipa/vipa_service.h"

#include "base/log.h"
#include "host/host_state.h"
#include "host/multicast.h"
#include "host/packet_socket.h"
#include "net/arp_packet.h"
#include "net/nd_packet.h"
#include "vipa/announce_schedule.h"
#include "vipa/recent_pairs.h"

#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>

#include <algorithm>
#include <chrono>
#include <set>
#include <unordered_map>
#include <unordered_set>
#include <utility>

namespace xdplb {
namespace {

namespace asio = boost::asio;
using Clock = std::chrono::steady_clock;

constexpr double kAnswerRate = 2000;  // answers a second on one interface
constexpr double kAnswerBurst = 500;
constexpr auto kConflictSilence = std::chrono::seconds(10);  // RFC 5227 DEFEND_INTERVAL
// An asker heard by two interfaces is heard within microseconds; it asks again after a second (RFC 4861 RetransTimer).
constexpr auto kSiblingWindow = std::chrono::milliseconds(900);

struct Interface {
  VipaInterface settings;
  std::unique_ptr<PacketSocket> arp;
  std::unique_ptr<PacketSocket> nd;
  AnnounceSchedule schedule;
  TokenBucket answers{kAnswerRate, kAnswerBurst};
  std::unordered_set<IpAddress, IpAddressHash> joined;  // IPv6 VIPAs whose solicited-node group we are in here
  bool was_join_failure_logged = false;
};

struct Vipa {
  Election election;
  std::uint64_t answers = 0;
  std::uint64_t announcements = 0;
  std::uint64_t conflicts = 0;
  std::optional<MacAddress> last_claimant;
};

}  // namespace

// Shared with the pending handlers, which hold it weakly: closing the service ends them.
class VipaService::Impl : public std::enable_shared_from_this<Impl> {
 public:
  explicit Impl(asio::io_context& io) : io_(io), timer_(io) {
    view_.find_vipa = [this](const IpAddress& address) -> const Election* {
      auto vipa = vipas_.find(address);
      return vipa == vipas_.end() ? nullptr : &vipa->second.election;
    };
    view_.find_interface_mac = [this](std::uint32_t ifindex) -> const MacAddress* {
      auto entry = interfaces_.find(ifindex);
      bool can_speak = entry != interfaces_.end() && entry->second.settings.is_up;
      return can_speak ? &entry->second.settings.mac : nullptr;
    };
    view_.is_own_mac = [this](const MacAddress& mac) { return own_macs_.contains(mac) || other_macs_.contains(mac); };
  }

  void close() {
    handler_ = nullptr;
    interfaces_.clear();
    timer_.cancel();
  }

  void set_handler(ConflictHandler handler) { handler_ = std::move(handler); }
  void set_other_macs(const std::vector<MacAddress>& macs) { other_macs_ = {macs.begin(), macs.end()}; }
  Result<void> set_interfaces(const std::vector<VipaInterface>& interfaces);
  void set_vipas(const std::vector<OwnedVipa>& vipas);
  const VipaCounters& counters() const { return counters_; }
  std::vector<VipaStatus> status() const;

 private:
  Result<void> set_interface(const VipaInterface& settings);
  Result<void> open_sockets(Interface& interface);
  void drop_interfaces_beyond(const std::vector<VipaInterface>& wanted);
  void drop_vipas_beyond(const std::vector<OwnedVipa>& wanted);
  void stop(const IpAddress& address, std::uint32_t ifindex);
  void start(const IpAddress& address, std::uint32_t ifindex);
  void join_groups(Interface& interface);

  void hear(std::uint32_t ifindex, const Verdict& verdict);
  void take(std::uint32_t ifindex, const Silence& silence);
  void take(std::uint32_t ifindex, const Answer& answer);
  void take(std::uint32_t ifindex, const Claim& claim);
  void suppress(SilenceReason reason) { ++counters_.suppressed[static_cast<std::size_t>(reason)]; }

  void schedule_pump();
  void pump();
  void announce(Interface& interface, const IpAddress& address);
  bool send(Interface& interface, Family family, std::span<const std::uint8_t> frame);

  asio::io_context& io_;
  asio::steady_timer timer_;
  AnswerView view_;
  std::unordered_map<std::uint32_t, Interface> interfaces_;
  std::unordered_map<IpAddress, Vipa, IpAddressHash> vipas_;
  std::set<MacAddress> own_macs_;
  std::set<MacAddress> other_macs_;
  MulticastGroups groups_;
  RecentPairs answered_{kSiblingWindow};     // asker and VIPA, when any interface that is asked may answer
  RecentPairs conflicts_{kConflictSilence};  // claimant and VIPA
  VipaCounters counters_;
  ConflictHandler handler_;
  bool is_pump_posted_ = false;
};

Result<void> VipaService::Impl::set_interfaces(const std::vector<VipaInterface>& interfaces) {
  drop_interfaces_beyond(interfaces);
  own_macs_.clear();
  for (const auto& settings : interfaces) own_macs_.insert(settings.mac);
  Result<void> first_failure;
  for (const auto& settings : interfaces) {
    auto set = set_interface(settings);
    if (!set && first_failure) first_failure = set;
  }
  schedule_pump();
  return first_failure;
}

void VipaService::Impl::drop_interfaces_beyond(const std::vector<VipaInterface>& wanted) {
  std::unordered_set<std::uint32_t> kept;
  for (const auto& settings : wanted) kept.insert(settings.ifindex);
  for (auto entry = interfaces_.begin(); entry != interfaces_.end();) {
    if (kept.contains(entry->first)) {
      ++entry;
      continue;
    }
    groups_.leave_all(entry->first);
    entry = interfaces_.erase(entry);
  }
}

Result<void> VipaService::Impl::set_interface(const VipaInterface& settings) {
  Interface& interface = interfaces_[settings.ifindex];
  const VipaInterface before = std::exchange(interface.settings, settings);
  if (!settings.is_up) interface.schedule.clear();
  auto opened = open_sockets(interface);
  join_groups(interface);
  bool must_tell = settings.is_up && (!before.is_up || before.mac != settings.mac);
  if (!must_tell) return opened;
  for (const auto& [address, vipa] : vipas_) {
    if (vipa.election.owner == settings.ifindex) start(address, settings.ifindex);
  }
  return opened;
}

Result<void> VipaService::Impl::open_sockets(Interface& interface) {
  std::uint32_t ifindex = interface.settings.ifindex;
  if (!interface.arp) {
    auto socket = PacketSocket::open(io_, ifindex, interface.settings.name, PacketKind::kArp);
    if (!socket) return socket.error();
    interface.arp = std::move(*socket);
    interface.arp->on_frame([weak = weak_from_this(), ifindex](std::span<const std::uint8_t> frame, bool tagged) {
      if (auto self = weak.lock()) self->hear(ifindex, answer_arp(frame, tagged, ifindex, self->view_));
    });
  }
  if (!interface.nd) {
    auto socket = PacketSocket::open(io_, ifindex, interface.settings.name, PacketKind::kNeighborDiscovery);
    if (!socket) return socket.error();
    interface.nd = std::move(*socket);
    interface.nd->on_frame([weak = weak_from_this(), ifindex](std::span<const std::uint8_t> frame, bool tagged) {
      if (auto self = weak.lock()) self->hear(ifindex, answer_nd(frame, tagged, ifindex, self->view_));
    });
  }
  return {};
}

// On every interface, the owner or not: the switch must know us as a listener before a failover, not after it.
void VipaService::Impl::join_groups(Interface& interface) {
  for (const auto& [address, vipa] : vipas_) {
    if (address.is_v4() || interface.joined.contains(address)) continue;
    auto joined = groups_.join(interface.settings.ifindex, solicited_node_group(address));
    if (joined) {
      interface.joined.insert(address);
      continue;
    }
    if (!std::exchange(interface.was_join_failure_logged, true)) {
      log_warning("interface " + interface.settings.name + ": " + joined.error().message);
    }
    return;  // the next change tries again
  }
}

void VipaService::Impl::set_vipas(const std::vector<OwnedVipa>& vipas) {
  drop_vipas_beyond(vipas);
  std::vector<const OwnedVipa*> changed;
  for (const auto& wanted : vipas) {
    auto [entry, is_new] = vipas_.try_emplace(wanted.address);
    Election before = std::exchange(entry->second.election, wanted.election);
    if (before.decides_like(wanted.election)) continue;
    if (before.owner != wanted.election.owner) stop(wanted.address, before.owner);
    changed.push_back(&wanted);
  }
  // Only now: every interface that lost a VIPA is silent before one that gained it speaks.
  for (const auto* wanted : changed) start(wanted->address, wanted->election.owner);
  for (auto& [ifindex, interface] : interfaces_) join_groups(interface);
  schedule_pump();
}

void VipaService::Impl::drop_vipas_beyond(const std::vector<OwnedVipa>& wanted) {
  std::unordered_set<IpAddress, IpAddressHash> kept;
  for (const auto& vipa : wanted) kept.insert(vipa.address);
  for (auto entry = vipas_.begin(); entry != vipas_.end();) {
    if (kept.contains(entry->first)) {
      ++entry;
      continue;
    }
    stop(entry->first, entry->second.election.owner);
    for (auto& [ifindex, interface] : interfaces_) {
      if (interface.joined.erase(entry->first) > 0) groups_.leave(ifindex, solicited_node_group(entry->first));
    }
    entry = vipas_.erase(entry);
  }
}

void VipaService::Impl::stop(const IpAddress& address, std::uint32_t ifindex) {
  auto entry = interfaces_.find(ifindex);
  if (entry != interfaces_.end()) entry->second.schedule.cancel(address);
}

void VipaService::Impl::start(const IpAddress& address, std::uint32_t ifindex) {
  auto entry = interfaces_.find(ifindex);
  if (entry != interfaces_.end() && entry->second.settings.is_up) entry->second.schedule.start(address, Clock::now());
}

void VipaService::Impl::hear(std::uint32_t ifindex, const Verdict& verdict) {
  std::visit([&](const auto& outcome) { take(ifindex, outcome); }, verdict);
}

void VipaService::Impl::take(std::uint32_t, const Silence& silence) {
  if (silence.reason == SilenceReason::kNotForVipa) return;
  if (silence.is_question) ++counters_.requests;
  suppress(silence.reason);
}

void VipaService::Impl::take(std::uint32_t ifindex, const Answer& answer) {
  ++counters_.requests;
  auto now = Clock::now();
  Vipa& vipa = vipas_.at(answer.vipa);
  // Two interfaces on one LAN hear the same question; the first to take it up is the one that answers.
  bool any_may_answer = vipa.election.kind == ElectionKind::kAnswerWhereAsked;
  if (any_may_answer && answered_.holder({answer.asker, answer.vipa}, now).value_or(ifindex) != ifindex) {
    return suppress(SilenceReason::kAnsweredElsewhere);
  }
  Interface& interface = interfaces_.at(answer.ifindex);
  if (!interface.answers.take(1, now)) return suppress(SilenceReason::kRateLimited);
  if (!send(interface, answer.vipa.family(), answer.frame)) return;
  ++counters_.answers;
  ++vipa.answers;
  if (any_may_answer) answered_.put({answer.asker, answer.vipa}, ifindex, now);
}

void VipaService::Impl::take(std::uint32_t ifindex, const Claim& claim) {
  ++counters_.conflicts;
  Vipa& vipa = vipas_.at(claim.vipa);
  ++vipa.conflicts;
  vipa.last_claimant = claim.mac;
  auto now = Clock::now();
  if (conflicts_.holder({claim.mac, claim.vipa}, now)) return;
  conflicts_.put({claim.mac, claim.vipa}, ifindex, now);
  if (handler_) handler_({.address = claim.vipa, .ifindex = ifindex, .mac = claim.mac});  // may call us back: last
}

// Posted, so that set_interfaces and set_vipas take effect together before a frame leaves.
void VipaService::Impl::schedule_pump() {
  if (std::exchange(is_pump_posted_, true)) return;
  asio::post(io_, [weak = weak_from_this()] {
    auto self = weak.lock();
    if (!self) return;
    self->is_pump_posted_ = false;
    self->pump();
  });
}

void VipaService::Impl::pump() {
  auto now = Clock::now();
  std::optional<Clock::time_point> wake;
  for (auto& [ifindex, interface] : interfaces_) {
    for (const auto& address : interface.schedule.take_due(now)) announce(interface, address);
    auto next = interface.schedule.next_wake(now);
    if (next) wake = wake ? std::min(*wake, *next) : *next;
  }
  timer_.cancel();
  if (!wake) return;
  timer_.expires_at(*wake);
  timer_.async_wait([weak = weak_from_this()](const boost::system::error_code& error) {
    auto self = weak.lock();
    if (!error && self) self->pump();
  });
}

void VipaService::Impl::announce(Interface& interface, const IpAddress& address) {
  auto vipa = vipas_.find(address);
  if (vipa == vipas_.end()) return;
  const VipaInterface& settings = interface.settings;
  std::uint64_t sent = 0;
  if (address.is_v4()) {
    sent += send(interface, Family::kV4, encode_arp(arp_announcement(settings.mac, address)));
    sent += send(interface, Family::kV4, encode_arp(arp_announcement_reply(settings.mac, address)));
  } else {
    auto advertisement = nd_announcement(settings.mac, settings.link_local.value_or(address), address);
    sent += send(interface, Family::kV6, encode_advertisement(advertisement));
  }
  counters_.announcements += sent;
  vipa->second.announcements += sent;
}

bool VipaService::Impl::send(Interface& interface, Family family, std::span<const std::uint8_t> frame) {
  auto& socket = family == Family::kV4 ? interface.arp : interface.nd;
  if (socket) {
    auto sent = socket->send(frame);
    if (sent) return true;
    log_debug(sent.error().message);
  }
  ++counters_.send_errors;
  return false;
}

std::vector<VipaStatus> VipaService::Impl::status() const {
  std::vector<VipaStatus> list;
  list.reserve(vipas_.size());
  for (const auto& [address, vipa] : vipas_) {
    list.push_back({.address = address,
                    .election = vipa.election,
                    .answers = vipa.answers,
                    .announcements = vipa.announcements,
                    .conflicts = vipa.conflicts,
                    .last_claimant = vipa.last_claimant});
  }
  std::sort(list.begin(), list.end(), [](const auto& a, const auto& b) { return a.address < b.address; });
  return list;
}

VipaService::VipaService(std::shared_ptr<Impl> impl) : impl_(std::move(impl)) {}

VipaService::~VipaService() { impl_->close(); }

Result<std::unique_ptr<VipaService>> VipaService::open(asio::io_context& io) {
  return std::unique_ptr<VipaService>(new VipaService(std::make_shared<Impl>(io)));
}

void VipaService::on_conflict(ConflictHandler handler) { impl_->set_handler(std::move(handler)); }

Result<void> VipaService::set_interfaces(const std::vector<VipaInterface>& interfaces) {
  return impl_->set_interfaces(interfaces);
}

void VipaService::set_vipas(const std::vector<OwnedVipa>& vipas) { impl_->set_vipas(vipas); }

void VipaService::set_own_macs(const std::vector<MacAddress>& macs) { impl_->set_other_macs(macs); }

const VipaCounters& VipaService::counters() const { return impl_->counters(); }

std::vector<VipaStatus> VipaService::status() const { return impl_->status(); }

}  // namespace xdplb
