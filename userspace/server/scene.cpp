// SPDX-License-Identifier: GPL-2.0-only
#include "server/scene.h"

#include <linux/fib_rules.h>
#include <linux/rtnetlink.h>

#include <algorithm>

namespace xdplb {
namespace {

bool can_receive(const ServerLink& link) {
  return link.is_up && !link.is_loopback && !link.is_slave && link.kind != "dummy";
}

bool has_network_around(const Scene& scene, const ServerLink& link) {
  return std::any_of(scene.facts.addresses.begin(), scene.facts.addresses.end(), [&](const ServerAddress& address) {
    return address.ifindex == link.index && !address.prefix.is_host() && address.prefix.contains(scene.vipa);
  });
}

void find_arrivals(Scene& scene) {
  std::vector<const ServerLink*> all;
  for (const ServerLink& link : scene.facts.links) {
    if (!can_receive(link)) continue;
    if (has_network_around(scene, link)) scene.arrivals.push_back(&link);
    if (scene.has_address(link, scene.vipa.family())) all.push_back(&link);
  }
  scene.is_on_link = !scene.arrivals.empty();
  if (!scene.is_on_link) scene.arrivals = std::move(all);
}

bool is_taken(const Scene& scene) {
  std::vector<std::string> from;
  for (const ServerLink* link : scene.arrivals) from.push_back(link->name);
  if (from.empty()) from.emplace_back();  // no rule's interface
  return std::all_of(from.begin(), from.end(), [&](const std::string& incoming) {
    return look_up(scene.facts,
                   {.family = scene.vipa.family(), .source = {}, .destination = scene.vipa, .incoming = incoming})
        .is_local();
  });
}

std::string action_words(const ServerRule& rule) {
  switch (rule.action) {
    case FR_ACT_BLACKHOLE:
      return " blackhole";
    case FR_ACT_UNREACHABLE:
      return " unreachable";
    case FR_ACT_PROHIBIT:
      return " prohibit";
    case FR_ACT_GOTO:
      return " goto " + std::to_string(rule.goto_priority);
    case FR_ACT_NOP:
      return " nop";
    default:
      return " lookup " + std::to_string(rule.table);
  }
}

std::string type_words(std::uint8_t type) {
  switch (type) {
    case RTN_LOCAL:
      return "local ";
    case RTN_BLACKHOLE:
      return "blackhole ";
    case RTN_UNREACHABLE:
      return "unreachable ";
    case RTN_PROHIBIT:
      return "prohibit ";
    case RTN_THROW:
      return "throw ";
    case RTN_BROADCAST:
      return "broadcast ";
    default:
      return "";
  }
}

}  // namespace

Scene Scene::make(const ServerFacts& facts, const ServerWish& wish, const NftRules* nft, const IpAddress& vipa) {
  Scene scene{.facts = facts, .wish = wish, .nft = nft, .vipa = vipa, .name = vipa.to_string()};
  for (const ServerAddress& address : facts.addresses) {
    if (address.prefix.address == vipa) scene.aliases.push_back(&address);
  }
  find_arrivals(scene);
  scene.is_local = is_taken(scene);
  scene.extra_routes = find_extra_routes(scene);
  const auto local = find_in_table(facts, kLocalTable, {.family = vipa.family(), .source = {}, .destination = vipa});
  const auto& extra = scene.extra_routes;
  scene.has_alias_route = !local.empty() && local.front()->type == RTN_LOCAL &&
                          std::find(extra.begin(), extra.end(), local.front()) == extra.end();
  scene.is_redirected = nft != nullptr && nft->redirects(vipa, wish.ports);
  return scene;
}

const ServerLink* Scene::find_link(std::uint32_t index) const {
  auto found =
      std::find_if(facts.links.begin(), facts.links.end(), [&](const ServerLink& link) { return link.index == index; });
  return found == facts.links.end() ? nullptr : &*found;
}

std::string Scene::link_name(std::uint32_t index) const {
  const ServerLink* link = find_link(index);
  return link == nullptr ? "interface " + std::to_string(index) : link->name;
}

bool Scene::has_address(const ServerLink& link, Family family) const {
  return std::any_of(facts.addresses.begin(), facts.addresses.end(), [&](const ServerAddress& address) {
    return address.ifindex == link.index && address.prefix.address.family() == family;
  });
}

std::string Scene::setting_name(std::string_view scope, std::string_view key) const {
  return std::string(vipa.is_v4() ? "net/ipv4/conf/" : "net/ipv6/conf/") + std::string(scope) + "/" + std::string(key);
}

int Scene::setting(std::string_view scope, std::string_view key) const {
  const auto found = facts.sysctls.find(setting_name(scope, key));
  return found == facts.sysctls.end() ? 0 : found->second;
}

bool Scene::has_setting(std::string_view scope, std::string_view key) const {
  return facts.sysctls.contains(setting_name(scope, key));
}

int Scene::highest(const ServerLink& link, std::string_view key) const {
  return std::max(setting("all", key), setting(link.name, key));
}

RouteVerdict Scene::answer_way() const {
  return look_up(facts, {.family = vipa.family(), .source = vipa, .destination = {}, .incoming = "lo"});
}

std::string assignment(const std::string& setting_name, int value) {
  std::string name = setting_name;
  if (name.find('.') == std::string::npos) std::replace(name.begin(), name.end(), '/', '.');
  return name + "=" + std::to_string(value);
}

std::string names_of(const std::vector<const ServerLink*>& links) {
  std::string text;
  for (const ServerLink* link : links) text += (text.empty() ? "" : ", ") + link->name;
  return text;
}

bool lost_ipv6(const Scene& scene, const ServerLink& link) {
  const bool may_be_lan = link.is_up && link.has_arp && !link.is_slave && scene.has_address(link, Family::kV4);
  return link.mtu < kMinimumMtuV6 && may_be_lan && !scene.is_on_link;
}

IpPrefix host_prefix(const IpAddress& address) {
  return {.address = address, .length = static_cast<std::uint8_t>(8 * address.bytes().size())};
}

std::string ip_command(const IpAddress& about, std::string_view object) {
  return (about.is_v6() ? "ip -6 " : "ip ") + std::string(object);
}

std::string route_words(const Scene& scene, const ServerRoute& route, bool with_source) {
  std::string text = type_words(route.type);
  text += route.destination.length == 0 ? "default" : route.destination.network().to_string();
  if (route.gateway) {
    const bool is_other = route.gateway->family() != route.destination.address.family();
    text += std::string(" via ") + (is_other ? "inet6 " : "") + route.gateway->to_string();
  }
  if (route.ifindex != 0) text += " dev " + scene.link_name(route.ifindex);
  if (route.table != 254) text += route.table == kLocalTable ? " table local" : " table " + std::to_string(route.table);
  if (with_source && route.source) text += " src " + route.source->to_string();
  if (route.priority != 0) text += " metric " + std::to_string(route.priority);
  return text;
}

std::string rule_words(const ServerRule& rule) {
  std::string text = rule.is_inverted ? "not " : "";
  text += "priority " + std::to_string(rule.priority);
  if (rule.from && rule.from->length != 0) text += " from " + rule.from->to_string();
  if (rule.to && rule.to->length != 0) text += " to " + rule.to->to_string();
  if (!rule.incoming.empty()) text += " iif " + rule.incoming;
  if (!rule.outgoing.empty()) text += " oif " + rule.outgoing;
  if (rule.mark_mask != 0) text += " fwmark " + std::to_string(rule.mark) + "/" + std::to_string(rule.mark_mask);
  return text + action_words(rule);
}

}  // namespace xdplb
