// SPDX-License-Identifier: GPL-2.0-only
#include "cli/verify_scope.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

namespace xdplb {
namespace {

template <typename T>
bool is_in(const std::vector<T>& list, const T& value) {
  return list.empty() || std::find(list.begin(), list.end(), value) != list.end();
}

// Notes what of the scope was met on the way.
class Cutter {
 public:
  explicit Cutter(const VerifyScope& scope) : scope_(scope) {}

  Result<Config> cut(const Config& config) {
    if (!scope_.cluster.empty() && find_cluster(config, scope_.cluster) == nullptr)
      return fail(ErrorCode::kNotFound,
                  fmt::format("cluster {}: not found; `xdplb cluster list` shows those there are", scope_.cluster));
    Config cut;
    cut.peers = config.peers;
    for (const auto& cluster : config.clusters) {
      if (!scope_.cluster.empty() && cluster.name != scope_.cluster) continue;
      auto kept = cut_cluster(cluster);
      if (kept.addresses.empty() && kept.prefixes.empty()) continue;
      for (const auto& address : kept.addresses)
        if (const auto* vipa = find_vipa(config, address)) cut.vipas.push_back(*vipa);
      cut.clusters.push_back(std::move(kept));
    }
    if (auto met = all_met(); !met) return met.error();
    if (cut.clusters.empty()) return fail(ErrorCode::kNotFound, "the configuration has no cluster: nothing to verify");
    return cut;
  }

 private:
  ClusterConfig cut_cluster(const ClusterConfig& cluster) {
    ClusterConfig kept{.name = cluster.name};
    for (const auto& address : cluster.addresses) {
      if (!is_in(scope_.vipas, address)) continue;
      kept.addresses.push_back(address);
      vipas_.insert(address);
    }
    if (scope_.vipas.empty()) kept.prefixes = cluster.prefixes;
    for (const auto& port : cluster.ports)
      if (has_port(port)) kept.ports.push_back(cut_port(port));
    return kept;
  }

  bool has_port(const PortConfig& port) {
    bool is_said = scope_.ports.empty();
    for (std::size_t i = 0; i < scope_.ports.size(); ++i) {
      const auto& word = scope_.ports[i];
      if (word.port != port.port || word.protocol.value_or(port.protocol) != port.protocol) continue;
      is_said = true;
      ports_.insert(i);
    }
    return is_said;
  }

  PortConfig cut_port(const PortConfig& port) {
    PortConfig kept{.port = port.port, .protocol = port.protocol, .advisor = port.advisor};
    for (const auto& server : port.servers) {
      if (!has_server(server)) continue;
      kept.servers.push_back({.name = server.name,
                              .address = server.address,
                              .further_addresses = server.further_addresses,
                              .family = server.family,
                              .vlan = server.vlan});
    }
    return kept;
  }

  bool has_server(const ServerConfig& server) {
    bool is_said = scope_.servers.empty();
    for (const auto& word : scope_.servers) {
      const auto address = IpAddress::parse(word);
      const auto all = addresses_of(server);
      const bool is_it = word == server.name || (address && std::find(all.begin(), all.end(), *address) != all.end());
      if (!is_it) continue;
      is_said = true;
      servers_.insert(word);
    }
    return is_said;
  }

  Result<void> all_met() const {
    const auto absent = [](const char* kind, const std::string& name) {
      return fail(ErrorCode::kNotFound, fmt::format("{} {}: not found in what is verified", kind, name));
    };
    for (const auto& vipa : scope_.vipas)
      if (!vipas_.contains(vipa)) return absent("VIPA", vipa.to_string());
    for (std::size_t i = 0; i < scope_.ports.size(); ++i)
      if (!ports_.contains(i)) return absent("port", std::to_string(scope_.ports[i].port));
    for (const auto& server : scope_.servers)
      if (!servers_.contains(server)) return absent("server", server);
    return {};
  }

  const VerifyScope& scope_;
  std::set<IpAddress> vipas_{};
  std::set<std::size_t> ports_{};
  std::set<std::string> servers_{};
};

}  // namespace

Result<VerifyPortWord> parse_verify_port(const std::string& text) {
  const auto slash = text.find('/');
  VerifyPortWord word;
  const auto port = parse_number(text.substr(0, slash), 65535, "port");
  if (!port) return port.error();
  word.port = static_cast<std::uint16_t>(*port);
  if (slash == std::string::npos) return word;
  const auto protocol = parse_protocol(text.substr(slash + 1));
  if (!protocol) return protocol.error();
  word.protocol = *protocol;
  return word;
}

Result<Config> cut_config(const Config& config, const VerifyScope& scope) { return Cutter(scope).cut(config); }

Result<Config> make_up_config(const VerifyScope& scope) {
  ClusterConfig cluster{.name = "verify", .addresses = scope.vipas};
  std::vector<ServerConfig> servers;
  for (const auto& word : scope.servers) {
    const auto address = IpAddress::parse(word);
    if (!address) return fail(ErrorCode::kUsage, "--server: " + address.error().message);
    servers.push_back({.name = address->to_string(), .address = *address});
  }
  for (const auto& word : scope.ports)
    cluster.ports.push_back(
        {.port = word.port, .protocol = word.protocol.value_or(Protocol::kTcp), .servers = servers});
  if (cluster.ports.empty()) cluster.ports.push_back({.port = 0, .servers = servers});
  Config config{.clusters = {std::move(cluster)}};
  // Nobody wrote a configuration: what does not go together was said on the command line.
  if (auto valid = validate(config); !valid) return fail(ErrorCode::kUsage, valid.error().message);
  return config;
}

}  // namespace xdplb
