// SPDX-License-Identifier: GPL-2.0-only
// The plan: what the data plane shall hold for a configuration, in numbers: indexes, rows, MAC addresses. Pure.
#pragma once

#include "model/client_hash.h"
#include "model/config.h"
#include "model/pools.h"
#include "model/rows.h"

#include <array>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace xdplb {

// Where the frames for one server address go.
struct ServerTarget {
  MacAddress mac;
  std::uint32_t ifindex = 0;  // the interface they leave by
  bool operator==(const ServerTarget&) const = default;
};

// What is known of the servers' addresses at this moment; an address without an entry is not resolved.
using ServerTargets = std::map<IpAddress, ServerTarget>;

// Everything a plan needs to know of this host.
struct Surroundings {
  ServerTargets targets;
  std::set<std::uint32_t> interfaces;  // those that frames can leave by
};

struct PlannedServer {
  ServerConfig config;
  std::uint16_t index = 0;             // of the (port, server) pair, 1..32767
  std::optional<ServerTarget> target;  // none yet: no frame can go there
  bool operator==(const PlannedServer&) const = default;
};

struct PlannedRows {
  std::uint32_t first_row = 0;
  RowTable table;
  bool operator==(const PlannedRows&) const = default;
};

struct PlannedPort {
  PortPath path;
  HashSeeds seeds{};
  std::vector<PlannedServer> servers;              // in the order of the configuration
  std::array<std::optional<PlannedRows>, 2> rows;  // by Family; none: the cluster has no address of it, or no server
  bool operator==(const PlannedPort&) const = default;

  const std::optional<PlannedRows>& rows_of(Family family) const { return rows[static_cast<std::size_t>(family)]; }
  std::optional<PlannedRows>& rows_of(Family family) { return rows[static_cast<std::size_t>(family)]; }
  // nullptr when no server has this index.
  const PlannedServer* server_at(std::uint16_t index) const;
};

// Ports that did not change share their object with the plan before: a pointer comparison finds what is new.
struct PlannedCluster {
  std::vector<IpAddress> addresses;
  std::map<PortPath, std::shared_ptr<const PlannedPort>> ports;
};

struct Capacity {
  std::uint32_t servers;  // limit of indexes, exclusive
  std::uint32_t rows;
};

struct Plan {
  explicit Plan(Capacity capacity) : indexes(capacity.servers), rows(capacity.rows) {}

  std::map<std::string, PlannedCluster> clusters;
  IndexPool indexes;
  RowPool rows;

  // nullptr when absent.
  std::shared_ptr<const PlannedPort> find(const PortPath& path) const;
};

// The next plan. Servers that stay keep their index, slices their place; rows move minimally (model/rows.h). What is
// given back is free for the plan after this one only, so a packet on its way never meets a reused index.
//
// A server without target or of weight 0 gets no rows. When no server of a port has a target, those that had one in
// `before` keep it, as long as its interface is there: frames to the last known address are better than none.
//
// secret  not empty; keys the client hash: another one sends every flow to another server
// Errors: kFailed when indexes or rows run out; names the port and how many there are.
Result<Plan> make_plan(const Plan& before, const Config& config, const Surroundings& host, std::string_view secret);

// Numbers of one port as the state file keeps them.
struct PortAssignment {
  std::map<std::string, std::uint16_t> servers;                                // name -> index
  std::array<std::optional<std::pair<std::uint32_t, std::uint32_t>>, 2> rows;  // by Family: first row, count
  bool operator==(const PortAssignment&) const = default;
};
using Assignments = std::map<PortPath, PortAssignment>;

Assignments assignments_of(const Plan& plan);

// The maps that outlived the daemon, as restore_plan reads them.
struct MapReader {
  std::function<std::vector<std::uint16_t>(std::uint32_t first, std::uint32_t count)> rows;  // `count` owners
  std::function<std::optional<ServerTarget>(std::uint16_t index)> target;
};

// The plan that the pinned maps hold, from the numbers kept in the state file: the `before` of the first make_plan
// after a restart. Ports whose numbers contradict each other are left out, and make_plan plans them anew.
Plan restore_plan(const Config& config, const Assignments& assignments, const MapReader& maps, std::string_view secret,
                  Capacity capacity);

}  // namespace xdplb
