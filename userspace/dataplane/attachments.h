// SPDX-License-Identifier: GPL-2.0-only
// Attachments: the program on interfaces, by one pinned link each or through libxdp's dispatcher.
#pragma once

#include "base/result.h"
#include "dataplane/program.h"
#include "model/attach_mode.h"

#include <cstdint>
#include <string>
#include <vector>

namespace xdplb {

// What was really obtained, as the kernel tells it.
struct Attachment {
  std::string name;
  std::uint32_t ifindex = 0;
  AttachMode mode = AttachMode::kNative;  // never kAuto
  bool through_dispatcher = false;        // else a pinned link
  std::uint32_t program_id = 0;           // of our program, also behind a dispatcher
  std::vector<std::string> warnings;      // what is less than was asked for, and why
};

class Attachments {
 public:
  // The program must outlive this.
  explicit Attachments(Program& program) : program_(&program) {}

  // Attaches, or adopts an attachment of this instance that outlived its daemon: the program is then exchanged in one
  // step, no packet in between meets none.
  //
  // mode   kAuto falls back to generic, with a warning that says why
  // chain  through libxdp's dispatcher, so that other XDP programs keep running; falls back to a pinned link, with a
  //        warning, where the kernel refuses dispatchers
  // Errors: kConflict when another XDP program is on the interface; kPermission; kFailed with the driver's reason.
  Result<Attachment> attach(const std::string& name, std::uint32_t ifindex, AttachMode mode, bool chain);

  // Detaches what attach() made, of this process or an earlier one. Nothing there is fine.
  Result<void> detach(const std::string& name, std::uint32_t ifindex);

 private:
  Result<Attachment> attach_link(const std::string& name, std::uint32_t ifindex, AttachMode mode);
  Result<Attachment> attach_chained(const std::string& name, std::uint32_t ifindex, AttachMode mode);
  Result<std::optional<Attachment>> adopt_link(const std::string& name, std::uint32_t ifindex);
  std::filesystem::path link_path(const std::string& name) const;

  Program* program_;
};

}  // namespace xdplb
