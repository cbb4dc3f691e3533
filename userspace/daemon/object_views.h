// SPDX-License-Identifier: GPL-2.0-only
// ObjectViews: clusters, ports, servers and flows as JSON, their numbers read back from the maps (I1). Shapes:
// docs/api.md.
#pragma once

#include "control/request.h"
#include "daemon/admin_states.h"
#include "daemon/explain.h"
#include "daemon/forwarding.h"
#include "daemon/server_resolver.h"
#include "daemon/standing_book.h"

#include <nlohmann/json.hpp>

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace xdplb {

nlohmann::json counters_view(const xdplb_counters& counters);
void add(xdplb_counters& sum, const xdplb_counters& more);
// server  path, for people
nlohmann::json flow_view(const FlowRecord& flow, const std::string& server);

// By server index.
std::map<std::uint16_t, ServerPath> server_paths(const Plan& plan);

class ObjectViews {
 public:
  struct Sources {
    const Forwarding* forwarding = nullptr;  // nullptr while no interface is loaded
    const ServerResolver& resolver;
    const AdminStates& admins;
    const StandingBook& book;
    const AdvisorKeeper* advisors = nullptr;  // nullptr without a daemon
    InterfaceName name;
  };
  explicit ObjectViews(Sources sources)
      : forwarding_(sources.forwarding),
        resolver_(sources.resolver),
        admins_(sources.admins),
        book_(sources.book),
        advisors_(sources.advisors),
        name_(std::move(sources.name)) {}

  nlohmann::json cluster(const ClusterConfig& cluster) const;
  nlohmann::json port(const ClusterConfig& cluster, const PortConfig& config) const;
  std::vector<nlohmann::json> servers(const ClusterConfig& cluster, const PortConfig& config) const;
  xdplb_counters counters(const PlannedServer& server) const;

  // The entries of a port, of a server or of all, as many as the request asks for; the totals count all of them.
  Reply flows(const FlowsRequest& request) const;

 private:
  nlohmann::json cluster_outcomes(const ClusterConfig& cluster) const;
  std::shared_ptr<const PlannedPort> plan_of(const PortPath& path) const;
  // Everything that is known of the servers of one port.
  struct PortFacts {
    const ClusterConfig& cluster;
    const PortConfig& port;
    PortPath path;
    const PortStanding& standing;  // as it is now
  };
  PortStanding standing_of(const ClusterConfig& cluster, const PortConfig& port) const;
  nlohmann::json server(const PortFacts& port, std::size_t place, const PlannedServer* known) const;
  void add_admin(const ServerPath& path, const ServerConfig& config, nlohmann::json& view) const;
  void add_health(const PortFacts& port, std::size_t place, const PlannedServer* known, nlohmann::json& view) const;
  void add_adapters(const ServerConfig& config, const PlannedServer* known, nlohmann::json& view) const;
  void add_flow_numbers(const PortPath& path, const PlannedServer* known, nlohmann::json& view) const;
  nlohmann::json rows(const PlannedPort* port, Family family) const;

  const Forwarding* forwarding_;
  const ServerResolver& resolver_;
  const AdminStates& admins_;
  const StandingBook& book_;
  const AdvisorKeeper* advisors_;
  InterfaceName name_;
};

}  // namespace xdplb
