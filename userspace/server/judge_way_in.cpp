// SPDX-License-Identifier: GPL-2.0-only
// The way in: what arrives by the interface of the LAN gets as far as a socket.
#include "server/scene.h"

#include <linux/rtnetlink.h>

#include <algorithm>

namespace xdplb {
namespace {

constexpr int kStrict = 1;  // rp_filter
constexpr int kLoose = 2;

bool leaves_by(const RouteVerdict& way, const ServerLink& link) {
  return std::any_of(way.hops.begin(), way.hops.end(),
                     [&](const ServerRoute* hop) { return hop->ifindex == link.index; });
}

// The interface by which answers to `client` (none: anybody) leave instead of `link`; empty: by it, or nowhere.
std::string other_way(const Scene& scene, const ServerLink& link, const std::optional<IpAddress>& client) {
  const auto way = look_up(
      scene.facts, {.family = scene.vipa.family(), .source = scene.vipa, .destination = client, .incoming = "lo"});
  if (!way.has_way() || leaves_by(way, link)) return {};
  return scene.link_name(way.hops.front()->ifindex);
}

// Some other host in a network, as only the way there counts.
IpAddress neighbor_in(const IpPrefix& own) {
  std::vector<std::uint8_t> bytes(own.address.bytes().begin(), own.address.bytes().end());
  bytes.back() ^= 1;
  if (own.address.is_v4()) return IpAddress::v4({bytes[0], bytes[1], bytes[2], bytes[3]});
  std::array<std::uint8_t, 16> wide{};
  std::copy_n(bytes.begin(), wide.size(), wide.begin());
  return IpAddress::v6(wide);
}

struct Asymmetry {
  std::string clients;    // "remote clients"
  std::string interface;  // by which their answers leave
  bool is_certain = false;
};

// Clients whose packets come by `link` while answers leave by another interface.
std::optional<Asymmetry> find_asymmetry(const Scene& scene, const ServerLink& link) {
  if (auto other = other_way(scene, link, {}); !other.empty()) {
    return Asymmetry{.clients = "remote clients", .interface = other, .is_certain = scene.is_on_link};
  }
  for (const ServerAddress& own : scene.facts.addresses) {
    const bool is_here = own.ifindex == link.index && own.prefix.address.family() == scene.vipa.family();
    if (!is_here || own.prefix.is_host() || own.prefix.address == scene.vipa) continue;
    if (auto other = other_way(scene, link, neighbor_in(own.prefix)); !other.empty()) {
      return Asymmetry{
          .clients = "clients of " + own.prefix.network().to_string(), .interface = other, .is_certain = true};
    }
  }
  for (const ServerRoute& route : scene.facts.routes) {
    const bool is_remote = route.type == RTN_UNICAST && route.gateway && route.destination.length > 0;
    if (!is_remote || route.destination.address.family() != scene.vipa.family()) continue;
    if (auto other = other_way(scene, link, neighbor_in(route.destination)); !other.empty()) {
      return Asymmetry{.clients = "clients of " + route.destination.network().to_string(), .interface = other};
    }
  }
  return std::nullopt;
}

void judge_strict_setting(const Scene& scene, const ServerLink& link, const Asymmetry& ways, Faults& faults) {
  if (scene.vipa.is_v6() || scene.highest(link, "rp_filter") != kStrict) return;
  const std::string setting = scene.setting_name(link.name, "rp_filter");
  faults.push_back({.code = "rp_filter",
                    .object = setting,
                    .text = "1 (of all and its own the higher counts), but answers to " + ways.clients + " leave by " +
                            ways.interface + ": what they send by " + link.name + " is dropped",
                    .remedy = "sysctl -w " + assignment(setting, kLoose),
                    .severity = ways.is_certain ? Severity::kFault : Severity::kWarning,
                    .is_curable = true});
}

void judge_strict_rule(const Scene& scene, const ServerLink& link, const Asymmetry& ways, Faults& faults) {
  if (scene.nft == nullptr) return;
  NftPacket packet;
  packet.family = scene.vipa.family();
  packet.destination = scene.vipa;
  packet.incoming = {link.name};
  if (scene.nft->judge_incoming(packet).is_dropped) return;  // for another reason
  packet.is_source_elsewhere = true;
  const auto verdict = scene.nft->judge_incoming(packet);
  if (!verdict.is_dropped) return;
  faults.push_back({.code = "rp_filter",
                    .object = verdict.place,
                    .text = "drops what comes by another interface than the answer would leave by: " + ways.clients +
                            " come by " + link.name + ", their answers leave by " + ways.interface,
                    .remedy = verdict.remedy(scene.vipa, std::nullopt),
                    .severity = ways.is_certain ? Severity::kFault : Severity::kWarning});
}

void judge_minimum_mtu(const Scene& scene, Faults& faults) {
  for (const ServerLink& link : scene.facts.links) {
    const bool is_arrival = std::find(scene.arrivals.begin(), scene.arrivals.end(), &link) != scene.arrivals.end();
    if (!lost_ipv6(scene, link) && !(is_arrival && link.mtu < kMinimumMtuV6)) continue;
    faults.push_back({.code = "mtu",
                      .object = link.name,
                      .text = std::to_string(link.mtu) + " bytes: IPv6 needs 1280, the kernel turns it off below",
                      .remedy = "ip link set " + link.name + " mtu 1500"});
  }
}

void judge_mtu(const Scene& scene, Faults& faults) {
  if (scene.vipa.is_v6()) judge_minimum_mtu(scene, faults);
  const auto way = scene.answer_way();
  if (!way.has_way() || !scene.is_on_link) return;
  const ServerLink* out = scene.find_link(way.hops.front()->ifindex);
  const ServerLink* in = scene.arrivals.front();
  if (out == nullptr || out->mtu == in->mtu) return;
  faults.push_back({.code = "mtu",
                    .object = in->name + " and " + out->name,
                    .text = "requests come by " + in->name + " with " + std::to_string(in->mtu) +
                            " bytes, answers leave by " + out->name + " with " + std::to_string(out->mtu) +
                            " and offer clients segments of that size",
                    .remedy = "ip link set " + out->name + " mtu " + std::to_string(in->mtu),
                    .severity = Severity::kWarning});
}

void judge_arrivals(const Scene& scene, Faults& faults) {
  for (const ServerLink* link : scene.arrivals) {
    if (link->kind == "ipvlan") {
      faults.push_back({.code = "ipvlan",
                        .object = link->name,
                        .text = "an ipvlan has its parent's MAC, so the dispatcher's frames reach the parent: use a "
                                "macvlan or a bridge"});
    }
    if (link->has_lro.value_or(false) && scene.setting(link->name, "forwarding") != 0) {
      faults.push_back({.code = "lro",
                        .object = link->name,
                        .text = "large receive offload on an interface that forwards: what it merges cannot be sent on",
                        .remedy = "ethtool -K " + link->name + " lro off",
                        .severity = Severity::kWarning});
    }
    const auto ways = find_asymmetry(scene, *link);
    if (!ways) continue;
    judge_strict_setting(scene, *link, *ways, faults);
    judge_strict_rule(scene, *link, *ways, faults);
  }
}

void judge_hosts_own_settings(const Scene& scene, Faults& faults) {
  const bool is_taken = scene.is_local || scene.is_redirected;
  for (const ServerLink* link : scene.arrivals) {
    const std::string setting = scene.setting_name(link->name, "forwarding");
    if (scene.setting(link->name, "forwarding") == 0) continue;
    faults.push_back({.code = "forwarding",
                      .object = setting,
                      .text = is_taken ? "1: a router; should it lose the VIPA, it sends its packets back to the LAN"
                                       : "1: it does not take " + scene.name + " and sends its packets back to the LAN",
                      .remedy = "sysctl -w " + assignment(setting, 0),
                      .severity = Severity::kWarning});
  }
  const std::string nonlocal = std::string(scene.vipa.is_v4() ? "net/ipv4" : "net/ipv6") + "/ip_nonlocal_bind";
  const auto found = scene.facts.sysctls.find(nonlocal);
  if (!is_taken && found != scene.facts.sysctls.end() && found->second != 0) {
    faults.push_back({.code = "nonlocal",
                      .object = nonlocal,
                      .text = "1: a service may listen on " + scene.name + " without anything arriving there",
                      .remedy = "sysctl -w " + assignment(nonlocal, 0),
                      .severity = Severity::kWarning});
  }
  if (scene.vipa.is_v6()) return;
  for (const ServerLink* link : scene.arrivals) {
    if (!scene.either(*link, "route_localnet")) continue;
    const bool is_all = scene.setting("all", "route_localnet") != 0;
    const std::string setting = scene.setting_name(is_all ? "all" : link->name, "route_localnet");
    faults.push_back({.code = "route_localnet",
                      .object = setting,
                      .text = "1: neighbours reach what listens on 127.0.0.1",
                      .remedy = "sysctl -w " + assignment(setting, 0),
                      .severity = Severity::kWarning});
  }
}

}  // namespace

void judge_ipv6(const Scene& scene, Faults& faults) {
  if (scene.vipa.is_v4()) return;
  if (!scene.has_setting("all", "disable_ipv6")) {
    faults.push_back({.code = "ipv6_disabled",
                      .object = scene.name,
                      .text = "this kernel runs without IPv6: take ipv6.disable=1 from its command line"});
    return;
  }
  for (const ServerLink& link : scene.facts.links) {
    const bool counts = link.is_loopback || (link.is_up && !link.is_slave && scene.has_address(link, Family::kV4));
    if (!counts || scene.setting(link.name, "disable_ipv6") == 0) continue;
    // Another interface may be the one of the LAN.
    const bool is_fault = link.is_loopback || scene.arrivals.empty();
    if (!is_fault) continue;
    const std::string setting = scene.setting_name(link.name, "disable_ipv6");
    faults.push_back({.code = "ipv6_disabled",
                      .object = setting,
                      .text = "1: " + link.name + " takes no IPv6",
                      .remedy = "sysctl -w " + assignment(setting, 0),
                      .is_curable = link.is_loopback});
  }
}

void judge_way_in(const Scene& scene, Faults& faults) {
  judge_arrivals(scene, faults);
  judge_mtu(scene, faults);
  judge_hosts_own_settings(scene, faults);
}

}  // namespace xdplb
