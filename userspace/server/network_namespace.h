// SPDX-License-Identifier: GPL-2.0-only
// Another network namespace, by its name or by a process in it.
#pragma once

#include "base/result.h"

#include <cstdint>
#include <optional>
#include <string>

namespace xdplb {

struct EnteredNamespace {
  bool is_own = false;      // it is the one this program was started in
  std::uint64_t inode = 0;  // tells namespaces apart while they exist
  std::string name{};       // of /run/netns; for a process "" or the name of the same one
};

// The calling thread, which must be the only one, works in it from now on. `what` is a name of /run/netns (`ip netns`)
// or, where no such name is, a process number. Errors: kNotFound, kPermission, os_error; all name `what`.
Result<EnteredNamespace> enter_network_namespace(const std::string& what);

// The file of the namespace that `what` names: "/run/netns/NAME" or "/proc/NUMBER/ns/net".
std::string network_namespace_file(const std::string& what);

// The one that this program was started in, when it is not the host's (`ip netns exec`). nullopt: it is the host's, or
// what process 1 is in cannot be told.
std::optional<EnteredNamespace> find_foreign_start();

}  // namespace xdplb
