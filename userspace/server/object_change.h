// SPDX-License-Identifier: GPL-2.0-only
// Steps of a plan that change addresses, routes, published neighbours and the loopback's state: doing them so that
// nothing else is lost, and undoing them.
#pragma once

#include "base/result.h"
#include "host/kernel_objects.h"
#include "server/setup_record.h"

#include <functional>
#include <string>
#include <vector>

namespace xdplb {

// Called before anything is changed, and again when it is known what was.
using SaveChange = std::function<Result<void>(const ObjectChange& change)>;

struct ChangeOutcome {
  bool is_done = false;              // false: things were as wished, nothing was saved
  std::vector<std::string> notes{};  // what could not be kept or put back, a line each
};

// What the kernel takes along with an address (others of its network, routes) comes back at once, but for routes that
// it made itself and those that need the address. `action` is no SetSysctl. Errors: os_error, and those of `save`.
Result<ChangeOutcome> make_object_change(KernelObjects& kernel, const SetupAction& action, const SaveChange& save);

// Brings back what was, in the kernel's order as long as nobody changed the interface's addresses since. What is not
// as `change` left it stays as it is. Errors: os_error; it may be called again then.
Result<ChangeOutcome> undo_object_change(KernelObjects& kernel, const ObjectChange& change);

}  // namespace xdplb
