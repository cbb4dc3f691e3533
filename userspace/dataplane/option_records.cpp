// SPDX-License-Identifier: GPL-2.0-only
#include "dataplane/option_records.h"

#include <algorithm>

namespace xdplb {
namespace {

std::uint8_t pick_of(Pick pick) {
  switch (pick) {
    case Pick::kRoundRobin:
      return XDPLB_PICK_ROUND_ROBIN;
    case Pick::kLeastConnections:
      return XDPLB_PICK_LEAST_CONNECTIONS;
    case Pick::kHash:
      break;
  }
  return XDPLB_PICK_HASH;
}

std::uint8_t on_stale_of(OnStale on_stale) {
  switch (on_stale) {
    case OnStale::kReset:
      return XDPLB_STALE_RESET;
    case OnStale::kDrop:
      return XDPLB_STALE_DROP;
    case OnStale::kRepick:
      break;
  }
  return XDPLB_STALE_REPICK;
}

std::uint8_t no_server_of(NoServer no_server) {
  switch (no_server) {
    case NoServer::kPass:
      return XDPLB_NO_SERVER_PASS;
    case NoServer::kReset:
      return XDPLB_NO_SERVER_RESET;
    case NoServer::kDrop:
      break;
  }
  return XDPLB_NO_SERVER_DROP;
}

std::uint8_t echo_of(Echo echo) {
  switch (echo) {
    case Echo::kDispatcher:
      return XDPLB_ECHO_DISPATCHER;
    case Echo::kOff:
      return XDPLB_ECHO_OFF;
    case Echo::kServer:
      break;
  }
  return XDPLB_ECHO_SERVER;
}

bool is_alive(const PlannedCluster& cluster, Family family) {
  return std::any_of(cluster.ports.begin(), cluster.ports.end(), [family](const auto& entry) {
    const auto& servers = entry.second->servers;
    return std::any_of(servers.begin(), servers.end(),
                       [family](const PlannedServer& server) { return server.is_in(family); });
  });
}

}  // namespace

static_assert(kMaxMembers == XDPLB_MAX_MEMBERS);

xdplb_options port_options(const PlannedPort& port, Family family, const TickLength& tick) {
  const auto place = static_cast<std::size_t>(family);
  xdplb_options options{};
  if (port.config.is_tracked()) options.flags |= XDPLB_OPTION_TRACKED;
  if (port.is_shared) options.flags |= XDPLB_OPTION_SHARED;
  options.pick = pick_of(port.config.pick);
  options.on_stale = on_stale_of(port.config.on_stale);
  options.no_server = no_server_of(port.no_server[place]);
  options.affinity = port.affinity[place];
  options.stale_ticks = tick.ticks(port.config.stale_timeout_s);
  if (const auto& members = port.members[place]) {
    options.first_member = members->first_row;
    options.member_count = static_cast<std::uint32_t>(members->words.size());
  }
  options.new_flow_limit = port.config.new_flow_limit;
  return options;
}

xdplb_options cluster_options(const PlannedCluster& cluster, Family family) {
  xdplb_options options{};
  options.echo = echo_of(cluster.echo);
  if (is_alive(cluster, family)) options.flags |= XDPLB_OPTION_ALIVE;
  for (const auto& [path, port] : cluster.ports) {
    if (path.port != 0) continue;
    options.flags |= path.protocol == Protocol::kTcp ? XDPLB_OPTION_WILDCARD_TCP : XDPLB_OPTION_WILDCARD_UDP;
  }
  return options;
}

}  // namespace xdplb
