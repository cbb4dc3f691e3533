// SPDX-License-Identifier: GPL-2.0-only
#include "server/setup_plan.h"

#include "server/nft_rules.h"
#include "server/scene.h"
#include "server/setup_settings.h"

#include <linux/rtnetlink.h>

#include <algorithm>
#include <optional>

namespace xdplb {
namespace {

// Steps of one stage; a step that another VIPA asked for gets one more VIPA.
class Stage {
 public:
  void add(SetupAction action, const IpAddress& vipa) {
    auto same =
        std::find_if(steps_.begin(), steps_.end(), [&](const SetupStep& step) { return step.action == action; });
    if (same == steps_.end()) {
      steps_.push_back({.action = std::move(action), .vipas = {vipa}});
    } else if (std::find(same->vipas.begin(), same->vipas.end(), vipa) == same->vipas.end()) {
      same->vipas.push_back(vipa);
    }
  }
  const SetupPlan& steps() const { return steps_; }

 private:
  SetupPlan steps_{};
};

// In the order of the plan. A plan is undone backwards, and the kernel refuses a route whose gateway or whose source is
// not (or is) its own just then: what makes more addresses local than the VIPA comes back after the routes.
struct Stages {
  Stage settings{};
  Stage links{};
  Stage published{};
  Stage routes{};   // by way of a VIPA
  Stage hinders{};  // addresses of the loopback that keep the right one out
  Stage aliases{};  // added before others go, so that the VIPA is never away
  Stage wide{};     // addresses of the loopback
  Stage extra{};    // routes
  Stage heard{};    // addresses where they are heard
  Stage sources{};  // of routes

