// SPDX-License-Identifier: GPL-2.0-only
#include "vipa/vipa_wire.h"

#include "base/log.h"
#include "net/arp_packet.h"
#include "net/nd_packet.h"

#include <boost/asio/post.hpp>

#include <algorithm>
#include <utility>

namespace xdplb {
namespace {

namespace asio = boost::asio;

std::vector<std::uint8_t> encode(const VipaInterface& from, const DueAnnouncement& frame) {
  const bool is_directed = frame.form == AnnouncementForm::kDirected;
  const AnnounceTarget& to = frame.target;
  if (frame.vipa.is_v6()) {
    const IpAddress source = from.link_local.value_or(frame.vipa);
    const auto told = is_directed ? nd_directed_announcement(from.mac, source, frame.vipa, to.mac, to.address)
                                  : nd_announcement(from.mac, source, frame.vipa);
    const auto bytes = encode_advertisement(told);
    return {bytes.begin(), bytes.end()};
  }
  ArpFrame arp = arp_announcement(from.mac, frame.vipa);
  if (frame.form == AnnouncementForm::kReply) arp = arp_announcement_reply(from.mac, frame.vipa);
  if (is_directed) arp = arp_directed_announcement(from.mac, frame.vipa, to.mac, to.address);
  const auto bytes = encode_arp(arp);
  return {bytes.begin(), bytes.end()};
}

}  // namespace

VipaWire::VipaWire(asio::io_context& io, Handlers handlers) : io_(io), timer_(io), handlers_(std::move(handlers)) {}

Result<void> VipaWire::set_interfaces(const std::vector<VipaInterface>& interfaces) {
  drop_interfaces_beyond(interfaces);
  Result<void> first_failure;
  for (const auto& settings : interfaces) {
    auto set = set_interface(settings);
    if (!set && first_failure) first_failure = set;
  }
  return first_failure;
}

void VipaWire::drop_interfaces_beyond(const std::vector<VipaInterface>& wanted) {
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

Result<void> VipaWire::set_interface(const VipaInterface& settings) {
  Interface& interface = interfaces_[settings.ifindex];
  interface.settings = settings;
  if (!settings.is_up) interface.schedule.clear();
  auto arp = open_socket(interface, PacketKind::kArp);
  auto nd = open_socket(interface, PacketKind::kNeighborDiscovery);
  join_groups(interface);
  return arp ? nd : arp;
}

Result<void> VipaWire::open_socket(Interface& interface, PacketKind kind) {
  auto& socket = kind == PacketKind::kArp ? interface.arp : interface.nd;
  if (socket) return {};
  const std::uint32_t ifindex = interface.settings.ifindex;
  auto opened = PacketSocket::open(io_, ifindex, interface.settings.name, kind);
  if (!opened) return opened.error();
  socket = std::move(*opened);
  socket->on_frame([weak = weak_from_this(), ifindex, kind](std::span<const std::uint8_t> frame, bool tagged) {
    if (auto self = weak.lock()) self->handlers_.heard(ifindex, kind, frame, tagged);
  });
  return {};
}

const VipaInterface* VipaWire::find(std::uint32_t ifindex) const {
  auto entry = interfaces_.find(ifindex);
  return entry == interfaces_.end() ? nullptr : &entry->second.settings;
}

void VipaWire::add_group_of(const IpAddress& vipa) {
  if (vipa.is_v6()) group_vipas_.insert(vipa);
}

void VipaWire::drop_group_of(const IpAddress& vipa) {
  if (group_vipas_.erase(vipa) == 0) return;
  for (auto& [ifindex, interface] : interfaces_) {
    if (interface.joined.erase(vipa) > 0) groups_.leave(ifindex, solicited_node_group(vipa));
  }
}

void VipaWire::join_groups() {
  for (auto& [ifindex, interface] : interfaces_) join_groups(interface);
}

// On every interface, the owner or not: the switch must know us as a listener before a failover, not after it.
void VipaWire::join_groups(Interface& interface) {
  if (interface.joined.size() == group_vipas_.size()) return;
  for (const auto& vipa : group_vipas_) {
    if (interface.joined.contains(vipa)) continue;
    auto joined = groups_.join(interface.settings.ifindex, solicited_node_group(vipa));
    if (joined) {
      interface.joined.insert(vipa);
      continue;
    }
    if (!std::exchange(interface.was_join_failure_logged, true)) {
      log_warning("interface " + interface.settings.name + ": " + joined.error().message);
    }
    return;
  }
}

VipaWire::Interface* VipaWire::find_speaker(std::uint32_t ifindex) {
  auto entry = interfaces_.find(ifindex);
  return entry != interfaces_.end() && entry->second.settings.is_up ? &entry->second : nullptr;
}

void VipaWire::announce(std::uint32_t ifindex, const IpAddress& vipa) {
  if (auto* interface = find_speaker(ifindex)) interface->schedule.start(vipa, Clock::now());
}

void VipaWire::announce_once(std::uint32_t ifindex, const IpAddress& vipa) {
  if (auto* interface = find_speaker(ifindex)) interface->schedule.add_once(vipa, Clock::now());
}

void VipaWire::tell(std::uint32_t ifindex, const IpAddress& vipa, const AnnounceTargets& targets) {
  if (auto* interface = find_speaker(ifindex)) interface->schedule.tell(vipa, targets);
}

void VipaWire::cancel(std::uint32_t ifindex, const IpAddress& vipa) {
  auto entry = interfaces_.find(ifindex);
  if (entry != interfaces_.end()) entry->second.schedule.cancel(vipa);
}

void VipaWire::post_pump() {
  if (std::exchange(is_pump_posted_, true)) return;
  asio::post(io_, [weak = weak_from_this()] {
    auto self = weak.lock();
    if (!self) return;
    self->is_pump_posted_ = false;
    self->pump();
  });
}

void VipaWire::pump() {
  auto now = Clock::now();
  std::optional<Clock::time_point> wake;
  for (auto& [ifindex, interface] : interfaces_) {
    for (const auto& frame : interface.schedule.take_due(now)) send_announcement(interface, frame);
    auto next = interface.schedule.next_wake(now);
    if (next) wake = wake ? std::min(*wake, *next) : *next;
  }
  wake_at(wake);
}

void VipaWire::wake_at(std::optional<Clock::time_point> wake) {
  timer_.cancel();
  if (!wake) return;
  timer_.expires_at(*wake);
  timer_.async_wait([weak = weak_from_this()](const boost::system::error_code& error) {
    auto self = weak.lock();
    if (!error && self) self->pump();
  });
}

void VipaWire::send_announcement(Interface& interface, const DueAnnouncement& frame) {
  if (!send(interface, frame.vipa.family(), encode(interface.settings, frame))) return;
  handlers_.announced(interface.settings.ifindex, frame);
}

bool VipaWire::send(std::uint32_t ifindex, Family family, std::span<const std::uint8_t> frame) {
  auto entry = interfaces_.find(ifindex);
  return entry != interfaces_.end() && send(entry->second, family, frame);
}

bool VipaWire::send(Interface& interface, Family family, std::span<const std::uint8_t> frame) {
  auto& socket = family == Family::kV4 ? interface.arp : interface.nd;
  if (!socket) {
    handlers_.send_failed(interface.settings.name, ENODEV);
    return false;
  }
  auto sent = socket->send(frame);
  if (sent) return true;
  log_debug(sent.error().message);
  handlers_.send_failed(interface.settings.name, socket->last_errno());
  return false;
}

bool VipaWire::may_answer(std::uint32_t ifindex, Clock::time_point now) {
  auto entry = interfaces_.find(ifindex);
  return entry != interfaces_.end() && entry->second.answers.take(1, now);
}

}  // namespace xdplb
