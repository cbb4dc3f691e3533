// SPDX-License-Identifier: GPL-2.0-only
// The way out: an answer with the VIPA as source finds a route to a client anywhere.
#include "server/scene.h"

#include <linux/rtnetlink.h>

#include <algorithm>

namespace xdplb {
namespace {

bool has_gateways(const Scene& scene) {
  return std::any_of(scene.facts.routes.begin(), scene.facts.routes.end(), [&](const ServerRoute& route) {
    return route.type == RTN_UNICAST && route.gateway && route.destination.address.family() == scene.vipa.family();
  });
}

}  // namespace

void judge_way_out(const Scene& scene, Faults& faults) {
  const auto way = scene.answer_way();
  if (way.has_way()) return;
  const auto& links = scene.facts.links;
  const bool lost = std::any_of(links.begin(), links.end(), [&](auto& link) { return lost_ipv6(scene, link); });
  if (scene.vipa.is_v6() && lost) return;  // its routes went with it, and the mtu is told
  const std::string device = scene.arrivals.empty() ? "INTERFACE" : scene.arrivals.front()->name;
  const std::string remedy = ip_command(scene.vipa, "route add default via GATEWAY dev ") + device;
  if (way.rule == nullptr) {
    faults.push_back({.code = "no_way_out",
                      .object = scene.name,
                      .text = has_gateways(scene)
                                  ? "no default route: only clients of networks with a route get an answer"
                                  : "no default route: clients beyond the LAN get no answer",
                      .remedy = remedy,
                      .severity = has_gateways(scene) ? Severity::kWarning : Severity::kFault});
    return;
  }
  const bool is_rule = way.hops.empty();
  faults.push_back({.code = is_rule ? "rule_in_the_way" : "no_way_out",
                    .object = is_rule ? "rule " + rule_words(*way.rule) : route_words(scene, *way.hops.front(), false),
                    .text = "refuses answers from " + scene.name + " to clients beyond the LAN",
                    .remedy = is_rule ? ip_command(scene.vipa, "rule delete ") + rule_words(*way.rule) : remedy});
}

}  // namespace xdplb
