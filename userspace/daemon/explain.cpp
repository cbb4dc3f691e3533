// SPDX-License-Identifier: GPL-2.0-only
#include "daemon/explain.h"

#include "dataplane/outcome_names.h"

#include <fmt/format.h>

#include <algorithm>

namespace xdplb {
namespace {

using nlohmann::json;

// The cluster of an address; nullptr when it is no VIPA.
const std::pair<const std::string, PlannedCluster>* cluster_of(const Plan& plan, const IpAddress& address) {
  for (const auto& entry : plan.clusters) {
    const auto& addresses = entry.second.addresses;
    if (std::find(addresses.begin(), addresses.end(), address) != addresses.end()) return &entry;
  }
  return nullptr;
}

json without_answer() {
  return {{"cluster", nullptr}, {"port", nullptr},   {"matched", "none"}, {"row", nullptr},      {"base", nullptr},
          {"cur", nullptr},     {"server", nullptr}, {"mac", nullptr},    {"interface", nullptr}};
}

json ended(json answer, xdplb_outcome outcome, const std::string& text) {
  const auto& name = name_of(outcome);
  answer["verdict"] = name.verdict;
  answer["outcome"] = name.name;
  answer["text"] = text.empty() ? std::string(name.meaning) : text;
  return answer;
}

std::string server_name(const PlannedPort& port, std::uint16_t index) {
  const auto* server = port.server_at(index);
  return server != nullptr ? server->config.name : fmt::format("index {}", index);
}

}  // namespace

json explain(const ExplainRequest& request, const Plan& plan, const KernelTables& tables, std::uint32_t ingress,
             const InterfaceName& name) {
  json answer = without_answer();
  const auto* cluster = cluster_of(plan, request.destination.address);
  if (cluster == nullptr)
    return ended(answer, XDPLB_OUTCOME_NOT_FOR_VIPA,
                 fmt::format("{} is not an address of any cluster", request.destination.address.to_string()));
  answer["cluster"] = cluster->first;
  const PortPath own{.cluster = cluster->first, .port = request.destination.port, .protocol = request.protocol};
  PortPath any = own;
  any.port = 0;
  auto port = plan.find(own);
  if (!port) port = plan.find(any);
  if (!port)
    return ended(answer, XDPLB_OUTCOME_NO_PORT,
                 fmt::format("cluster {} has no port {}/{}", cluster->first, own.port, protocol_name(own.protocol)));
  answer["port"] = port->path.to_string();
  const auto& rows = port->rows_of(request.destination.address.family());
  if (!rows)
    return ended(answer, XDPLB_OUTCOME_NO_SERVER, fmt::format("port {} has no servers", port->path.to_string()));

  const auto mask = static_cast<std::uint32_t>(rows->table.owners.size()) - 1;
  const std::uint32_t row = client_row(request.source, port->seeds, mask);
  const std::uint32_t word = tables.row(rows->first_row + row);
  const auto cur = static_cast<std::uint16_t>(word & XDPLB_ROW_SERVER_MASK);
  const auto base = static_cast<std::uint16_t>((word >> XDPLB_ROW_BASE_SHIFT) & XDPLB_ROW_SERVER_MASK);
  answer["matched"] = "row";
  answer["row"] = row;
  if (base != 0) answer["base"] = server_name(*port, base);
  if (cur == 0)
    return ended(answer, XDPLB_OUTCOME_NO_SERVER,
                 fmt::format("no server of port {} can take {} flows", port->path.to_string(),
                             family_name(request.destination.address.family())));
  answer["cur"] = server_name(*port, cur);
  answer["server"] = fmt::format("{}/{}", port->path.to_string(), server_name(*port, cur));
  const auto path = tables.server(cur);
  if (!path) return ended(answer, XDPLB_OUTCOME_SERVER_GONE, {});
  const std::uint32_t ifindex = tables.egress(path->first).ifindex;
  answer["mac"] = path->second.to_string();
  if (ifindex == 0) return ended(answer, XDPLB_OUTCOME_NO_EGRESS, {});
  answer["interface"] = name(ifindex);
  const bool leaves_where_it_came = ingress == 0 || ingress == ifindex;
  return ended(answer, leaves_where_it_came ? XDPLB_OUTCOME_FORWARDED : XDPLB_OUTCOME_REDIRECTED,
               fmt::format("row {} of {} belongs to {}: its frames leave {} for {}", row, mask + 1,
                           server_name(*port, cur), name(ifindex), path->second.to_string()));
}

}  // namespace xdplb
