// SPDX-License-Identifier: GPL-2.0-only
#include "daemon/advisor_keeper.h"

#include "advisors/own_address.h"
#include "advisors/probe_tools.h"
#include "base/log.h"

#include <fmt/format.h>

#include <algorithm>

namespace xdplb {
namespace {

namespace asio = boost::asio;

constexpr CheckScheduler::Limits kLimits{.in_flight = 1024, .per_server = 64};

std::vector<Family> families_of(const ClusterConfig& cluster, const ServerConfig& server) {
  std::vector<Family> families;
  for (const Family family : kFamilies)
    if (serves_family(cluster, server, family)) families.push_back(family);
  return families;
}

// Where the checks of one server go, for clients of one family.
std::vector<ServerCheck> destinations(const ClusterConfig& cluster, const PortConfig& port, const ServerConfig& server,
                                      Family family) {
  const auto& advisor = *port.advisor;
  const std::uint16_t number = advisor.port.value_or(port.port);
  std::vector<ServerCheck> checks;
  const auto add = [&](const IpAddress& destination, bool is_own) {
    checks.push_back({.key = {}, .destination = destination, .port = number, .is_own = is_own});
  };
  if (advisor.way != ProbeWay::kOwn)
    for (const auto& address : cluster.addresses)
      if (address.family() == family) add(address, false);
  // A network has no address to ask.
  if (advisor.way != ProbeWay::kVip || checks.empty()) add(server.address, true);
  return checks;
}

bool hears_agent(const AdvisorConfig& advisor) {
  return advisor.type == AdvisorType::kAgent || std::any_of(advisor.checks.begin(), advisor.checks.end(), hears_agent);
}

CheckPace quicker(const CheckPace& a, const CheckPace& b) {
  return {.interval = std::min(a.interval, b.interval),
          .fast_interval = std::min(a.fast_interval, b.fast_interval),
          .down_interval = std::min(a.down_interval, b.down_interval),
          .fall = std::min(a.fall, b.fall),
          .rise = std::min(a.rise, b.rise)};
}

}  // namespace

bool serves_family(const ClusterConfig& cluster, const ServerConfig& server, Family family) {
  if (server.family && *server.family != family) return false;
  const auto is_of = [family](const IpAddress& address) { return address.family() == family; };
  return std::any_of(cluster.addresses.begin(), cluster.addresses.end(), is_of) ||
         std::any_of(cluster.prefixes.begin(), cluster.prefixes.end(),
                     [&](const IpPrefix& prefix) { return is_of(prefix.address); });
}

AdvisorKeeper::AdvisorKeeper(Surroundings surroundings) : host_(std::move(surroundings)) {}

AdvisorKeeper::~AdvisorKeeper() { close(); }

Result<std::unique_ptr<AdvisorKeeper>> AdvisorKeeper::open(Surroundings surroundings) {
  std::unique_ptr<AdvisorKeeper> keeper(new AdvisorKeeper(std::move(surroundings)));
  auto routes = ProbeRoutes::open(keeper->host_.instance);
  if (!routes) return routes.error();
  keeper->routes_.emplace(std::move(*routes));
  keeper->tools_ = std::make_unique<ProbeTools>(keeper->host_.io);
  keeper->scheduler_ = std::make_unique<CheckScheduler>(keeper->host_.io, *keeper->tools_, kLimits);
  auto* self = keeper.get();
  auto& scheduler = *keeper->scheduler_;
  scheduler.on_way([self](const Check& check) { return self->find_way(check); });
  scheduler.on_own_address([self](const Check& check) { return self->own_address(check); });
  scheduler.on_can_fall([self](const Check& check) { return self->can_fall(check); });
  scheduler.on_result(
      [self](const Check& check, const CheckHealth& health, bool changed) { self->take(check, health, changed); });
  return keeper;
}

void AdvisorKeeper::close() {
  if (scheduler_) scheduler_->close();
  if (!routes_) return;
  if (auto cleared = routes_->clear(); !cleared) log_warning(cleared.error().message);
  routes_.reset();
}

std::map<ServerPath, ByFamily<Health>> AdvisorKeeper::kept() const {
  std::map<ServerPath, ByFamily<Health>> kept;
  for (const auto& [path, server] : servers_) {
    ByFamily<Health> one{};
    for (const Family family : kFamilies) one[static_cast<std::size_t>(family)] = health_of(server, family);
    if (one != ByFamily<Health>{}) kept.emplace(path, one);
  }
  // What was not probed yet is what it was.
  for (const auto& [path, one] : kept_) kept.emplace(path, one);
  return kept;
}

void AdvisorKeeper::add_server(const ClusterConfig& cluster, const PortConfig& port, const ServerConfig& server,
                               bool trusts, std::map<std::string, CheckScheduler::Wanted>& wanted) {
  const ServerPath path{.port = {.cluster = cluster.name, .port = port.port, .protocol = port.protocol},
                        .server = server.name};
  const auto known = servers_.find(path);
  const auto kept = kept_.find(path);
  ByFamily<Health> was{};
  if (kept != kept_.end()) was = kept->second;
  if (known != servers_.end())
    for (const Family family : kFamilies) was[static_cast<std::size_t>(family)] = health_of(known->second, family);
  Server next = known != servers_.end() ? std::move(known->second) : Server{.trusts_unknown = trusts};
  // Other destinations begin where the ones before ended.
  next.trusts_unknown = next.trusts_unknown || was[0] == Health::kUp || was[1] == Health::kUp;
  if (known == servers_.end() && (was[0] == Health::kDown || was[1] == Health::kDown)) next.told = Health::kDown;
  if (!hears_agent(*port.advisor)) {
    next.agent_percent = 100;
    next.agent_admin = Admin::kReady;
  }
  if (next.type != port.advisor->type) next.system_load.reset();
  next.addresses = addresses_of(server);
  next.type = port.advisor->type;
  next.checks.clear();
  hosts_[server.address] = next.addresses;
  for (const Family family : families_of(cluster, server)) {
    auto& checks = next.checks[family];
    checks = destinations(cluster, port, server, family);
    for (auto& one : checks) {
      Check check{.advisor = *port.advisor,
                  .server = server.address,
                  .destination = one.destination,
                  .port = one.port,
                  .name = path.to_string()};
      one.key = check.key();
      users_[one.key].push_back(path);
      auto& entry = wanted[one.key];
      const auto seed = was[static_cast<std::size_t>(family)];
      // Of ports that share it, the first one's name and the quickest pace.
      if (users_[one.key].size() == 1) {
        entry = {.check = std::move(check), .pace = pace_of(*port.advisor), .hurry = !trusts, .seed = seed};
      } else {
        entry.pace = quicker(entry.pace, pace_of(*port.advisor));
      }
    }
  }
  servers_[path] = std::move(next);
}

void AdvisorKeeper::update(const Config& config, bool is_forwarding) {
  std::map<std::string, CheckScheduler::Wanted> wanted;
  std::map<std::string, std::set<std::string>> checked;
  std::set<ServerPath> present;
  std::set<ServerPath> probed;
  auto longest = std::chrono::milliseconds(1);
  users_.clear();
  hosts_.clear();
  has_guard_ = config.has_failure_guard;
  for (const auto& cluster : config.clusters) {
    for (const auto& port : cluster.ports) {
      for (const auto& server : port.servers) {
        const ServerPath path{.port = {.cluster = cluster.name, .port = port.port, .protocol = port.protocol},
                              .server = server.name};
        present.insert(path);
        if (!port.advisor || !is_forwarding) continue;
        probed.insert(path);
        checked[cluster.name].insert(path.to_string());
        longest =
            std::max(longest, std::chrono::milliseconds(port.advisor->interval_ms + port.advisor->connect_timeout_ms +
                                                        port.advisor->receive_timeout_ms));
        // One that served before anything probed it is believed until it fails.
        add_server(cluster, port, server, is_first_ || known_.contains(path), wanted);
      }
    }
  }
  std::erase_if(servers_, [&](const auto& entry) { return !probed.contains(entry.first); });
  std::erase_if(kept_, [&](const auto& entry) { return !present.contains(entry.first) || is_forwarding; });
  guard_.set_servers(checked, longest);
  known_ = std::move(present);
  if (is_forwarding) is_first_ = false;
  update_routes();
  std::vector<CheckScheduler::Wanted> list;
  list.reserve(wanted.size());
  for (auto& [key, one] : wanted) list.push_back(std::move(one));
  scheduler_->set(std::move(list));
}

void AdvisorKeeper::update_routes(bool is_sure) {
  if (!routes_) return;
  std::map<IpAddress, ProbeNextHop> hops;
  for (const auto& [first, addresses] : hosts_) {
    const auto carrier = host_.resolver.carrier(addresses);
    if (!carrier || carrier->target.is_local) continue;
    hops[carrier->address] = {
        .server = carrier->address, .mac = carrier->target.mac, .ifindex = carrier->target.ifindex};
  }
  std::vector<ProbeNextHop> list;
  list.reserve(hops.size());
  for (const auto& [address, hop] : hops) list.push_back(hop);
  // The first look finds what an earlier run left.
  if (list == hops_ && route_failure_.empty() && is_sure && has_looked_) return;
  if (!is_sure) routes_->doubt();
  has_looked_ = true;
  const auto set = routes_->set(list);
  const std::string failure = set ? std::string() : set.error().message;
  if (failure != route_failure_ && !failure.empty()) log_warning(failure);
  route_failure_ = failure;
  const auto before = std::exchange(hops_, std::move(list));
  // Who was waited for is probed now.
  for (const auto& [path, server] : servers_) {
    const auto is_hop = [&own = server.addresses](const ProbeNextHop& hop) {
      return std::find(own.begin(), own.end(), hop.server) != own.end();
    };
    if (std::none_of(hops_.begin(), hops_.end(), is_hop) || std::any_of(before.begin(), before.end(), is_hop)) continue;
    for (const auto& [family, checks] : server.checks)
      for (const auto& check : checks) scheduler_->hurry(check.key);
  }
}

void AdvisorKeeper::set_reach(bool is_reachable) { guard_.set_reach(is_reachable, HealthClock::now()); }

// ---- for the scheduler

CheckScheduler::Way AdvisorKeeper::find_way(const Check& check) const {
  if (!routes_) return {.mark = 0, .code = CheckCode::kSocketError, .why = "the daemon ends"};
  const auto host = hosts_.find(check.server);
  if (host == hosts_.end()) return {.mark = 0, .code = CheckCode::kSocketError, .why = "the server is gone"};
  const auto& addresses = host->second;
  const auto carrier = host_.resolver.carrier(addresses);
  if (!carrier) {
    // As long as it is asked for, nobody knows.
    const bool is_asked = std::any_of(addresses.begin(), addresses.end(),
                                      [this](const IpAddress& address) { return host_.resolver.is_pending(address); });
    const bool is_unsure = is_asked || host_.resolver.is_unreachable_from_here(addresses);
    return {.mark = 0,
            .code = is_unsure ? CheckCode::kSocketError : CheckCode::kL2NoMac,
            .why = host_.resolver.reason(addresses)};
  }
  const bool is_own = std::find(addresses.begin(), addresses.end(), check.destination) != addresses.end();
  if (is_own || carrier->target.is_local) return {};
  const auto family = check.destination.family();
  const auto mark = routes_->mark_of(carrier->address, family);
  if (mark != 0) return {.mark = mark};
  auto why = routes_->failure_of(carrier->address, family);
  if (why.empty()) why = fmt::format("no policy route to {}", carrier->address.to_string());
  return {.mark = 0, .code = CheckCode::kSocketError, .why = std::move(why)};
}

std::optional<IpAddress> AdvisorKeeper::own_address(const Check& check) const {
  const auto host = hosts_.find(check.server);
  if (host == hosts_.end()) return std::nullopt;
  const auto carrier = host_.resolver.carrier(host->second);
  return carrier ? std::optional(carrier->address) : std::nullopt;
}

// The server is one machine to the failure guard, whatever the number of its checks.
bool AdvisorKeeper::all_answer(const Server& server) const {
  return std::all_of(server.checks.begin(), server.checks.end(), [this](const auto& entry) {
    return std::all_of(entry.second.begin(), entry.second.end(), [this](const ServerCheck& check) {
      const auto* health = scheduler_->find(check.key);
      return health != nullptr && health->last().ok();
    });
  });
}

// A probe of it failed.
bool AdvisorKeeper::can_fall(const Check& check) {
  const auto now = HealthClock::now();
  for (const auto& path : users_of(check.key())) guard_.failed(path.port.cluster, path.to_string(), now);
  return !has_guard_ || guard_.can_fall(now);
}

void AdvisorKeeper::take_agent(const ServerPath& path, Server& server, const AgentWords& words) {
  bool changed = false;
  if (words.weight_percent && *words.weight_percent != server.agent_percent) {
    server.agent_percent = *words.weight_percent;
    changed = true;
  }
  if (words.admin && *words.admin != server.agent_admin) {
    server.agent_admin = *words.admin;
    changed = true;
    host_.events.add("agent_word", fmt::format("server {}", path.to_string()),
                     fmt::format("its agent says {}", admin_name(server.agent_admin)));
  }
  if (changed) host_.on_change();
}

void AdvisorKeeper::take(const Check& check, const CheckHealth& health, bool changed) {
  // Not sent: there is no news of the server.
  if (health.newest() == CheckCode::kSocketError && !changed) return;
  const auto now = HealthClock::now();
  const auto& result = health.last();
  for (const auto& path : users_of(check.key())) {
    const auto found = servers_.find(path);
    if (found == servers_.end()) continue;
    auto& server = found->second;
    ++server.results;
    if (all_answer(server)) guard_.answered(path.port.cluster, path.to_string());
    take_agent(path, server, result.agent);
    // A load that a program tells beside other checks is the machine's, not the service's.
    server.system_load.reset();
    if (check.advisor.type == AdvisorType::kComposite && result.load)
      server.system_load = static_cast<double>(*result.load);
    if (!changed) continue;
    const auto state = overall(server);
    if (state == Health::kUp && server.told == Health::kDown) server.up_since = now;
    if (state == Health::kDown) server.up_since.reset();
    server.told = state;
  }
  follow_guard();
  if (changed) host_.on_change();
}

void AdvisorKeeper::follow_guard() {
  auto why = frozen();
  if (why == told_frozen_) return;
  if (why.empty() || told_frozen_.empty())
    host_.events.add(why.empty() ? "mass_failure_over" : "mass_failure", "dispatcher",
                     why.empty() ? "servers that fail go down again" : why);
  told_frozen_ = std::move(why);
}

asio::awaitable<std::vector<AdvisorKeeper::RunResult>> AdvisorKeeper::run(ServerPath path, PortConfig port) {
  std::vector<RunResult> results;
  const auto found = servers_.find(path);
  if (found == servers_.end()) co_return results;
  const auto addresses = found->second.addresses;
  std::vector<ServerCheck> checks;
  for (const auto& [family, list] : found->second.checks)
    for (const auto& check : list)
      if (std::find(checks.begin(), checks.end(), check) == checks.end()) checks.push_back(check);
  for (const auto& check : checks) {
    RunResult one{.check = check, .result = {}, .log = {}};
    const Check asked{.advisor = *port.advisor,
                      .server = addresses.front(),
                      .destination = check.destination,
                      .port = check.port,
                      .name = path.to_string()};
    const auto way = find_way(asked);
    if (way.code != CheckCode::kNone) {
      one.result.code = way.code;
      one.result.text = way.why;
    } else {
      const ProbeTarget target{
          .destination = check.destination, .port = check.port, .mark = way.mark, .server = path.to_string()};
      one.result = co_await probe(*tools_, asked.advisor, target, &one.log);
      OwnAddressJudge judge;
      const auto own = own_address(asked);
      if (!check.is_own && own && judge.must_ask(one.result)) {
        const auto question = own_address_question(asked.advisor);
        const ProbeTarget there{.destination = *own, .port = check.port, .mark = 0, .server = path.to_string()};
        const auto answer = co_await probe(*tools_, question, there, nullptr);
        judge.answer(*own, answer.ok());
        judge.judge(one.result);
      }
    }
    results.push_back(std::move(one));
  }
  co_return results;
}

}  // namespace xdplb
