// SPDX-License-Identifier: GPL-2.0-only
// libxdp's dispatcher: our program beside others on one interface.
#pragma once

#include "base/result.h"
#include "model/attach_mode.h"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

struct bpf_object;

namespace xdplb::dispatcher {

struct Chained {
  bool is_chained = false;  // false: nothing is attached, see `refusal`
  AttachMode mode = AttachMode::kNative;
  std::uint32_t program_id = 0;
  std::string refusal{};      // the verifier's words, or what else is known
  std::string why_generic{};  // where kAuto became that
};

// Adds the program of `object` (opened, not loaded) to the dispatcher of an interface. Where the kernel refuses
// dispatchers libxdp attaches the program alone and says nothing; that is undone here and told.
// kAuto takes the mode of a dispatcher that is there.
// Errors: kConflict when a program without dispatcher is in the way, or a dispatcher of another mode; kFailed.
Result<Chained> attach(bpf_object* object, const std::string& name, std::uint32_t ifindex, AttachMode mode);

struct Member {
  std::uint32_t program_id = 0;
  AttachMode mode = AttachMode::kNative;
};

// Our program within the dispatcher of an interface: the one that uses a map that `program` uses, too.
std::optional<Member> find(std::uint32_t ifindex, int program);

// Names of the programs within the dispatcher of an interface, in the order in which frames meet them, cut at 15
// characters; empty: there is no dispatcher.
std::vector<std::string> members(std::uint32_t ifindex);

// Takes our program out of the dispatcher; nothing there is fine. Errors: kFailed.
Result<void> detach(const std::string& name, std::uint32_t ifindex, int program);

}  // namespace xdplb::dispatcher
