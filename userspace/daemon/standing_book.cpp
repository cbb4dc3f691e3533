// SPDX-License-Identifier: GPL-2.0-only
#include "daemon/standing_book.h"

#include <fmt/format.h>

#include <algorithm>

namespace xdplb {
namespace {

// Anything but the configuration and reachability has a say in what its servers get.
bool is_steered(const ClusterConfig& cluster, const PortConfig& port) {
  return port.advisor || cluster.manager.is_on || port.slow_start_s > 0 || port.min_up != MinUp{} ||
         std::any_of(port.servers.begin(), port.servers.end(),
                     [](const ServerConfig& server) { return server.tier > 0; });
}

PortPath path_of(const ClusterConfig& cluster, const PortConfig& port) {
  return {.cluster = cluster.name, .port = port.port, .protocol = port.protocol};
}

NoServer no_server_of(OnAllDown on_all_down) {
  return on_all_down == OnAllDown::kReset ? NoServer::kReset : NoServer::kDrop;
}

}  // namespace

Health overall_health(const ServerFacts& facts) {
  bool is_checked = false;
  bool is_down = true;
  auto best = Health::kUnknown;
  for (std::size_t place = 0; place < kFamilies.size(); ++place) {
    if (!facts.is_checked[place]) continue;
    is_checked = true;
    is_down = is_down && facts.health[place] == Health::kDown;
    if (facts.health[place] == Health::kUp) best = Health::kUp;
  }
  return is_checked && is_down ? Health::kDown : best;
}

AdminWords StandingBook::words(const ServerPath& path, const ServerConfig& server) const {
  auto words = sources_.admins->words(path, server, local_hour(AdminStates::Clock::now()));
  if (sources_.advisors != nullptr) words.set(AdminSource::kAgent, sources_.advisors->agent_admin(path));
  return words;
}

ServerFacts StandingBook::facts(const ClusterConfig& cluster, const PortConfig& port, const ServerConfig& server,
                                bool is_forwarding) const {
  const ServerPath path{.port = path_of(cluster, port), .server = server.name};
  ServerFacts facts;
  if (sources_.advisors != nullptr && port.advisor && is_forwarding)
    facts = sources_.advisors->facts(cluster, port, server);
  facts.admin = words(path, server);
  if (is_forwarding && sources_.resolver->has_task())
    facts.unreachable.fill(sources_.resolver->reason(addresses_of(server)));
  if (sources_.managers != nullptr && cluster.manager.is_on)
    facts.manager_weight = sources_.managers->weight({.port = lead_of(cluster.name, port), .server = server.name});
  return facts;
}

PortStandings StandingBook::stand(const Config& config, bool is_forwarding) const {
  PortStandings standings;
  const auto now = HealthClock::now();
  for (const auto& cluster : config.clusters) {
    for (const auto& port : cluster.ports) {
      std::vector<ServerFacts> list;
      list.reserve(port.servers.size());
      for (const auto& server : port.servers) list.push_back(facts(cluster, port, server, is_forwarding));
      standings.emplace(path_of(cluster, port), xdplb::stand(port, list, now));
    }
  }
  return standings;
}

void StandingBook::fill(const Config& config, const PortStandings& standings, Surroundings& host) const {
  host.admins = sources_.admins->admins(config, local_hour(AdminStates::Clock::now()));
  for (const auto& cluster : config.clusters) {
    for (const auto& port : cluster.ports) {
      const auto path = path_of(cluster, port);
      const auto found = standings.find(path);
      if (found == standings.end() || !is_steered(cluster, port)) continue;
      for (std::size_t i = 0; i < port.servers.size(); ++i) {
        const ServerPath server{.port = path, .server = port.servers[i].name};
        ServerGrant grant;
        for (std::size_t place = 0; place < kFamilies.size(); ++place) {
          grant.is_in[place] = found->second.servers[i][place].is_in;
          grant.weight[place] = found->second.servers[i][place].weight;
          // Nobody can be reached: frames to the last known addresses are better than none, which the plan sees to.
          const bool is_nobody_in = std::none_of(found->second.servers.begin(), found->second.servers.end(),
                                                 [place](const auto& one) { return one[place].is_in; });
          if (!is_nobody_in || port.on_all_down != OnAllDown::kRowsStay) continue;
          grant.is_in[place] = true;
          grant.weight[place] = port.servers[i].weight;
        }
        host.grants.emplace(server, grant);
        const auto agent = sources_.advisors != nullptr ? sources_.advisors->agent_admin(server) : Admin::kReady;
        if (agent != Admin::kReady) host.admins[server] = std::max(host.admins[server], agent);
      }
      if (port.on_all_down == OnAllDown::kRowsStay) continue;
      for (std::size_t place = 0; place < kFamilies.size(); ++place)
        if (found->second.all_down[place]) host.all_down[path][place] = no_server_of(port.on_all_down);
    }
  }
}

void StandingBook::tell(ExitEvent event, std::string_view code, const std::string& object, const std::string& text,
                        const ServerPath& server, bool runs_exit) {
  if (sources_.events != nullptr) sources_.events->add(std::string(code), object, text);
  if (sources_.exits == nullptr || !runs_exit) return;
  std::map<std::string, std::string> details{{"cluster", server.port.cluster},
                                             {"port", std::to_string(server.port.port)},
                                             {"protocol", std::string(protocol_name(server.port.protocol))}};
  if (!server.server.empty()) details["server"] = server.server;
  sources_.exits->fire(event, object, text, std::move(details));
}

// The classic rule: the last server that goes down is not told of by itself, nor is the first that comes back.
void StandingBook::follow_port(const ClusterConfig& cluster, const PortConfig& port, const PortPath& path,
                               const PortStanding& standing) {
  std::vector<std::pair<ServerPath, std::string>> went_down;
  std::vector<ServerPath> came_up;
  ByFamily<bool> is_checked{};
  bool any_up = false;
  for (const auto& server : port.servers) {
    const ServerPath own{.port = path, .server = server.name};
    const auto known = facts(cluster, port, server, true);
    const auto health = overall_health(known);
    // Not knowing is no news.
    auto& told = told_[own];
    const auto before = std::exchange(told, health != Health::kUnknown ? health : told);
    for (std::size_t place = 0; place < kFamilies.size(); ++place) {
      is_checked[place] = is_checked[place] || known.is_checked[place];
      any_up = any_up || known.health[place] == Health::kUp;
    }
    const auto why = !known.health_reason[0].empty() ? known.health_reason[0] : known.health_reason[1];
    if (health == Health::kDown && before != Health::kDown) went_down.emplace_back(own, why);
    if (health == Health::kUp && before == Health::kDown) came_up.push_back(own);
    auto& families = told_families_[own];
    const auto families_before = std::exchange(families, known.health);
    const bool is_split = health == Health::kUp && std::count(families.begin(), families.end(), Health::kDown) == 1;
    if (is_split && families_before != families && sources_.events != nullptr) {
      const auto place = families[0] == Health::kDown ? 0U : 1U;
      sources_.events->add(
          "server_partial", fmt::format("server {}", own.to_string()),
          fmt::format("down for {} only: {}", place == 0 ? "IPv4" : "IPv6", known.health_reason[place]));
    }
  }
  const bool was_all_down = all_down_.contains(path);
  bool is_all_down = is_checked[0] || is_checked[1];
  for (std::size_t place = 0; place < kFamilies.size(); ++place)
    is_all_down = is_all_down && (!is_checked[place] || standing.all_down[place]);
  const auto port_object = fmt::format("port {}", path.to_string());
  for (const auto& [server, why] : went_down) {
    const bool is_last = is_all_down && server == went_down.back().first;
    tell(ExitEvent::kServerDown, "server_down", fmt::format("server {}", server.to_string()), why, server, !is_last);
  }
  if (is_all_down && !was_all_down) {
    all_down_.insert(path);
    tell(ExitEvent::kAllDown, "all_down", port_object,
         fmt::format("every server is down: {}",
                     port.on_all_down == OnAllDown::kRowsStay
                         ? "connections go on to all of them (on_all_down rows-stay)"
                         : fmt::format("connections are {} (on_all_down {})",
                                       port.on_all_down == OnAllDown::kDrop ? "dropped" : "reset",
                                       on_all_down_name(port.on_all_down))),
         {.port = path, .server = {}}, true);
  }
  for (const auto& server : came_up) {
    const bool is_first = was_all_down && server == came_up.front();
    tell(ExitEvent::kServerUp, "server_up", fmt::format("server {}", server.to_string()), "it answers again", server,
         !is_first);
  }
  if (was_all_down && port.servers.empty()) {
    all_down_.erase(path);
  } else if (was_all_down && !is_all_down && any_up) {
    all_down_.erase(path);
    tell(ExitEvent::kSomeUp, "some_up", port_object, "a server answers again", {.port = path, .server = {}}, true);
  }
}

void StandingBook::restore(const std::map<ServerPath, ByFamily<Health>>& health) {
  std::map<PortPath, bool> has_up;
  for (const auto& [path, families] : health) {
    ServerFacts facts;
    facts.health = families;
    for (std::size_t place = 0; place < kFamilies.size(); ++place)
      facts.is_checked[place] = families[place] != Health::kUnknown;
    told_[path] = overall_health(facts);
    told_families_[path] = families;
    auto& is_up = has_up[path.port];
    is_up = is_up || told_[path] != Health::kDown;
  }
  for (const auto& [port, is_up] : has_up)
    if (!is_up) all_down_.insert(port);
}

void StandingBook::follow(const Config& config, PortStandings standings, bool is_forwarding) {
  if (!is_forwarding) {
    told_.clear();
    told_families_.clear();
    all_down_.clear();
    standings_ = std::move(standings);
    return;
  }
  std::set<PortPath> present;
  for (const auto& cluster : config.clusters) {
    for (const auto& port : cluster.ports) {
      if (!port.advisor) continue;
      const auto path = path_of(cluster, port);
      present.insert(path);
      follow_port(cluster, port, path, standings.at(path));
    }
  }
  std::erase_if(told_, [&](const auto& entry) {
    return !present.contains(entry.first.port) || find_server(config, entry.first) == nullptr;
  });
  std::erase_if(told_families_, [&](const auto& entry) { return !told_.contains(entry.first); });
  std::erase_if(all_down_, [&](const PortPath& path) { return !present.contains(path); });
  standings_ = std::move(standings);
}

const PortStanding* StandingBook::find(const PortPath& port) const {
  const auto found = standings_.find(port);
  return found == standings_.end() ? nullptr : &found->second;
}

std::optional<HealthClock::time_point> StandingBook::changes_at() const {
  std::optional<HealthClock::time_point> first;
  for (const auto& [path, standing] : standings_)
    if (standing.changes_at) first = first ? std::min(*first, *standing.changes_at) : *standing.changes_at;
  return first;
}

}  // namespace xdplb
