// SPDX-License-Identifier: GPL-2.0-only
// Scene: what the facts say about one VIPA, worked out once for all judges and the plan.
#pragma once

#include "server/nft_rules.h"
#include "server/route_lookup.h"
#include "server/server_judge.h"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace xdplb {

inline constexpr int kIgnoreScope = 3;  // arp_ignore: silent for addresses of scope host

struct Scene {
  const ServerFacts& facts;
  const ServerWish& wish;
  const NftRules* nft = nullptr;  // nullptr: not known
  IpAddress vipa{};
  std::string name{};  // of the VIPA

  // The addresses that are the VIPA, whatever the interface and mask.
  std::vector<const ServerAddress*> aliases{};
  // Where packets for the VIPA may arrive: the interfaces whose network contains it, else all that have an address of
  // its family.
  std::vector<const ServerLink*> arrivals{};
  bool is_on_link = false;     // arrivals are the former
  bool is_local = false;       // on each arrival the kernel takes it for its own
  bool is_redirected = false;  // nftables redirects what is for it
  // Routes that take more for this host's own than the VIPA, or send more to lo, and do harm; not that of its alias.
  std::vector<const ServerRoute*> extra_routes{};
  bool has_alias_route = false;  // a route of type local to it that is none of them, also one to its whole network

  static Scene make(const ServerFacts& facts, const ServerWish& wish, const NftRules* nft, const IpAddress& vipa);

  const ServerLink* find_link(std::uint32_t index) const;
  std::string link_name(std::uint32_t index) const;  // "interface 7" when it is gone
  bool has_address(const ServerLink& link, Family family) const;
  // A setting of the VIPA's family; 0 when the kernel does not have it. key: "arp_ignore"; scope: "all" or an interface
  int setting(std::string_view scope, std::string_view key) const;
  bool has_setting(std::string_view scope, std::string_view key) const;
  int highest(const ServerLink& link, std::string_view key) const;  // of "all" and its own
  bool either(const ServerLink& link, std::string_view key) const { return highest(link, key) != 0; }
  std::string setting_name(std::string_view scope, std::string_view key) const;
  RouteVerdict answer_way() const;  // of an answer to a client somewhere
};

// "net/ipv4/conf/eth0/arp_ignore" -> "net.ipv4.conf.eth0.arp_ignore=1", with slashes where the interface has a dot.
std::string assignment(const std::string& setting_name, int value);
// "eth0, eth1"
std::string names_of(const std::vector<const ServerLink*>& links);
IpPrefix host_prefix(const IpAddress& address);
// What a command about a route or rule says after "ip route delete", "ip rule delete".
std::string route_words(const Scene& scene, const ServerRoute& route, bool with_source);
std::string rule_words(const ServerRule& rule);
// "ip route" or "ip -6 route" for the VIPA's family.
std::string ip_command(const IpAddress& about, std::string_view object);

inline constexpr std::uint32_t kMinimumMtuV6 = 1280;  // RFC 8200 5
// Below it the kernel takes the IPv6 addresses of an interface away, so it may be the one of the LAN.
bool lost_ipv6(const Scene& scene, const ServerLink& link);

// For Scene::extra_routes.
std::vector<const ServerRoute*> find_extra_routes(const Scene& scene);
// The address whose mask made a route: the kernel's own, of the same interface and network; nullptr: none did.
const ServerAddress* maker_of(const Scene& scene, const ServerRoute& route);

// Each appends the faults of its kind.
void judge_silence(const Scene& scene, Faults& faults);
void judge_ipv6(const Scene& scene, Faults& faults);
void judge_alias(const Scene& scene, Faults& faults);
void judge_routes(const Scene& scene, Faults& faults);
void judge_rules(const Scene& scene, Faults& faults);
void judge_way_in(const Scene& scene, Faults& faults);
void judge_firewall(const Scene& scene, Faults& faults);
void judge_service(const Scene& scene, Faults& faults);
void judge_way_out(const Scene& scene, Faults& faults);

}  // namespace xdplb
