// SPDX-License-Identifier: GPL-2.0-only
// The Controller's advisors, managers and user exits: requests about them, and what follows when a server's standing
// changes.
#include "base/log.h"
#include "daemon/advisor_views.h"
#include "daemon/controller.h"
#include "daemon/status_problem.h"
#include "model/advisor_json.h"

#include <fmt/format.h>

#include <algorithm>

namespace xdplb {
namespace {

using nlohmann::json;

// What the last daemon knew of health is believed for so long after its end.
constexpr auto kHealthMemory = std::chrono::seconds(60);
// Sweeps, one a second: between signs of life in the state file, and between looks at the routes of probes.
constexpr unsigned kTouchEvery = 20;
constexpr unsigned kRoutesEvery = 60;
constexpr unsigned kFirstRoutes = 3;
// Plans for what advisors and managers say are made at most so often.
constexpr auto kPace = std::chrono::milliseconds(30);
constexpr auto kCertificateWarning = std::chrono::hours(14 * 24);

// Of an event about a VIPA or a port.
std::map<std::string, std::string> details_of(const std::string& object) {
  constexpr std::string_view kVipa = "VIPA ";
  constexpr std::string_view kPort = "port ";
  if (object.starts_with(kVipa)) return {{"vipa", object.substr(kVipa.size())}};
  if (!object.starts_with(kPort)) return {};
  const auto path = PortPath::parse(object.substr(kPort.size()));
  if (!path) return {};
  return {{"cluster", path->cluster},
          {"port", std::to_string(path->port)},
          {"protocol", std::string(protocol_name(path->protocol))}};
}

// Of a check's interval: what is later is worth a word.
constexpr double kLatePart = 0.5;

}  // namespace

Result<void> Controller::open_advisors() {
  exits_ = std::make_unique<UserExits>(io_, options_.instance.name,
                                       [this](ExitEvent event, const std::string& object, const std::string& result) {
                                         events_.add("exit_failed", fmt::format("exit {}", exit_event_name(event)),
                                                     fmt::format("{}: {}", object, result));
                                       });
  auto opened = AdvisorKeeper::open(
      {.io = io_, .resolver = *resolver_, .events = events_, .instance = options_.instance.name, .on_change = [this] {
         reconcile_paced();
       }});
  if (!opened) return opened.error();
  advisors_ = std::move(*opened);
  managers_ = std::make_unique<ManagerKeeper>(ManagerKeeper::Surroundings{
      .io = io_,
      .forwarding = [this] { return forwarding_.get(); },
      .load = [this](const ServerPath& path, const ServerConfig& server) { return load_of(path, server); },
      .results = [this](const ServerPath& path) { return advisors_->results(path); },
      .on_push = [this] { reconcile_paced(); }});
  book_ = StandingBook({.resolver = resolver_.get(),
                        .admins = &admins_,
                        .advisors = advisors_.get(),
                        .managers = managers_.get(),
                        .events = &events_,
                        .exits = exits_.get()});
  events_.on_event([this](const Event& event) {
    for (const auto exit : {ExitEvent::kVipaMoved, ExitEvent::kHalfOpenHigh, ExitEvent::kHalfOpenOk})
      if (event.code == exit_event_name(exit)) exits_->fire(exit, event.object, event.text, details_of(event.object));
  });
  return {};
}

// The first change takes effect at once; of many in a row, those of a moment together.
void Controller::reconcile_paced() {
  const auto now = std::chrono::steady_clock::now();
  if (is_pace_due_) return;
  if (now - paced_at_ >= kPace) {
    paced_at_ = now;
    reconcile_soon();
    return;
  }
  is_pace_due_ = true;
  pace_timer_.expires_at(paced_at_ + kPace);
  pace_timer_.async_wait([this, alive = alive_](const boost::system::error_code& error) {
    if (error || !*alive) return;
    is_pace_due_ = false;
    paced_at_ = std::chrono::steady_clock::now();
    reconcile_soon();
  });
}

void Controller::restore_standings(const State& state) {
  std::map<ServerPath, ByFamily<Health>> health;
  std::map<ServerPath, unsigned> weights;
  const bool is_fresh = std::chrono::system_clock::now() - state.alive_at < kHealthMemory;
  for (const auto& [path, standing] : state.standings) {
    if (is_fresh && standing.health != ByFamily<Health>{}) health.emplace(path, standing.health);
    if (standing.weight) weights.emplace(path, *standing.weight);
  }
  book_.restore(health);
  advisors_->restore(std::move(health));
  managers_->restore(std::move(weights));
}

std::map<ServerPath, ServerStanding> Controller::kept_standings() const {
  std::map<ServerPath, ServerStanding> kept;
  if (advisors_)
    for (const auto& [path, health] : advisors_->kept()) kept[path].health = health;
  if (managers_)
    for (const auto& [path, weight] : managers_->weights()) kept[path].weight = weight;
  return kept;
}

void Controller::update_advisors() {
  advisors_->update(config_, forwarding_ != nullptr);
  follow_standings();
  // What is known of a check that others have already counts for its new servers, too.
  if (forwarding_) reconcile_soon();
}

// What the maps hold now is told, and when it changes next by time alone.
void Controller::follow_standings() {
  auto standings = book_.stand(config_, forwarding_ != nullptr);
  // A server that comes or goes has its weight now, not with the next cycle.
  for (const auto& [path, standing] : standings) {
    const auto* before = book_.find(path);
    if (before != nullptr && before->up != standing.up) managers_->hurry(path);
  }
  book_.follow(config_, std::move(standings), forwarding_ != nullptr);
  standing_timer_.cancel();
  const auto at = book_.changes_at();
  if (!at) return;
  standing_timer_.expires_at(*at);
  standing_timer_.async_wait([this, alive = alive_](const boost::system::error_code& error) {
    if (!error && *alive) reconcile_soon();
  });
}

// Words that hold in some hours only begin and end here, and so do their drains.
void Controller::follow_hours() {
  const auto hour = local_hour(AdminStates::Clock::now());
  const auto before = std::exchange(hour_, std::optional(hour));
  if (before == hour) return follow_seconds();
  const auto now = admins_.admins(config_, hour);
  const auto then = before ? admins_.admins(config_, *before) : std::map<ServerPath, Admin>();
  for (const auto& [path, admin] : now) {
    if ((admin != Admin::kDrain && admin != Admin::kDrainNow) || then.contains(path)) continue;
    draining_.insert(path);
    if (before) events_.add("drain", fmt::format("server {}", path.to_string()), "its daily hours of drain begin");
  }
  for (const auto& [path, admin] : then)
    if (!now.contains(path))
      events_.add("ready", fmt::format("server {}", path.to_string()), "its daily hours of drain end");
  if (before && now != then) reconcile_soon();
  follow_seconds();
}

void Controller::follow_seconds() {
  advisors_->follow_guard();
  if (++seconds_ % kTouchEvery == 0) store_.touch();
  ask_for_leaks();
  if (seconds_ % kRoutesEvery != kFirstRoutes) return;
  // Tools that keep policy rules for themselves remove those of others.
  if (forwarding_) advisors_->update_routes(false);
}

ManagedLoad Controller::load_of(const ServerPath& path, const ServerConfig& server) const {
  ManagedLoad load;
  const auto* cluster = find_cluster(config_, path.port.cluster);
  const auto* port = find_port(config_, path.port);
  if (cluster == nullptr || port == nullptr) return load;
  const auto facts = book_.facts(*cluster, *port, server, forwarding_ != nullptr);
  const auto admin = facts.admin.admin();
  const bool is_reachable = facts.unreachable[0].empty() || facts.unreachable[1].empty();
  load.is_up = overall_health(facts) != Health::kDown && admin != Admin::kDown && is_reachable;
  load.is_quiesced = admin == Admin::kDrain || admin == Admin::kDrainNow;
  load.advisor_ms = advisors_->load_ms(path);
  load.system = advisors_->system_load(path);
  return load;
}

// ---- requests

Result<Change> Controller::set_advisor(const PortPath& path, std::optional<AdvisorConfig> advisor) {
  Config next = config_;
  auto* port = find_port(next, path);
  if (port == nullptr) return absent("port", path.to_string());
  port->advisor = std::move(advisor);
  return commit(std::move(next));
}

Result<Change> Controller::change(const AdvisorSetRequest& request) {
  return set_advisor(request.path, request.advisor);
}

Result<Change> Controller::change(const AdvisorPatchRequest& request) {
  const auto* port = find_port(config_, request.path);
  if (port == nullptr) return absent("port", request.path.to_string());
  auto changed = change_advisor(port->advisor, request.changes, fmt::format("advisor {}", request.path.to_string()),
                                port->protocol);
  if (!changed) return changed.error();
  return set_advisor(request.path, std::move(*changed));
}

Result<Change> Controller::change(const AdvisorRemoveRequest& request) {
  const auto* port = find_port(config_, request.path);
  if (port == nullptr) return absent("port", request.path.to_string());
  if (!port->advisor)
    return fail(
        ErrorCode::kNotFound,
        fmt::format("advisor {}: there is none; `xdplb advisor list` shows those there are", request.path.to_string()));
  return set_advisor(request.path, std::nullopt);
}

Result<Change> Controller::change(const ManagerSetRequest& request) {
  Config next = config_;
  if (request.cluster && find_cluster(next, *request.cluster) == nullptr) return absent("cluster", *request.cluster);
  for (auto& cluster : next.clusters)
    if (!request.cluster || cluster.name == *request.cluster) request.changes.apply(cluster.manager);
  return commit(std::move(next));
}

boost::asio::awaitable<Reply> Controller::probe_now(AdvisorRunRequest request) {
  const auto* port = find_port(config_, request.path.port);
  if (port == nullptr || find_server(config_, request.path) == nullptr)
    co_return Reply(absent("server", request.path.to_string()));
  if (!port->advisor)
    co_return Reply(fail(ErrorCode::kNotFound,
                         fmt::format("port {0}: it has no advisor; `xdplb advisor set {0} --type ...` makes one",
                                     request.path.port.to_string())));
  if (!forwarding_) co_return Reply(fail(ErrorCode::kFailed, "no interface is loaded: `xdplb load IFACE` first"));
  const PortConfig copy = *port;
  const auto results = co_await advisors_->run(request.path, copy);
  co_return make_reply(run_view(request.path, results));
}

Reply Controller::view(const AdvisorSetRequest& request, const Change& change) const {
  return changed_port(request.path, change);
}
Reply Controller::view(const AdvisorPatchRequest& request, const Change& change) const {
  return changed_port(request.path, change);
}
Reply Controller::view(const AdvisorRemoveRequest& request, const Change& change) const {
  return changed_port(request.path, change);
}

Reply Controller::view(const ManagerSetRequest& request, const Change& change) const {
  auto object = view(ManagerReportRequest{.cluster = request.cluster});
  if (!object) return object;
  return make_reply({{"changed", change.changed}, {"object", std::move(*object)}});
}

Reply Controller::view(const AdvisorListRequest& request) const {
  if (!advisors_) return fail(ErrorCode::kUsage, "--offline: advisors are the daemon's; start it with `xdplb load`");
  const auto wanted = request.server ? std::optional(request.server->port) : request.port;
  const auto* only = wanted ? find_port(config_, *wanted) : nullptr;
  if (wanted && only == nullptr) return absent("port", wanted->to_string());
  if (request.server && find_server(config_, *request.server) == nullptr)
    return absent("server", request.server->to_string());
  if (only != nullptr && !only->advisor)
    return fail(
        ErrorCode::kNotFound,
        fmt::format("advisor {0}: there is none; `xdplb advisor set {0} --type ...` makes one", wanted->to_string()));
  json list = json::array();
  const auto name = request.server ? std::optional(request.server->server) : std::nullopt;
  for (const auto& cluster : config_.clusters) {
    for (const auto& port : cluster.ports) {
      const PortPath path{.cluster = cluster.name, .port = port.port, .protocol = port.protocol};
      if (port.advisor && (!wanted || *wanted == path))
        list.push_back(advisor_view(cluster, port, *advisors_, name, wanted.has_value()));
    }
  }
  return make_reply(std::move(list));
}

Reply Controller::view(const AdvisorRunRequest& /*request*/) const {
  return fail(ErrorCode::kUsage, "--offline: advisors are the daemon's; start it with `xdplb load`");
}

Reply Controller::view(const ManagerReportRequest& request) const {
  if (!managers_) return fail(ErrorCode::kUsage, "--offline: managers are the daemon's; start it with `xdplb load`");
  if (request.cluster && find_cluster(config_, *request.cluster) == nullptr) return absent("cluster", *request.cluster);
  json list = json::array();
  for (const auto& cluster : config_.clusters)
    if (!request.cluster || *request.cluster == cluster.name) list.push_back(manager_view(cluster, *managers_));
  return make_reply(std::move(list));
}

Reply Controller::view(const ExitListRequest& /*request*/) const {
  if (!exits_) return fail(ErrorCode::kUsage, "--offline: user exits are the daemon's; start it with `xdplb load`");
  return make_reply(exits_view(*exits_));
}

// ---- problems

void Controller::add_advisor_problems(json& found) const {
  if (!advisors_) return;
  if (const auto why = advisors_->frozen(); !why.empty()) found.push_back(problem("mass_failure", "dispatcher", why));
  if (const auto late = advisors_->lateness(); late.worst_of_interval > kLatePart)
    found.push_back(problem("check_late", "dispatcher",
                            fmt::format("probes began up to {:.0f} % of their interval late in the last minute: this "
                                        "host is too busy, or there are too many checks for their intervals",
                                        late.worst_of_interval * 100)));
  for (const auto& one : exits_->view())
    if (!one.last_result.empty() && one.last_result != "exit 0")
      found.push_back(problem("exit_failed", fmt::format("exit {}", exit_event_name(one.config.event)),
                              fmt::format("its last run: {}", one.last_result)));
  if (const auto& why = advisors_->route_failure(); !why.empty())
    found.push_back(problem("probe_path", "dispatcher", why));
  for (const auto& cluster : config_.clusters)
    for (const auto& port : cluster.ports)
      if (port.advisor) add_port_problems(cluster, port, found);
}

void Controller::add_port_problems(const ClusterConfig& cluster, const PortConfig& port, json& found) const {
  const PortPath path{.cluster = cluster.name, .port = port.port, .protocol = port.protocol};
  const auto* standing = book_.find(path);
  if (book_.all_down().contains(path)) {
    found.push_back(problem("all_down", path.to_string(),
                            fmt::format("every server is down (on_all_down {})", on_all_down_name(port.on_all_down))));
  } else if (standing != nullptr && (standing->below_min_up[0] || standing->below_min_up[1])) {
    const auto family = standing->below_min_up[0] ? Family::kV4 : Family::kV6;
    found.push_back(
        problem("below_min_up", path.to_string(),
                fmt::format("{} servers are up for {}, min_up is {}", standing->up[static_cast<std::size_t>(family)],
                            family == Family::kV4 ? "IPv4" : "IPv6", min_up_count(port, family))));
  }
  for (const auto& server : port.servers) add_health_problems(cluster, port, server, found);
}

void Controller::add_health_problems(const ClusterConfig& cluster, const PortConfig& port, const ServerConfig& server,
                                     json& found) const {
  const ServerPath own{.port = {.cluster = cluster.name, .port = port.port, .protocol = port.protocol},
                       .server = server.name};
  const auto facts = book_.facts(cluster, port, server, forwarding_ != nullptr);
  for (std::size_t place = 0; place < kFamilies.size(); ++place) {
    if (!facts.is_checked[place] || facts.health[place] != Health::kDown) continue;
    found.push_back(
        problem("server_down", own.to_string(),
                fmt::format("{}: {}", kFamilies[place] == Family::kV4 ? "IPv4" : "IPv6", facts.health_reason[place])));
  }
  const auto end = advisors_->certificate_end(own);
  if (!end) return;
  const auto left = *end - std::chrono::system_clock::now();
  if (left >= kCertificateWarning) return;
  const auto days = std::chrono::duration_cast<std::chrono::hours>(left).count() / 24;
  found.push_back(
      problem("certificate_ends", own.to_string(),
              left.count() < 0 ? "its certificate has ended" : fmt::format("its certificate ends in {} days", days)));
}

}  // namespace xdplb
