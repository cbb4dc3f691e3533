// SPDX-License-Identifier: GPL-2.0-only
// FlowSweep: once a second it forgets flows that are silent and lets rows settle whose flows are gone.
#pragma once

#include "dataplane/flow_table.h"
#include "dataplane/kernel_tables.h"
#include "dataplane/row_writer.h"
#include "model/plan.h"

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

namespace xdplb {

// What is written down, at the last sweep.
struct FlowCounts {
  std::uint32_t flows = 0;      // connections, the two below included
  std::uint32_t half_open = 0;  // nothing but SYN came
  std::uint32_t closing = 0;    // FIN or RST came last
  std::uint32_t clients = 0;    // entries of affinity
};

// Without the flows that are closing and quiet: what a drain waits for.
struct ServerSweep : FlowCounts {
  std::uint32_t base_rows = 0;  // rows whose flows it keeps though new ones go elsewhere
};

struct PortSweep : FlowCounts {
  std::uint32_t rows = 0;      // of both families
  std::uint32_t changing = 0;  // base is not cur
  std::uint32_t lookups = 0;   // base is cur, flows are looked up still
};

struct SweepReport {
  std::uint32_t now = 0;  // stamp
  std::map<PortPath, PortSweep> ports{};
  std::vector<ServerSweep> servers{};  // by index
  std::uint32_t used = 0;              // entries of `flows`
  std::uint32_t capacity = 0;
  bool is_crowded = false;     // more than three quarters are used: what is not urgent had better wait
  std::uint32_t given_up = 0;  // entries, by this sweep
  std::uint32_t promoted = 0;  // rows, by this sweep
  std::chrono::microseconds duration{};
};

class FlowSweep {
 public:
  // The tables must outlive this.
  explicit FlowSweep(const KernelTables& tables) : tables_(&tables), servers_(XDPLB_MAX_SERVERS) {}

  // The plan that was published. Call it after every publish, before the next sweep.
  void set_plan(const Plan& plan);

  // One sweep. The publisher must be settled. Cost: one read of the table, and the rows of ports that are changing.
  //
  // rows  whose stores since the last sweep are taken note of
  // Errors: os_error.
  Result<SweepReport> sweep(RowWriter& rows);

  // The operator's deadline has passed: rows whose base is this server, or the same one of ports that share its
  // affinity, are given to their `cur`, and its entries are given up. Errors: os_error.
  Result<void> force(std::uint16_t server);

 private:
  // Slices that change together: one of a port, or those of all ports that share their affinity. Row r of one is the
  // row of the same clients as row r of another.
  struct Group {
    struct Member {
      std::uint32_t first_row = 0;
      std::size_t port = 0;  // in ports_
    };
    std::vector<Member> members;
    std::uint32_t count = 0;
    std::uint32_t stale_ticks = 0;
    bool is_changing = false;                 // any row is not settled
    std::vector<std::uint32_t> foreign{};     // by row: entries whose server is not base; while it is changing
    std::vector<std::uint32_t> calm_since{};  // by row: stamp since when all have base == cur; 0: not known
  };
  struct Port {
    std::shared_ptr<const PlannedPort> plan;
    FlowLimits limits;
    bool is_tracked = false;
    ByFamily<std::optional<std::size_t>> groups{};  // in groups_
    ByFamily<std::uint32_t> first_rows{};
    PortSweep counts{};
  };
  struct Server {
    std::optional<std::size_t> port;  // none: no plan names this index
  };
  // A claimed entry without a value.
  using Claim = std::pair<std::size_t, std::uint64_t>;  // place, tag

  void add_port(const std::shared_ptr<const PlannedPort>& plan,
                std::map<std::pair<PortPath, Family>, std::size_t>& known);
  void note_stores(RowWriter& rows);
  std::pair<Group*, std::uint32_t> find_row(std::uint32_t row);
  void scan(SweepReport& report);
  void visit(std::size_t place, xdplb_flow& flow, std::uint64_t value, SweepReport& report);
  bool visit_detail(std::size_t place, const FlowValue& value, Port& port, std::uint32_t now);
  void clear_claims(std::vector<Claim> claims);
  void sweep_rows(Group& group, SweepReport& report);
  void sweep_one(Group& group, std::uint32_t row, SweepReport& report);
  void count_row(const RowState& state, Port& port, SweepReport& report) const;

  const KernelTables* tables_;
  std::vector<Port> ports_;
  std::vector<Group> groups_;
  std::map<std::uint32_t, std::size_t> group_of_slice_;  // by first row
  std::vector<Server> servers_;                          // by index
  std::vector<Claim> claims_;                            // seen by the last sweep
};

}  // namespace xdplb
