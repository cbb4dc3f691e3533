// SPDX-License-Identifier: GPL-2.0-only
// Standing: what a server gets and why, of all that is said of it: admin words, health, tier, slow start, agent,
// manager. Pure.
#pragma once

#include "model/admin_words.h"
#include "model/config.h"
#include "model/health.h"

#include <array>
#include <chrono>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace xdplb {

// What is known of one server of one port.
struct ServerFacts {
  AdminWords admin{};                // of all sources
  std::array<Health, 2> health{};    // by Family; kUnknown where nothing probes it
  std::array<bool, 2> is_checked{};  // by Family: an advisor probes it
  // By Family: it was in before anything probed it (its rows are there, or an earlier standing had it in for want of a
  // better one): unknown counts as up.
  std::array<bool, 2> trusts_unknown{};
  std::array<std::string, 2> health_reason{};  // by Family: "L4CON connection refused"; empty when up
  // The same by Family; empty text when it is reachable.
  std::array<std::string, 2> unreachable{};  // why there is no target: "no answer to ARP for 192.0.2.21 on eth0"
  unsigned agent_percent = 100;              // 0..256
  // While the manager steers it; in place of the configured weight. 0 is none: the manager gives it to who it holds for
  // down or drained, and whether one is so is said by the other facts.
  std::optional<unsigned> manager_weight{};
  std::optional<HealthClock::time_point> up_since{};  // after a failure that was seen: slow start runs from here
};

// One family's.
struct Standing {
  bool is_in = false;    // frames may be sent to it: it keeps its flows
  unsigned weight = 0;   // of new flows, 0..100
  std::string reason{};  // one line: why it gets what it gets
  bool operator==(const Standing&) const = default;
};

struct PortStanding {
  std::vector<std::array<Standing, 2>> servers;  // in the order of the configuration, by Family
  // By Family: every server that is checked and that admin allows is down, and what on_all_down says is in force.
  std::array<bool, 2> all_down{};
  // By Family: it has servers, and fewer than min_up of them are up.
  std::array<bool, 2> below_min_up{};
  // Servers up, by Family: admin has them not down, they are reachable and nothing says that they are down or unknown.
  std::array<unsigned, 2> up{};
  unsigned tier = 0;  // the worst tier that gets new flows, of either family
  // When the slow start of a server changes a weight next; none: no change by time.
  std::optional<HealthClock::time_point> changes_at{};
};

// The standing of all servers of a port. In each family, of the servers that serve it:
//
// - admin of any source, the most severe wins; down: not in; drain: in, weight 0.
// - An unreachable server is never in: there is nowhere to send to.
// - A server whose health is down: not in. Unknown and checked: not in, unless trusts_unknown or nobody else is in.
// - Nobody in, and one that is checked is known to be down or unreachable: on_all_down: kRowsStay: all that admin
//   allows are in as if they were up; else nobody is.
// - Servers of a worse tier get weight 0 while at least min_up servers of the tiers before them get new flows; they
//   stay in.
// - weight = (manager_weight or configured) x agent_percent x slow start, rounded, at least 1 when the product is more
//   than 0, at most 100. A configured weight of 0 stays 0, a fixed one is not the manager's.
// - Slow start: 10 % from up_since on, 10 % more with each tenth of slow_start_s.
//
// facts  by the server's place in port.servers; as many
PortStanding stand(const PortConfig& port, const std::vector<ServerFacts>& facts, HealthClock::time_point now);

// How many servers min_up asks for, at least 1; percent are of the servers that serve the family, rounded up.
unsigned min_up_count(const PortConfig& port, Family family);

}  // namespace xdplb
