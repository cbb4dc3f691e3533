// SPDX-License-Identifier: GPL-2.0-only
#include "daemon/advisor_views.h"

#include "daemon/time_text.h"
#include "model/advisor_json.h"

#include <fmt/format.h>

#include <algorithm>

namespace xdplb {
namespace {

using nlohmann::json;

json optional_time(const std::optional<std::chrono::system_clock::time_point>& time) {
  return time ? json(time_text(*time)) : json(nullptr);
}

json history_view(const CheckHealth& health) {
  json list = json::array();
  for (const auto& entry : health.history()) {
    list.push_back({{"at", time_text(entry.at)},
                    {"code", check_code_name(entry.code)},
                    {"latency_us", entry.latency.count()},
                    {"text", entry.text}});
  }
  return list;
}

json check_view(const ServerPath& server, const ServerCheck& check, const AdvisorKeeper& keeper, bool has_history) {
  json users = json::array();
  for (const auto& user : keeper.users_of(check.key))
    if (auto port = user.port.to_string(); std::find(users.begin(), users.end(), port) == users.end())
      users.push_back(std::move(port));
  json view = {{"server", server.to_string()},
               {"destination", check.destination.to_string()},
               {"port", check.port},
               {"way", check.is_own ? "own" : "vip"},
               {"shared_by", std::move(users)},
               {"frozen", !keeper.frozen().empty()}};
  const auto* health = keeper.find(check.key);
  const CheckHealth none{CheckPace{}};
  const auto& known = health != nullptr ? *health : none;
  const auto& last = known.last();
  view["health"] = health_name(known.health());
  view["since"] = optional_time(known.since());
  view["contradicting"] = known.contradicting();
  view["needed"] = known.needed();
  view["code"] = check_code_name(last.code);
  view["text"] = last.text;
  view["latency_us"] = last.latency.count();
  view["load"] = last.load ? json(*last.load) : json(nullptr);
  view["certificate_end"] = optional_time(last.certificate_end);
  if (has_history) view["history"] = history_view(known);
  return view;
}

// Checks of a server; those of both families through its own address are one.
std::vector<ServerCheck> checks_of(const AdvisorKeeper& keeper, const ServerPath& path) {
  std::vector<ServerCheck> checks;
  const auto* by_family = keeper.checks_of(path);
  if (by_family == nullptr) return checks;
  for (const auto& [family, list] : *by_family)
    for (const auto& check : list)
      if (std::find(checks.begin(), checks.end(), check) == checks.end()) checks.push_back(check);
  return checks;
}

const ServerConfig* server_named(const ClusterConfig& cluster, const PortPath& path, const std::string& name) {
  for (const auto& port : cluster.ports) {
    if (port.port != path.port || port.protocol != path.protocol) continue;
    const auto found = std::find_if(port.servers.begin(), port.servers.end(),
                                    [&](const ServerConfig& server) { return server.name == name; });
    if (found != port.servers.end()) return &*found;
  }
  return nullptr;
}

json part(double value, unsigned weight) {
  return {{"value", value <= -9999 ? json(nullptr) : json(value)}, {"weight", weight}};
}

}  // namespace

json advisor_view(const ClusterConfig& cluster, const PortConfig& port, const AdvisorKeeper& keeper,
                  const std::optional<std::string>& only, bool has_history) {
  const PortPath path{.cluster = cluster.name, .port = port.port, .protocol = port.protocol};
  json checks = json::array();
  unsigned up = 0;
  for (const auto& server : port.servers) {
    const ServerPath own{.port = path, .server = server.name};
    const auto list = checks_of(keeper, own);
    const bool is_up = !list.empty() && std::all_of(list.begin(), list.end(), [&](const ServerCheck& check) {
      const auto* health = keeper.find(check.key);
      return health != nullptr && health->health() == Health::kUp;
    });
    up += is_up ? 1 : 0;
    if (only && *only != server.name) continue;
    for (const auto& check : list) checks.push_back(check_view(own, check, keeper, has_history));
  }
  return {{"port", path.to_string()},
          {"type", advisor_type_name(port.advisor->type)},
          {"via", probe_way_name(port.advisor->way)},
          {"interval_ms", port.advisor->interval_ms},
          {"advisor", encode_advisor(*port.advisor)},
          {"up", up},
          {"servers", port.servers.size()},
          {"checks", std::move(checks)}};
}

json worst_check_view(const ServerPath& server, const AdvisorKeeper& keeper) {
  const CheckHealth* worst = nullptr;
  for (const auto& check : checks_of(keeper, server)) {
    const auto* health = keeper.find(check.key);
    if (health == nullptr || health->last().code == CheckCode::kNone) continue;
    const bool is_worse = worst == nullptr || (health->health() == Health::kDown && worst->health() != Health::kDown) ||
                          (!health->last().ok() && worst->last().ok() && worst->health() != Health::kDown);
    if (is_worse) worst = health;
  }
  if (worst == nullptr) return nullptr;
  const auto& last = worst->last();
  return {{"code", check_code_name(last.code)}, {"text", last.text}, {"latency_us", last.latency.count()}};
}

json run_view(const ServerPath& server, const std::vector<AdvisorKeeper::RunResult>& results) {
  json probes = json::array();
  bool ok = !results.empty();
  for (const auto& one : results) {
    json steps = json::array();
    for (const auto& step : one.log) steps.push_back({{"at_us", step.at.count()}, {"text", step.text}});
    ok = ok && one.result.ok();
    const auto& text = one.result.text;
    probes.push_back({{"destination", one.check.destination.to_string()},
                      {"port", one.check.port},
                      {"way", one.check.is_own ? "own" : "vip"},
                      {"code", check_code_name(one.result.code)},
                      {"text", text.empty() ? std::string(check_code_text(one.result.code)) : text},
                      {"latency_us", one.result.latency.count()},
                      {"steps", std::move(steps)}});
  }
  return {{"server", server.to_string()}, {"ok", ok}, {"probes", std::move(probes)}};
}

json lateness_view(const Lateness& lateness) {
  return {{"probes", lateness.probes},
          {"worst_late_ms", static_cast<double>(lateness.worst.count()) / 1000},
          {"worst_late_percent", lateness.worst_of_interval * 100}};
}

json exits_view(const UserExits& exits) {
  json list = json::array();
  for (const auto& one : exits.view()) {
    list.push_back({{"event", exit_event_name(one.config.event)},
                    {"command", one.config.command},
                    {"user", one.config.user},
                    {"timeout_s", one.config.timeout_s},
                    {"runs", one.runs},
                    {"failures", one.failures},
                    {"dropped", one.dropped},
                    {"waiting", one.waiting},
                    {"last_at", optional_time(one.last_at)},
                    {"last_result", one.last_result.empty() ? json(nullptr) : json(one.last_result)}});
  }
  return list;
}

json manager_view(const ClusterConfig& cluster, const ManagerKeeper& keeper) {
  const auto& config = cluster.manager;
  json ports = json::array();
  json proportions = config.proportions ? json(*config.proportions) : json(nullptr);
  for (const auto& report : keeper.report(cluster.name)) {
    if (!config.proportions) proportions = report.cycle.proportions;
    json servers = json::array();
    std::array<double, 4> sums{};
    std::array<unsigned, 4> parts{};
    int now = 0, next = 0;
    for (const auto& line : report.cycle.lines) {
      const auto* server = server_named(cluster, report.port, line.name);
      json one = {{"name", line.name},
                  {"now", line.now},
                  {"next", line.next},
                  {"fixed", server != nullptr && server->has_fixed_weight}};
      static constexpr std::array kParts = {"active", "new", "port", "system"};
      for (std::size_t i = 0; i < kParts.size(); ++i) {
        one[kParts[i]] = part(line.raw[i], line.weights[i]);
        if (line.raw[i] > 0) sums[i] += line.raw[i];
        parts[i] += line.weights[i];
      }
      now += std::max(line.now, 0);
      next += std::max(line.next, 0);
      servers.push_back(std::move(one));
    }
    const auto ago = report.pushed_at ? json(std::chrono::duration_cast<std::chrono::seconds>(
                                                 std::chrono::steady_clock::now() - *report.pushed_at)
                                                 .count())
                                      : json(nullptr);
    ports.push_back({{"port", report.port.to_string()},
                     {"pushed_ago_s", ago},
                     {"servers", std::move(servers)},
                     {"totals",
                      {{"now", now},
                       {"next", next},
                       {"active", part(sums[0], parts[0])},
                       {"new", part(sums[1], parts[1])},
                       {"port", part(sums[2], parts[2])},
                       {"system", part(sums[3], parts[3])}}}});
  }
  return {{"cluster", cluster.name},
          {"enabled", config.is_on},
          {"proportions", std::move(proportions)},
          {"interval_s", config.interval_s},
          {"refresh", config.refresh},
          {"sensitivity", config.sensitivity},
          {"smoothing", config.smoothing_tenths / 10.0},
          {"weight_bound", config.weight_bound},
          {"ports", std::move(ports)}};
}

}  // namespace xdplb
