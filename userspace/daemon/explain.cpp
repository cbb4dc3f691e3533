// SPDX-License-Identifier: GPL-2.0-only
#include "daemon/explain.h"

#include "daemon/object_views.h"
#include "dataplane/outcome_names.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

namespace xdplb {
namespace {

using nlohmann::json;
using Clusters = std::map<std::string, PlannedCluster>;

// The cluster of an address: its own one, else the one with the longest network around it.
Clusters::const_iterator cluster_of(const Clusters& clusters, const IpAddress& address) {
  auto best = clusters.end();
  int best_length = -1;
  for (auto entry = clusters.begin(); entry != clusters.end(); ++entry) {
    const auto& addresses = entry->second.addresses;
    if (std::find(addresses.begin(), addresses.end(), address) != addresses.end()) return entry;
    for (const auto& prefix : entry->second.prefixes) {
      if (!prefix.contains(address) || prefix.length <= best_length) continue;
      best = entry;
      best_length = prefix.length;
    }
  }
  return best;
}

// What is found out about one flow, in the order of the questions.
class Explanation {
 public:
  Explanation(const ExplainRequest& request, const Forwarding& forwarding, std::uint32_t ingress,
              const InterfaceName& name)
      : request_(request), forwarding_(forwarding), ingress_(ingress), name_(name) {
    for (const char* key :
         {"cluster", "port", "row", "base", "cur", "server", "new_server", "mac", "interface", "flow", "client"})
      answer_[key] = nullptr;
    answer_["matched"] = "none";
    answer_["wildcard"] = false;
    answer_["how"] = json::array();
  }

  Reply answer() {
    if (!find_port()) return make_reply(answer_);
    const auto& rows = port_->rows_of(family());
    if (!rows)
      return make_reply(ended(no_server_outcome(), fmt::format("port {} has no servers", port_->path.to_string())));
    read_row(*rows);
    if (auto found = find_entries(*rows); !found) return found.error();
    choose();
    return make_reply(finish());
  }

 private:
  Family family() const { return request_.destination.address.family(); }

  json ended(xdplb_outcome outcome, const std::string& text) {
    const auto& name = name_of(outcome);
    answer_["verdict"] = name.verdict;
    answer_["outcome"] = name.name;
    answer_["text"] = text.empty() ? std::string(name.meaning) : text;
    return answer_;
  }

  std::string server_name(std::uint16_t index) const {
    const auto* server = port_->server_at(index);
    return server != nullptr ? server->config.name : fmt::format("index {}", index);
  }
  std::string server_path(std::uint16_t index) const {
    return fmt::format("{}/{}", port_->path.to_string(), server_name(index));
  }
  bool has_way(std::uint16_t index) const { return index != 0 && forwarding_.tables().server(index).has_value(); }

  xdplb_outcome no_server_outcome() const {
    switch (port_->no_server[static_cast<std::size_t>(family())]) {
      case NoServer::kPass:
        return XDPLB_OUTCOME_NO_SERVER_PASSED;
      case NoServer::kReset:
        return XDPLB_OUTCOME_RESET_SENT;
      case NoServer::kDrop:
        break;
    }
    return XDPLB_OUTCOME_NO_SERVER;
  }

  bool find_port() {
    const auto& destination = request_.destination;
    const auto& clusters = forwarding_.plan().clusters;
    const auto cluster = cluster_of(clusters, destination.address);
    if (cluster == clusters.end()) {
      ended(XDPLB_OUTCOME_NOT_FOR_VIPA,
            fmt::format("{} is not an address of any cluster", destination.address.to_string()));
      return false;
    }
    answer_["cluster"] = cluster->first;
    const auto& addresses = cluster->second.addresses;
    const bool is_in_network = std::find(addresses.begin(), addresses.end(), destination.address) == addresses.end();
    answer_["wildcard"] = is_in_network;
    const PortPath own{.cluster = cluster->first, .port = destination.port, .protocol = request_.protocol};
    PortPath any = own;
    any.port = 0;
    port_ = forwarding_.plan().find(own);
    if (!port_) {
      port_ = forwarding_.plan().find(any);
      answer_["wildcard"] = is_in_network || port_ != nullptr;
    }
    if (!port_) {
      ended(XDPLB_OUTCOME_NO_PORT,
            fmt::format("cluster {} has no port {}/{}", cluster->first, own.port, protocol_name(own.protocol)));
      return false;
    }
    answer_["port"] = port_->path.to_string();
    return true;
  }

  void read_row(const PlannedRows& rows) {
    row_ = client_row(request_.source, port_->seeds, rows.count() - 1, port_->shape_of(family()));
    state_ = decode_row(forwarding_.tables().row(rows.first_row + row_));
    answer_["row"] = row_;
    if (state_.base != 0) answer_["base"] = server_name(state_.base);
    if (state_.cur != 0) answer_["cur"] = server_name(state_.cur);
  }