  SetupPlan joined() const {
    SetupPlan plan;
    for (const Stage* stage :
         {&settings, &links, &published, &routes, &hinders, &aliases, &wide, &extra, &heard, &sources}) {
      plan.insert(plan.end(), stage->steps().begin(), stage->steps().end());
    }
    return plan;
  }
};

bool is_loopback(const Scene& scene, std::uint32_t ifindex) {
  const ServerLink* link = scene.find_link(ifindex);
  return link != nullptr && link->is_loopback;
}

const ServerLink* find_loopback(const ServerFacts& facts) {
  auto found =
      std::find_if(facts.links.begin(), facts.links.end(), [](const ServerLink& link) { return link.is_loopback; });
  return found == facts.links.end() ? nullptr : &*found;
}

bool has_flag(const ServerAddress& address, std::uint32_t flags) { return (address.flags & flags) != 0; }

// A dummy is on no wire: the judge lets a VIPA be there.
bool is_on_dummy(const Scene& scene, const ServerAddress& address) {
  const ServerLink* link = scene.find_link(address.ifindex);
  return link != nullptr && link->kind == "dummy" && address.prefix.is_host();
}

bool is_held_back(const Scene& scene, const ServerAddress& address) {
  const ServerLink* link = scene.find_link(address.ifindex);
  return link != nullptr && link->is_up && has_flag(address, kAddressHeldBack);
}

enum class AliasVerdict : std::uint8_t { kRight, kHeard, kHinders, kWide };

AliasVerdict judge(const Scene& scene, const ServerAddress& address) {
  if (is_on_dummy(scene, address) && !is_held_back(scene, address)) return AliasVerdict::kRight;
  if (!is_loopback(scene, address.ifindex)) return AliasVerdict::kHeard;
  if (is_held_back(scene, address)) return AliasVerdict::kHinders;
  if (address.prefix.is_host()) return AliasVerdict::kRight;
  // IPv6 has one mask for an address; IPv4 takes the right one before the wrong one goes, so it is never away.
  return scene.vipa.is_v6() ? AliasVerdict::kHinders : AliasVerdict::kWide;
}

DeleteAddress deletion_of(const Scene& scene, const ServerAddress& address) {
  return {.ifindex = address.ifindex, .interface = scene.link_name(address.ifindex), .prefix = address.prefix};
}

// Of scope host where arp_ignore spares only those.
std::uint8_t scope_for(const Scene& scene, const SetupPlan& settings) {
  if (scene.vipa.is_v6()) return RT_SCOPE_UNIVERSE;
  const auto& links = scene.facts.links;
  auto planned = [&](const std::string& scope) {
    const std::string name = scene.setting_name(scope, "arp_ignore");
    for (const SetupStep& step : settings) {
      const auto* set = std::get_if<SetSysctl>(&step.action);
      if (set != nullptr && set->name == name) return set->after;
    }
    return scene.setting(scope, "arp_ignore");
  };
  const bool needs_scope = std::any_of(links.begin(), links.end(), [&](const ServerLink& link) {
    return !link.is_loopback && std::max(planned("all"), planned(link.name)) == kIgnoreScope;
  });
  return needs_scope ? RT_SCOPE_HOST : RT_SCOPE_UNIVERSE;
}

void plan_alias(const Scene& scene, Stages& stages) {
  const ServerLink* loopback = find_loopback(scene.facts);
  bool is_right = scene.aliases.empty() && (scene.has_alias_route || scene.is_redirected);
  for (const ServerAddress* alias : scene.aliases) {
    const AliasVerdict verdict = judge(scene, *alias);
    is_right = is_right || verdict == AliasVerdict::kRight;
    if (verdict == AliasVerdict::kRight) continue;
    Stage& stage = verdict == AliasVerdict::kWide      ? stages.wide
                   : verdict == AliasVerdict::kHinders ? stages.hinders
                                                       : stages.heard;
    stage.add(deletion_of(scene, *alias), scene.vipa);
  }
  if (is_right || loopback == nullptr) return;
  stages.aliases.add(AddAddress{.ifindex = loopback->index,
                                .interface = loopback->name,
                                .address = scene.vipa,
                                .scope = scope_for(scene, stages.settings.steps())},
                     scene.vipa);
}

void plan_no_alias(const Scene& scene, Stages& stages) {
  for (const ServerAddress* alias : scene.aliases) stages.heard.add(deletion_of(scene, *alias), scene.vipa);
}

void plan_loopback_up(const Scene& scene, Stages& stages) {
  const ServerLink* loopback = find_loopback(scene.facts);
  if (loopback == nullptr || loopback->is_up) return;
  stages.links.add(RaiseLink{.ifindex = loopback->index, .interface = loopback->name}, scene.vipa);
}

void plan_published(const Scene& scene, Stages& stages) {
  for (const PublishedNeighbor& entry : scene.facts.published) {
    if (entry.address != scene.vipa) continue;
    const std::string interface = entry.ifindex == 0 ? "" : scene.link_name(entry.ifindex);
    stages.published.add(DeletePublished{.interface = interface, .entry = entry}, scene.vipa);
  }
}

// The whole route for a hop by way of the VIPA. The kernel takes the source out of routes by itself when the address
// goes from their interface (IPv6) or altogether (IPv4).
void plan_routes(const Scene& scene, ServerMethod method, Stages& stages) {
  const bool is_late = method == ServerMethod::kLoopback && scene.vipa.is_v4();
  for (const ServerRoute& route : scene.facts.routes) {
    const std::string interface = route.ifindex == 0 ? "" : scene.link_name(route.ifindex);
    if (route.gateway == scene.vipa) {
      stages.routes.add(DeleteRoute{.route = route, .interface = interface}, scene.vipa);
      continue;
    }
    const bool is_own_local = route.type == RTN_LOCAL && route.destination == host_prefix(scene.vipa);
    if (route.source != scene.vipa || route.protocol == RTPROT_KERNEL || is_own_local) continue;
    Stage& stage = is_late ? stages.sources : stages.routes;
    stage.add(StripSource{.route = route, .interface = interface}, scene.vipa);
  }
}

// The one that a wide mask made outlives it when another address has the same mask and network.
bool outlives_wide_alias(const Scene& scene, const ServerRoute& route, const SetupPlan& deletions) {
  const auto is_maker = [&](const ServerAddress& address) {
    return address.ifindex == route.ifindex && address.prefix.network() == route.destination.network();
  };
  const auto goes = [&](const ServerAddress& address) {
    const DeleteAddress deletion = deletion_of(scene, address);
    return std::any_of(deletions.begin(), deletions.end(),
                       [&](const SetupStep& step) { return step.action == SetupAction(deletion); });
  };
  const auto& addresses = scene.facts.addresses;
  const bool loses_one = std::any_of(addresses.begin(), addresses.end(),
                                     [&](const auto& address) { return is_maker(address) && goes(address); });
  const bool keeps_one = std::any_of(addresses.begin(), addresses.end(),
                                     [&](const auto& address) { return is_maker(address) && !goes(address); });
  return loses_one && keeps_one && route.type == RTN_LOCAL && is_loopback(scene, route.ifindex);
}

void plan_extra(const Scene& scene, Stages& stages) {
  SetupPlan deletions = stages.wide.steps();
  for (const Stage* stage : {&stages.hinders, &stages.heard}) {
    deletions.insert(deletions.end(), stage->steps().begin(), stage->steps().end());
  }
  const auto& extra = scene.extra_routes;
  for (const ServerRoute& route : scene.facts.routes) {
    const bool is_extra = std::find(extra.begin(), extra.end(), &route) != extra.end();
    const bool takes_vipa = !route.destination.is_host() && route.destination.contains(scene.vipa);
    if (!is_extra && !(takes_vipa && outlives_wide_alias(scene, route, deletions))) continue;
    const std::string interface = route.ifindex == 0 ? "" : scene.link_name(route.ifindex);
    stages.extra.add(DeleteRoute{.route = route, .interface = interface}, scene.vipa);
  }
}

}  // namespace

SetupPlan plan_setup(const ServerFacts& facts, const ServerWish& wish, ServerMethod method, bool is_lasting) {
  const auto rules = facts.ruleset ? NftRules::parse(*facts.ruleset) : std::nullopt;
  const NftRules* nft = rules ? &*rules : nullptr;
  Stages stages;
  std::vector<Scene> scenes;
  for (const IpAddress& vipa : wish.vipas) scenes.push_back(Scene::make(facts, wish, nft, vipa));
  for (const Scene& scene : scenes) {
    for (SetSysctl& set : plan_settings(facts, wish, scene.vipa, method, is_lasting)) {
      stages.settings.add(std::move(set), scene.vipa);
    }
  }
  for (const Scene& scene : scenes) {
    if (method == ServerMethod::kLoopback) plan_loopback_up(scene, stages);
    plan_published(scene, stages);
    plan_routes(scene, method, stages);
    method == ServerMethod::kLoopback ? plan_alias(scene, stages) : plan_no_alias(scene, stages);
  }
  for (const Scene& scene : scenes) plan_extra(scene, stages);
  return stages.joined();
}

}  // namespace xdplb
