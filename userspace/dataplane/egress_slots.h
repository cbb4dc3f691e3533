// SPDX-License-Identifier: GPL-2.0-only
// EgressSlots: the ways out of the dispatcher: an interface, with a tag or not, and the host's own stack.
#pragma once

#include "dataplane/kernel_tables.h"
#include "model/plan.h"

#include <compare>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <vector>

namespace xdplb {

// What tells two ways out apart.
struct EgressKey {
  std::uint32_t ifindex = 0;
  std::uint16_t tag = 0;  // as struct xdplb_egress has it
  bool is_local = false;
  auto operator<=>(const EgressKey&) const = default;
};

// The way that frames to a server with a target take.
EgressKey egress_key(const PlannedServer& server);

class EgressSlots {
 public:
  // Reads what the maps hold already. The tables must outlive this.
  static EgressSlots open(const KernelTables& tables);

  // Makes `ifindex` a way out with this source MAC, or changes its MAC. Errors: kFailed when all slots are taken.
  Result<void> set_interface(std::uint32_t ifindex, const MacAddress& mac);
  // Unknown is fine.
  void remove_interface(std::uint32_t ifindex);
  std::set<std::uint32_t> interfaces() const;
  bool has_interface(std::uint32_t ifindex) const { return macs_.contains(ifindex); }

  // Slots for all of `wanted` that have none: where they would be, without a store; slots that neither `wanted` nor
  // `in_use` names are free. Errors: kFailed when there are not enough.
  Result<std::map<EgressKey, std::uint16_t>> plan(const std::set<EgressKey>& wanted,
                                                  const std::set<EgressKey>& in_use) const;
  // Writes them. No packet may be on its way with a slot that was free. Errors: os_error.
  Result<void> add(const std::map<EgressKey, std::uint16_t>& planned);

  // XDPLB_EGRESS_DECREMENT_TTL, XDPLB_EGRESS_TRACED: on all slots, now and from now on. Errors: os_error.
  Result<void> set_flag(std::uint16_t flag, bool is_on);

  // 0: it has none.
  std::uint16_t slot_of(const EgressKey& key) const;
  // The interface of a slot, 0 when it is free or the host's own stack.
  std::uint32_t ifindex_of(std::uint16_t slot) const;

 private:
  explicit EgressSlots(const KernelTables& tables) : tables_(&tables) {}
  Result<void> store(const EgressKey& key, std::uint16_t slot) const;

  const KernelTables* tables_;
  std::map<EgressKey, std::uint16_t> slots_;
  std::map<std::uint32_t, MacAddress> macs_;  // by ifindex
  std::uint16_t flags_ = 0;
};

}  // namespace xdplb
