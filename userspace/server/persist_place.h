// SPDX-License-Identifier: GPL-2.0-only
// What manages this host's network, and where it takes a file of ours. Reads files below a root folder.
#pragma once

#include "base/result.h"
#include "server/persist_files.h"
#include "server/server_setup.h"

namespace xdplb {

// kAuto becomes what manages the network: systemd-networkd or NetworkManager when it runs, ifupdown when it is here
// and configured, else kSysctlOnly; in a foreign namespace kNone. Errors: kUsage for a file in a foreign namespace.
Result<Persistence> choose_persistence(Persistence asked, const ServerPaths& paths);

// Where the files go. Errors: kConflict, with the way out, when the manager would not read our file, or when another
// one of its own has lo and cannot be added to.
Result<PersistPlace> find_persist_place(Persistence persistence, const ServerPaths& paths);

}  // namespace xdplb
