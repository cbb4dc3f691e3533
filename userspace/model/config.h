// SPDX-License-Identifier: GPL-2.0-only
// The desired state, as the operator says it: passive structs and the rules they must obey.
#pragma once

#include "base/result.h"
#include "model/advisor_config.h"
#include "model/exit_config.h"
#include "model/manager_config.h"
#include "net/address.h"

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace xdplb {

inline constexpr unsigned kDefaultWeight = 10;
inline constexpr unsigned kMaxWeight = 100;
inline constexpr unsigned kDefaultStaleTimeout = 300;  // seconds
inline constexpr std::size_t kMaxAdapters = 32;        // addresses of one server, entries of a preferred list
inline constexpr unsigned kMaxTimeout = 43200;         // seconds: stamps of rows tell no longer times apart

// How a port chooses the server of a new flow. All but kHash write every flow down.
enum class Pick : std::uint8_t { kHash, kRoundRobin, kLeastConnections };
std::string_view pick_name(Pick pick);  // "hash", "wrr", "least-connections"
// What becomes of a packet that belongs to no known connection of a port that writes every one down.
enum class OnStale : std::uint8_t { kRepick, kReset, kDrop };
std::string_view on_stale_name(OnStale on_stale);  // "repick", "reset", "drop"
// What becomes of a packet for a port without servers.
enum class NoServer : std::uint8_t { kDrop, kPass, kReset };
std::string_view no_server_name(NoServer no_server);  // "drop", "pass", "reset"
// What becomes of new and old flows when advisors say that every server of a port is down: traffic goes on to all of
// them (the classic behaviour), is dropped, or is reset.
enum class OnAllDown : std::uint8_t { kRowsStay, kDrop, kReset };
std::string_view on_all_down_name(OnAllDown on_all_down);  // "rows-stay", "drop", "reset"
// Who answers an echo request to a cluster's address.
enum class Echo : std::uint8_t { kServer, kDispatcher, kOff };
std::string_view echo_name(Echo echo);  // "server", "dispatcher", "off"

// What is said of a server's administration, by any source; the larger, the more severe.
enum class Admin : std::uint8_t {
  kReady,
  kDrain,     // no new flows; keeps its flows and its sticky clients
  kDrainNow,  // no new flows, not even of sticky clients
  kDown,      // out at once
};
std::string_view admin_name(Admin admin);  // "ready", "drain", "drain-now", "down"

inline constexpr unsigned kMaxTier = 3;

// How many servers of a port must be up: a number, or percent of its servers.
struct MinUp {
  unsigned value = 1;  // 1..1000, percent 1..100
  bool is_percent = false;
  bool operator==(const MinUp&) const = default;
};

// Every member below has an initialiser: without one g++ warns about a designated initialiser that leaves it out.
struct ServerConfig {
  std::string name{};   // unique in its port; defaults to the address
  IpAddress address{};  // tells where the server's MAC is; unique in its port
  // Further adapters of the same host in order of preference, at most kMaxAdapters with `address`: its flows follow the
  // first healthy one. All unique in the port.
  std::vector<IpAddress> further_addresses{};
  unsigned weight = kDefaultWeight;  // 0..kMaxWeight; 0 gets no new flows
  std::optional<Family> family{};    // serves only this family of the cluster's addresses when set
  // 802.1Q tag of frames to it: absent: as the client's frame came; 0: none; 1..4094.
  std::optional<std::uint16_t> vlan{};
  unsigned tier = 0;              // 0..kMaxTier: gets new flows while the better tiers have less than min_up servers up
  bool has_fixed_weight = false;  // the manager leaves its weight alone
  Admin admin = Admin::kReady;    // the configuration's word; others are said at run time
  bool operator==(const ServerConfig&) const = default;
};

struct PortConfig {
  std::uint16_t port = 0;  // host order; 0 = any port of the cluster that has no entry of its own
  Protocol protocol = Protocol::kTcp;
  Pick pick = Pick::kHash;
  unsigned stale_timeout_s = kDefaultStaleTimeout;  // 1..kMaxTimeout: a flow silent for longer is forgotten
  OnStale on_stale = OnStale::kRepick;              // reset: TCP only
  NoServer no_server = NoServer::kDrop;             // reset: TCP only
  // Affinity: a client's connections go to one server until none was opened for so long; 0: off; up to kMaxTimeout.
  unsigned sticky_s = 0;
  std::uint8_t sticky_mask_v4 = 32;   // 1..32: clients with the same first bits are one
  std::uint8_t sticky_mask_v6 = 128;  // 1..128
  // This port and that one of the same cluster and protocol share their clients' affinity: equal servers (names,
  // addresses, weights) and equal sticky settings. The other port has no crossport of its own.
  std::optional<std::uint16_t> crossport{};
  bool udp_tracking = false;               // UDP only: every flow is written down
  unsigned new_flow_limit = 0;             // flows written down a second; 0: no limit
  unsigned half_open_limit = 0;            // connections without an ACK above which an event tells of it; 0: none
  std::optional<AdvisorConfig> advisor{};  // probes the servers; absent: nothing does, all count as up
  MinUp min_up{};
  OnAllDown on_all_down = OnAllDown::kRowsStay;  // reset: TCP only
  unsigned slow_start_s = 0;  // a server that comes back gets its weight in ten steps over so long; 0..kMaxTimeout
  std::vector<ServerConfig> servers{};
  bool operator==(const PortConfig&) const = default;

  // Every connection is written down, on settled rows, too.
  bool is_tracked() const { return pick != Pick::kHash || udp_tracking; }
};

struct ClusterConfig {
  std::string name{};
  std::vector<IpAddress> addresses{};  // the VIPAs
  // Networks whose every address is the cluster's, for a dispatcher in the routed path: longest match, after the
  // addresses of all clusters; host bits are 0. At least one address or prefix. In documents they stand among the
  // addresses: "198.51.100.0/24"; "0.0.0.0" and "::" are everything.
  std::vector<IpPrefix> prefixes{};
  Echo echo = Echo::kServer;
  ManagerConfig manager{};
  std::vector<PortConfig> ports{};
  bool operator==(const ClusterConfig&) const = default;
};

// When a VIPA moves back to a better interface of its list that is healthy again: after it was so for the hold, at
// once, or when the operator says so.
enum class Failback : std::uint8_t { kDelayed, kImmediate, kManual };
std::string_view failback_name(Failback failback);  // "delayed", "immediate", "manual"
// What becomes of a VIPA of ours that another machine claims: claimed again (RFC 5227 2.4 c) or given up (b).
enum class OnConflict : std::uint8_t { kDefend, kYield };
std::string_view on_conflict_name(OnConflict on_conflict);  // "defend", "yield"
// Who is asked before a first claim: three probes within a second, by the times of RFC 5227, or nobody.
enum class DuplicateProbe : std::uint8_t { kFast, kRfc, kOff };
std::string_view duplicate_probe_name(DuplicateProbe probe);  // "fast", "rfc", "off"

inline constexpr unsigned kDefaultHold = 30;     // seconds
inline constexpr unsigned kDefaultRefresh = 60;  // seconds

// How one VIPA is owned on the LAN. An address of a cluster without such an entry has the defaults.
struct VipaConfig {
  IpAddress address{};
  // The interfaces that may own it, each by name or by one of its addresses, first wins; at most kMaxAdapters, no
  // duplicates. Absent: the loaded interfaces in their order. Empty: never answered by this host (routed mode).
  std::optional<std::vector<std::string>> preferred{};
  // Only with an empty list: the server (its name, path or one of its addresses) that answers for it on the LAN
  // instead.
  std::optional<std::string> proxy{};
  // The address is on this host's loopback: the host is a server itself and owns its VIPA through several adapters,
  // with or without XDP. Needs `preferred`.
  bool is_local = false;
  // Claims only while nobody else answers for it, and gives it up to whoever does.
  bool is_backup = false;
  Failback failback = Failback::kDelayed;
  unsigned hold_s = kDefaultHold;  // of delayed failback, 0..3600
  OnConflict on_conflict = OnConflict::kDefend;
  DuplicateProbe probe = DuplicateProbe::kFast;
  unsigned refresh_s = kDefaultRefresh;  // it is announced again so often at least; 0: never, else 2..3600
  bool operator==(const VipaConfig&) const = default;
};

// When an interface counts as failed or as healthy, beyond what the kernel says of its link.
struct HealthConfig {
  // Machines that must answer on each interface: by ARP or neighbour solicitation on the interface's own networks, else
  // by ICMP echo through it. At most 16; empty: none.
  std::vector<IpAddress> reach_targets{};
  bool needs_all_targets = false;  // one silent target is a failure; else all of them must be silent
  unsigned reach_interval_s = 1;   // 1..60
  unsigned reach_missed = 3;       // 1..10: so many questions in a row without an answer are a failure
  unsigned up_delay_s = 2;         // 0..255: healthy only after the link was up for so long
  unsigned down_delay_s = 0;       // 0..255: a lost carrier counts only after so long
  bool operator==(const HealthConfig&) const = default;
};

struct Config {
  // Names, in the operator's order of preference. Absent: a document that says nothing about interfaces leaves them as
  // they are.
  std::optional<std::vector<std::string>> interfaces{};
  // Keys the client hash of every port. Two dispatchers with equal secret and clusters send a flow to the same server.
  // Empty: the daemon makes one at random and keeps it in its state.
  std::string secret{};
  std::vector<MacAddress> peers{};  // other dispatchers, at most 16: frames from them are refused
  bool decrement_ttl = false;       // of every packet forwarded
  // The kernel settings that owning VIPAs needs are made, and restored at the end; else they are only checked.
  bool fix_host = false;
  HealthConfig health{};
  bool has_failure_guard = true;    // when very much fails at once nobody is taken out (model/failure_guard.h)
  std::vector<ExitConfig> exits{};  // each event at most once
  std::vector<ClusterConfig> clusters{};
  std::vector<VipaConfig> vipas{};  // each address once; in no cluster, too
  bool operator==(const Config&) const = default;
};

// Paths as a person types them: "web", "web/443" (tcp), "web/53/udp", "web/443/s1", "web/53/udp/s1".
struct PortPath {
  std::string cluster{};
  std::uint16_t port = 0;
  Protocol protocol = Protocol::kTcp;

  // "CLUSTER/PORT[/tcp|udp]". Errors: kUsage, naming the text and the form expected.
  static Result<PortPath> parse(std::string_view text);
  std::string to_string() const;  // "web/443", "web/53/udp"
  auto operator<=>(const PortPath&) const = default;
};

struct ServerPath {
  PortPath port{};
  std::string server{};

  // "CLUSTER/PORT[/tcp|udp]/SERVER". A server's name may hold ':' and '.', so an address is a name. Errors: kUsage.
  static Result<ServerPath> parse(std::string_view text);
  std::string to_string() const;
  auto operator<=>(const ServerPath&) const = default;
};

// All addresses of a server in order of preference.
std::vector<IpAddress> addresses_of(const ServerConfig& server);

// Letters, digits, '-', '_', '.' and ':' (the last so that an IPv6 address can be a server's name), 1 to 63 of them,
// first a letter or a digit or, for a server, ':' of an address like "::1". "tcp" and "udp" are no names: they would
// make a path ambiguous. Errors: kInvalidConfig, naming `what`.
Result<void> check_name(std::string_view name, std::string_view what);

// check_name for a cluster, whose name never begins with ':'.
Result<void> check_cluster_name(std::string_view name, std::string_view what);

// Checks everything that can be known without looking at this host: names, ranges, duplicates (cluster, address or
// network across clusters, port+protocol in a cluster, server name and address in a port, peer), a server that is a
// VIPA of any cluster, an address that cannot be a VIPA or a server (unspecified, multicast, broadcast, loopback),
// empty address lists, options of a port that exclude each other (model/port_rules.h), entries of `vipas`: an address
// twice, a list entry twice or of the other family, an entry that is the VIPA itself, `proxy` beside a list, `local`
// without one, ranges.
//
// Returns the first error in document order: kConflict for a duplicate, else kInvalidConfig; the message names the path
// ("server web/443/s1: weight 101 is not in 0..100").
Result<void> validate(const Config& config);

// Finds by name or path; nullptr when absent. The pointer is into `config`.
ClusterConfig* find_cluster(Config& config, std::string_view name);
const ClusterConfig* find_cluster(const Config& config, std::string_view name);
VipaConfig* find_vipa(Config& config, const IpAddress& address);
const VipaConfig* find_vipa(const Config& config, const IpAddress& address);
PortConfig* find_port(Config& config, const PortPath& path);
const PortConfig* find_port(const Config& config, const PortPath& path);
ServerConfig* find_server(Config& config, const ServerPath& path);
const ServerConfig* find_server(const Config& config, const ServerPath& path);

// What differs, one line an object in the operator's words and document order of `after`, removals first:
// "- server web/443/s1", "+ server web/443/s3 192.0.2.23 weight 10", "~ server web/443/s2 weight 10 -> 20",
// "+ cluster web 192.0.2.10 2001:db8::10", "+ vipa 192.0.2.10 preferred eth0 eth1", "+ port web/443 sticky 60s", "~
// cluster web addresses A B -> A C",
// "~ port web/443 pick hash -> wrr sticky 0s -> 60s", "+ interface eth1", "- peer 02:00:00:00:00:02".
// An object that comes or goes with its parent has a line of its own, too. The order of interfaces counts ("~
// interfaces eth0 eth1 -> eth1 eth0"), that of clusters, ports and servers does not. What `after` leaves open (no
// interfaces, empty secret) stays as it is and has no line; a changed secret is "~ secret", never its text. Empty when
// the two are equal.
std::vector<std::string> diff_lines(const Config& before, const Config& after);

}  // namespace xdplb
