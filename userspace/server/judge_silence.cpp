// SPDX-License-Identifier: GPL-2.0-only
// Silence: this server says on no interface that the VIPA is its own. The rules are those of net/ipv4/arp.c
// (arp_process, arp_ignore, arp_solicit) and net/ipv6/ndisc.c (ndisc_recv_ns).
#include "server/scene.h"

#include <linux/rtnetlink.h>

#include <algorithm>
#include <array>

namespace xdplb {
namespace {

constexpr int kAnnounceOwn = 2;         // arp_announce: 1 names the VIPA where it is of the interface's network
constexpr int kIgnoreAll = 8;           // arp_ignore
constexpr std::array kSilent = {1, 2};  // arp_ignore: answers for addresses of the interface only; 4 to 7 do as 0

using Links = std::vector<const ServerLink*>;

// Where ARP is heard and answered: of a bridge or bond the master.
Links ears_of(const Scene& scene) {
  Links ears;
  for (const ServerLink& link : scene.facts.links) {
    const bool speaks = scene.vipa.is_v6() || link.has_arp;
    if (link.is_up && !link.is_loopback && !link.is_slave && speaks) ears.push_back(&link);
  }
  return ears;
}

template <typename Condition>
Links those_of(const Links& links, const Condition& condition) {
  Links found;
  std::copy_if(links.begin(), links.end(), std::back_inserter(found), condition);
  return found;
}

// "0 on eth0, 5 on eth1"
std::string values_on(const Scene& scene, const Links& links, std::string_view key) {
  std::string text;
  for (const ServerLink* link : links) {
    text += (text.empty() ? "" : ", ") + std::to_string(scene.highest(*link, key)) + " on " + link->name;
  }
  return text;
}

// Brings the higher of "all" and each link's own to `wanted`.
std::string cure(const Scene& scene, const Links& links, std::string_view key, int wanted) {
  std::string text = "sysctl -w";
  if (scene.setting("all", key) != wanted) text += " " + assignment(scene.setting_name("all", key), wanted);
  for (const ServerLink* link : links) {
    if (scene.setting(link->name, key) > wanted) text += " " + assignment(scene.setting_name(link->name, key), wanted);
  }
  return text;
}

void judge_arp_ignore(const Scene& scene, const Links& ears, Faults& faults) {
  const std::string_view key = "arp_ignore";
  auto value = [&](const ServerLink* link) { return scene.highest(*link, key); };
  const Links all = those_of(ears, [&](auto* link) { return value(link) == kIgnoreAll; });
  const Links scoped = those_of(ears, [&](auto* link) { return value(link) == kIgnoreScope; });
  const Links loud = those_of(ears, [&](auto* link) {
    const bool is_silent = std::find(kSilent.begin(), kSilent.end(), value(link)) != kSilent.end();
    return !is_silent && value(link) != kIgnoreScope && value(link) != kIgnoreAll;
  });
  if (!loud.empty()) {
    std::string text = values_on(scene, loud, key) + ": it answers ARP for the addresses of lo";
    if (scene.setting("all", key) == 0 && scene.setting("lo", key) > 0) text += "; the value of lo has no effect";
    faults.push_back({.code = "arp_ignore",
                      .object = scene.setting_name("all", key),
                      .text = text,
                      .remedy = cure(scene, loud, key, 1),
                      .is_curable = true});
  }
  if (!all.empty()) {
    faults.push_back({.code = "arp_ignore_all",
                      .object = scene.setting_name("all", key),
                      .text = values_on(scene, all, key) +
                              ": it answers ARP for no address, its own neither: the dispatcher finds no MAC",
                      .remedy = cure(scene, all, key, 1),
                      .is_curable = true});
  }
  for (const ServerAddress* alias : scene.aliases) {
    if (scoped.empty() || alias->scope >= RT_SCOPE_HOST) continue;
    faults.push_back({.code = "arp_ignore_scope",
                      .object = scene.name + " on " + scene.link_name(alias->ifindex),
                      .text = values_on(scene, scoped, key) +
                              ": this is silent for addresses of scope host only, and this one is not",
                      .remedy = cure(scene, scoped, key, 1),
                      .is_curable = true});
  }
}

void judge_arp_announce(const Scene& scene, const Links& ears, Faults& faults) {
  const std::string_view key = "arp_announce";
  const Links telling = those_of(ears, [&](auto* link) { return scene.highest(*link, key) != kAnnounceOwn; });
  if (telling.empty()) return;
  faults.push_back({.code = "arp_announce",
                    .object = scene.setting_name("all", key),
                    .text = values_on(scene, telling, key) +
                            ": its own ARP questions name the VIPA as sender, and neighbours learn this server's MAC",
                    .remedy = cure(scene, telling, key, kAnnounceOwn),
                    .is_curable = true});
}

// The kernel answers for others only where it would send their packets on: never for what is its own.
bool would_answer_for(const Scene& scene, const ServerLink& link, bool same_interface) {
  if (scene.setting(link.name, "forwarding") == 0) return false;
  const auto way = look_up(
      scene.facts, {.family = scene.vipa.family(), .source = {}, .destination = scene.vipa, .incoming = link.name});
  return way.has_way() && (way.hops.front()->ifindex == link.index) == same_interface;
}

void judge_proxy_arp(const Scene& scene, const Links& ears, Faults& faults) {
  for (const std::string_view key : {"proxy_arp", "proxy_arp_pvlan"}) {
    const Links on =
        those_of(ears, [&](auto* link) { return scene.has_address(*link, Family::kV4) && scene.either(*link, key); });
    if (on.empty()) continue;
    const bool leaks = std::any_of(
        on.begin(), on.end(), [&](auto* link) { return would_answer_for(scene, *link, key == "proxy_arp_pvlan"); });
    faults.push_back({.code = "proxy_arp",
                      .object = scene.setting_name("all", key),
                      .text = "on for " + names_of(on) +
                              (leaks ? ": it answers ARP for " + scene.name + ", which it does not hold"
                                     : ": it answers ARP for others, and would for a VIPA that it lost"),
                      .remedy = cure(scene, on, key, 0),
                      .is_curable = true});
  }
}

bool is_answered_for(const Scene& scene, const Links& ears, const PublishedNeighbor& entry) {
  return std::any_of(ears.begin(), ears.end(), [&](const ServerLink* link) {
    if (entry.ifindex != 0 && entry.ifindex != link->index) return false;
    if (scene.vipa.is_v4()) return would_answer_for(scene, *link, false);
    const bool is_router = scene.setting(link->name, "forwarding") != 0;
    return is_router && scene.either(*link, "proxy_ndp");
  });
}

void judge_published(const Scene& scene, const Links& ears, Faults& faults) {
  const std::string protocol = scene.vipa.is_v4() ? "ARP" : "ND";
  for (const PublishedNeighbor& entry : scene.facts.published) {
    if (entry.address != scene.vipa) continue;
    const bool leaks = is_answered_for(scene, ears, entry);
    const std::string device = entry.ifindex == 0 ? "" : " dev " + scene.link_name(entry.ifindex);
    faults.push_back(
        {.code = scene.vipa.is_v4() ? "published_arp" : "published_nd",
         .object = scene.name + (entry.ifindex == 0 ? "" : " on " + scene.link_name(entry.ifindex)),
         .text = leaks ? "published: it answers " + protocol + " for it"
                       : "published: it would answer " + protocol + " for it as a router that does not hold it",
         .remedy = "ip neighbour delete proxy " + scene.name + device,
         .is_curable = true});
  }
}

void judge_proxy_ndp(const Scene& scene, const Links& ears, Faults& faults) {
  const Links on = those_of(
      ears, [&](auto* link) { return scene.has_address(*link, Family::kV6) && scene.either(*link, "proxy_ndp"); });
  if (on.empty()) return;
  faults.push_back({.code = "proxy_ndp",
                    .object = scene.setting_name("all", "proxy_ndp"),
                    .text = "on for " + names_of(on) + ": it answers ND for what is published",
                    .remedy = cure(scene, on, "proxy_ndp", 0),
                    .is_curable = true});
}

}  // namespace

void judge_silence(const Scene& scene, Faults& faults) {
  const Links ears = ears_of(scene);
  // Without alias there is nothing that ARP could give away.
  const bool needs_silence = !scene.is_redirected || !scene.aliases.empty() || scene.has_alias_route;
  if (scene.vipa.is_v4()) {
    if (needs_silence) judge_arp_ignore(scene, ears, faults);
    if (needs_silence) judge_arp_announce(scene, ears, faults);
    judge_proxy_arp(scene, ears, faults);
  } else {
    judge_proxy_ndp(scene, ears, faults);
  }
  judge_published(scene, ears, faults);
}

}  // namespace xdplb
