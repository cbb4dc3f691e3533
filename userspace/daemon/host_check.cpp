// SPDX-License-Identifier: GPL-2.0-only
#include "daemon/host_check.h"

#include <fmt/format.h>

#include <algorithm>

namespace xdplb {
namespace {

// Those that are not on this host's loopback by intention: a dispatcher must not have them.
std::set<IpAddress> forwarded_vipas(const Config& config) {
  std::set<IpAddress> addresses;
  for (const auto& cluster : config.clusters) addresses.insert(cluster.addresses.begin(), cluster.addresses.end());
  for (const auto& vipa : config.vipas) addresses.insert(vipa.address);
  for (const auto& vipa : config.vipas)
    if (vipa.is_local) addresses.erase(vipa.address);
  return addresses;
}

bool is_own(const HostCheck& check, const IpAddress& address) {
  return std::any_of(check.addresses.begin(), check.addresses.end(),
                     [&address](const InterfaceAddress& entry) { return entry.prefix.address == address; });
}

// A dispatcher that is a server, too, has the VIPA as all servers do.
bool has_own_server(const HostCheck& check, const ClusterConfig& cluster) {
  for (const auto& port : cluster.ports)
    for (const auto& server : port.servers)
      for (const auto& address : addresses_of(server))
        if (is_own(check, address)) return true;
  return false;
}

Result<void> check_vipas(const HostCheck& check) {
  const auto known = forwarded_vipas(check.now);
  const auto refuse = [](const std::string& object, const IpAddress& address) {
    return fail(ErrorCode::kInvalidConfig,
                fmt::format("{}: {} is an address of this host, and the dispatcher must not have its VIPAs: remove it "
                            "(`ip address del`) first",
                            object, address.to_string()));
  };
  std::set<IpAddress> served;
  for (const auto& cluster : check.next.clusters) {
    const bool serves_itself = has_own_server(check, cluster);
    for (const auto& address : cluster.addresses) {
      const auto* vipa = find_vipa(check.next, address);
      const bool may_be_own = serves_itself || known.contains(address) || (vipa != nullptr && vipa->is_local);
      if (may_be_own) served.insert(address);
      if (!may_be_own && is_own(check, address)) return refuse("cluster " + cluster.name, address);
    }
  }
  for (const auto& vipa : check.next.vipas) {
    const bool may_be_own = vipa.is_local || known.contains(vipa.address) || served.contains(vipa.address);
    if (may_be_own || !is_own(check, vipa.address)) continue;
    return fail(
        ErrorCode::kInvalidConfig,
        fmt::format("vipa {0}: it is an address of this host; say `--local on` when this host is the server, or "
                    "remove it (`ip address del`) first",
                    vipa.address.to_string()));
  }
  return {};
}

// Of a link: all that get its frames, directly or through others.
std::set<std::uint32_t> standing_on(const std::map<std::uint32_t, Link>& links, std::uint32_t lowest) {
  std::set<std::uint32_t> found{lowest};
  for (std::size_t before = 0; before != found.size();) {
    before = found.size();
    for (const auto& [index, link] : links) {
      if (found.contains(link.lower)) found.insert(index);
      if (found.contains(index) && link.master != 0) found.insert(link.master);
    }
  }
  found.erase(lowest);
  return found;
}

Result<void> check_servers(const HostCheck& check) {
  const auto known = server_addresses(check.now);
  for (const auto& cluster : check.next.clusters) {
    for (const auto& port : cluster.ports) {
      for (const auto& server : port.servers) {
        for (const auto& address : addresses_of(server)) {
          if (known.contains(address) || is_own(check, address)) continue;
          if (find_connected(check.addresses, address, check.interfaces)) continue;
          const ServerPath path{.port = {.cluster = cluster.name, .port = port.port, .protocol = port.protocol},
                                .server = server.name};
          const auto where =
              !check.has_loaded
                  ? std::string("no interface is loaded: `xdplb load IFACE` first")
                  : fmt::format(
                        "{} is on no loaded interface's network; MAC forwarding reaches only servers on the "
                        "same LAN: load the interface that is on it",
                        address.to_string());
          return fail(ErrorCode::kInvalidConfig, fmt::format("server {}: {}", path.to_string(), where));
        }
      }
    }
  }
  return {};
}

}  // namespace

std::set<IpAddress> server_addresses(const Config& config) {
  std::set<IpAddress> addresses;
  for (const auto& cluster : config.clusters)
    for (const auto& port : cluster.ports)
      for (const auto& server : port.servers)
        for (const auto& address : addresses_of(server)) addresses.insert(address);
  return addresses;
}

std::set<IpAddress> adapter_addresses(const Config& config) {
  std::set<IpAddress> addresses;
  for (const auto& cluster : config.clusters)
    for (const auto& port : cluster.ports)
      for (const auto& server : port.servers)
        if (!server.further_addresses.empty())
          for (const auto& address : addresses_of(server)) addresses.insert(address);
  return addresses;
}

Result<void> check_host(const HostCheck& check) {
  if (auto fits = check_vipas(check); !fits) return fits;
  return check_servers(check);
}

Result<void> check_apart(const std::map<std::uint32_t, Link>& links, const std::vector<std::uint32_t>& loaded) {
  for (const auto lower : loaded) {
    const auto above = standing_on(links, lower);
    for (const auto upper : loaded) {
      if (!above.contains(upper)) continue;
      return fail(
          ErrorCode::kConflict,
          fmt::format("interface {0}: it stands on {1}, whose program would take its frames, and the kernel drop "
                      "them: load the one that has this host's addresses alone",
                      links.at(upper).name, links.at(lower).name));
    }
  }
  return {};
}

}  // namespace xdplb
