// SPDX-License-Identifier: GPL-2.0-only
// What the kernel's policy rules and routes say to a packet, worked out from the facts. Pure.
#pragma once

#include "server/server_facts.h"

#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace xdplb {

inline constexpr std::uint32_t kLocalTable = 255;
inline constexpr std::uint8_t kKernelProtocol = 2;  // RTPROT_KERNEL

// A packet without mark. What is unset may be anything: for a destination only default routes hold.
struct RoutedPacket {
  Family family = Family::kV4;
  std::optional<IpAddress> source{};
  std::optional<IpAddress> destination{};
  std::string incoming{};  // interface; "lo" for what this host sends
};

enum class Match : std::uint8_t { kNo, kMaybe, kYes };

// Whether a rule is for the packet. kMaybe: it depends on what is unset, or on conditions a ServerRule has no field
// for.
Match match_rule(const ServerRule& rule, const RoutedPacket& packet);

// The hops of the best route of a table: longest prefix, then lowest priority; empty when there is none, or when it
// says to go on with the next rule.
std::vector<const ServerRoute*> find_in_table(const ServerFacts& facts, std::uint32_t table,
                                              const RoutedPacket& packet);

struct RouteVerdict {
  const ServerRule* rule = nullptr;        // that decided; nullptr: none did
  std::vector<const ServerRoute*> hops{};  // empty: the rule itself refuses, or none decided
  bool is_local() const;                   // delivered to this host
  bool has_way() const;                    // sent on by an interface
};

// What `rule` alone says: it refuses, or its table has a route. nullopt: the next rule is asked.
std::optional<RouteVerdict> ask_rule(const ServerFacts& facts, const ServerRule& rule, const RoutedPacket& packet);

// The first rule that is for the packet (kYes) and decides. `before` is called with every kMaybe rule on the way.
RouteVerdict look_up(const ServerFacts& facts, const RoutedPacket& packet,
                     const std::function<void(const ServerRule&)>& before = {});

}  // namespace xdplb
