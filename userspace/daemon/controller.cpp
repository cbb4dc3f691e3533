// SPDX-License-Identifier: GPL-2.0-only
#include "daemon/controller.h"

#include "base/log.h"
#include "daemon/host_check.h"
#include "daemon/random_secret.h"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <fmt/format.h>

#include <algorithm>

namespace xdplb {
namespace {

namespace asio = boost::asio;

// How long a reply waits for the MAC of a server it brought: a LAN answers within a millisecond.
constexpr auto kResolveWait = std::chrono::milliseconds(500);

}  // namespace

Controller::Controller(asio::io_context& io, Options options, std::function<void()> stop)
    : io_(io),
      options_(std::move(options)),
      stop_(std::move(stop)),
      store_(options_.instance.state_dir),
      tracer_(io),
      sweep_timer_(io),
      standing_timer_(io),
      pace_timer_(io) {}

Controller::~Controller() { close(); }

void Controller::close() {
  *alive_ = false;
  tracer_.stop();
  sweep_timer_.cancel();
  standing_timer_.cancel();
  pace_timer_.cancel();
  for (auto* timer : waiting_) timer->cancel();
  if (keeper_) keeper_->close();
  keeper_.reset();
  book_ = StandingBook();
  if (managers_) managers_->close();
  // Not destroyed: probes under way go on with what is theirs until the io_context stops.
  if (advisors_) advisors_->close();
  exits_.reset();
  resolver_.reset();
  monitor_.reset();
}

Result<std::unique_ptr<Controller>> Controller::open(asio::io_context& io, Options options,
                                                     std::function<void()> stop) {
  std::unique_ptr<Controller> controller(new Controller(io, std::move(options), std::move(stop)));
  if (auto started = controller->start(); !started) return started.error();
  return controller;
}

// What was kept, and the host as it is.
Result<State> Controller::open_host() {
  auto state = store_.load();
  if (!state) return state.error();
  auto monitor = HostMonitor::open(io_);
  if (!monitor) return monitor.error();
  monitor_ = std::move(*monitor);
  resolver_ = std::make_unique<ServerResolver>(*monitor_, io_);
  book_ = StandingBook({.resolver = resolver_.get(), .admins = &admins_});
  return state->value_or(State{});
}

Result<void> Controller::start() {
  auto state = open_host();
  if (!state) return state.error();
  if (auto opened = open_keeper(); !opened) return opened;
  keeper_->restore(state->vipas);
  if (auto opened = open_advisors(); !opened) return opened;
  if (auto taken = take_over(std::move(*state)); !taken) return taken;
  monitor_->on_change([this](const HostChange& change) { on_host_change(change); });
  resolver_->on_change([this](const IpAddress& adapter) {
    const auto reason = resolver_->reason(adapter);
    events_.add(reason.empty() ? "adapter_healthy" : "adapter_failed", fmt::format("adapter {}", adapter.to_string()),
                reason.empty() ? "it answers again" : reason);
    reconcile_soon();
  });
  // Interfaces that came while the program was loaded, as at boot: nobody has told of them yet, and nobody will again.
  note_link_change();
  reconcile_soon();
  sweep_soon();
  return {};
}

Result<std::unique_ptr<Controller>> Controller::open_offline(asio::io_context& io, Options options) {
  std::unique_ptr<Controller> controller(new Controller(io, std::move(options), [] {}));
  if (auto started = controller->start_offline(); !started) return started.error();
  return controller;
}

Result<void> Controller::start_offline() {
  auto state = open_host();
  if (!state) return state.error();
  const State& kept = *state;
  config_ = kept.config;
  generated_secret_ = kept.generated_secret;
  admins_ = AdminStates(kept.admins);
  auto forwarding = Forwarding::open_pinned(options_.instance.pin_dir);
  if (!forwarding) return forwarding.error();
  forwarding_ = std::move(*forwarding);
  return restore(kept);
}

// The plan that is in the maps, and where its servers are.
Result<void> Controller::restore(const State& state) {
  const auto host = surroundings(config_);
  forwarding_->restore(config_, host.admins, host.grants, state.assignments, secret_of(config_));
  ServerTargets targets;
  for (const auto& [name, cluster] : forwarding_->plan().clusters)
    for (const auto& [path, port] : cluster.ports)
      for (const auto& server : port->servers)
        if (server.target && !server.target->is_local) targets.emplace(server.config.address, *server.target);
  resolver_->seed(std::move(targets));
  for (const auto& wanted : state.interfaces) {
    interfaces_.push_back(
        {.wanted = wanted, .ifindex = 0, .attachment = std::nullopt, .failure = {}, .failed_ifindex = 0});
  }
  return {};
}

Result<void> Controller::take_over(State state) {
  config_ = std::move(state.config);
  generated_secret_ = state.generated_secret;
  if (generated_secret_.empty()) {
    auto secret = random_secret();
    if (!secret) return secret.error();
    generated_secret_ = std::move(*secret);
  }
  admins_ = AdminStates(state.admins);
  admins_.prune(config_);
  restore_standings(state);
  exits_->configure(config_.exits);
  keeper_->configure(config_);
  if (state.interfaces.empty()) {
    update_vipas();
    update_advisors();
    managers_->configure(config_);
    return {};
  }
  if (auto opened = open_forwarding(); !opened) return opened;
  if (auto restored = restore(state); !restored) return restored;
  // What an earlier daemon was asked to show ended with it; what it counted may have changed meanwhile.
  if (auto quiet = forwarding_->set_trace(0, 1); !quiet) return quiet;
  forwarding_->recount_active();
  for (auto& interface : interfaces_) open_again(interface);
  if (auto fresh = monitor_->refresh(); !fresh) return fresh;
  update_vipas();
  resolver_->update(resolver_task(config_));
  auto plan = forwarding_->make(config_, surroundings(config_), secret_of(config_));
  if (!plan) return plan.error();
  if (auto published = forwarding_->publish(std::move(*plan)); !published) return published;
  update_advisors();
  managers_->configure(config_);
  // Before anybody asks: a server of which nothing is known would seem to have nothing left.
  if (auto swept = forwarding_->sweep(); !swept) return swept;
  const auto loaded = surroundings(config_).interfaces;
  for (const auto ifindex : forwarding_->publisher().egress_interfaces()) {
    if (loaded.contains(ifindex)) continue;
    forwarding_->publisher().remove_egress(ifindex);
  }
  // Ports whose numbers were lost have new ones.
  if (auto prepared = store_.prepare(state_of(config_, &forwarding_->plan())); !prepared) return prepared;
  return store_.commit();
}

std::string_view Controller::secret_of(const Config& config) const {
  return config.secret.empty() ? generated_secret_ : config.secret;
}

Surroundings Controller::surroundings(const Config& config) const {
  Surroundings host{.targets = resolver_->targets(), .interfaces = {}, .own = resolver_->own_addresses()};
  book_.fill(config, book_.stand(config, forwarding_ != nullptr), host);
  for (const auto& interface : interfaces_)
    if (interface.ifindex != 0) host.interfaces.insert(interface.ifindex);
  return host;
}

State Controller::state_of(const Config& config, const Plan* plan) const {
  State state{.interfaces = {},
              .generated_secret = generated_secret_,
              .config = config,
              .assignments = {},
              .admins = admins_.all(),
              .standings = kept_standings(),
              .vipas = keeper_ ? keeper_->words() : VipaWords{}};
  for (const auto& interface : interfaces_) state.interfaces.push_back(interface.wanted);
  if (plan != nullptr) state.assignments = assignments_of(*plan);
  return state;
}

Result<void> Controller::fits_host(const Config& next, const std::vector<std::uint32_t>& interfaces) const {
  return check_host({.next = next,
                     .now = config_,
                     .addresses = monitor_->addresses(),
                     .interfaces = interfaces,
                     .has_loaded = !interfaces_.empty() || !interfaces.empty()});
}

// I2: the state file is prepared, the kernel written, then both become the truth.
Result<void> Controller::write_through(const Config& next) {
  if (!forwarding_) {
    if (auto prepared = store_.prepare(state_of(next, nullptr)); !prepared) return prepared;
    return store_.commit();
  }
  auto plan = forwarding_->make(next, surroundings(next), secret_of(next));
  if (!plan) return plan.error();
  if (auto prepared = store_.prepare(state_of(next, &*plan)); !prepared) return prepared;
  if (auto published = forwarding_->publish(std::move(*plan)); !published) return published;
  return store_.commit();
}

// The numbers in the maps are what they were.
Result<void> Controller::save() {
  auto prepared = store_.prepare(state_of(config_, forwarding_ ? &forwarding_->plan() : nullptr));
  return prepared ? store_.commit() : prepared;
}

Result<Change> Controller::commit(Config next) {
  next.interfaces.reset();
  if (next == config_) return Change{};
  if (auto valid = validate(next); !valid) return valid.error();
  if (auto fits = fits_host(next, loaded_indexes()); !fits) return fits.error();
  const auto before = server_addresses(config_);
  const auto after = server_addresses(next);
  const auto admins = admins_;
  admins_.prune(next);
  resolver_->update(resolver_task(next));
  if (auto written = write_through(next); !written) {
    admins_ = admins;
    resolver_->update(resolver_task(config_));
    return written.error();
  }
  std::set_difference(after.begin(), after.end(), before.begin(), before.end(), std::inserter(fresh_, fresh_.end()));
  Change change{.changed = true, .lines = diff_lines(config_, next)};
  config_ = std::move(next);
  keeper_->configure(config_);
  update_vipas();
  exits_->configure(config_.exits);
  update_advisors();
  managers_->configure(config_);
  return change;
}

void Controller::on_host_change(const HostChange& change) {
  if (const auto* neighbor = std::get_if<NeighborChanged>(&change)) {
    resolver_->on_neighbor(neighbor->neighbor);
  } else if (const auto* learn = std::get_if<NeighboursMustLearn>(&change)) {
    return keeper_->announce_again(learn->index);
  } else {
    note_link_change();
  }
  reconcile_soon();
}

void Controller::note_link_change() {
  if (!links_changed_at_) links_changed_at_ = std::chrono::steady_clock::now();
}

// One pass for all events of a burst: 10,000 neighbours that resolve together are one plan.
void Controller::reconcile_soon() {
  if (reconcile_is_due_) return;
  reconcile_is_due_ = true;
  asio::post(io_, [this, alive = alive_] {
    if (!*alive) return;
    reconcile_is_due_ = false;
    if (const auto heard_at = std::exchange(links_changed_at_, std::nullopt)) {
      event_at_ = heard_at;
      reconcile_links();
      event_at_.reset();
    } else {
      replan();
    }
    for (auto* timer : waiting_) timer->cancel();
  });
}

// Interfaces or their addresses changed: who answers for a VIPA, first of all, and which way servers are reached.
void Controller::reconcile_links() {
  if (forwarding_) reconcile_interfaces();
  update_vipas();
  if (!forwarding_) return;
  resolver_->update(resolver_task(config_));
  advisors_->set_reach(!keeper_->health().is_reach_suspect());
  advisors_->update_routes(false);
  replan();
  forget_gone_egresses();
}

// Servers are reached through the first healthy interface of their network, and through a failed one only when there is
// no other.
ResolverTask Controller::resolver_task(const Config& config) const {
  ResolverTask task{.addresses = server_addresses(config),
                    .adapters = adapter_addresses(config),
                    .interfaces = {},
                    .missed_limit = config.health.reach_missed,
                    .interval = std::chrono::seconds(config.health.reach_interval_s)};
  for (const bool wants_healthy : {true, false})
    for (const auto& interface : interfaces_)
      if (interface.ifindex != 0 && keeper_->is_healthy(interface.wanted.name) == wants_healthy)
        task.interfaces.push_back(interface.ifindex);
  return task;
}

// Servers were found or lost. MACs and owners are kept in the maps themselves; the state file learns which rows are
// whose by right, so that a server that returns after a restart of the daemon has its own ones again.
void Controller::replan() {
  if (!forwarding_) return;
  advisors_->update_routes();
  auto plan = forwarding_->make(config_, surroundings(config_), secret_of(config_));
  auto published = plan ? forwarding_->publish(std::move(*plan)) : Result<void>(plan.error());
  if (published) published = save();
  if (!published) log_error(published.error().message);
  follow_standings();
}

asio::awaitable<void> Controller::servers_settled() {
  const auto awaited = std::exchange(fresh_, {});
  const auto deadline = std::chrono::steady_clock::now() + kResolveWait;
  const auto is_pending = [&] {
    return *alive_ && std::any_of(awaited.begin(), awaited.end(),
                                  [this](const IpAddress& address) { return resolver_->is_pending(address); });
  };
  while (is_pending() && std::chrono::steady_clock::now() < deadline) {
    asio::steady_timer timer(io_, deadline);
    waiting_.insert(&timer);
    co_await timer.async_wait(asio::as_tuple(asio::use_awaitable));
    waiting_.erase(&timer);
  }
}

template <typename SomeRequest>
asio::awaitable<Reply> Controller::run(const SomeRequest& request) {
  if constexpr (std::is_same_v<SomeRequest, AdvisorRunRequest>) {
    co_return co_await probe_now(request);
  } else if constexpr (requires { this->change(request); }) {
    const auto made = change(request);
    if (!made) co_return Reply(made.error());
    co_await servers_settled();
    co_return view(request, *made);
  } else {
    co_return view(request);
  }
}

Reply Controller::apply_offline(const Request& request) {
  return std::visit(
      [this](const auto& one) -> Reply {
        using One = std::decay_t<decltype(one)>;
        if constexpr (std::is_same_v<One, TraceRequest> || std::is_same_v<One, EventsRequest>)
          return fail(ErrorCode::kUsage, "--offline: events and traces are the daemon's; start it with `xdplb load`");
        else if constexpr (requires { this->change(one); })
          return fail(ErrorCode::kUsage, "--offline only looks; leave it out to change something");
        else
          return view(one);
      },
      request);
}

asio::awaitable<Reply> Controller::apply(Request request) {
  co_return co_await std::visit([this](const auto& one) { return run(one); }, request);
}

}  // namespace xdplb
