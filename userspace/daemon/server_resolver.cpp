// SPDX-License-Identifier: GPL-2.0-only
#include "daemon/server_resolver.h"

#include <fmt/format.h>

#include <algorithm>

namespace xdplb {

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

void ServerResolver::update(const std::set<IpAddress>& addresses, const std::vector<std::uint32_t>& interfaces) {
  for (auto place = places_.begin(); place != places_.end();) {
    if (addresses.contains(place->first)) {
      ++place;
      continue;
    }
    if (place->second != 0) monitor_->release_neighbor(place->second, place->first);
    targets_.erase(place->first);
    place = places_.erase(place);
  }
  for (const auto& address : addresses) place(address, interfaces);
}

void ServerResolver::place(const IpAddress& address, const std::vector<std::uint32_t>& interfaces) {
  const auto ifindex = is_own(address) ? 0 : find_connected(monitor_->addresses(), address, interfaces).value_or(0);
  const auto known = places_.find(address);
  if (known != places_.end() && known->second == ifindex) return;
  if (known != places_.end() && known->second != 0) monitor_->release_neighbor(known->second, address);
  places_[address] = ifindex;
  const auto target = targets_.find(address);
  if (target != targets_.end() && target->second.ifindex != ifindex) targets_.erase(target);
  if (ifindex == 0) return;
  // A refusal is found by keep_failure() when somebody asks why.
  if (!monitor_->keep_neighbor(ifindex, address)) return;
  if (const auto* neighbor = monitor_->find_neighbor(ifindex, address)) take_over(*neighbor);
}

void ServerResolver::take_over(const Neighbor& neighbor) {
  // Silence (no entry, being asked) is no news: the last MAC holds until the kernel gave up. A link without carrier
  // makes every neighbour fail and says nothing about the servers.
  if (neighbor.state == NeighborState::kValid) {
    targets_[neighbor.address] = {.mac = neighbor.mac, .ifindex = neighbor.ifindex};
  } else if (neighbor.state == NeighborState::kFailed) {
    const auto* link = monitor_->find_link(neighbor.ifindex);
    if (link != nullptr && link->is_usable()) targets_.erase(neighbor.address);
  }
}

void ServerResolver::on_neighbor(const Neighbor& neighbor) {
  const auto place = places_.find(neighbor.address);
  if (place != places_.end() && place->second == neighbor.ifindex) take_over(neighbor);
}

bool ServerResolver::is_pending(const IpAddress& address) const {
  const auto place = places_.find(address);
  if (place == places_.end() || place->second == 0 || targets_.contains(address)) return false;
  const auto* neighbor = monitor_->find_neighbor(place->second, address);
  return neighbor == nullptr || neighbor->state == NeighborState::kUnresolved;
}

std::string ServerResolver::reason(const IpAddress& address) const {
  if (targets_.contains(address) || is_own(address)) return {};
  const auto place = places_.find(address);
  if (place == places_.end() || place->second == 0)
    return fmt::format("{} is on no loaded interface's network", address.to_string());
  const auto* link = monitor_->find_link(place->second);
  const std::string interface = link != nullptr ? link->name : fmt::format("interface {}", place->second);
  if (const auto failure = monitor_->keep_failure(place->second, address)) return failure->message;
  if (link != nullptr && !link->is_usable()) return fmt::format("{} is down", interface);
  return fmt::format("no answer to {} for {} on {}", address.is_v4() ? "ARP" : "neighbour solicitation",
                     address.to_string(), interface);
}

}  // namespace xdplb
