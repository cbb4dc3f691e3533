// SPDX-License-Identifier: GPL-2.0-only
// The plan: what the data plane shall hold for a configuration, in numbers: indexes, rows, MAC addresses. Pure.
#pragma once

#include "model/client_hash.h"
#include "model/config.h"
#include "model/pools.h"
#include "model/port_rules.h"
#include "model/rows.h"

#include <array>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace xdplb {

inline constexpr std::array kFamilies = {Family::kV4, Family::kV6};

// One T for each family of addresses.
template <typename T>
using ByFamily = std::array<T, 2>;

// Where the frames for one server address go.
struct ServerTarget {
  MacAddress mac;
  std::uint32_t ifindex = 0;  // the interface they leave by
  bool is_local = false;      // the address is this host's own: up its stack, without MAC and interface
  bool operator==(const ServerTarget&) const = default;
};

// What is known of the servers' addresses at this moment; an address without an entry is not resolved.
using ServerTargets = std::map<IpAddress, ServerTarget>;

// What health, tier and load grant a server of a port (model/standing.h).
struct ServerGrant {
  ByFamily<bool> is_in{true, true};  // false: as if it had no target; its rows go to others at once, flows included
  ByFamily<unsigned> weight{};       // of new flows, 0..kMaxWeight; in place of the configured one
  bool operator==(const ServerGrant&) const = default;
};

// Everything a plan needs to know of this host and of this moment.
struct Surroundings {
  ServerTargets targets;
  std::set<std::uint32_t> interfaces;          // those that frames can leave by
  std::map<ServerPath, Admin> admins{};        // absent: ready
  std::map<ServerPath, ServerGrant> grants{};  // absent: in, with the configured weight
  // Ports whose servers are all down: what becomes of packets, in place of PortConfig::no_server.
  std::map<PortPath, ByFamily<std::optional<NoServer>>> all_down{};
  std::set<IpAddress> own{};  // addresses of this host
};

struct PlannedServer {
  ServerConfig config;
  std::uint16_t index = 0;             // of the (port, server) pair, 1..32767
  std::optional<ServerTarget> target;  // none: it is not resolved, or down: no frame can go there
  std::optional<IpAddress> carrier{};  // of its addresses: the one whose target this is; none when restored
  Admin admin = Admin::kReady;         // of ports that share affinity: the strongest word said of any
  std::optional<ServerGrant> grant{};  // of ports that share affinity: the least that any grants
  bool operator==(const PlannedServer&) const = default;

  bool serves(Family family) const { return !config.family || *config.family == family; }
  // Frames of the family are sent to it: it keeps its flows.
  bool is_in(Family family) const {
    return target && serves(family) && (!grant || grant->is_in[static_cast<std::size_t>(family)]);
  }
  // Of new flows.
  unsigned weight(Family family) const {
    if (!is_in(family) || admin != Admin::kReady) return 0;
    return grant ? grant->weight[static_cast<std::size_t>(family)] : config.weight;
  }
};

struct PlannedRows {
  std::uint32_t first_row = 0;
  RowTable table;
  bool has_homes = false;  // any of table.homes is set
  bool operator==(const PlannedRows&) const = default;

  std::uint32_t count() const { return static_cast<std::uint32_t>(table.owners.size()); }
};

// The servers of a port in a slice of `rows`, for ports that pick by more than the row.
struct PlannedMembers {
  std::uint32_t first_row = 0;
  std::uint32_t slice = 0;           // rows that are taken, a power of two
  std::vector<std::uint32_t> words;  // round robin: an index each; else index | weight << 16
  bool operator==(const PlannedMembers&) const = default;
};

struct PlannedPort {
  PortPath path;
  PortConfig config{};                                // as configured, servers included
  HashSeeds seeds{};                                  // of the lead's path when it shares affinity
  bool is_shared = false;                             // shares its affinity with another port
  ByFamily<NoServer> no_server{};                     // what becomes of a packet that no server takes
  ByFamily<std::uint16_t> options{};                  // indexes; 0: the cluster has no address of this family
  ByFamily<std::uint16_t> affinity{};                 // what clients' entries are numbered by; 0: none
  std::vector<PlannedServer> servers{};               // in the order of the configuration
  ByFamily<std::optional<PlannedRows>> rows{};        // none: the cluster has no address of it, or no server
  ByFamily<std::optional<PlannedMembers>> members{};  // only where the port needs them
  bool operator==(const PlannedPort&) const = default;

  const std::optional<PlannedRows>& rows_of(Family family) const { return rows[static_cast<std::size_t>(family)]; }
  std::optional<PlannedRows>& rows_of(Family family) { return rows[static_cast<std::size_t>(family)]; }
  std::uint16_t options_of(Family family) const { return options[static_cast<std::size_t>(family)]; }
  HashShape shape_of(Family family) const;
  // nullptr when no server has this index.
  const PlannedServer* server_at(std::uint16_t index) const;
  // nullptr when no server has this name.
  const PlannedServer* server_named(std::string_view name) const;
  // Flows of rows without a server of their own are not thrown over: TCP, and UDP that is written down.
  bool keeps_flows() const { return path.protocol == Protocol::kTcp || config.is_tracked(); }
};

// Ports that did not change share their object with the plan before: a pointer comparison finds what is new.
struct PlannedCluster {
  std::vector<IpAddress> addresses;
  std::vector<IpPrefix> prefixes{};
  Echo echo = Echo::kServer;
  ByFamily<std::uint16_t> options{};  // indexes; 0: no address of this family
  std::map<PortPath, std::shared_ptr<const PlannedPort>> ports{};

  std::uint16_t options_of(Family family) const { return options[static_cast<std::size_t>(family)]; }
};

struct Capacity {
  std::uint32_t servers;  // limit of indexes, exclusive
  std::uint32_t rows;
  std::uint32_t options = 8192;  // limit of indexes, exclusive
};

struct Plan {
  explicit Plan(Capacity capacity) : indexes(capacity.servers), rows(capacity.rows), options(capacity.options) {}

  std::map<std::string, PlannedCluster> clusters;
  bool decrement_ttl = false;
  std::vector<MacAddress> peers{};
  IndexPool indexes;  // of (port, server) pairs
  RowPool rows;
  IndexPool options;  // of option records

  // nullptr when absent.
  std::shared_ptr<const PlannedPort> find(const PortPath& path) const;
};

// The port that `port` shares the affinity of; itself when it names none.
PortPath lead_of(const std::string& cluster, const PortConfig& port);

// The next plan. Servers that stay keep their index, slices their place; rows move minimally (model/rows.h). What is
// given back is free for the plan after this one only, so a packet on its way never meets a reused index.
//
// A server with several addresses has the target of the first that has one: when that one fails, the others follow with
// one store, all flows with them. A server without target, of weight 0, drained or down gets no rows; one that is not
// in for a family loses its flows of that family, too. When no server of a port has a target, those that had one in
// `before` keep it, as long as its interface is there: frames to the last known address are better than none. A port
// that names another one by `crossport` has that one's rows, with its own indexes of the same servers.
//
// secret  not empty; keys the client hash: another one sends every flow to another server
// Errors: kFailed when indexes or rows run out; names the port and how many there are.
Result<Plan> make_plan(const Plan& before, const Config& config, const Surroundings& host, std::string_view secret);

}  // namespace xdplb
