// SPDX-License-Identifier: GPL-2.0-only
#include "daemon/vipa_keeper.h"

#include "base/log.h"

#include <fmt/format.h>
#include <net/if_arp.h>

#include <algorithm>
#include <utility>

namespace xdplb {
namespace {

// What the kernel tells nobody of: routes, settings.
constexpr auto kSlowTick = std::chrono::seconds(5);

VipaRules rules_of(const VipaConfig& config) {
  VipaRules rules{.role = config.is_backup ? VipaRole::kBackup : VipaRole::kOwner,
                  .failback = config.failback,
                  .hold = std::chrono::seconds(config.hold_s),
                  .on_conflict = config.on_conflict,
                  .probe = config.probe,
                  .refresh = std::chrono::seconds(config.refresh_s)};
  if (config.preferred && config.preferred->empty()) rules.role = VipaRole::kRouted;
  return rules;
}

// Spreads the timers of many VIPAs, and those of two dispatchers that start together.
std::uint32_t file_name_hash(const std::string& text) {
  std::uint32_t hash = 2166136261U;  // FNV-1a
  for (const char letter : text) hash = (hash ^ static_cast<unsigned char>(letter)) * 16777619U;
  return hash;
}

constexpr std::uint32_t kFirstTable = 0x58000000;  // routing tables of local VIPAs: 4096 instances of 65536 each

}  // namespace

VipaKeeper::VipaKeeper(Surroundings surroundings, const std::filesystem::path& run_dir)
    : host_(std::move(surroundings)),
      profile_(run_dir / "host-profile.json"),
      prober_(host_.io),
      health_timer_(host_.io),
      slow_timer_(host_.io) {}

VipaKeeper::~VipaKeeper() { *alive_ = false; }

Result<std::unique_ptr<VipaKeeper>> VipaKeeper::open(Surroundings surroundings, const std::filesystem::path& run_dir) {
  std::unique_ptr<VipaKeeper> keeper(new VipaKeeper(std::move(surroundings), run_dir));
  auto routes = RouteControl::open();
  if (!routes) return routes.error();
  keeper->routes_.emplace(std::move(*routes));
  const auto number = file_name_hash(run_dir.filename().string()) & 0xfff;
  auto local = LocalVipas::open(kFirstTable + (number << 16));
  if (!local) return local.error();
  keeper->local_.emplace(std::move(*local));
  if (auto started = keeper->start(); !started) return started.error();
  return keeper;
}

Result<void> VipaKeeper::start() {
  auto service = VipaService::open(host_.io);
  if (!service) return service.error();
  service_ = std::move(*service);
  service_->on_conflict([this](const VipaConflict& conflict) { host_.on_claim(conflict); });
  service_->on_event([this](const IpAddress& vipa, const TellEvent& event) { tell(vipa, event); });
  service_->on_send_error([this](const std::string& interface, int number) {
    health_.note_send_error(interface, number, Clock::now());
    health_changed();
  });
  prober_.on_outcome([this](const ReachProber::Outcome& outcome) { take_outcome(outcome); });
  tick_slowly();
  return {};
}

void VipaKeeper::close() {
  *alive_ = false;
  health_timer_.cancel();
  slow_timer_.cancel();
  service_.reset();
  if (auto restored = profile_.restore(); !restored) log_error(restored.error().message);
}

void VipaKeeper::restore(const VipaWords& words) {
  words_ = words;
  const auto now = Clock::now();
  for (const auto& name : words_.disabled_interfaces) health_.set_disabled(name, true, now);
}

bool VipaKeeper::is_loaded(std::string_view name) const {
  return std::any_of(loaded_.begin(), loaded_.end(), [name](const LoadedLink& one) { return one.name == name; });
}

bool VipaKeeper::is_healthy(const std::string& interface) const {
  const auto state = health_.verdict(interface).state;
  return state == HealthState::kUp || state == HealthState::kSuspect || state == HealthState::kSettling;
}

void VipaKeeper::configure(const Config& config) {
  health_config_ = config.health;
  fixes_host_ = config.fix_host;
  health_.configure(config.health, Clock::now());
  managed_.clear();
  for (const auto& cluster : config.clusters) {
    for (const auto& address : cluster.addresses) {
      auto& managed = managed_[address];
      managed.config.address = address;
      managed.clusters.push_back(cluster.name);
    }
  }
  for (const auto& vipa : config.vipas) managed_[vipa.address].config = vipa;
}

void VipaKeeper::update(const std::vector<LoadedLink>& loaded, Clock::time_point event_at) {
  loaded_ = loaded;
  list_entries();
  watch_links(Clock::now());
  for (auto& [address, managed] : managed_)
    for (auto& entry : managed.entries) entry = entry_of(entry.name, managed.config);
  set_service(event_at);
  tell_verdicts();
  set_local();
  set_reach();
  set_profile();
  arm_health();
}

// ---- Service and host

void VipaKeeper::set_service(Clock::time_point event_at) {
  std::vector<VipaInterface> interfaces;
  for (const auto& name : watched_) {
    const auto* link = host_.monitor.find_link(name);
    if (link == nullptr || link->is_loopback || link->hardware_type != ARPHRD_ETHER) continue;
    VipaInterface interface {
      .ifindex = link->index, .name = name, .mac = link->mac, .is_up = link->is_usable(), .link_local = {}
    };
    for (const auto& own : host_.monitor.addresses()) {
      if (own.ifindex != link->index || managed_.contains(own.prefix.address)) continue;
      if (own.prefix.address.is_v6() && own.prefix.address.is_link_local()) interface.link_local = own.prefix.address;
      if (own.prefix.address.is_v4() && !interface.own_v4) interface.own_v4 = own.prefix.address;
    }
    interfaces.push_back(std::move(interface));
  }
  std::vector<MacAddress> own;
  for (const auto& [index, link] : host_.monitor.links()) own.push_back(link.mac);
  service_->set_own_macs(own);
  if (auto set = service_->set_interfaces(interfaces); !set) log_error(set.error().message);
  std::erase_if(served_, [this](const IpAddress& address) { return !managed_.contains(address); });
  for (const auto& [address, managed] : managed_) {
    if (!served_.insert(address).second) continue;
    const auto pin = words_.pins.find(address);
    service_->restore(address, words_.disabled.contains(address), pin == words_.pins.end() ? "" : pin->second);
  }
  std::vector<ManagedVipa> vipas;
  vipas.reserve(managed_.size());
  for (const auto& [address, managed] : managed_)
    vipas.push_back({.address = address, .rules = rules_of(managed.config), .entries = managed.entries});
  service_->set_vipas(vipas, event_at);
  std::erase_if(words_.disabled, [this](const IpAddress& address) { return !managed_.contains(address); });
  std::erase_if(words_.pins, [this](const auto& pin) { return !managed_.contains(pin.first); });
}

void VipaKeeper::set_local() {
  std::vector<LocalVipa> vipas;
  for (const auto& [address, managed] : managed_) {
    if (!managed.config.is_local) continue;
    LocalVipa local{.address = address};
    if (const auto status = service_->status(address)) local.owner = status->report.owner;
    for (const auto& entry : managed.entries)
      if (entry.ifindex != 0) local.interfaces.push_back(entry.ifindex);
    vipas.push_back(std::move(local));
  }
  // Not needed is not asked: the first time also cleans up what an earlier run left.
  if (vipas.empty() && !has_local_) return;
  if (auto set = local_->set(vipas); !set) log_warning(set.error().message);
  has_local_ = !vipas.empty();
}

void VipaKeeper::set_profile() {
  ProfileNeeds needs;
  for (const auto& name : watched_)
    if (host_.monitor.find_link(name) != nullptr) needs.interfaces.push_back(name);
  const auto& own = host_.monitor.addresses();
  for (const auto& [address, managed] : managed_) {
    const bool is_own = std::any_of(own.begin(), own.end(), [&address = address](const InterfaceAddress& entry) {
      return entry.prefix.address == address;
    });
    if (!managed.config.is_local && !is_own) continue;
    (address.is_v4() ? needs.has_local_v4 : needs.has_local_v6) = true;
  }
  if (fixes_host_) {
    const auto changed = profile_.apply(needs);
    if (!changed) log_error(changed.error().message);
    if (changed)
      for (const auto& change : *changed)
        host_.events.add("host_setting_changed", change.setting,
                         fmt::format("{} -> {}: {}", change.value, change.wanted, change.why));
  } else if (profile_.has_changes()) {
    if (auto restored = profile_.restore(); !restored) log_error(restored.error().message);
  }
  faults_ = check_profile(needs);
}

// Gateways and reach targets: those that ask seldom and send most.
void VipaKeeper::set_neighbours() {
  std::vector<KnownNeighbour> known;
  for (const auto& [question, outcome] : reach_)
    if (outcome.missed == 0 && outcome.mac)
      known.push_back({.address = question.target, .mac = *outcome.mac, .ifindex = question.ifindex});
  for (const Family family : {Family::kV4, Family::kV6}) {
    const auto routes = routes_->routes(family, kMainTable);
    if (!routes) {
      log_warning(routes.error().message);
      continue;
    }
    for (const auto& route : *routes) {
      if (!route.gateway) continue;
      const auto* neighbor = host_.monitor.find_neighbor(route.ifindex, *route.gateway);
      if (neighbor == nullptr || neighbor->state != NeighborState::kValid) continue;
      known.push_back({.address = *route.gateway, .mac = neighbor->mac, .ifindex = route.ifindex});
    }
  }
  service_->set_neighbours(known);
}

void VipaKeeper::tick_slowly() {
  slow_timer_.expires_after(kSlowTick);
  slow_timer_.async_wait([this, alive = alive_](const boost::system::error_code& error) {
    if (error || !*alive) return;
    if (!managed_.empty()) {
      set_neighbours();
      set_local();
      set_profile();
    }
    tick_slowly();
  });
}

// ---- The operator

Result<bool> VipaKeeper::move_to(const IpAddress& vipa, const std::string& entry) {
  if (auto moved = service_->move_to(vipa, entry); !moved) return moved.error();
  const auto status = service_->status(vipa);
  const std::string pinned = status ? status->report.pinned : std::string();
  set_local();
  const bool is_new = !words_.pins.contains(vipa) || words_.pins.at(vipa) != pinned;
  words_.pins[vipa] = pinned;
  return is_new;
}

Result<bool> VipaKeeper::resume(const IpAddress& vipa) {
  if (auto resumed = service_->resume(vipa); !resumed) return resumed.error();
  set_local();
  return words_.pins.erase(vipa) > 0;
}

Result<bool> VipaKeeper::set_disabled(const IpAddress& vipa, bool is_disabled) {
  if (auto set = service_->set_disabled(vipa, is_disabled); !set) return set.error();
  set_local();
  return is_disabled ? words_.disabled.insert(vipa).second : words_.disabled.erase(vipa) > 0;
}

Result<bool> VipaKeeper::set_interface_disabled(const std::string& name, bool is_disabled) {
  if (std::find(watched_.begin(), watched_.end(), name) == watched_.end())
    return fail(ErrorCode::kNotFound,
                fmt::format("interface {}: it is neither loaded nor listed for a VIPA; `xdplb interface list` lists "
                            "those that are",
                            name));
  health_.set_disabled(name, is_disabled, Clock::now());
  return is_disabled ? words_.disabled_interfaces.insert(name).second : words_.disabled_interfaces.erase(name) > 0;
}

void VipaKeeper::tell(const IpAddress& vipa, const TellEvent& event) {
  host_.events.add(event.code, fmt::format("VIPA {}", vipa.to_string()), event.text);
  const auto managed = managed_.find(vipa);
  if (managed == managed_.end()) return;
  if (managed->second.config.is_local) set_local();
  // A pin ends with its entry.
  const auto pin = words_.pins.find(vipa);
  const auto status = service_->status(vipa);
  if (pin == words_.pins.end() || !status || status->report.pinned == pin->second) return;
  words_.pins.erase(pin);
  host_.on_words();
}

}  // namespace xdplb
