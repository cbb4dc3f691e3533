// SPDX-License-Identifier: GPL-2.0-only
#include "daemon/server_resolver.h"

#include "base/log.h"

#include <fmt/format.h>

#include <algorithm>

namespace xdplb {
ServerResolver::ServerResolver(HostMonitor& monitor, boost::asio::io_context& io) : monitor_(&monitor), prober_(io) {
  prober_.on_outcome([this](const ReachProber::Outcome& outcome) { take_outcome(outcome); });
}

bool ServerResolver::is_own(const IpAddress& address) const {
  const auto& addresses = monitor_->addresses();
  return std::any_of(addresses.begin(), addresses.end(),
                     [&address](const InterfaceAddress& own) { return own.prefix.address == address; });
}

std::set<IpAddress> ServerResolver::own_addresses() const {
  std::set<IpAddress> own;
  for (const auto& address : monitor_->addresses()) own.insert(address.prefix.address);
  return own;
}

void ServerResolver::update(const ResolverTask& task) {
  for (auto place = places_.begin(); place != places_.end();) {
    if (task.addresses.contains(place->first)) {
      ++place;
      continue;
    }
    if (place->second.ifindex != 0) monitor_->release_neighbor(place->second.ifindex, place->first);
    known_.erase(place->first);
    last_.erase(place->first);
    place = places_.erase(place);
  }
  for (const auto& address : task.addresses) place(address, task.interfaces);
  std::erase_if(missed_, [&task](const auto& one) { return !task.adapters.contains(one.first); });
  missed_limit_ = task.missed_limit;
  probe_adapters(task);
}

void ServerResolver::probe_adapters(const ResolverTask& task) {
  std::vector<ReachInterface> interfaces;
  for (const auto ifindex : task.interfaces) {
    const auto* link = monitor_->find_link(ifindex);
    if (link == nullptr) continue;
    ReachInterface interface { .ifindex = ifindex, .name = link->name, .mac = link->mac };
    for (const auto& address : monitor_->addresses())
      if (address.ifindex == ifindex) interface.prefixes.push_back(address.prefix);
    interfaces.push_back(std::move(interface));
  }
  std::vector<ReachQuestion> questions;
  for (const auto& adapter : task.adapters)
    if (const auto ifindex = interface_of(adapter); ifindex != 0)
      questions.push_back({.ifindex = ifindex, .target = adapter});
  if (auto set = prober_.set(interfaces, questions, task.interval); !set) log_warning(set.error().message);
}

// The first interface in order of preference that has a network with the address in it.
ServerResolver::Place ServerResolver::find_place(const IpAddress& address,
                                                 const std::vector<std::uint32_t>& interfaces) const {
  if (is_own(address)) return {};
  for (const auto ifindex : interfaces)
    for (const auto& own : monitor_->addresses())
      if (own.ifindex == ifindex && own.prefix.contains(address))
        return {.ifindex = ifindex, .prefix_length = own.prefix.length};
  return {};
}

void ServerResolver::place(const IpAddress& address, const std::vector<std::uint32_t>& interfaces) {
  Place next = find_place(address, interfaces);
  const auto known = places_.find(address);
  // The interface's own address is only for asking. While it is gone (systemd-networkd takes it off and puts it back
  // when it is restarted) the last MAC holds, as it does in silence.
  const bool is_still_there =
      known != places_.end() && !is_own(address) &&
      std::find(interfaces.begin(), interfaces.end(), known->second.ifindex) != interfaces.end();
  if (next.ifindex == 0 && is_still_there) next = known->second;
  if (known != places_.end() && known->second.ifindex == next.ifindex) {
    known->second = next;
    return;
  }
  if (known != places_.end()) move(address, known->second, next);
  places_[address] = next;
  const auto target = known_.find(address);
  if (target != known_.end() && target->second.ifindex != next.ifindex) known_.erase(target);
  if (next.ifindex == 0) return;
  // A refusal is found by keep_failure() when somebody asks why.
  if (!monitor_->keep_neighbor(next.ifindex, address)) return;
  // What failed here some time ago says nothing about a MAC that another interface of the LAN knew a moment ago.
  const auto* neighbor = monitor_->find_neighbor(next.ifindex, address);
  if (neighbor != nullptr && neighbor->state == NeighborState::kValid) take_over(*neighbor);
}

// Networks of equal length that hold one address are one network.
void ServerResolver::move(const IpAddress& address, const Place& from, const Place& to) {
  if (from.ifindex != 0) monitor_->release_neighbor(from.ifindex, address);
  const auto target = known_.find(address);
  if (target == known_.end() || from.ifindex == 0 || to.ifindex == 0) return;
  if (from.prefix_length == to.prefix_length) target->second.ifindex = to.ifindex;
}

void ServerResolver::take_over(const Neighbor& neighbor) {
  // Silence (no entry, being asked) is no news: the last MAC holds until the kernel gave up. A link without carrier
  // makes every neighbour fail and says nothing about the servers.
  if (neighbor.state == NeighborState::kValid) {
    known_[neighbor.address] = {.mac = neighbor.mac, .ifindex = neighbor.ifindex};
    last_[neighbor.address] = known_[neighbor.address];
  } else if (neighbor.state == NeighborState::kFailed) {
    const auto* link = monitor_->find_link(neighbor.ifindex);
    if (link != nullptr && link->is_usable()) known_.erase(neighbor.address);
  }
}

void ServerResolver::on_neighbor(const Neighbor& neighbor) {
  const auto place = places_.find(neighbor.address);
  if (place != places_.end() && place->second.ifindex == neighbor.ifindex) take_over(neighbor);
}

void ServerResolver::take_outcome(const ReachProber::Outcome& outcome) {
  const auto place = places_.find(outcome.question.target);
  if (place == places_.end() || place->second.ifindex != outcome.question.ifindex) return;
  const auto* link = monitor_->find_link(outcome.question.ifindex);
  if (outcome.missed > 0 && (link == nullptr || !link->is_usable())) return;
  const auto before = missed_.find(outcome.question.target);
  const bool was_silent = before != missed_.end() && before->second >= missed_limit_;
  if (outcome.missed == 0)
    missed_.erase(outcome.question.target);
  else
    missed_[outcome.question.target] = outcome.missed;
  // Moving to another adapter of one host breaks nothing: it need not wait for the slow rounds.
  if (outcome.missed == 1) prober_.hurry(outcome.question);
  const bool is_silent = outcome.missed >= missed_limit_;
  if (was_silent != is_silent && handler_) handler_(outcome.question.target);
}

void ServerResolver::doubt(const std::vector<IpAddress>& adapters) {
  for (const auto& adapter : adapters)
    if (const auto ifindex = interface_of(adapter); ifindex != 0)
      prober_.hurry({.ifindex = ifindex, .target = adapter});
}

ServerTargets ServerResolver::targets() const {
  ServerTargets targets = known_;
  for (const auto& [address, missed] : missed_)
    if (missed >= missed_limit_) targets.erase(address);
  return targets;
}

const ServerTarget* ServerResolver::find_known(const IpAddress& address) const {
  const auto found = known_.find(address);
  if (found != known_.end()) return &found->second;
  const auto last = last_.find(address);
  return last == last_.end() ? nullptr : &last->second;
}

std::uint32_t ServerResolver::interface_of(const IpAddress& address) const {
  const auto place = places_.find(address);
  return place == places_.end() ? 0 : place->second.ifindex;
}

bool ServerResolver::is_pending(const IpAddress& address) const {
  const auto place = places_.find(address);
  if (place == places_.end() || place->second.ifindex == 0 || known_.contains(address)) return false;
  const auto* neighbor = monitor_->find_neighbor(place->second.ifindex, address);
  return neighbor == nullptr || neighbor->state == NeighborState::kUnresolved;
}

bool ServerResolver::is_silent(const IpAddress& address) const {
  const auto missed = missed_.find(address);
  return missed != missed_.end() && missed->second >= missed_limit_;
}

std::optional<ServerResolver::Carrier> ServerResolver::carrier(const std::vector<IpAddress>& addresses) const {
  for (const auto& address : addresses)
    if (is_own(address)) return Carrier{.address = address, .target = {.mac = {}, .ifindex = 0, .is_local = true}};
  for (const auto& address : addresses) {
    const auto found = known_.find(address);
    if (found != known_.end() && !is_silent(address)) return Carrier{.address = address, .target = found->second};
  }
  return std::nullopt;
}

bool ServerResolver::is_unreachable_from_here(const std::vector<IpAddress>& addresses) const {
  return std::none_of(addresses.begin(), addresses.end(), [this](const IpAddress& address) {
    const auto* link = monitor_->find_link(interface_of(address));
    return link != nullptr && link->is_usable();
  });
}

std::string ServerResolver::reason(const IpAddress& address) const {
  if (is_silent(address)) return fmt::format("{} did not answer {} times", address.to_string(), missed_.at(address));
  if (known_.contains(address) || is_own(address)) return {};
  const auto place = places_.find(address);
  if (place == places_.end() || place->second.ifindex == 0)
    return fmt::format("{} is on no loaded interface's network", address.to_string());
  const auto* link = monitor_->find_link(place->second.ifindex);
  const std::string interface = link != nullptr ? link->name : fmt::format("interface {}", place->second.ifindex);
  if (const auto failure = monitor_->keep_failure(place->second.ifindex, address)) return failure->message;
  if (link != nullptr && !link->is_usable()) return fmt::format("{} is down", interface);
  return fmt::format("no answer to {} for {} on {}", address.is_v4() ? "ARP" : "neighbour solicitation",
                     address.to_string(), interface);
}

std::string ServerResolver::reason(const std::vector<IpAddress>& addresses) const {
  std::string reasons;
  for (const auto& address : addresses) {
    auto one = reason(address);
    if (one.empty()) return {};
    reasons.append(reasons.empty() ? "" : "; ").append(one);
  }
  return reasons;
}

}  // namespace xdplb
