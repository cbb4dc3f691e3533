// SPDX-License-Identifier: GPL-2.0-only
#include "host/probe_routes.h"

#include "host/probe_route_objects.h"

#include <algorithm>

namespace xdplb {
namespace {

constexpr int kClaimAttempts = 16;
constexpr std::size_t kSlots = 0xffff;
constexpr std::array kFamilies = {Family::kV4, Family::kV6};

RouteChange put(RouteChange::Object object) { return {.kind = RouteChange::Kind::kPut, .object = std::move(object)}; }

RouteChange removal(RouteChange::Object object) {
  return {.kind = RouteChange::Kind::kRemove, .object = std::move(object)};
}

bool contains(const std::vector<RouteChange::Object>& objects, const RouteChange::Object& object) {
  return std::find(objects.begin(), objects.end(), object) != objects.end();
}

void erase_key(std::vector<RouteChange::Object>& objects, const RouteChange::Object& object) {
  std::erase_if(objects, [&](const auto& other) { return have_same_key(other, object); });
}

// What the kernel adds by itself does not count in a comparison.
Route plain(Route route) {
  route.is_dead = false;
  route.source.reset();
  return route;
}

bool is_frame(const Rule& rule) {
  return is_probe_claim(rule) || (rule.protocol == kRouteProtocol && (rule.priority == ProbeRoutes::kGuardPriority ||
                                                                      rule.priority == ProbeRoutes::kEndPriority));
}

}  // namespace

Result<ProbeRoutes> ProbeRoutes::open(const std::string& instance) {
  auto control = RouteControl::open();
  if (!control) return control.error();
  return ProbeRoutes(std::move(*control), instance);
}

// Claims a byte and looks whether another instance was first; then the next one.
Result<void> ProbeRoutes::claim() {
  for (int attempt = 0; attempt < kClaimAttempts; ++attempt) {
    const auto rules = control_.rules(Family::kV4);
    if (!rules) return rules.error();
    const auto chosen = choose_probe_byte(instance_, *rules);
    if (!chosen) break;
    std::vector<Step> steps;
    for (const Rule& rule : chosen->surplus) steps.push_back({.change = removal(rule)});
    if (!chosen->is_claimed) steps.push_back({.change = put(probe_claim(instance_, chosen->byte))});
    if (auto applied = apply(steps); !applied) return applied;
    if (!chosen->is_claimed) continue;
    byte_ = chosen->byte;
    return {};
  }
  return fail(ErrorCode::kConflict, "probe routes: other instances have all marks; end one of them");
}

Result<ProbeRoutes::Present> ProbeRoutes::read() {
  Present present;
  has_ipv6_ = true;
  for (const Family family : kFamilies) {
    auto rules = control_.rules(family);
    if (!rules && family == Family::kV6) has_ipv6_ = false;  // a kernel without it
    if (!rules && family == Family::kV6) break;
    if (!rules) return rules.error();
    auto routes = control_.own_routes(family);
    if (!routes) return routes.error();
    // In the order that probe_objects() has.
    if (family == Family::kV6) {
      auto neighbors = control_.own_neighbors(family);
      if (!neighbors) return neighbors.error();
      for (const FixedNeighbor& neighbor : *neighbors) {
        if (auto slot = probe_slot(neighbor, byte_)) present.slots[*slot].emplace_back(neighbor);
      }
    }
    for (Route& route : *routes) {
      if (auto slot = probe_slot(route, byte_)) present.slots[*slot].emplace_back(plain(std::move(route)));
    }
    for (const Rule& rule : *rules) {
      if (is_frame(rule)) present.frame.push_back(rule);
      if (auto slot = probe_slot(rule, byte_)) present.slots[*slot].emplace_back(rule);
    }
  }
  return present;
}

// Servers and slots as the kernel has them; what nobody wants goes, the frame is put where it is missing.
Result<void> ProbeRoutes::recall(const std::vector<ProbeNextHop>& hops, std::vector<Step>& steps) {
  if (auto claimed = claim(); !claimed) return claimed;
  auto present = read();
  if (!present) return present.error();
  adopt(hops, *present);
  for (const auto& [slot, objects] : present->slots) {
    for (auto object = objects.rbegin(); object != objects.rend(); ++object) {
      steps.push_back({.change = removal(*object)});
    }
  }
  for (const Family family : kFamilies) {
    if (family == Family::kV6 && !has_ipv6_) continue;
    for (const Rule& rule : {probe_stop(family, byte_), probe_guard(family)}) {
      const auto& frame = present->frame;
      if (std::find(frame.begin(), frame.end(), rule) == frame.end()) steps.push_back({.change = put(rule)});
    }
  }
  return {};
}

// Takes what belongs to the known and the wanted servers out of `present`.
void ProbeRoutes::adopt(const std::vector<ProbeNextHop>& hops, Present& present) {
  for (auto& [address, server] : servers_) {
    auto found = present.slots.extract(server.slot);
    server.present = found.empty() ? std::vector<RouteChange::Object>{} : std::move(found.mapped());
    server.is_settled = false;
  }
  std::map<IpAddress, std::uint16_t> leading;
  for (const auto& [slot, objects] : present.slots) {
    for (const auto& object : objects) {
      const auto* route = std::get_if<Route>(&object);
      if (slot != 0 && route != nullptr && route->gateway) leading.emplace(*route->gateway, slot);
    }
  }
  for (const ProbeNextHop& hop : hops) {
    const auto slot = leading.find(hop.server);
    if (slot == leading.end() || servers_.contains(hop.server)) continue;
    auto found = present.slots.extract(slot->second);
    if (found.empty()) continue;
    servers_.emplace(hop.server, Server{.slot = slot->second, .present = std::move(found.mapped())});
    slots_.insert(slot->second);
  }
  if (!slots_.empty()) last_slot_ = std::max(last_slot_, *slots_.rbegin());
}

// Not one that was in use lately: a probe of the removed server may still be under way.
Result<std::uint16_t> ProbeRoutes::free_slot() {
  if (slots_.size() >= kSlots) return fail(ErrorCode::kConflict, "probe routes: more than 65535 servers");
  do {
    last_slot_ = static_cast<std::uint16_t>(last_slot_ == kSlots ? 1 : last_slot_ + 1);
  } while (!slots_.insert(last_slot_).second);
  return last_slot_;
}

Result<void> ProbeRoutes::set(const std::vector<ProbeNextHop>& hops) {
  if (hops.empty()) return is_sure_ && byte_ == 0 ? Result<void>{} : clear();
  std::vector<Step> steps;
  if (!is_sure_ || byte_ == 0) {
    if (auto known = recall(hops, steps); !known) return known;
    is_sure_ = true;
  }
  ++round_;
  Result<void> first;
  for (const ProbeNextHop& hop : hops) {
    auto wanted = want(hop, steps);
    if (first && !wanted) first = wanted;
  }
  drop_unwanted(steps);
  auto applied = apply(steps);
  return first ? applied : first;
}

Result<void> ProbeRoutes::want(const ProbeNextHop& hop, std::vector<Step>& steps) {
  auto entry = servers_.find(hop.server);
  if (entry == servers_.end()) {
    const auto slot = free_slot();
    if (!slot) return slot.error();
    entry = servers_.emplace(hop.server, Server{.slot = *slot}).first;
  }
  Server& server = entry->second;
  if (server.round == round_) return {};
  server.round = round_;
  if (server.is_settled && server.hop == hop) return {};
  server.hop = hop;
  plan(server, steps);
  return {};
}

void ProbeRoutes::plan(Server& server, std::vector<Step>& steps) const {
  const auto wanted = probe_objects(server.hop, probe_mark(byte_, server.slot), has_ipv6_);
  server.failures = {};
  if (!has_ipv6_) {
    server.failures[1] = "this host has no IPv6";
  } else if (server.hop.server.is_v4() && server.hop.mac.is_zero()) {
    server.failures[1] = "the MAC of " + server.hop.server.to_string() + " is not known";
  }
  for (const auto& object : wanted) {
    if (!contains(server.present, object)) steps.push_back({.change = put(object), .server = &server});
  }
  for (auto object = server.present.rbegin(); object != server.present.rend(); ++object) {
    const bool is_replaced =
        std::any_of(wanted.begin(), wanted.end(), [&](const auto& other) { return have_same_key(*object, other); });
    if (!is_replaced) steps.push_back({.change = removal(*object), .server = &server});
  }
  server.is_settled = true;
}

void ProbeRoutes::drop_unwanted(std::vector<Step>& steps) {
  std::erase_if(servers_, [&](const auto& entry) {
    const Server& server = entry.second;
    if (server.round == round_) return false;
    for (auto object = server.present.rbegin(); object != server.present.rend(); ++object) {
      steps.push_back({.change = removal(*object)});
    }
    slots_.erase(server.slot);
    return true;
  });
}

Result<void> ProbeRoutes::apply(const std::vector<Step>& steps) {
  if (steps.empty()) return {};
  std::vector<RouteChange> changes;
  changes.reserve(steps.size());
  for (const Step& step : steps) changes.push_back(step.change);
  const auto outcomes = control_.apply(changes);
  if (!outcomes) {
    is_sure_ = false;
    for (const Step& step : steps)
      if (step.server != nullptr) step.server->is_settled = false;
    return outcomes.error();
  }
  Result<void> first;
  for (std::size_t i = 0; i < steps.size(); ++i) {
    auto noted = note(steps[i], (*outcomes)[i]);
    if (first && !noted) first = noted;
  }
  return first;
}

// Guards, stops and claims of all instances.
Result<std::vector<Rule>> ProbeRoutes::frame_rules() {
  std::vector<Rule> frame;
  for (const Family family : kFamilies) {
    if (family == Family::kV6 && !has_ipv6_) continue;
    auto rules = control_.rules(family);
    if (!rules) return rules.error();
    std::copy_if(rules->begin(), rules->end(), std::back_inserter(frame), is_frame);
  }
  return frame;
}

// What a change led to. Returns a failure that is set()'s.
Result<void> ProbeRoutes::note(const Step& step, const Result<void>& outcome) {
  const auto& object = step.change.object;
  const bool is_put = step.change.kind == RouteChange::Kind::kPut;
  if (outcome) {
    if (step.server == nullptr) return {};
    erase_key(step.server->present, object);
    if (is_put) step.server->present.push_back(object);
    return {};
  }
  if (step.server != nullptr && is_put) {
    const Family family = probe_family(object);
    std::string& failure = step.server->failures[static_cast<std::size_t>(family)];
    if (failure.empty()) failure = outcome.error().message;
    if (family != step.server->hop.server.family()) return {};
  }
  is_sure_ = false;
  return outcome.error();
}

std::uint32_t ProbeRoutes::mark_of(const IpAddress& server, Family family) const {
  const auto entry = servers_.find(server);
  if (entry == servers_.end() || !entry->second.is_settled) return 0;
  if (!entry->second.failures[static_cast<std::size_t>(family)].empty()) return 0;
  return probe_mark(byte_, entry->second.slot);
}

std::string ProbeRoutes::failure_of(const IpAddress& server, Family family) const {
  const auto entry = servers_.find(server);
  return entry == servers_.end() ? std::string() : entry->second.failures[static_cast<std::size_t>(family)];
}

Result<void> ProbeRoutes::clear() {
  is_sure_ = false;
  const auto rules = control_.rules(Family::kV4);
  if (!rules) return rules.error();
  const auto chosen = choose_probe_byte(instance_, *rules);
  servers_.clear();
  slots_.clear();
  if (!chosen) {
    byte_ = 0;
    return {};
  }
  byte_ = chosen->byte;
  auto present = read();
  if (!present) return present.error();
  std::vector<Step> steps;
  for (const auto& [slot, objects] : present->slots) {
    for (auto object = objects.rbegin(); object != objects.rend(); ++object) {
      steps.push_back({.change = removal(*object)});
    }
  }
  for (const Rule& rule : present->frame) {
    if (rule == probe_stop(rule.family, byte_)) steps.push_back({.change = removal(rule)});
  }
  if (auto applied = apply(steps); !applied) return applied;
  return leave_frame();
}

// The claim last: until then a later run finds the rest.
Result<void> ProbeRoutes::leave_frame() {
  std::vector<Step> steps;
  auto rules = frame_rules();
  if (!rules) return rules.error();
  for (const Rule& rule : *rules) {
    if (is_probe_claim(rule) && is_claim_of(instance_, rule)) steps.push_back({.change = removal(rule)});
  }
  if (auto applied = apply(steps); !applied) return applied;
  byte_ = 0;
  is_sure_ = true;
  rules = frame_rules();
  if (!rules) return rules.error();
  if (std::any_of(rules->begin(), rules->end(), is_probe_claim)) return {};
  steps.clear();
  for (const Rule& rule : *rules) {
    if (rule == probe_guard(rule.family)) steps.push_back({.change = removal(rule)});
  }
  if (auto applied = apply(steps); !applied) return applied;
  // An instance that came meanwhile found it there.
  rules = frame_rules();
  if (!rules) return rules.error();
  if (std::none_of(rules->begin(), rules->end(), is_probe_claim)) return {};
  for (Step& step : steps) step.change.kind = RouteChange::Kind::kPut;
  return apply(steps);
}

}  // namespace xdplb
