// SPDX-License-Identifier: GPL-2.0-only
// Publisher: the difference of two plans -> stores into the maps, in an order that no packet sees half of (I3).
#pragma once

#include "dataplane/kernel_tables.h"
#include "dataplane/port_table.h"
#include "model/plan.h"

#include <cstdint>
#include <map>
#include <set>
#include <vector>

namespace xdplb {

class Publisher {
 public:
  enum class Scope { kChanges, kEverything };

  // Reads the ways out that the maps hold already. The tables must outlive the publisher.
  static Publisher open(const KernelTables& tables);

  // Makes `ifindex` a way out with this source MAC, or changes its MAC. Errors: kFailed when all slots are taken.
  Result<void> set_egress(std::uint32_t ifindex, const MacAddress& mac);
  // Call it after a plan without targets on this interface was published. Unknown is fine.
  void remove_egress(std::uint32_t ifindex);
  // All ways out there are.
  std::set<std::uint32_t> egress_interfaces() const;
  // The interface of a slot, 0 when it is free.
  std::uint32_t ifindex_of(std::uint16_t slot) const;

  // Writes servers, then rows, then the port lines; what went away in reverse.
  //
  // before  what was published last
  // after   every target's interface must be a way out
  // scope   kEverything compares all with the maps themselves and clears what no plan names: after adopting maps that
  //         another process wrote last
  // Errors: kFailed, and then not one store was made.
  Result<void> publish(const Plan& before, const Plan& after, Scope scope = Scope::kChanges);

 private:
  explicit Publisher(const KernelTables& tables) : tables_(&tables) {}

  struct PortChange {
    const PlannedPort* before;  // nullptr: new
    const PlannedPort* after;   // nullptr: gone
  };
  static std::vector<PortChange> changes_of(const Plan& before, const Plan& after, Scope scope);
  std::uint16_t slot_of(std::uint32_t ifindex) const;
  std::uint16_t free_slot() const;
  Result<void> check_egresses(const std::vector<PortChange>& changes) const;
  Result<void> zero_new_counters(const std::vector<PortChange>& changes);
  void store_servers(const PlannedPort& port) const;
  void store_rows(const PlannedRows& rows) const;
  void clear_servers(const std::vector<PortChange>& changes, Scope scope);
  void flip_lines(const std::vector<xdplb_port>& lines, const PlacedPorts& placed);
  bool lines_are_active(const std::vector<xdplb_port>& lines) const;
  void wait_for_readers();

  const KernelTables* tables_;
  struct Egress {
    std::uint16_t slot;
    MacAddress mac;
  };
  std::map<std::uint32_t, Egress> egresses_;                                 // by ifindex
  std::vector<bool> counted_ = std::vector<bool>(XDPLB_MAX_SERVERS, false);  // indexes whose counters may be non-zero
  bool readers_may_linger_ = false;  // packets may still use what the last publish took away
};

}  // namespace xdplb
