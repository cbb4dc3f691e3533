// SPDX-License-Identifier: GPL-2.0-only
#include "doctor/doctor_needs.h"

#include <algorithm>

namespace xdplb {
namespace {

template <typename T>
bool contains(const std::vector<T>& list, const T& value) {
  return std::find(list.begin(), list.end(), value) != list.end();
}

std::vector<IpAddress> vipas_of(const DoctorTask& task) {
  if (!task.vipas.empty()) return task.vipas;
  std::vector<IpAddress> vipas;
  for (const auto& cluster : task.config.clusters)
    vipas.insert(vipas.end(), cluster.addresses.begin(), cluster.addresses.end());
  for (const auto& vipa : task.config.vipas) vipas.push_back(vipa.address);
  return vipas;
}

DoctorVipa vipa_of(const DoctorTask& task, const IpAddress& address) {
  DoctorVipa vipa{.address = address, .is_owned = contains(task.own_vipas, address)};
  const auto* configured = find_vipa(task.config, address);
  if (configured == nullptr) return vipa;
  vipa.is_local = configured->is_local;
  vipa.has_proxy = configured->proxy.has_value();
  vipa.yields = configured->on_conflict == OnConflict::kYield || configured->is_backup;
  vipa.preferred = configured->preferred;
  return vipa;
}

void add_port(const ClusterConfig& cluster, const PortConfig& port, DoctorNeeds& needs) {
  for (const auto& server : port.servers) {
    const auto addresses = addresses_of(server);
    needs.servers.insert(addresses.begin(), addresses.end());
    needs.has_tags = needs.has_tags || server.vlan.value_or(0) != 0;
    // Each adapter is probed at each VIPA, or at its own address.
    if (port.advisor) needs.probes += addresses.size() * std::max<std::size_t>(cluster.addresses.size(), 1);
  }
}

}  // namespace

bool DoctorNeeds::has_v6() const {
  return std::any_of(vipas.begin(), vipas.end(), [](const DoctorVipa& vipa) { return vipa.address.is_v6(); });
}

DoctorNeeds needs_of(const DoctorTask& task) {
  DoctorNeeds needs;
  const auto named = !task.interfaces.empty() ? task.interfaces : task.config.interfaces.value_or(task.interfaces);
  for (const auto& name : named)
    if (!contains(needs.interfaces, name)) needs.interfaces.push_back(name);
  std::set<IpAddress> seen;
  for (const auto& address : vipas_of(task))
    if (seen.insert(address).second) needs.vipas.push_back(vipa_of(task, address));
  for (const auto& cluster : task.config.clusters)
    for (const auto& port : cluster.ports) add_port(cluster, port, needs);
  return needs;
}

}  // namespace xdplb
