// SPDX-License-Identifier: GPL-2.0-only
// StandingBook: what every server gets and why (model/standing.h), from all that know something of it, and what is told
// when that changes: events and user exits.
#pragma once

#include "daemon/admin_states.h"
#include "daemon/advisor_keeper.h"
#include "daemon/event_log.h"
#include "daemon/manager_keeper.h"
#include "daemon/server_resolver.h"
#include "daemon/user_exits.h"
#include "model/plan.h"
#include "model/standing.h"

#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>

namespace xdplb {

using PortStandings = std::map<PortPath, PortStanding>;

// Everything runs on the io_context's thread.
class StandingBook {
 public:
  // All but the first two may be absent (nullptr): nobody is asked then. All must outlive the book.
  struct Sources {
    const ServerResolver* resolver = nullptr;
    const AdminStates* admins = nullptr;
    const AdvisorKeeper* advisors = nullptr;
    const ManagerKeeper* managers = nullptr;
    EventLog* events = nullptr;
    UserExits* exits = nullptr;
  };

  StandingBook() = default;
  explicit StandingBook(const Sources& sources) : sources_(sources) {}

  // Of all ports as they are now.
  PortStandings stand(const Config& config, bool is_forwarding) const;
  // What of it a plan needs: admin words, grants, ports that are all down.
  void fill(const Config& config, const PortStandings& standings, Surroundings& host) const;
  // What an earlier daemon told: before the first follow().
  void restore(const std::map<ServerPath, ByFamily<Health>>& health);
  // What is in the maps now; what changed since is told. Not forwarding: nothing is known, and nothing told.
  void follow(const Config& config, PortStandings standings, bool is_forwarding);

  // As followed last; nullptr for a port it did not have.
  const PortStanding* find(const PortPath& port) const;
  // Words of all sources of a server.
  AdminWords words(const ServerPath& path, const ServerConfig& server) const;
  // nullopt when nothing probes it, or nothing is known yet.
  ServerFacts facts(const ClusterConfig& cluster, const PortConfig& port, const ServerConfig& server,
                    bool is_forwarding) const;
  // When a standing changes by time alone.
  std::optional<HealthClock::time_point> changes_at() const;
  const std::set<PortPath>& all_down() const { return all_down_; }

 private:
  void follow_port(const ClusterConfig& cluster, const PortConfig& port, const PortPath& path,
                   const PortStanding& standing);
  void tell(ExitEvent event, std::string_view code, const std::string& object, const std::string& text,
            const ServerPath& server, bool runs_exit);

  Sources sources_;
  PortStandings standings_;
  std::map<ServerPath, Health> told_;  // overall
  std::map<ServerPath, ByFamily<Health>> told_families_;
  std::set<PortPath> all_down_;
};

// Down in every family that is checked is down, up in any is up.
Health overall_health(const ServerFacts& facts);

}  // namespace xdplb
