// SPDX-License-Identifier: GPL-2.0-only
// The VipaKeeper's lists: which interfaces may own a VIPA, and how healthy each is.
#include "base/log.h"
#include "daemon/vipa_keeper.h"

#include <fmt/format.h>
#include <net/if_arp.h>

#include <algorithm>
#include <iterator>

namespace xdplb {
namespace {

EntryState entry_state(HealthState state) {
  switch (state) {
    case HealthState::kUp:
      return EntryState::kUp;
    case HealthState::kSettling:
      return EntryState::kSettling;
    case HealthState::kSuspect:
      return EntryState::kSuspect;
    case HealthState::kAbsent:
    case HealthState::kDown:
    case HealthState::kDisabled:
      return EntryState::kFailed;
  }
  return EntryState::kFailed;
}

}  // namespace

std::string VipaKeeper::interface_with(const IpAddress& address) const {
  for (const auto& own : host_.monitor.addresses()) {
    const auto* link = host_.monitor.find_link(own.ifindex);
    if (own.prefix.address == address && link != nullptr && !link->is_loopback) return link->name;
  }
  return {};
}

// Interfaces that hear questions for the VIPA, for those are asked on its own network.
std::vector<std::string> VipaKeeper::default_list(const IpAddress& vipa) const {
  const auto is_on_network = [&](const std::string& name) {
    const auto* link = host_.monitor.find_link(name);
    const auto& addresses = host_.monitor.addresses();
    return link != nullptr && std::any_of(addresses.begin(), addresses.end(), [&](const InterfaceAddress& own) {
             return own.ifindex == link->index && own.prefix.address != vipa && own.prefix.contains(vipa);
           });
  };
  std::vector<std::string> names;
  for (const auto& one : loaded_) names.push_back(one.name);
  if (loaded_.empty())
    for (const auto& [index, link] : host_.monitor.links())
      if (link.hardware_type == ARPHRD_ETHER) names.push_back(link.name);
  std::vector<std::string> near;
  std::copy_if(names.begin(), names.end(), std::back_inserter(near), is_on_network);
  if (!near.empty() || loaded_.empty()) return near;
  return names;
}

void VipaKeeper::list_entries() {
  for (auto& [address, managed] : managed_) {
    managed.entries.clear();
    const auto& preferred = managed.config.preferred;
    const auto names = preferred && !preferred->empty() ? *preferred : default_list(address);
    for (const auto& name : names) managed.entries.push_back({.name = name});
  }
}

VipaEntry VipaKeeper::entry_of(const std::string& name, const VipaConfig& config) const {
  const auto address = IpAddress::parse(name);
  const std::string interface = address ? interface_with(*address) : name;
  VipaEntry entry{.name = name};
  if (interface.empty()) {
    entry.reason = fmt::format("no interface has the address {}", name);
    entry.cause = "address_gone";
    return entry;
  }
  const auto verdict = health_.verdict(interface);
  const auto* link = host_.monitor.find_link(interface);
  entry.interface = interface;
  entry.ifindex = link != nullptr ? link->index : 0;
  entry.state = entry_state(verdict.state);
  entry.reason = verdict.reason;
  entry.cause = verdict.cause;
  entry.hold_factor = verdict.hold_factor;
  const bool needs_program = !config.is_local && !(config.preferred && config.preferred->empty());
  // Loading a member of a bond or bridge would not help: its master gets the frames.
  if (needs_program && !is_loaded(interface) && entry.cause != "enslaved") {
    entry.state = EntryState::kFailed;
    entry.reason = fmt::format("{0} is not loaded: `xdplb load {0}`", interface);
    entry.cause = "not_loaded";
  }
  return entry;
}

std::map<std::string, LinkFacts> VipaKeeper::facts() const {
  std::map<std::string, LinkFacts> facts;
  for (const auto& name : watched_) {
    auto& fact = facts[name];
    const auto* link = host_.monitor.find_link(name);
    const auto loaded =
        std::find_if(loaded_.begin(), loaded_.end(), [&](const LoadedLink& one) { return one.name == name; });
    if (link == nullptr) continue;
    const auto* master = link->master != 0 ? host_.monitor.find_link(link->master) : nullptr;
    fact = {.exists = true, .ifindex = link->index, .is_up = link->is_up, .has_carrier = link->has_carrier};
    if (link->master != 0) fact.master = master != nullptr ? master->name : fmt::format("interface {}", link->master);
    if (loaded == loaded_.end()) continue;
    const bool has_program =
        link->xdp_prog_id != 0 && (loaded->program_id == 0 || loaded->program_id == link->xdp_prog_id);
    fact.lacks_program = !loaded->is_attached || !has_program;
    if (!fact.lacks_program) continue;
    fact.program_reason = !loaded->failure.empty() ? loaded->failure
                                                   : fmt::format(
                                                         "its XDP program was taken off; `xdplb unload {0}` "
                                                         "and `xdplb load {0}` put it back",
                                                         name);
  }
  return facts;
}

void VipaKeeper::watch_links(Clock::time_point now) {
  std::set<std::string> names;
  watched_.clear();
  const auto watch = [&](const std::string& name) {
    if (!name.empty() && names.insert(name).second) watched_.push_back(name);
  };
  for (const auto& one : loaded_) watch(one.name);
  for (const auto& [address, managed] : managed_) {
    for (const auto& entry : managed.entries) {
      const auto own = IpAddress::parse(entry.name);
      watch(own ? interface_with(*own) : entry.name);
    }
  }
  health_.set_links(facts(), now);
}

void VipaKeeper::tell_verdicts() {
  auto verdicts = health_.verdicts();
  const auto is_good = [](const HealthVerdict& verdict) {
    return verdict.state == HealthState::kUp || verdict.state == HealthState::kSuspect;
  };
  for (const auto& [name, verdict] : verdicts) {
    const auto told = told_.find(name);
    if (told == told_.end() || is_good(told->second) == is_good(verdict)) continue;
    if (verdict.state == HealthState::kSettling) continue;
    host_.events.add(is_good(verdict) ? "interface_healthy" : "interface_failed", fmt::format("interface {}", name),
                     verdict.reason);
  }
  for (auto& [name, verdict] : verdicts) {
    const auto told = told_.find(name);
    // The end of settling is told against what was before it.
    if (verdict.state == HealthState::kSettling && told != told_.end()) verdict = told->second;
  }
  told_ = std::move(verdicts);
}

void VipaKeeper::health_changed() {
  arm_health();
  for (const auto& [address, managed] : managed_) {
    for (const auto& entry : managed.entries) {
      if (entry == entry_of(entry.name, managed.config)) continue;
      host_.on_health();
      return;
    }
  }
  if (health_.verdicts() != told_) host_.on_health();
}

void VipaKeeper::arm_health() {
  const auto wake = health_.next_wake();
  if (!wake) {
    health_timer_.cancel();
    return;
  }
  health_timer_.expires_at(*wake);
  health_timer_.async_wait([this, alive = alive_](const boost::system::error_code& error) {
    if (error || !*alive) return;
    health_.tick(Clock::now());
    health_changed();
  });
}

void VipaKeeper::set_reach() {
  std::vector<ReachInterface> interfaces;
  for (const auto& name : watched_) {
    const auto* link = host_.monitor.find_link(name);
    if (link == nullptr) continue;
    ReachInterface interface { .ifindex = link->index, .name = name, .mac = link->mac };
    for (const auto& own : host_.monitor.addresses())
      if (own.ifindex == link->index && !managed_.contains(own.prefix.address))
        interface.prefixes.push_back(own.prefix);
    interfaces.push_back(std::move(interface));
  }
  const auto is_near = [](const ReachInterface& interface, const IpAddress& target) {
    return std::any_of(interface.prefixes.begin(), interface.prefixes.end(),
                       [&target](const IpPrefix& prefix) { return prefix.contains(target); });
  };
  std::vector<ReachQuestion> questions;
  for (const auto& target : health_config_.reach_targets) {
    // A target on the network of some interfaces says nothing about the others.
    const bool is_local = std::any_of(interfaces.begin(), interfaces.end(),
                                      [&](const ReachInterface& one) { return is_near(one, target); });
    for (const auto& interface : interfaces)
      if (!is_local || is_near(interface, target))
        questions.push_back({.ifindex = interface.ifindex, .target = target});
  }
  std::erase_if(reach_, [&](const auto& known) {
    return std::find(questions.begin(), questions.end(), known.first) == questions.end();
  });
  for (const auto& interface : interfaces) {
    const bool is_asked = std::any_of(questions.begin(), questions.end(), [&](const ReachQuestion& question) {
      return question.ifindex == interface.ifindex;
    });
    if (!is_asked) health_.set_reach(interface.name, {}, Clock::now());
  }
  const auto interval = std::chrono::seconds(health_config_.reach_interval_s);
  if (auto set = prober_.set(interfaces, questions, interval); !set) log_warning(set.error().message);
}

void VipaKeeper::take_outcome(const ReachProber::Outcome& outcome) {
  const auto* link = host_.monitor.find_link(outcome.question.ifindex);
  if (link == nullptr) return;
  reach_[outcome.question] = outcome;
  std::map<IpAddress, unsigned> missed;
  for (const auto& [question, last] : reach_)
    if (question.ifindex == outcome.question.ifindex) missed[question.target] = last.missed;
  health_.set_reach(link->name, missed, Clock::now());
  health_changed();
}

}  // namespace xdplb
