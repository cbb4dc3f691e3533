// SPDX-License-Identifier: GPL-2.0-only
// Routes: none takes more for this host's own than the VIPA, none uses the VIPA as gateway or source.
#include "server/scene.h"

#include <linux/rtnetlink.h>

#include <algorithm>

namespace xdplb {
namespace {

constexpr std::uint32_t kMainTableNumber = 254;

bool overlaps(const IpPrefix& a, const IpPrefix& b) { return a.contains(b.address) || b.contains(a.address); }

// Somebody is in it whom this host reaches by a wire: a neighbour or a gateway.
bool swallows_others(const Scene& scene, const IpPrefix& network) {
  const auto& facts = scene.facts;
  const bool has_neighbors = std::any_of(facts.addresses.begin(), facts.addresses.end(), [&](const ServerAddress& own) {
    const ServerLink* link = scene.find_link(own.ifindex);
    return link != nullptr && !link->is_loopback && !own.prefix.is_host() && overlaps(network, own.prefix);
  });
  return has_neighbors || std::any_of(facts.routes.begin(), facts.routes.end(), [&](const ServerRoute& route) {
           return route.gateway && network.contains(*route.gateway);
         });
}

bool takes_more(const Scene& scene, const ServerRoute& route) {
  if (route.destination.is_host() || !route.destination.contains(scene.vipa)) return false;
  if (route.table == kLocalTable) return route.type == RTN_LOCAL;
  const ServerLink* link = scene.find_link(route.ifindex);
  const bool goes_to_loopback = link != nullptr && link->is_loopback && route.type == RTN_UNICAST;
  return goes_to_loopback && route.table == kMainTableNumber;
}

bool has_own_route(const Scene& scene) {
  return std::any_of(scene.facts.routes.begin(), scene.facts.routes.end(), [&](const ServerRoute& route) {
    return route.table == kLocalTable && route.type == RTN_LOCAL && route.destination == host_prefix(scene.vipa);
  });
}

void judge_extra(const Scene& scene, const ServerRoute& route, Faults& faults) {
  const std::string words = route_words(scene, route, false);
  std::string remedy = ip_command(scene.vipa, "route delete ") + words;
  if (const ServerAddress* maker = maker_of(scene, route)) {
    const std::string device = " dev " + scene.link_name(maker->ifindex);
    remedy = "ip address delete " + maker->prefix.to_string() + device + " && ip address add " +
             host_prefix(maker->prefix.address).to_string() + device;
  }
  faults.push_back({.code = "extra_local_route",
                    .object = words,
                    .text = "this server keeps for itself what is for all of " +
                            route.destination.network().to_string() + ": clients there get no answer",
                    .remedy = remedy,
                    .is_curable = true});
}

void judge_gateway(const Scene& scene, const ServerRoute& route, Faults& faults) {
  if (route.gateway != scene.vipa) return;
  const std::string words = route_words(scene, route, false);
  faults.push_back(
      {.code = "route_via_vipa",
       .object = words,
       .text = "answers go to the VIPA, which is this server itself or the dispatcher; neither sends them on",
       .remedy = ip_command(scene.vipa, "route delete ") + words,
       .is_curable = true});
}

void judge_source(const Scene& scene, const ServerRoute& route, Faults& faults) {
  // What the kernel made belongs to an address, and goes with it.
  if (route.source != scene.vipa || route.protocol == kKernelProtocol) return;
  if (route.type == RTN_LOCAL && route.destination == host_prefix(scene.vipa)) return;
  faults.push_back({.code = "route_src_vipa",
                    .object = route_words(scene, route, true),
                    .text = "this server's own connections leave with the VIPA as source, and their answers go to the "
                            "dispatcher",
                    .remedy = ip_command(scene.vipa, "route replace ") + route_words(scene, route, false),
                    .is_curable = true});
}

}  // namespace

const ServerAddress* maker_of(const Scene& scene, const ServerRoute& route) {
  const auto& addresses = scene.facts.addresses;
  if (route.protocol != kKernelProtocol) return nullptr;
  auto found = std::find_if(addresses.begin(), addresses.end(), [&](const ServerAddress& address) {
    return address.ifindex == route.ifindex && address.prefix.network() == route.destination.network();
  });
  return found == addresses.end() ? nullptr : &*found;
}

std::vector<const ServerRoute*> find_extra_routes(const Scene& scene) {
  std::vector<const ServerRoute*> extra;
  for (const ServerRoute& route : scene.facts.routes) {
    if (!takes_more(scene, route)) continue;
    const ServerAddress* maker = maker_of(scene, route);
    // That of the alias goes with its mask (alias_wide). One made by hand in place of aliases is how a cluster that is
    // a whole network is set up.
    const bool is_of_alias = maker != nullptr && maker->prefix.address == scene.vipa;
    const bool is_whole_network =
        maker == nullptr && !has_own_route(scene) && !swallows_others(scene, route.destination.network());
    if (!is_of_alias && !is_whole_network) extra.push_back(&route);
  }
  return extra;
}

void judge_routes(const Scene& scene, Faults& faults) {
  for (const ServerRoute* route : scene.extra_routes) judge_extra(scene, *route, faults);
  for (const ServerRoute& route : scene.facts.routes) {
    judge_gateway(scene, route, faults);
    judge_source(scene, route, faults);
  }
}

}  // namespace xdplb
