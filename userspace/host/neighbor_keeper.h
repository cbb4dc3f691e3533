// SPDX-License-Identifier: GPL-2.0-only
// NeighborKeeper: decides what to ask of the kernel so that the kept neighbours stay resolved. Pure.
#pragma once

#include "base/result.h"
#include "host/host_tables.h"
#include "host/netlink.h"

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <unordered_map>
#include <vector>

namespace xdplb {

// Owns the wish; the kernel's table is read through HostTables, and requests wait in a queue for the socket.
class NeighborKeeper {
 public:
  explicit NeighborKeeper(const HostTables& tables) : tables_(tables) {}

  void keep(const NeighborKey& key);
  void release(const NeighborKey& key);
  bool is_empty() const { return kept_.empty(); }

  // After the tables took the change in: an entry the kernel dropped and a link that is back are asked for again.
  void note(const HostChange& change);
  // The kernel refused the request about `key`.
  void note_refusal(const NeighborKey& key, int error_number);
  // Once a second: asks again for what failed or is missing, and every 15th time for what the kernel does not keep by
  // itself or refused.
  void tick();

  std::optional<Error> failure(const NeighborKey& key) const;

  // Takes at most `limit` requests out of the queue, oldest first.
  std::vector<NeighborRequest> take_requests(std::size_t limit);
  bool has_requests() const { return !requests_.empty(); }

 private:
  struct Kept {
    bool is_ours = false;               // no entry of somebody else was there before
    bool is_plain = false;              // the kernel refused a managed entry (EINVAL): probe it ourselves
    int refused = 0;                    // errno of the last attempt, 0 = none
    std::uint64_t ask_again_round = 0;  // not before it while the kernel tells nothing of the entry
  };
  void request(const NeighborKey& key, Kept& kept);
  bool needs_request(const NeighborKey& key, const Kept& kept, bool is_slow_round) const;

  const HostTables& tables_;
  std::unordered_map<NeighborKey, Kept, NeighborKeyHash> kept_;
  std::deque<NeighborRequest> requests_;
  std::uint64_t round_ = 0;
};

}  // namespace xdplb
