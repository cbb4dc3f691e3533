// SPDX-License-Identifier: GPL-2.0-only
// diff_lines(): what a change of configuration means, in the operator's words.
#include "model/config.h"
#include "model/option_text.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <map>
#include <unordered_map>
#include <unordered_set>
#include <utility>

namespace xdplb {
namespace {

using Names = std::vector<std::string>;
using ClusterIndex = std::unordered_map<std::string_view, const ClusterConfig*>;
using PortIndex = std::unordered_map<std::uint32_t, const PortConfig*>;
using VipaIndex = std::map<IpAddress, const VipaConfig*>;
using ServerIndex = std::unordered_map<std::string_view, const ServerConfig*>;

std::uint32_t port_key(const PortConfig& port) {
  return std::uint32_t{port.port} << 8U | static_cast<std::uint32_t>(port.protocol);
}

ClusterIndex index_clusters(const Config& config) {
  ClusterIndex index;
  for (const ClusterConfig& cluster : config.clusters) index.emplace(cluster.name, &cluster);
  return index;
}

PortIndex index_ports(const ClusterConfig& cluster) {
  PortIndex index;
  for (const PortConfig& port : cluster.ports) index.emplace(port_key(port), &port);
  return index;
}

ServerIndex index_servers(const PortConfig& port) {
  ServerIndex index;
  for (const ServerConfig& server : port.servers) index.emplace(server.name, &server);
  return index;
}

template <typename Index, typename Key>
auto lookup(const Index& index, const Key& key) -> typename Index::mapped_type {
  const auto found = index.find(key);
  return found == index.end() ? nullptr : found->second;
}

std::string port_text(const ClusterConfig& cluster, const PortConfig& port) {
  return PortPath{.cluster = cluster.name, .port = port.port, .protocol = port.protocol}.to_string();
}

std::string addresses_text(const ClusterConfig& cluster) {
  return fmt::format("{}", fmt::join(address_texts(cluster.addresses, cluster.prefixes), " "));
}

std::string_view family_text(const std::optional<Family>& family) { return family ? family_name(*family) : "any"; }

// The names of `list` that `other` has too, in the order of `list`.
Names common_names(const Names& list, const Names& other) {
  const std::unordered_set<std::string_view> known(other.begin(), other.end());
  Names result;
  for (const std::string& name : list) {
    if (known.count(name) > 0) result.push_back(name);
  }
  return result;
}

void removed_names(const Names& before, const Names& after, std::vector<std::string>& lines) {
  const std::unordered_set<std::string_view> kept(after.begin(), after.end());
  for (const std::string& name : before) {
    if (kept.count(name) == 0) lines.push_back("- interface " + name);
  }
}

void added_names(const Names& before, const Names& after, std::vector<std::string>& lines) {
  const std::unordered_set<std::string_view> known(before.begin(), before.end());
  for (const std::string& name : after) {
    if (known.count(name) == 0) lines.push_back("+ interface " + name);
  }
  if (common_names(before, after) != common_names(after, before)) {
    lines.push_back(fmt::format("~ interfaces {} -> {}", fmt::join(before, " "), fmt::join(after, " ")));
  }
}

// Everything of `before` that `after` lacks. A null `after` lacks all of it.
void removed_servers(const std::string& path, const PortConfig& before, const PortConfig* after,
                     std::vector<std::string>& lines) {
  const ServerIndex kept = after == nullptr ? ServerIndex{} : index_servers(*after);
  for (const ServerConfig& server : before.servers) {
    if (kept.count(server.name) == 0) lines.push_back(fmt::format("- server {}/{}", path, server.name));
  }
}

void removed_ports(const ClusterConfig& before, const ClusterConfig* after, std::vector<std::string>& lines) {
  const PortIndex kept = after == nullptr ? PortIndex{} : index_ports(*after);
  for (const PortConfig& port : before.ports) {
    const std::string path = port_text(before, port);
    const PortConfig* const next = lookup(kept, port_key(port));
    if (next == nullptr) lines.push_back("- port " + path);
    removed_servers(path, port, next, lines);
  }
}

// "- peer A" or "+ peer A" for each of `list` that `other` lacks.
void missing_peers(const char* mark, const std::vector<MacAddress>& list, const std::vector<MacAddress>& other,
                   std::vector<std::string>& lines) {
  for (const MacAddress& peer : list) {
    const bool is_there = std::find(other.begin(), other.end(), peer) != other.end();
    if (!is_there) lines.push_back(fmt::format("{} peer {}", mark, peer.to_string()));
  }
}

void removed_clusters(const Config& before, const ClusterIndex& after, std::vector<std::string>& lines) {
  for (const ClusterConfig& cluster : before.clusters) {
    const ClusterConfig* const next = lookup(after, cluster.name);
    if (next == nullptr) lines.push_back("- cluster " + cluster.name);
    removed_ports(cluster, next, lines);
  }
}

std::string_view switch_change(bool after) { return after ? "off -> on" : "on -> off"; }

// For two that differ: from one text to the other, or what they have in common when the texts leave the difference out.
std::string text_change(const std::string& before, const std::string& after) {
  return before == after ? before + " details changed" : fmt::format("{} -> {}", before, after);
}

std::string server_change(const ServerConfig& before, const ServerConfig& after) {
  std::string text;
  if (const auto old = addresses_of(before), now = addresses_of(after); old != now) {
    const bool is_one = old.size() == 1 && now.size() == 1;
    text += fmt::format(" {} {} -> {}", is_one ? "address" : "addresses", list_text(old), list_text(now));
  }
  if (before.weight != after.weight) text += fmt::format(" weight {} -> {}", before.weight, after.weight);
  if (before.family != after.family) {
    text += fmt::format(" family {} -> {}", family_text(before.family), family_text(after.family));
  }
  if (before.vlan != after.vlan) {
    text += fmt::format(" vlan {} -> {}", vlan_text(before.vlan), vlan_text(after.vlan));
  }
  if (before.tier != after.tier) text += fmt::format(" tier {} -> {}", before.tier, after.tier);
  if (before.has_fixed_weight != after.has_fixed_weight) {
    text += fmt::format(" fixed_weight {}", switch_change(after.has_fixed_weight));
  }
  if (before.admin != after.admin) {
    text += fmt::format(" admin {} -> {}", admin_name(before.admin), admin_name(after.admin));
  }
  return text;
}

std::string added_server(const ServerConfig& server) {
  const std::string family = server.family ? fmt::format(" family {}", family_name(*server.family)) : "";
  const std::string vlan = server.vlan ? fmt::format(" vlan {}", vlan_text(server.vlan)) : "";
  const std::string tier = server.tier == 0 ? "" : fmt::format(" tier {}", server.tier);
  const std::string admin = server.admin == Admin::kReady ? "" : fmt::format(" admin {}", admin_name(server.admin));
  return fmt::format("{} weight {}{}{}{}{}{}", list_text(addresses_of(server)), server.weight, family, vlan, tier,
                     server.has_fixed_weight ? " fixed_weight on" : "", admin);
}

// Everything that `after` has beyond or otherwise than `before`, which may be null.
void changed_servers(const std::string& path, const PortConfig* before, const PortConfig& after,
                     std::vector<std::string>& lines) {
  const ServerIndex known = before == nullptr ? ServerIndex{} : index_servers(*before);
  for (const ServerConfig& server : after.servers) {
    const ServerConfig* const old = lookup(known, server.name);
    if (old == nullptr) {
      lines.push_back(fmt::format("+ server {}/{} {}", path, server.name, added_server(server)));
    } else if (*old != server) {
      lines.push_back(fmt::format("~ server {}/{}{}", path, server.name, server_change(*old, server)));
    }
  }
}

// " sticky 0s -> 60s" for each option that differs; both have the same options in the same order.
std::string changed_options(const OptionTexts& before, const OptionTexts& after) {
  std::string text;
  for (std::size_t i = 0; i < before.size(); ++i) {
    const auto& [name, value] = after[i];
    if (value != before[i].second) text += fmt::format(" {} {} -> {}", name, before[i].second, value);
  }
  return text;
}

// Of the texts of equal advisors there is no change; those of others may be equal, too.
std::string advisor_change(const PortConfig& before, const PortConfig& after) {
  if (before.advisor == after.advisor || !before.advisor || !after.advisor) return {};
  const std::string text = advisor_text(*after.advisor);
  return advisor_text(*before.advisor) == text ? fmt::format(" advisor {}", text_change(text, text)) : "";
}

// " sticky 60s" for each option that is not the usual one.
std::string added_options(const OptionTexts& usual, const OptionTexts& options) {
  std::string text;
  for (std::size_t i = 0; i < options.size(); ++i) {
    if (options[i] != usual[i]) text += fmt::format(" {} {}", options[i].first, options[i].second);
  }
  return text;
}

void changed_ports(const ClusterConfig* before, const ClusterConfig& after, std::vector<std::string>& lines) {
  const PortIndex known = before == nullptr ? PortIndex{} : index_ports(*before);
  for (const PortConfig& port : after.ports) {
    const std::string path = port_text(after, port);
    const PortConfig* const old = lookup(known, port_key(port));
    const std::string change =
        old == nullptr ? added_options(option_texts(PortConfig{}), option_texts(port))
                       : changed_options(option_texts(*old), option_texts(port)) + advisor_change(*old, port);
    if (old == nullptr) {
      lines.push_back(fmt::format("+ port {}{}", path, change));
    } else if (!change.empty()) {
      lines.push_back(fmt::format("~ port {}{}", path, change));
    }
    changed_servers(path, old, port, lines);
  }
}

std::string cluster_change(const ClusterConfig& before, const ClusterConfig& after) {
  std::string text;
  if (before.addresses != after.addresses || before.prefixes != after.prefixes) {
    text += fmt::format(" addresses {} -> {}", addresses_text(before), addresses_text(after));
  }
  if (before.echo != after.echo) text += fmt::format(" echo {} -> {}", echo_name(before.echo), echo_name(after.echo));
  if (before.manager != after.manager) {
    text += fmt::format(" manager {}", text_change(manager_text(before.manager), manager_text(after.manager)));
  }
  return text;
}

std::string added_cluster(const ClusterConfig& cluster) {
  std::string text = addresses_text(cluster);
  if (cluster.echo != Echo::kServer) text += fmt::format(" echo {}", echo_name(cluster.echo));
  if (cluster.manager != ManagerConfig{}) text += " manager " + manager_text(cluster.manager);
  return text;
}

void changed_clusters(const ClusterIndex& before, const Config& after, std::vector<std::string>& lines) {
  for (const ClusterConfig& cluster : after.clusters) {
    const ClusterConfig* const old = lookup(before, cluster.name);
    if (old == nullptr) {
      lines.push_back(fmt::format("+ cluster {} {}", cluster.name, added_cluster(cluster)));
    } else if (const std::string change = cluster_change(*old, cluster); !change.empty()) {
      lines.push_back(fmt::format("~ cluster {}{}", cluster.name, change));
    }
    changed_ports(old, cluster, lines);
  }
}

VipaIndex index_vipas(const Config& config) {
  VipaIndex index;
  for (const VipaConfig& vipa : config.vipas) index.emplace(vipa.address, &vipa);
  return index;
}

void removed_vipas(const Config& before, const VipaIndex& after, std::vector<std::string>& lines) {
  for (const VipaConfig& vipa : before.vipas) {
    if (lookup(after, vipa.address) == nullptr) lines.push_back("- vipa " + vipa.address.to_string());
  }
}

void changed_vipas(const VipaIndex& before, const Config& after, std::vector<std::string>& lines) {
  for (const VipaConfig& vipa : after.vipas) {
    const VipaConfig* const old = lookup(before, vipa.address);
    const std::string address = vipa.address.to_string();
    if (old == nullptr) {
      const std::string options = added_options(option_texts(VipaConfig{}), option_texts(vipa));
      lines.push_back(fmt::format("+ vipa {}{}", address, options));
    } else if (*old != vipa) {
      lines.push_back(fmt::format("~ vipa {}{}", address, changed_options(option_texts(*old), option_texts(vipa))));
    }
  }
}

const ExitConfig* exit_of(const std::vector<ExitConfig>& exits, ExitEvent event) {
  const auto found =
      std::find_if(exits.begin(), exits.end(), [&](const ExitConfig& exit) { return exit.event == event; });
  return found == exits.end() ? nullptr : &*found;
}

void changed_exits(const Config& before, const Config& after, std::vector<std::string>& lines) {
  for (const ExitEvent event : kExitEvents) {
    const ExitConfig* const old = exit_of(before.exits, event);
    const ExitConfig* const now = exit_of(after.exits, event);
    const bool is_equal = old == nullptr || now == nullptr ? old == now : *old == *now;
    if (is_equal) continue;
    const auto text = [](const ExitConfig* exit) { return exit == nullptr ? "none" : exit_text(*exit); };
    lines.push_back(fmt::format("~ exit {} {}", exit_event_name(event), text_change(text(old), text(now))));
  }
}

void changed_switch(std::string_view name, bool before, bool after, std::vector<std::string>& lines) {
  if (before != after) lines.push_back(fmt::format("~ {} {}", name, switch_change(after)));
}

}  // namespace

std::vector<std::string> diff_lines(const Config& before, const Config& after) {
  const Names old_interfaces = before.interfaces.value_or(Names{});
  const Names& new_interfaces = after.interfaces ? *after.interfaces : old_interfaces;
  std::vector<std::string> lines;
  removed_names(old_interfaces, new_interfaces, lines);
  missing_peers("-", before.peers, after.peers, lines);
  removed_clusters(before, index_clusters(after), lines);
  removed_vipas(before, index_vipas(after), lines);
  added_names(old_interfaces, new_interfaces, lines);
  // The secret itself is never shown; an empty one keeps what there is.
  if (!after.secret.empty() && before.secret != after.secret) {
    lines.emplace_back(before.secret.empty() ? "+ secret" : "~ secret");
  }
  missing_peers("+", after.peers, before.peers, lines);
  changed_switch("decrement_ttl", before.decrement_ttl, after.decrement_ttl, lines);
  changed_switch("fix_host", before.fix_host, after.fix_host, lines);
  if (before.health != after.health) {
    lines.push_back("~ health" + changed_options(option_texts(before.health), option_texts(after.health)));
  }
  changed_switch("guard", before.has_failure_guard, after.has_failure_guard, lines);
  changed_exits(before, after, lines);
  changed_clusters(index_clusters(before), after, lines);
  changed_vipas(index_vipas(before), after, lines);
  return lines;
}

}  // namespace xdplb
