// SPDX-License-Identifier: GPL-2.0-only
// MulticastGroups: keeps this host a member of IPv6 groups, so that NICs and snooping switches deliver them (MLD).
#pragma once

#include "base/file_descriptor.h"
#include "base/result.h"
#include "host/host_state.h"

#include <cstddef>
#include <cstdint>
#include <unordered_map>
#include <vector>

namespace xdplb {

// Counts its users: two VIPAs may share a solicited-node group. A membership ends with the object.
class MulticastGroups {
 public:
  // Joins `group` on the interface, or counts one user more. Opens another socket when one holds no more memberships
  // (net.core.optmem_max). Errors: os_error naming group and interface; then nothing is counted.
  Result<void> join(std::uint32_t ifindex, const IpAddress& group);
  // One user less; the last one leaves. Unknown memberships are ignored.
  void leave(std::uint32_t ifindex, const IpAddress& group);
  // Forgets an interface that is gone, whatever its users.
  void leave_all(std::uint32_t ifindex);

  std::size_t membership_count() const { return memberships_.size(); }

 private:
  struct Membership {
    std::size_t socket = 0;  // index in sockets_
    unsigned users = 0;
  };
  Result<std::size_t> join_somewhere(const NeighborKey& key);
  void drop(const NeighborKey& key, const Membership& membership);

  std::vector<FileDescriptor> sockets_;
  std::unordered_map<NeighborKey, Membership, NeighborKeyHash> memberships_;  // key: interface and group
};

}  // namespace xdplb