  // The entry of the flow, and of its client.
  Result<void> find_entries(const PlannedRows& rows) {
    return forwarding_.read_flows([&](const FlowRecord& flow) {
      if (flow.protocol != request_.protocol) return true;
      const bool is_flow = !flow.is_client && flow.client == request_.source && flow.vipa == request_.destination;
      const bool is_client = flow.is_client && flow.client.address.family() == family() &&
                             flow.row % rows.count() == row_ && is_same_client(flow.client.address);
      if (is_flow) flow_ = flow;
      if (!is_client) return true;
      // Ports that share affinity know the server by indexes of their own.
      const auto server = own_index(flow.server);
      if (server == 0) return true;
      client_ = flow;
      client_->server = server;
      return true;
    });
  }

  // The index of the same server at this port, 0 when the entry is of a port that shares nothing with it.
  std::uint16_t own_index(std::uint16_t server) const {
    if (port_->server_at(server) != nullptr) return server;
    for (const auto& [path, port] : forwarding_.plan().clusters.at(port_->path.cluster).ports) {
      const auto* known = port->affinity == port_->affinity ? port->server_at(server) : nullptr;
      if (known == nullptr) continue;
      if (const auto* own = port_->server_named(known->config.name)) return own->index;
    }
    return 0;
  }

  bool is_same_client(const IpAddress& masked) const {
    const auto length = family() == Family::kV4 ? port_->config.sticky_mask_v4 : port_->config.sticky_mask_v6;
    return IpPrefix{.address = masked, .length = length}.contains(request_.source.address);
  }

  std::uint16_t wanted() const {
    if (client_ && has_way(client_->server)) return client_->server;
    return state_.cur;
  }

  void choose() {
    const std::uint16_t base = state_.base != 0 ? state_.base : state_.cur;
    if (flow_) answer_["flow"] = flow_view(*flow_, server_path(flow_->server));
    if (client_) answer_["client"] = flow_view(*client_, server_path(client_->server));
    if (flow_ && has_way(flow_->server)) {
      server_ = flow_->server;
      answer_["matched"] = "flow";
      answer_["how"] = {"flow"};
    } else {
      server_ = base;
      answer_["matched"] = "row";
      answer_["how"] = json::array({state_.base == state_.cur ? "row" : "base"});
    }
    if (port_->config.pick == Pick::kHash && wanted() != 0) answer_["new_server"] = server_path(wanted());
  }

  // Why it is this server, in words.
  std::string reason(std::uint32_t ifindex, const MacAddress& mac) const {
    std::string text;
    if (answer_["matched"] == "flow") {
      text = fmt::format("the flow is written down with {}", server_name(server_));
    } else if (port_->config.is_tracked()) {
      text =
          fmt::format("the flow is not written down: a new one is picked by {}, row {} belongs to {}",
                      port_->config.udp_tracking ? "hash" : pick_name(port_->config.pick), row_, server_name(server_));
    } else if (state_.base == state_.cur) {
      text = fmt::format("row {} belongs to {}", row_, server_name(server_));
    } else {
      text = fmt::format("row {} changes from {} to {}: flows that are not written down stay with {}", row_,
                         server_name(state_.base), state_.cur != 0 ? server_name(state_.cur) : "nobody",
                         server_name(server_));
    }
    return fmt::format("{}; frames leave {} for {}", text, ifindex != 0 ? name_(ifindex) : "up the stack",
                       mac.to_string());
  }

  json finish() {
    if (server_ == 0) {
      return ended(no_server_outcome(), fmt::format("no server of port {} can take {} flows", port_->path.to_string(),
                                                    family_name(family())));
    }
    answer_["server"] = server_path(server_);
    const auto way = forwarding_.tables().server(server_);
    if (!way) return ended(XDPLB_OUTCOME_SERVER_GONE, {});
    const auto& egress = forwarding_.tables().egress(way->first & XDPLB_SERVER_EGRESS_MASK);
    if ((egress.flags & XDPLB_EGRESS_LOCAL) != 0)
      return ended(XDPLB_OUTCOME_LOCAL, fmt::format("{} is this host itself", server_name(server_)));
    answer_["mac"] = way->second.to_string();
    if (egress.ifindex == 0) return ended(XDPLB_OUTCOME_NO_EGRESS, {});
    answer_["interface"] = name_(egress.ifindex);
    const bool leaves_where_it_came = ingress_ == 0 || ingress_ == egress.ifindex;
    return ended(leaves_where_it_came ? XDPLB_OUTCOME_FORWARDED : XDPLB_OUTCOME_REDIRECTED,
                 reason(egress.ifindex, way->second));
  }

  const ExplainRequest& request_;
  const Forwarding& forwarding_;
  std::uint32_t ingress_;
  const InterfaceName& name_;
  json answer_;
  std::shared_ptr<const PlannedPort> port_;
  std::uint32_t row_ = 0;  // within the slice
  RowState state_;
  std::optional<FlowRecord> flow_;
  std::optional<FlowRecord> client_;
  std::uint16_t server_ = 0;
};

}  // namespace

Reply explain(const ExplainRequest& request, const Forwarding& forwarding, std::uint32_t ingress,
              const InterfaceName& name) {
  return Explanation(request, forwarding, ingress, name).answer();
}

}  // namespace xdplb
