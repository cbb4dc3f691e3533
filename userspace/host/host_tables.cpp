// SPDX-License-Identifier: GPL-2.0-only
#include "host/host_tables.h"

#include <algorithm>
#include <iterator>
#include <set>
#include <unordered_set>
#include <utility>

namespace xdplb {

std::optional<HostChange> HostTables::apply(const NetlinkMessage& message) {
  if (const auto* link = std::get_if<LinkMessage>(&message)) return apply_link(*link);
  if (const auto* address = std::get_if<AddressMessage>(&message)) return apply_address(*address);
  if (const auto* neighbor = std::get_if<NeighborMessage>(&message)) return apply_neighbor(*neighbor);
  return std::nullopt;
}

std::optional<HostChange> HostTables::side_event(const NetlinkMessage& message) const {
  const auto* link = std::get_if<LinkMessage>(&message);
  if (link == nullptr || !link->neighbours_must_learn || !links_.contains(link->link.index)) return std::nullopt;
  return NeighboursMustLearn{link->link.index};
}

std::optional<HostChange> HostTables::apply_link(const LinkMessage& message) {
  std::uint32_t index = message.link.index;
  if (message.is_gone) {
    if (links_.erase(index) == 0) return std::nullopt;
    return LinkChanged{index};
  }
  auto [entry, is_new] = links_.try_emplace(index, message.link);
  if (!is_new && entry->second == message.link) return std::nullopt;
  entry->second = message.link;
  return LinkChanged{index};
}

std::optional<HostChange> HostTables::apply_address(const AddressMessage& message) {
  auto place = std::lower_bound(addresses_.begin(), addresses_.end(), message.address);
  bool is_known = place != addresses_.end() && *place == message.address;
  if (is_known != message.is_gone) return std::nullopt;
  if (message.is_gone) {
    addresses_.erase(place);
  } else {
    addresses_.insert(place, message.address);
  }
  return AddressChanged{message.address.ifindex};
}

std::optional<HostChange> HostTables::apply_neighbor(const NeighborMessage& message) {
  const Neighbor& neighbor = message.neighbor;
  NeighborKey key{.ifindex = neighbor.ifindex, .address = neighbor.address};
  if (neighbor.state == NeighborState::kGone) {
    if (neighbors_.erase(key) == 0) return std::nullopt;
    return NeighborChanged{neighbor};
  }
  auto [entry, is_new] = neighbors_.try_emplace(key, neighbor);
  if (!is_new && entry->second == neighbor) return std::nullopt;
  entry->second = neighbor;
  return NeighborChanged{neighbor};
}

std::vector<HostChange> HostTables::replace(const std::vector<NetlinkMessage>& links,
                                            const std::vector<NetlinkMessage>& addresses,
                                            const std::vector<NetlinkMessage>& neighbors) {
  std::vector<HostChange> changes;
  drop_missing_links(links, changes);
  for (const auto& message : links) {
    if (auto change = apply(message)) changes.push_back(*change);
  }
  replace_addresses(addresses, changes);
  drop_missing_neighbors(neighbors, changes);
  for (const auto& message : neighbors) {
    if (auto change = apply(message)) changes.push_back(*change);
  }
  return changes;
}

void HostTables::drop_missing_links(const std::vector<NetlinkMessage>& links, std::vector<HostChange>& changes) {
  std::unordered_set<std::uint32_t> present;
  for (const auto& message : links) {
    if (const auto* link = std::get_if<LinkMessage>(&message)) present.insert(link->link.index);
  }
  for (auto entry = links_.begin(); entry != links_.end();) {
    bool is_present = present.contains(entry->first);
    if (!is_present) changes.emplace_back(LinkChanged{entry->first});
    entry = is_present ? std::next(entry) : links_.erase(entry);
  }
}

void HostTables::replace_addresses(const std::vector<NetlinkMessage>& addresses, std::vector<HostChange>& changes) {
  std::vector<InterfaceAddress> next;
  for (const auto& message : addresses) {
    if (const auto* address = std::get_if<AddressMessage>(&message)) next.push_back(address->address);
  }
  std::sort(next.begin(), next.end());
  next.erase(std::unique(next.begin(), next.end()), next.end());
  std::vector<InterfaceAddress> different;
  std::set_symmetric_difference(addresses_.begin(), addresses_.end(), next.begin(), next.end(),
                                std::back_inserter(different));
  addresses_ = std::move(next);
  std::set<std::uint32_t> touched;
  for (const auto& address : different) touched.insert(address.ifindex);
  for (std::uint32_t ifindex : touched) changes.emplace_back(AddressChanged{ifindex});
}

void HostTables::drop_missing_neighbors(const std::vector<NetlinkMessage>& neighbors,
                                        std::vector<HostChange>& changes) {
  std::unordered_set<NeighborKey, NeighborKeyHash> present;
  for (const auto& message : neighbors) {
    const auto* neighbor = std::get_if<NeighborMessage>(&message);
    if (neighbor != nullptr)
      present.insert({.ifindex = neighbor->neighbor.ifindex, .address = neighbor->neighbor.address});
  }
  for (auto entry = neighbors_.begin(); entry != neighbors_.end();) {
    if (present.contains(entry->first)) {
      ++entry;
      continue;
    }
    Neighbor gone;
    gone.ifindex = entry->first.ifindex;
    gone.address = entry->first.address;
    gone.state = NeighborState::kGone;
    changes.emplace_back(NeighborChanged{gone});
    entry = neighbors_.erase(entry);
  }
}

const Link* HostTables::find_link(std::string_view name) const {
  auto entry = std::find_if(links_.begin(), links_.end(), [&](const auto& item) { return item.second.name == name; });
  return entry == links_.end() ? nullptr : &entry->second;
}

const Link* HostTables::find_link(std::uint32_t index) const {
  auto entry = links_.find(index);
  return entry == links_.end() ? nullptr : &entry->second;
}

const Neighbor* HostTables::find_neighbor(const NeighborKey& key) const {
  auto entry = neighbors_.find(key);
  return entry == neighbors_.end() ? nullptr : &entry->second;
}

}  // namespace xdplb
