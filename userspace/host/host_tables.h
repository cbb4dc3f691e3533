// SPDX-License-Identifier: GPL-2.0-only
// HostTables: links, addresses and neighbours as the last messages told them, and what each message changed. Pure.
#pragma once

#include "host/host_state.h"
#include "host/netlink.h"

#include <cstdint>
#include <map>
#include <optional>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace xdplb {

class HostTables {
 public:
  // Takes one message in. Returns what it changed, nullopt when it told nothing new.
  std::optional<HostChange> apply(const NetlinkMessage& message);

  // What a message says beside the tables, for links they hold: to be told after the change that apply() returned.
  std::optional<HostChange> side_event(const NetlinkMessage& message) const;

  // Takes whole tables in: what a dump does not hold is gone. Returns all changes, links first.
  std::vector<HostChange> replace(const std::vector<NetlinkMessage>& links,
                                  const std::vector<NetlinkMessage>& addresses,
                                  const std::vector<NetlinkMessage>& neighbors);

  const std::map<std::uint32_t, Link>& links() const { return links_; }
  const std::vector<InterfaceAddress>& addresses() const { return addresses_; }
  const Link* find_link(std::string_view name) const;
  const Link* find_link(std::uint32_t index) const;
  const Neighbor* find_neighbor(const NeighborKey& key) const;

 private:
  std::optional<HostChange> apply_link(const LinkMessage& message);
  std::optional<HostChange> apply_address(const AddressMessage& message);
  std::optional<HostChange> apply_neighbor(const NeighborMessage& message);
  void drop_missing_links(const std::vector<NetlinkMessage>& links, std::vector<HostChange>& changes);
  void replace_addresses(const std::vector<NetlinkMessage>& addresses, std::vector<HostChange>& changes);
  void drop_missing_neighbors(const std::vector<NetlinkMessage>& neighbors, std::vector<HostChange>& changes);

  std::map<std::uint32_t, Link> links_;
  std::vector<InterfaceAddress> addresses_;  // sorted
  std::unordered_map<NeighborKey, Neighbor, NeighborKeyHash> neighbors_;
};

}  // namespace xdplb
