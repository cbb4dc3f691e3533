// SPDX-License-Identifier: GPL-2.0-only
// What the machines want done, and when they want to be called again.
#include "net/arp_packet.h"
#include "net/nd_packet.h"
#include "vipa/vipa_service_impl.h"

#include <boost/asio/post.hpp>

#include <algorithm>
#include <utility>
#include <variant>

namespace xdplb {
namespace {

namespace asio = boost::asio;

NdNonce draw_nonce(std::random_device& random) {
  NdNonce nonce;
  std::uniform_int_distribution<unsigned> byte(0, 255);
  for (auto& value : nonce) value = static_cast<std::uint8_t>(byte(random));
  return nonce;
}

}  // namespace

void VipaService::Impl::run(const std::vector<Wish>& wishes) {
  const auto each = [&wishes](const auto& action) {
    for (const auto& wish : wishes) {
      for (const auto& step : wish.steps) action(wish, step);
    }
  };
  // Every interface that lost a VIPA is silent before one that gained it speaks: two passes over all VIPAs.
  each([this](const Wish& wish, const VipaStep& step) {
    if (const auto* stop = std::get_if<StopAnswering>(&step)) wire_->cancel(stop->ifindex, wish.vipa);
  });
  each([this](const Wish& wish, const VipaStep& step) {
    if (std::holds_alternative<StartAnswering>(step)) start(wish.vipa, wish.event_at);
  });
  each([this](const Wish& wish, const VipaStep& step) {
    std::visit([&](const auto& wanted) { take(wish.vipa, wanted); }, step);
  });
  targets_.clear();
  arm_timer();
}

void VipaService::Impl::run_one(const IpAddress& address, VipaSteps steps, Clock::time_point event_at) {
  if (steps.empty()) return;
  run({Wish{.vipa = address, .steps = std::move(steps), .event_at = event_at}});
  wire_->pump();
}

void VipaService::Impl::start(const IpAddress& address, Clock::time_point event_at) {
  Vipa& vipa = vipas_.at(address);
  vipa.event_at = event_at;
  vipa.event_to_announcement.reset();
}

void VipaService::Impl::take(const IpAddress& address, const TellNeighbours& step) {
  auto& targets = targets_[{step.ifindex, address.family()}];
  if (!targets) {
    targets = std::make_shared<const std::vector<AnnounceTarget>>(find_targets(step.ifindex, address.family()));
  }
  wire_->tell(step.ifindex, address, targets);
}

// Gateways and reach targets first: behind them is most of the traffic.
std::vector<AnnounceTarget> VipaService::Impl::find_targets(std::uint32_t ifindex, Family family) const {
  std::vector<AnnounceTarget> targets;
  const auto add_once = [&](const AnnounceTarget& target) {
    auto same = [&](const AnnounceTarget& known) { return known.address == target.address; };
    if (is_own_mac(target.mac) || std::any_of(targets.begin(), targets.end(), same)) return;
    targets.push_back(target);
  };
  for (const auto& neighbour : neighbours_) {
    bool is_on_lan = neighbour.ifindex == ifindex && neighbour.address.family() == family;
    if (is_on_lan) add_once({.address = neighbour.address, .mac = neighbour.mac});
  }
  for (const auto& asker : askers_.recent(family, Clock::now())) add_once(asker);
  return targets;
}

// At once and beside the pacing of announcements: the machine counts its quiet time from here.
void VipaService::Impl::take(const IpAddress& address, const Ask& step) {
  const VipaInterface* from = wire_->find(step.ifindex);
  if (from == nullptr) return;
  bool was_sent = false;
  if (address.is_v4()) {
    const IpAddress source = step.is_probe ? IpAddress() : from->own_v4.value_or(IpAddress());
    was_sent = wire_->send(step.ifindex, Family::kV4, encode_arp(arp_question(from->mac, source, address)));
  } else if (step.is_probe || !from->link_local) {
    NdNonce nonce = draw_nonce(random_);
    vipas_.at(address).nonce = nonce;
    was_sent = wire_->send(step.ifindex, Family::kV6, encode_solicitation(nd_probe(from->mac, address, nonce)));
  } else {
    const auto question = nd_question(from->mac, *from->link_local, address);
    was_sent = wire_->send(step.ifindex, Family::kV6, encode_solicitation(question));
  }
  if (was_sent) ++counters_.probes;
}

void VipaService::Impl::take(const IpAddress& address, const TellEvent& step) {
  post([address, step](Impl& self) {
    if (auto handler = self.event_handler_) handler(address, step);
  });
}

void VipaService::Impl::note_announced(const DueAnnouncement& frame) {
  ++counters_.announcements;
  auto entry = vipas_.find(frame.vipa);
  if (entry == vipas_.end()) return;
  Vipa& vipa = entry->second;
  auto now = Clock::now();
  ++vipa.announcements;
  vipa.last_announcement = now;
  if (auto event_at = std::exchange(vipa.event_at, std::nullopt)) vipa.event_to_announcement = now - *event_at;
}

void VipaService::Impl::note_send_error(const std::string& interface, int error_number) {
  ++counters_.send_errors;
  post([interface, error_number](Impl& self) {
    if (auto handler = self.send_error_handler_) handler(interface, error_number);
  });
}

void VipaService::Impl::post(std::function<void(Impl&)> tell) {
  asio::post(io_, [weak = weak_from_this(), tell = std::move(tell)] {
    if (auto self = weak.lock()) tell(*self);
  });
}

void VipaService::Impl::arm_timer() {
  auto next = timers_.next();
  if (next == timer_due_) return;
  timer_due_ = next;
  timer_.cancel();
  if (!next) return;
  timer_.expires_at(*next);
  timer_.async_wait([weak = weak_from_this()](const boost::system::error_code& error) {
    auto self = weak.lock();
    if (!error && self) self->run_timers();
  });
}

void VipaService::Impl::run_timers() {
  timer_due_.reset();
  auto now = Clock::now();
  std::vector<Wish> wishes;
  for (const auto& due : timers_.take_due(now)) {
    auto steps = vipas_.at(due.vipa).machine.timer(due.timer, due.epoch, now);
    wishes.push_back({.vipa = due.vipa, .steps = std::move(steps), .event_at = due.due});
  }
  run(wishes);
  wire_->pump();
}

}  // namespace xdplb
