// SPDX-License-Identifier: GPL-2.0-only
#include "model/port_rules.h"

#include "model/advisor_json.h"
#include "model/option_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <unordered_map>
#include <utility>

namespace xdplb {
namespace {

std::string path_of(const ClusterConfig& cluster, const PortConfig& port) {
  return PortPath{.cluster = cluster.name, .port = port.port, .protocol = port.protocol}.to_string();
}

Error invalid(const std::string& path, const std::string& message) {
  return fail(ErrorCode::kInvalidConfig, fmt::format("port {}: {}", path, message));
}

Result<void> check_range(const std::string& path, std::string_view what, unsigned value, unsigned min, unsigned max) {
  if (value >= min && value <= max) return {};
  return invalid(path, fmt::format("{} {} is not in {}..{}", what, value, min, max));
}

Result<void> check_ranges(const PortConfig& port, const std::string& path) {
  auto checked = check_range(path, "stale_timeout", port.stale_timeout_s, 1, kMaxTimeout);
  if (checked) checked = check_range(path, "sticky", port.sticky_s, 0, kMaxTimeout);
  if (checked) checked = check_range(path, "sticky_mask of IPv4", port.sticky_mask_v4, 1, 32);
  if (checked) checked = check_range(path, "sticky_mask of IPv6", port.sticky_mask_v6, 1, 128);
  if (checked) checked = check_range(path, "min_up", port.min_up.value, 1, port.min_up.is_percent ? 100 : kMaxMinUp);
  if (checked) checked = check_range(path, "slow_start", port.slow_start_s, 0, kMaxTimeout);
  return checked;
}

Result<void> check_protocol(const PortConfig& port, const std::string& path) {
  const bool is_udp = port.protocol == Protocol::kUdp;
  if (is_udp && port.on_stale == OnStale::kReset) {
    return invalid(path, "on_stale reset is for TCP, choose repick or drop");
  }
  if (is_udp && port.no_server == NoServer::kReset) {
    return invalid(path, "no_server reset is for TCP, choose drop or pass");
  }
  if (is_udp && port.on_all_down == OnAllDown::kReset) {
    return invalid(path, "on_all_down reset is for TCP, choose rows-stay or drop");
  }
  if (!is_udp && port.udp_tracking) return invalid(path, "udp_tracking is for UDP");
  if (is_udp && port.pick != Pick::kHash && !port.udp_tracking) {
    return invalid(path, fmt::format("pick {} of UDP needs udp_tracking", pick_name(port.pick)));
  }
  return {};
}

Result<void> check_members(const PortConfig& port, const std::string& path) {
  const bool is_limited = port.pick == Pick::kLeastConnections || port.crossport;
  if (!is_limited || port.servers.size() <= kMaxMembers) return {};
  return invalid(path, fmt::format("it has {} servers, with {} there may be {}", port.servers.size(),
                                   port.crossport ? "crossport" : "pick least-connections", kMaxMembers));
}

std::string server_text(const ServerConfig& server) {
  return fmt::format("{} weight {} family {} vlan {}", list_text(addresses_of(server)), server.weight,
                     server.family ? family_name(*server.family) : "any", vlan_text(server.vlan));
}

// Whether a client's flows of both ports can go to it alike. Tier and administration are a port's own, as health is.
bool is_same_member(const ServerConfig& server, const ServerConfig& other) {
  return addresses_of(server) == addresses_of(other) && server.weight == other.weight &&
         server.family == other.family && server.vlan == other.vlan;
}

// The first server that one port has otherwise than the other, in words; empty when there is none.
std::string server_difference(const PortConfig& port, const PortConfig& other, const std::string& path,
                              const std::string& other_path) {
  std::unordered_map<std::string_view, const ServerConfig*> others;
  for (const ServerConfig& server : other.servers) others.emplace(server.name, &server);
  for (const ServerConfig& server : port.servers) {
    const auto twin = others.find(server.name);
    if (twin == others.end()) return fmt::format("server {} is in {} only", server.name, path);
    if (!is_same_member(*twin->second, server)) {
      return fmt::format("server {} is {} in {} and {} in {}", server.name, server_text(server), path,
                         server_text(*twin->second), other_path);
    }
    others.erase(twin);
  }
  for (const ServerConfig& server : other.servers) {
    if (others.contains(server.name)) return fmt::format("server {} is in {} only", server.name, other_path);
  }
  return {};
}

// What keeps two ports from sharing their clients' servers; empty when nothing does.
std::string difference(const PortConfig& port, const PortConfig& other, const std::string& path,
                       const std::string& other_path) {
  if (port.sticky_s != other.sticky_s) {
    return fmt::format("sticky is {} in {} and {} in {}", duration_text(port.sticky_s), path,
                       duration_text(other.sticky_s), other_path);
  }
  if (port.sticky_mask_v4 != other.sticky_mask_v4 || port.sticky_mask_v6 != other.sticky_mask_v6) {
    return fmt::format("sticky_mask is /{},/{} in {} and /{},/{} in {}", port.sticky_mask_v4, port.sticky_mask_v6, path,
                       other.sticky_mask_v4, other.sticky_mask_v6, other_path);
  }
  if (port.sticky_s == 0) return "neither is sticky";
  return server_difference(port, other, path, other_path);
}

Result<void> check_crossport(const ClusterConfig& cluster, const PortConfig& port, const std::string& path) {
  if (!port.crossport) return {};
  const std::string other_path =
      PortPath{.cluster = cluster.name, .port = *port.crossport, .protocol = port.protocol}.to_string();
  if (*port.crossport == port.port) return invalid(path, "crossport names the port itself");
  const auto is_other = [&](const PortConfig& one) {
    return one.port == *port.crossport && one.protocol == port.protocol;
  };
  const auto other = std::find_if(cluster.ports.begin(), cluster.ports.end(), is_other);
  if (other == cluster.ports.end()) {
    return invalid(path, fmt::format("crossport {}: there is no port {}", *port.crossport, other_path));
  }
  if (other->crossport) {
    return invalid(path, fmt::format("crossport {0}: port {1} has crossport {2} itself, name that one", *port.crossport,
                                     other_path, *other->crossport));
  }
  const std::string why = difference(port, *other, path, other_path);
  if (why.empty()) return {};
  return invalid(path, fmt::format("crossport {} needs equal servers and sticky options in both, but {}: change both "
                                   "in one `xdplb config apply`",
                                   *port.crossport, why));
}

Result<void> check_port_advisor(const ClusterConfig& cluster, const PortConfig& port, const std::string& path) {
  if (!port.advisor) return {};
  const std::string object = fmt::format("port {}: advisor", path);
  const bool is_udp = port.protocol == Protocol::kUdp;
  if (auto checked = check_advisor(*port.advisor, port.port, is_udp, object); !checked) return checked;
  if (!cluster.addresses.empty() || port.advisor->way == ProbeWay::kOwn) return {};
  return fail(ErrorCode::kInvalidConfig,
              fmt::format("{}: cluster {} has no single address to probe: say \"via\": \"own\"", object, cluster.name));
}

}  // namespace

Result<void> check_port_options(const ClusterConfig& cluster, const PortConfig& port) {
  const std::string path = path_of(cluster, port);
  auto checked = check_ranges(port, path);
  if (checked) checked = check_protocol(port, path);
  if (checked) checked = check_members(port, path);
  if (checked) checked = check_port_advisor(cluster, port, path);
  if (checked) checked = check_crossport(cluster, port, path);
  return checked;
}

}  // namespace xdplb
