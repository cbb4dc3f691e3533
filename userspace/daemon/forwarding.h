// SPDX-License-Identifier: GPL-2.0-only
// Forwarding: the data plane of one instance while it is loaded: program, attachments, and the plan in the maps.
#pragma once

#include "dataplane/attachments.h"
#include "dataplane/program.h"
#include "dataplane/publisher.h"
#include "model/plan.h"

#include <filesystem>
#include <memory>

namespace xdplb {

class Forwarding {
 public:
  // Loads the program, adopting what an earlier daemon left in `pin_dir`. Errors: as Program::open.
  static Result<std::unique_ptr<Forwarding>> open(const std::filesystem::path& pin_dir);

  // What outlived the last daemon, read back by the numbers it kept; the base of the first publish.
  void restore(const Config& config, const Assignments& assignments, std::string_view secret);

  Result<Attachment> attach(const std::string& name, std::uint32_t ifindex, AttachMode mode, bool chain) {
    return attachments_.attach(name, ifindex, mode, chain);
  }
  Result<void> detach(const std::string& name, std::uint32_t ifindex) { return attachments_.detach(name, ifindex); }
  Publisher& publisher() { return publisher_; }
  std::uint32_t ifindex_of(std::uint16_t slot) const { return publisher_.ifindex_of(slot); }
  const KernelTables& tables() const { return program_->tables(); }

  // The plan for a configuration, without writing it. Errors: as make_plan.
  Result<Plan> make(const Config& config, const Surroundings& host, std::string_view secret) const {
    return make_plan(plan_, config, host, secret);
  }
  // Writes a plan into the maps and makes it the current one. Errors: as Publisher::publish; nothing was changed then.
  Result<void> publish(Plan plan);
  const Plan& plan() const { return plan_; }

  // Removes the pins of the maps; the interfaces must be detached. Errors: os_error.
  Result<void> unpin() { return program_->unpin(); }

 private:
  Forwarding(std::unique_ptr<Program> program, Publisher publisher)
      : program_(std::move(program)), attachments_(*program_), publisher_(std::move(publisher)) {}

  std::unique_ptr<Program> program_;
  Attachments attachments_;
  Publisher publisher_;
  Plan plan_{{.servers = XDPLB_MAX_SERVERS, .rows = XDPLB_MAX_ROWS}};
  Publisher::Scope next_scope_ = Publisher::Scope::kEverything;  // the first publish trusts nothing it finds
};

}  // namespace xdplb
