// SPDX-License-Identifier: GPL-2.0-only
// Forwarding: the data plane of one instance while it is loaded: program, attachments, the plan in the maps, and the
// flows that are written down.
#pragma once

#include "dataplane/attachments.h"
#include "dataplane/flow_sweep.h"
#include "dataplane/flow_table.h"
#include "dataplane/program.h"
#include "dataplane/publisher.h"
#include "model/plan.h"
#include "model/plan_restore.h"

#include <filesystem>
#include <functional>
#include <map>
#include <memory>

namespace xdplb {

class Forwarding {
 public:
  // Loads the program, adopting what an earlier daemon left in `pin_dir`.
  //
  // flows  size of the table of flows, where it is not adopted
  // Errors: as Program::open.
  static Result<std::unique_ptr<Forwarding>> open(const std::filesystem::path& pin_dir, FlowCapacity flows = {});

  // Opens what is forwarding already, to look at it: nothing is written, as long as only reading calls follow. Errors:
  // kNotFound when there is nothing; as Program::open.
  static Result<std::unique_ptr<Forwarding>> open_pinned(const std::filesystem::path& pin_dir);

  // What outlived the last daemon, read back by the numbers it kept; the base of the first publish. Rows keep their
  // bases and flows their entries.
  //
  // admins, grants  as kept
  void restore(const Config& config, const std::map<ServerPath, Admin>& admins,
               const std::map<ServerPath, ServerGrant>& grants, const Assignments& assignments,
               std::string_view secret);

  // Counts anew how many flows each server has: a daemon that died may have missed some.
  void recount_active() { xdplb::recount_active(tables()); }

  Result<Attachment> attach(const std::string& name, std::uint32_t ifindex, AttachMode mode, bool chain) {
    return attachments_.attach(name, ifindex, mode, chain);
  }
  Result<void> detach(const std::string& name, std::uint32_t ifindex) { return attachments_.detach(name, ifindex); }
  Publisher& publisher() { return publisher_; }
  std::uint32_t ifindex_of(std::uint16_t slot) const { return publisher_.ifindex_of(slot); }
  const KernelTables& tables() const { return program_->tables(); }
  // Of the loaded program; stays owned by this.
  int program_descriptor() const { return program_->descriptor(); }

  // The plan for a configuration, without writing it. Errors: as make_plan.
  Result<Plan> make(const Config& config, const Surroundings& host, std::string_view secret) const {
    return make_plan(plan_, config, host, secret);
  }
  // Writes a plan into the maps and makes it the current one. Errors: as Publisher::publish; nothing was changed then.
  Result<void> publish(Plan plan);
  const Plan& plan() const { return plan_; }

  // To be called once a second: flows that are silent are forgotten, rows whose flows are gone settle. Errors:
  // os_error.
  Result<void> sweep();
  // What the last sweep found; empty before the first one.
  const SweepReport& last_sweep() const { return last_sweep_; }
  // A drained server's deadline has passed: what it still has is given to others now. Unknown or idle is fine. Errors:
  // os_error.
  Result<void> force(const ServerPath& server);

  // Which outcomes packets report on the ring buffer: bit XDPLB_OUTCOME_x, every one of `sample`; 0: none. Errors:
  // os_error.
  Result<void> set_trace(std::uint64_t outcomes, std::uint32_t sample) {
    return publisher_.set_trace(outcomes, sample);
  }
  // Ring buffer of struct xdplb_trace_record; stays owned by this.
  int trace_descriptor() const { return tables().trace_descriptor(); }

  // Entries of flows and of clients' affinity, in no order, until `visit` returns false. Errors: os_error.
  Result<void> read_flows(const std::function<bool(const FlowRecord&)>& visit) const {
    return xdplb::read_flows(tables(), visit);
  }
  // Packets that ended otherwise than at a server, of a port, of what concerns a cluster's addresses (without its
  // ports), and of those for no VIPA. Errors: kNotFound; os_error.
  Result<OutcomeSums> port_outcomes(const PortPath& path) const;
  Result<OutcomeSums> cluster_outcomes(const std::string& name) const;
  Result<OutcomeSums> other_outcomes() const { return tables().read_outcomes(0); }
  // What the program noted of a port since its load: flows written down and refused. Errors: kNotFound.
  struct FlowTotals {
    std::uint64_t recorded = 0;
    std::uint64_t refused = 0;
  };
  Result<FlowTotals> port_totals(const PortPath& path) const;

  // Removes the pins of the maps; the interfaces must be detached. Errors: os_error.
  Result<void> unpin() { return program_->unpin(); }

 private:
  Forwarding(std::unique_ptr<Program> program, Publisher publisher)
      : program_(std::move(program)),
        attachments_(*program_),
        publisher_(std::move(publisher)),
        sweep_(program_->tables()) {}
  Result<OutcomeSums> sum_outcomes(const ByFamily<std::uint16_t>& options) const;

  std::unique_ptr<Program> program_;
  Attachments attachments_;
  Publisher publisher_;
  FlowSweep sweep_;
  SweepReport last_sweep_;
  Plan plan_{{.servers = XDPLB_MAX_SERVERS, .rows = XDPLB_MAX_ROWS, .options = XDPLB_MAX_OPTIONS}};
  Publisher::Scope next_scope_ = Publisher::Scope::kEverything;  // the first publish trusts nothing it finds
};

}  // namespace xdplb
