// SPDX-License-Identifier: GPL-2.0-only
// Parts that make_plan and restore_plan are made of; for model/plan*.cpp only.
#pragma once

#include "model/plan.h"

#include <map>
#include <string>
#include <utility>
#include <vector>

namespace xdplb::draft {

// What one make_plan works on: the plan in the making and what is given back at its end.
struct Draft {
  Plan plan;
  std::vector<std::uint16_t> freed_indexes{};
  std::vector<std::uint16_t> freed_options{};
  std::vector<std::pair<std::uint32_t, std::uint32_t>> freed_rows{};  // first, count

  void free_port(const PlannedPort& port);
  void give_back();
};

bool has_family(const ClusterConfig& cluster, Family family);

// Admin words by the lead of their port, then server name: ports that share affinity have one.
using GroupAdmins = std::map<PortPath, std::map<std::string, Admin, std::less<>>>;
GroupAdmins group_admins(const Config& config, const std::map<ServerPath, Admin>& admins);
Admin admin_of(const GroupAdmins& admins, const PortPath& lead, const std::string& server);

// What is granted, by the lead of the ports and server name: ports that share affinity grant the least of any, and
// where that is nothing to anybody, the most.
using GroupGrants = std::map<PortPath, std::map<std::string, ServerGrant, std::less<>>>;
GroupGrants group_grants(const Config& config, const std::map<ServerPath, ServerGrant>& grants);
std::optional<ServerGrant> grant_of(const GroupGrants& grants, const PortPath& lead, const std::string& server);

// Another port of the cluster names this one, or it names another.
bool is_shared(const ClusterConfig& cluster, const PortConfig& port);

// Who takes part in the rows of a family; one that takes no new flows does so without weight.
std::vector<RowServer> row_servers(const std::vector<PlannedServer>& servers, Family family);

// Path, configuration, seeds, and what becomes of packets that no server takes.
//
// all_down  as Surroundings::all_down
PlannedPort begin_port(const ClusterConfig& cluster, const PortConfig& port, std::string_view secret,
                       const std::map<PortPath, ByFamily<std::optional<NoServer>>>& all_down = {});

// Slices of one port and family. Errors: kFailed when rows run out.
//
// before  may be nullptr
// lead    the port whose rows this one has; nullptr: rows of its own
Result<void> plan_rows(PlannedPort& port, Family family, const PlannedPort* before, const PlannedPort* lead,
                       Draft& draft);
Result<void> plan_members(PlannedPort& port, Family family, const PlannedPort* before, Draft& draft);
// The words of a member slice; nullopt when the port needs none. The order is that of packets' choices.
std::optional<std::vector<std::uint32_t>> member_words(const PlannedPort& port, Family family);

}  // namespace xdplb::draft
