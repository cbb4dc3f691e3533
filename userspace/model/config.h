// SPDX-License-Identifier: GPL-2.0-only
// The desired state, as the operator says it: passive structs and the rules they must obey.
#pragma once

#include "base/result.h"
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

// Every member below has an initialiser: without one g++ warns about a designated initialiser that leaves it out.
struct ServerConfig {
  std::string name{};                // unique in its port; defaults to the address
  IpAddress address{};               // tells where the server's MAC is; unique in its port
  unsigned weight = kDefaultWeight;  // 0..kMaxWeight; 0 gets no new flows
  std::optional<Family> family{};    // serves only this family of the cluster's addresses when set
  bool operator==(const ServerConfig&) const = default;
};

struct PortConfig {
  std::uint16_t port = 0;  // host order; 0 = any port of the cluster that has no entry of its own
  Protocol protocol = Protocol::kTcp;
  std::vector<ServerConfig> servers{};
  bool operator==(const PortConfig&) const = default;
};

struct ClusterConfig {
  std::string name{};
  std::vector<IpAddress> addresses{};  // the VIPAs; at least one
  std::vector<PortConfig> ports{};
  bool operator==(const ClusterConfig&) const = default;
};

struct Config {
  // Names, in the operator's order of preference. Absent: a document that says nothing about interfaces leaves them as
  // they are.
  std::optional<std::vector<std::string>> interfaces{};
  // Keys the client hash of every port. Two dispatchers with equal secret and clusters send a flow to the same server.
  // Empty: the daemon makes one at random and keeps it in its state.
  std::string secret{};
  std::vector<ClusterConfig> clusters{};
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

// Letters, digits, '-', '_', '.' and ':' (the last so that an IPv6 address can be a server's name), 1 to 63 of them,
// first a letter or a digit or, for a server, ':' of an address like "::1". "tcp" and "udp" are no names: they would
// make a path ambiguous. Errors: kInvalidConfig, naming `what`.
Result<void> check_name(std::string_view name, std::string_view what);

// check_name for a cluster, whose name never begins with ':'.
Result<void> check_cluster_name(std::string_view name, std::string_view what);

// Checks everything that can be known without looking at this host: names, ranges, duplicates (cluster, address across
// clusters, port+protocol in a cluster, server name and address in a port), a server that is a VIPA of any cluster, an
// address that cannot be a VIPA or a server (unspecified, multicast, broadcast, loopback), empty address lists.
//
// Returns the first error in document order: kConflict for a duplicate, else kInvalidConfig; the message names the path
// ("server web/443/s1: weight 101 is not in 0..100").
Result<void> validate(const Config& config);

// Finds by name or path; nullptr when absent. The pointer is into `config`.
ClusterConfig* find_cluster(Config& config, std::string_view name);
const ClusterConfig* find_cluster(const Config& config, std::string_view name);
PortConfig* find_port(Config& config, const PortPath& path);
const PortConfig* find_port(const Config& config, const PortPath& path);
ServerConfig* find_server(Config& config, const ServerPath& path);
const ServerConfig* find_server(const Config& config, const ServerPath& path);

// What differs, one line an object in the operator's words and document order of `after`, removals first:
// "- server web/443/s1", "+ server web/443/s3 192.0.2.23 weight 10", "~ server web/443/s2 weight 10 -> 20",
// "+ cluster web 192.0.2.10 2001:db8::10", "+ port web/443", "~ cluster web addresses A B -> A C", "+ interface eth1".
// An object that comes or goes with its parent has a line of its own, too. The order of interfaces counts ("~
// interfaces eth0 eth1 -> eth1 eth0"), that of clusters, ports and servers does not. What `after` leaves open (no
// interfaces, empty secret) stays as it is and has no line; a changed secret is "~ secret", never its text. Empty when
// the two are equal.
std::vector<std::string> diff_lines(const Config& before, const Config& after);

}  // namespace xdplb
