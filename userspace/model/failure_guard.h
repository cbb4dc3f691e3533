// SPDX-License-Identifier: GPL-2.0-only
// When very much fails at once it is rather this host's own network: demotions are frozen. Pure.
#pragma once

#include "model/health.h"

#include <cstddef>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>

namespace xdplb {

// Frozen while every reach target of every loaded interface is lost, and for one interval after one answers again:
// probes that began before end in it. And for kFrozenIntervals once at least half of all checked servers, at least
// kMinServers of them in at least two clusters, have begun to fail within one interval.
//
// The order for a failed probe: failed(), can_fall(), CheckHealth::take(). A server that is down after a freeze does
// not begin another: only one that answered in between can.
class FailureGuard {
 public:
  static constexpr unsigned kFrozenIntervals = 3;
  static constexpr std::size_t kMinServers = 4;
  static constexpr std::size_t kMinClusters = 2;

  // One checked server failed, or answered. Of failures in a row only the first counts; of a server that is not among
  // those of set_servers() none does.
  //
  // server    any name that is unique in `cluster`, the one that it belongs to
  void failed(const std::string& cluster, const std::string& server, HealthClock::time_point now);
  void answered(const std::string& cluster, const std::string& server);
  // All that are checked now; forgets others.
  //
  // longest_interval  within which each of them tells a result: the longest interval between probes and, as a probe
  //                   that gets no answer tells it late, the longest timeout
  void set_servers(const std::map<std::string, std::set<std::string>>& by_cluster,
                   std::chrono::milliseconds longest_interval);
  // false: there are reach targets and all of them are lost.
  void set_reach(bool is_reachable, HealthClock::time_point now);

  // Whether a check may go down now.
  bool can_fall(HealthClock::time_point now);
  // "6 of 10 servers in 2 clusters began to fail within 2 s"; empty while nothing is frozen.
  std::string reason(HealthClock::time_point now) const;
  // When a freeze ends by itself; can_fall() of then forgets it. nullopt: nothing is frozen, or while reach is lost.
  std::optional<HealthClock::time_point> thaws_at() const;

 private:
  using Name = std::pair<std::string, std::string>;  // cluster, server

  void thaw(HealthClock::time_point now);
  void judge(HealthClock::time_point now);

  std::map<std::string, std::set<std::string>> servers_;
  // Since when; nullopt: a freeze that its failure took part in is over.
  std::map<Name, std::optional<HealthClock::time_point>> failing_;
  std::chrono::milliseconds interval_{2000};
  bool is_reachable_ = true;
  std::optional<HealthClock::time_point> reach_until_;  // after reach came back
  std::optional<HealthClock::time_point> mass_until_;
  std::string why_mass_;
};

}  // namespace xdplb
