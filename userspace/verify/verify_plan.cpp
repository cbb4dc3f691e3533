// SPDX-License-Identifier: GPL-2.0-only
#include "verify/verify_plan.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <utility>

namespace xdplb {
namespace {

constexpr unsigned kMaxConnectMs = 60000;

// Plans one task over one host.
class Planner {
 public:
  Planner(const VerifyTask& task, const HostSnapshot& host) : task_(task), host_(host) {}

  Result<VerifyPlan> plan() {
    if (!task_.interface.empty()) {
      const auto* link = host_.find_link(task_.interface);
      if (link == nullptr)
        return fail(ErrorCode::kNotFound, fmt::format("interface {}: this host has none", task_.interface));
      if (!link->is_usable())
        return fail(ErrorCode::kFailed,
                    fmt::format("interface {0}: it is down or has no carrier; `ip link set {0} up`", link->name));
      only_ = link->index;
    }
    for (const auto& cluster : task_.config.clusters) add_cluster(cluster);
    for (auto& vipa : plan_.vipas) find_interfaces(vipa);
    plan_.notes.assign(notes_.begin(), notes_.end());
    return std::move(plan_);
  }

 private:
  // The interface whose network has the address; 0: none.
  std::uint32_t interface_of(const IpAddress& address) const {
    if (only_ != 0) return only_;
    std::vector<std::uint32_t> candidates;
    for (const auto& link : host_.links)
      if (link.is_usable() && !link.is_loopback && !link.mac.is_zero()) candidates.push_back(link.index);
    std::vector<InterfaceAddress> networks;
    for (const auto& entry : host_.addresses)
      if (!entry.prefix.is_host()) networks.push_back(entry);
    return find_connected(networks, address, candidates).value_or(0);
  }

  std::string shown_name(const ClusterConfig& cluster) const { return task_.is_made_up ? "-" : cluster.name; }

  void add_cluster(const ClusterConfig& cluster) {
    for (const auto& prefix : cluster.prefixes)
      notes_.insert(fmt::format("cluster {}: the network {} is not verified: it has no address of its own to ask for",
                                cluster.name, prefix.to_string()));
    for (const auto& vipa : cluster.addresses) {
      if (host_.has(vipa)) {
        notes_.insert(fmt::format(
            "VIPA {}: it is an address of this host, so nothing that is sent to it leaves: verify it elsewhere",
            vipa.to_string()));
        continue;
      }
      add_vipa(vipa);
      for (const auto& port : cluster.ports)
        for (const auto& server : port.servers) add_server(cluster, port, server, vipa);
    }
  }

  void add_vipa(const IpAddress& address) {
    AskedVipa vipa{.address = address};
    const auto& own = task_.own_vipas;
    vipa.is_owned_here = std::find(own.begin(), own.end(), address) != own.end();
    if (const auto* config = find_vipa(task_.config, address)) {
      vipa.yields = config->on_conflict == OnConflict::kYield || config->is_backup;
      vipa.proxy = config->proxy.value_or(std::string());
    }
    plan_.vipas.push_back(std::move(vipa));
  }

  bool is_left_out(const std::string& object, const ServerConfig& server) {
    const auto addresses = addresses_of(server);
    if (std::any_of(addresses.begin(), addresses.end(), [this](const IpAddress& one) { return host_.has(one); })) {
      notes_.insert(fmt::format("server {}: it is this host itself: `xdplb-server check` looks at it", object));
      return true;
    }
    if (server.vlan.value_or(0) == 0) return false;
    notes_.insert(
        fmt::format("server {}: frames to it get the VLAN tag {}, which verify does not send", object, *server.vlan));
    return true;
  }

  void add_server(const ClusterConfig& cluster, const PortConfig& port, const ServerConfig& server,
                  const IpAddress& vipa) {
    if (server.family && *server.family != vipa.family()) return;
    const auto object = task_.is_made_up ? server.name : cluster.name + "/" + server.name;
    if (is_left_out(object, server)) return;
    auto& row = row_of(cluster, object, server, vipa);
    if (port.port != 0 || port.advisor) row.ports.push_back(planned(cluster, port));
  }

  AskedRow& row_of(const ClusterConfig& cluster, const std::string& object, const ServerConfig& server,
                   const IpAddress& vipa) {
    const auto addresses = addresses_of(server);
    for (auto& row : plan_.rows) {
      const bool is_it = row.vipa == vipa && row.object == object && row.adapters.size() == addresses.size() &&
                         std::equal(addresses.begin(), addresses.end(), row.adapters.begin(),
                                    [](const IpAddress& one, const AskedAdapter& two) { return one == two.address; });
      if (is_it) return row;
    }
    AskedRow row{.cluster = shown_name(cluster), .server = server.name, .object = object, .vipa = vipa};
    for (const auto& address : addresses) row.adapters.push_back({address, interface_of(address)});
    return plan_.rows.emplace_back(std::move(row));
  }

  AskedPort planned(const ClusterConfig& cluster, const PortConfig& port) const {
    AskedPort planned{.path = {.cluster = shown_name(cluster), .port = port.port, .protocol = port.protocol}};
    const auto wait = static_cast<unsigned>(std::min<std::int64_t>(task_.wait.count(), kMaxConnectMs));
    if (port.protocol == Protocol::kTcp && port.port != 0) {
      planned.advisor.emplace();
      planned.advisor->connect_timeout_ms = std::max(wait, kMinProbeTime);
      planned.advisor->receive_timeout_ms = planned.advisor->connect_timeout_ms;
    } else if (port.protocol == Protocol::kUdp) {
      planned.advisor = port.advisor;
    }
    return planned;
  }

  // Where its servers are, and where it lies itself.
  void find_interfaces(AskedVipa& vipa) const {
    std::set<std::uint32_t> interfaces{interface_of(vipa.address)};
    for (const auto& row : plan_.rows) {
      if (row.vipa != vipa.address) continue;
      for (const auto& adapter : row.adapters) interfaces.insert(adapter.ifindex);
    }
    interfaces.erase(0);
    vipa.interfaces.assign(interfaces.begin(), interfaces.end());
  }

  const VerifyTask& task_;
  const HostSnapshot& host_;
  std::uint32_t only_ = 0;
  VerifyPlan plan_{};
  std::set<std::string> notes_{};
};

}  // namespace

Result<VerifyPlan> plan_verify(const VerifyTask& task, const HostSnapshot& host) { return Planner(task, host).plan(); }

}  // namespace xdplb
