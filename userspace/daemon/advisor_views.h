// SPDX-License-Identifier: GPL-2.0-only
// Advisors, managers and user exits as JSON. Shapes: docs/api.md.
#pragma once

#include "daemon/advisor_keeper.h"
#include "daemon/manager_keeper.h"
#include "daemon/user_exits.h"

#include <nlohmann/json.hpp>

#include <optional>
#include <string>

namespace xdplb {

// A port's advisor with the checks of all its servers, or of one.
//
// has_history  with the last results of each check; they are many
nlohmann::json advisor_view(const ClusterConfig& cluster, const PortConfig& port, const AdvisorKeeper& keeper,
                            const std::optional<std::string>& server, bool has_history);

// The last result of the check of a server that is worst off; null when nothing probes it.
nlohmann::json worst_check_view(const ServerPath& server, const AdvisorKeeper& keeper);

nlohmann::json run_view(const ServerPath& server, const std::vector<AdvisorKeeper::RunResult>& results);

nlohmann::json lateness_view(const Lateness& lateness);

nlohmann::json exits_view(const UserExits& exits);

nlohmann::json manager_view(const ClusterConfig& cluster, const ManagerKeeper& keeper);

}  // namespace xdplb
