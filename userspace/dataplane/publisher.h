// SPDX-License-Identifier: GPL-2.0-only
// Publisher: the difference of two plans -> stores into the maps, in an order that no packet sees half of (I3).
#pragma once

#include "dataplane/egress_slots.h"
#include "dataplane/flow_table.h"
#include "dataplane/kernel_tables.h"
#include "dataplane/port_table.h"
#include "dataplane/row_writer.h"
#include "model/plan.h"

#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <vector>

namespace xdplb {

class Publisher {
 public:
  enum class Scope { kChanges, kEverything };

  // Reads the ways out that the maps hold already. The tables must outlive the publisher.
  static Publisher open(const KernelTables& tables);

  // Makes `ifindex` a way out with this source MAC, or changes its MAC. Errors: kFailed when all slots are taken.
  Result<void> set_egress(std::uint32_t ifindex, const MacAddress& mac) {
    return egresses_.set_interface(ifindex, mac);
  }
  // Call it after a plan without targets on this interface was published. Unknown is fine.
  void remove_egress(std::uint32_t ifindex) { egresses_.remove_interface(ifindex); }
  // All ways out there are.
  std::set<std::uint32_t> egress_interfaces() const { return egresses_.interfaces(); }
  // The interface of a slot, 0 when it is free or the host's own stack.
  std::uint32_t ifindex_of(std::uint16_t slot) const { return egresses_.ifindex_of(slot); }

  // Writes servers, then rows and options, then the port lines; what went away in reverse.
  //
  // before  what was published last
  // after   every target's interface must be a way out
  // scope   kEverything compares all with the maps themselves and clears what no plan names: after adopting maps that
  //         another process wrote last
  // Errors: kFailed, and then not one store was made that a packet sees.
  Result<void> publish(const Plan& before, const Plan& after, Scope scope = Scope::kChanges);

  // Waits until no packet knows what the last publish took away, and gives up the flows that it left without a server.
  // publish() begins with it; a sweep does, too.
  void settle();

  // What packets tell of themselves on the ring buffer: bit XDPLB_OUTCOME_x of `outcomes`, every one of `sample` (0 and
  // 1: all). Errors: os_error.
  Result<void> set_trace(std::uint64_t outcomes, std::uint32_t sample);

  RowWriter& row_writer() { return rows_; }

 private:
  explicit Publisher(const KernelTables& tables)
      : tables_(&tables), egresses_(EgressSlots::open(tables)), rows_(tables) {}

  struct PortChange {
    std::shared_ptr<const PlannedPort> before;  // nullptr: new
    std::shared_ptr<const PlannedPort> after;   // nullptr: gone
  };
  using Lines = std::vector<xdplb_port>;
  static std::vector<PortChange> changes_of(const Plan& before, const Plan& after, Scope scope);
  Result<std::map<EgressKey, std::uint16_t>> plan_egresses(const Plan& before, const Plan& after,
                                                           const std::vector<PortChange>& changes) const;
  Result<void> zero_new_counters(const Plan& before, const std::vector<PortChange>& changes, const Plan& after);
  Result<void> zero_new_state(std::uint16_t options);
  Result<std::vector<xdplb_prefix_key>> add_prefixes(const Plan& after);
  void remove_prefixes(const std::vector<xdplb_prefix_key>& gone);
  void store_peers(const std::vector<MacAddress>& peers) const;
  void store_servers(const PlannedPort& port) const;
  void change_tracking(const std::vector<PortChange>& changes, std::uint32_t now);
  void store_rows(const std::vector<PortChange>& changes, std::uint32_t now);
  void store_members(const PlannedPort& port) const;
  void store_options(const std::vector<PortChange>& changes, const Plan& after) const;
  void note_moves(const std::vector<PortChange>& changes, Scope scope);
  void clear_servers(const std::vector<PortChange>& changes, Scope scope);
  bool note_partial(const std::vector<PortChange>& changes);
  void clear_server(std::uint16_t index);
  void flip_lines(const Lines& lines, const PlacedPorts& placed);
  bool lines_are_active(const Lines& lines) const;
  void wait_for_readers();

  const KernelTables* tables_;
  EgressSlots egresses_;
  RowWriter rows_;
  std::vector<bool> counted_ = std::vector<bool>(XDPLB_MAX_SERVERS, false);  // indexes whose counters may be non-zero
  std::vector<bool> noted_ = std::vector<bool>(XDPLB_MAX_OPTIONS, false);    // options whose state may be non-zero
  FlowChanges flow_changes_;                                                 // to be settled
  bool readers_may_linger_ = false;  // packets may still use what the last publish took away
};

}  // namespace xdplb
