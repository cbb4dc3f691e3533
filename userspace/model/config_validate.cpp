// SPDX-License-Identifier: GPL-2.0-only
// validate(): the rules a configuration must obey, in document order.
#include "model/advisor_json.h"
#include "model/config.h"
#include "model/config_decoder.h"
#include "model/option_text.h"
#include "model/port_rules.h"
#include "model/text.h"
#include "model/vipa_rules.h"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <map>
#include <set>
#include <unordered_map>
#include <unordered_set>
#include <utility>

namespace xdplb {
namespace {

constexpr std::size_t kMaxPeers = 16;

struct AddressHash {
  std::size_t operator()(const IpAddress& address) const {
    const auto bytes = address.bytes();
    return std::hash<std::string_view>{}({reinterpret_cast<const char*>(bytes.data()), bytes.size()});
  }
};

// Which cluster holds a VIPA: the first one that claims it; nullptr for one of no cluster.
using VipaOwners = std::unordered_map<IpAddress, const ClusterConfig*, AddressHash>;
using AdapterOwners = std::unordered_map<IpAddress, const ServerConfig*, AddressHash>;
using PrefixOwners = std::map<IpPrefix, const ClusterConfig*>;

Error invalid(std::string message) { return fail(ErrorCode::kInvalidConfig, std::move(message)); }
Error conflict(std::string message) { return fail(ErrorCode::kConflict, std::move(message)); }

Result<void> check_interfaces(const std::vector<std::string>& interfaces) {
  std::unordered_set<std::string_view> seen;
  for (const std::string& name : interfaces) {
    if (!is_interface_name(name)) {
      return invalid(fmt::format("interface {}: not a name an interface can have", quote(name)));
    }
    if (!seen.insert(name).second) return conflict(fmt::format("interface {}: listed twice", name));
  }
  return {};
}

Result<void> check_peers(const std::vector<MacAddress>& peers) {
  std::set<MacAddress> seen;
  for (const MacAddress& peer : peers) {
    if (peer.is_multicast() || peer.is_zero()) {
      return invalid(fmt::format("peer {}: not the MAC address of an interface", peer.to_string()));
    }
    if (!seen.insert(peer).second) return conflict(fmt::format("peer {}: listed twice", peer.to_string()));
  }
  if (peers.size() <= kMaxPeers) return {};
  return invalid(fmt::format("peers: there are {}, at most {} are possible", peers.size(), kMaxPeers));
}

VipaOwners collect_vipas(const Config& config) {
  VipaOwners owners;
  for (const ClusterConfig& cluster : config.clusters) {
    for (const IpAddress& address : cluster.addresses) owners.emplace(address, &cluster);
  }
  for (const VipaConfig& vipa : config.vipas) owners.emplace(vipa.address, nullptr);
  return owners;
}

Result<void> check_addresses(const ClusterConfig& cluster, const VipaOwners& owners) {
  if (cluster.addresses.empty() && cluster.prefixes.empty()) {
    return invalid(fmt::format("cluster {}: needs at least one address", cluster.name));
  }
  std::unordered_set<IpAddress, AddressHash> seen;
  for (const IpAddress& address : cluster.addresses) {
    const std::string text = address.to_string();
    if (const std::string_view why = unusable_address(address); !why.empty()) {
      return invalid(fmt::format("cluster {}: {} is {} and cannot be a VIPA", cluster.name, text, why));
    }
    if (!seen.insert(address).second) {
      return conflict(fmt::format("cluster {}: address {} is listed twice", cluster.name, text));
    }
    if (const ClusterConfig* owner = owners.at(address); owner != &cluster) {
      return conflict(
          fmt::format("cluster {}: address {} already belongs to cluster {}", cluster.name, text, owner->name));
    }
  }
  return {};
}

// `owners` holds the prefixes of the clusters before this one.
Result<void> check_prefixes(const ClusterConfig& cluster, PrefixOwners& owners) {
  for (const IpPrefix& prefix : cluster.prefixes) {
    const std::string text = prefix.to_string();
    if (prefix.length >= 8 * prefix.address.bytes().size() || prefix.network() != prefix) {
      return invalid(fmt::format("cluster {}: {} is not a network", cluster.name, text));
    }
    if (prefix.address.is_loopback() || prefix.address.is_multicast()) {
      return invalid(fmt::format("cluster {}: {} cannot be routed to a dispatcher", cluster.name, text));
    }
    const auto [owner, inserted] = owners.emplace(prefix, &cluster);
    if (inserted) continue;
    if (owner->second == &cluster) {
      return conflict(fmt::format("cluster {}: network {} is listed twice", cluster.name, text));
    }
    return conflict(
        fmt::format("cluster {}: network {} already belongs to cluster {}", cluster.name, text, owner->second->name));
  }
  return {};
}

Result<void> check_server(const ServerConfig& server, const std::string& path) {
  if (server.weight > kMaxWeight) {
    return invalid(fmt::format("server {}: weight {} is not in 0..{}", path, server.weight, kMaxWeight));
  }
  if (server.vlan && *server.vlan > kMaxVlan) {
    return invalid(fmt::format("server {}: vlan {} is not in 0..{}", path, *server.vlan, kMaxVlan));
  }
  if (server.tier > kMaxTier) {
    return invalid(fmt::format("server {}: tier {} is not in 0..{}", path, server.tier, kMaxTier));
  }
  if (const std::size_t count = 1 + server.further_addresses.size(); count > kMaxAdapters) {
    return invalid(fmt::format("server {}: it has {} addresses, at most {} are possible", path, count, kMaxAdapters));
  }
  return {};
}

Result<void> check_adapter(const IpAddress& address, const std::string& path, const VipaOwners& owners) {
  const std::string text = address.to_string();
  if (const std::string_view why = unusable_address(address); !why.empty()) {
    return invalid(fmt::format("server {}: {} is {} and cannot be a server's", path, text, why));
  }
  // MAC forwarding to the VIPA itself would send the dispatcher its own packets.
  const auto owner = owners.find(address);
  if (owner == owners.end()) return {};
  const std::string of_cluster = owner->second == nullptr ? "" : " of cluster " + owner->second->name;
  return invalid(fmt::format("server {}: {} is a VIPA{}, give an address of the server's own", path, text, of_cluster));
}

// `seen` holds the addresses of the servers before it.
Result<void> check_adapters(const ServerConfig& server, const std::string& path, AdapterOwners& seen) {
  for (const IpAddress& address : addresses_of(server)) {
    const auto [other, inserted] = seen.emplace(address, &server);
    if (inserted) continue;
    if (other->second == &server) {
      return conflict(fmt::format("server {}: address {} is listed twice", path, address.to_string()));
    }
    return conflict(fmt::format("server {}: address {} already belongs to server {}", path, address.to_string(),
                                other->second->name));
  }
  return {};
}

Result<void> check_servers(const PortConfig& port, const std::string& port_path, const VipaOwners& owners) {
  std::unordered_set<std::string_view> names;
  AdapterOwners adapters;
  for (const ServerConfig& server : port.servers) {
    if (auto checked = check_name(server.name, "server of " + port_path); !checked) return checked;
    const std::string path = fmt::format("{}/{}", port_path, server.name);
    if (auto checked = check_server(server, path); !checked) return checked;
    for (const IpAddress& address : addresses_of(server)) {
      if (auto checked = check_adapter(address, path, owners); !checked) return checked;
    }
    if (!names.insert(server.name).second) return conflict(fmt::format("server {}: name is used twice", path));
    if (auto checked = check_adapters(server, path, adapters); !checked) return checked;
  }
  return {};
}

Result<void> check_manager(const ClusterConfig& cluster) {
  const auto checked =
      decode_manager_changes(encode_manager(cluster.manager), fmt::format("cluster {}: manager", cluster.name));
  return checked ? Result<void>() : Result<void>(checked.error());
}

Result<void> check_ports(const ClusterConfig& cluster, const VipaOwners& owners) {
  std::set<std::pair<std::uint16_t, Protocol>> seen;
  for (const PortConfig& port : cluster.ports) {
    const std::string path =
        PortPath{.cluster = cluster.name, .port = port.port, .protocol = port.protocol}.to_string();
    if (!seen.emplace(port.port, port.protocol).second) return conflict(fmt::format("port {}: defined twice", path));
    if (auto checked = check_servers(port, path, owners); !checked) return checked;
    if (auto checked = check_port_options(cluster, port); !checked) return checked;
  }
  return {};
}

Result<void> check_exits(const std::vector<ExitConfig>& exits) {
  std::set<ExitEvent> seen;
  for (const ExitConfig& exit : exits) {
    if (seen.insert(exit.event).second) continue;
    return conflict(fmt::format("exit {}: defined twice", exit_event_name(exit.event)));
  }
  ConfigDecoder decoder;
  std::vector<ExitConfig> again;
  if (!decoder.exits(encode_exits(exits), "exits", again)) return invalid(decoder.failure());
  return {};
}

}  // namespace

Result<void> validate(const Config& config) {
  if (config.interfaces) {
    if (auto checked = check_interfaces(*config.interfaces); !checked) return checked;
  }
  if (auto checked = check_peers(config.peers); !checked) return checked;
  const VipaOwners owners = collect_vipas(config);
  const auto is_vipa = [&owners](const IpAddress& address) { return owners.contains(address); };
  if (auto checked = check_health(config.health, is_vipa); !checked) return checked;
  if (auto checked = check_exits(config.exits); !checked) return checked;
  PrefixOwners prefixes;
  std::unordered_set<std::string_view> names;
  for (const ClusterConfig& cluster : config.clusters) {
    if (auto checked = check_cluster_name(cluster.name, "cluster"); !checked) return checked;
    if (!names.insert(cluster.name).second) return conflict(fmt::format("cluster {}: defined twice", cluster.name));
    if (auto checked = check_addresses(cluster, owners); !checked) return checked;
    if (auto checked = check_prefixes(cluster, prefixes); !checked) return checked;
    if (auto checked = check_manager(cluster); !checked) return checked;
    if (auto checked = check_ports(cluster, owners); !checked) return checked;
  }
  return check_vipas(config.vipas);
}

}  // namespace xdplb
