// SPDX-License-Identifier: GPL-2.0-only
// Alias: the VIPA is this host's own, as a host address of the loopback.
#include "server/scene.h"

#include <linux/if_addr.h>
#include <linux/rtnetlink.h>

#include <algorithm>

namespace xdplb {
namespace {

constexpr int kIgnoreScope = 3;  // arp_ignore

std::string loopback_name(const Scene& scene) {
  auto found = std::find_if(scene.facts.links.begin(), scene.facts.links.end(),
                            [](const ServerLink& link) { return link.is_loopback; });
  return found == scene.facts.links.end() ? "lo" : found->name;
}

bool is_loopback(const Scene& scene, const ServerAddress& address) {
  const ServerLink* link = scene.find_link(address.ifindex);
  return link != nullptr && link->is_loopback;
}

// The one that is as it should be, or nullptr.
const ServerAddress* right_alias(const Scene& scene) {
  auto found = std::find_if(scene.aliases.begin(), scene.aliases.end(), [&](const ServerAddress* alias) {
    return alias->prefix.is_host() && is_loopback(scene, *alias);
  });
  return found == scene.aliases.end() ? nullptr : *found;
}

std::string add_command(const Scene& scene) {
  std::string text = "ip address add " + host_prefix(scene.vipa).to_string() + " dev " + loopback_name(scene);
  if (scene.vipa.is_v6()) return text + " nodad";
  const bool needs_scope = std::any_of(scene.facts.links.begin(), scene.facts.links.end(), [&](const ServerLink& link) {
    return !link.is_loopback && scene.highest(link, "arp_ignore") == kIgnoreScope;
  });
  return needs_scope ? text + " scope host" : text;
}

// Takes the wrong one away, and adds the right one where it is missing.
std::string move_command(const Scene& scene, const ServerAddress& wrong) {
  std::string text = "ip address delete " + wrong.prefix.to_string() + " dev " + scene.link_name(wrong.ifindex);
  return right_alias(scene) == nullptr ? text + " && " + add_command(scene) : text;
}

void judge_missing(const Scene& scene, Faults& faults) {
  // A route of type local does what an alias does; table local may hold it from a whole network.
  if (scene.has_alias_route || scene.is_redirected) return;
  faults.push_back({.code = "alias_missing",
                    .object = scene.name,
                    .text = "no interface has it: what the dispatcher sends here is not taken",
                    .remedy = add_command(scene),
                    .is_curable = true});
}

void judge_one(const Scene& scene, const ServerAddress& alias, Faults& faults) {
  const ServerLink* link = scene.find_link(alias.ifindex);
  const std::string object = scene.name + " on " + scene.link_name(alias.ifindex);
  if (!is_loopback(scene, alias)) {
    // A dummy is on no wire, so it gives nothing away.
    const bool is_harmless = link != nullptr && link->kind == "dummy" && alias.prefix.is_host();
    faults.push_back({.code = "alias_wrong_device",
                      .object = object,
                      .text = is_harmless ? "it works there; lo is where it belongs"
                                          : "this server answers ARP and ND for it there; it belongs on lo",
                      .remedy = move_command(scene, alias),
                      .severity = is_harmless ? Severity::kWarning : Severity::kFault,
                      .is_curable = !is_harmless});
  } else if (!alias.prefix.is_host()) {
    faults.push_back({.code = "alias_wide",
                      .object = object,
                      .text = "its mask is /" + std::to_string(alias.prefix.length) + ": all of " +
                              alias.prefix.network().to_string() + " is routed to lo, so clients there get no answer",
                      .remedy = move_command(scene, alias),
                      .is_curable = true});
  }
  if ((alias.flags & (IFA_F_TENTATIVE | IFA_F_DADFAILED)) == 0) return;
  const std::string prefix = alias.prefix.to_string() + " dev " + scene.link_name(alias.ifindex);
  const std::string again = "ip address delete " + prefix + " && ip address add " + prefix + " nodad";
  faults.push_back({.code = "alias_tentative",
                    .object = object,
                    .text = "duplicate address detection holds it back: the address is not used",
                    .remedy = is_loopback(scene, alias) ? again : move_command(scene, alias),
                    .is_curable = true});
}

}  // namespace

void judge_alias(const Scene& scene, Faults& faults) {
  if (scene.aliases.empty()) judge_missing(scene, faults);
  for (const ServerAddress* alias : scene.aliases) judge_one(scene, *alias, faults);
}

}  // namespace xdplb
