// SPDX-License-Identifier: GPL-2.0-only
#include "host/probe_route_objects.h"

#include "net/wire.h"

#include <fmt/format.h>

#include <map>

namespace xdplb {
namespace {

constexpr std::uint32_t kTableBase = 0x57000000;
constexpr std::uint32_t kInstanceMask = 0xffff0000;
constexpr std::uint32_t kMetric = 1024;  // what IPv6 makes of 0
constexpr std::uint8_t kBytes = 255;     // 1..255
constexpr std::size_t kNameRoom = 15;    // IFNAMSIZ - 1

std::uint64_t hash_of(const std::string& text) {
  std::uint64_t hash = 14695981039346656037U;  // FNV-1a
  for (const char letter : text) hash = (hash ^ static_cast<unsigned char>(letter)) * 1099511628211U;
  return hash;
}

// An instance's name has neither ':' nor '=', so that hashed and whole names do not meet.
std::string claim_name(const std::string& instance) {
  if (instance.size() + 3 <= kNameRoom) return "xp:" + instance;
  return fmt::format("xp={:012x}", hash_of(instance) >> 16);
}

std::uint8_t byte_of(std::uint32_t mark) { return static_cast<std::uint8_t>(mark >> 16); }

std::optional<std::uint16_t> slot_of(std::uint32_t number, std::uint32_t base, std::uint8_t byte) {
  if ((number & kInstanceMask) != (base | std::uint32_t{byte} << 16)) return std::nullopt;
  return static_cast<std::uint16_t>(number & 0xffff);
}

std::optional<std::uint16_t> slot_of(const IpAddress& next_hop, std::uint8_t byte) {
  const auto slot = static_cast<std::uint16_t>(load_be(next_hop.bytes().data() + next_hop.bytes().size() - 2, 2));
  if (next_hop != probe_next_hop(probe_mark(byte, slot))) return std::nullopt;
  return slot;
}

Route route_through(const IpAddress& gateway, Family family, std::uint32_t ifindex, std::uint32_t mark) {
  Route route;
  route.destination = {.address = family == Family::kV4 ? IpAddress::v4({}) : IpAddress::v6({}), .length = 0};
  route.gateway = gateway;
  route.ifindex = ifindex;
  route.table = probe_table(mark);
  route.priority = kMetric;
  route.is_onlink = true;
  return route;
}

}  // namespace

std::uint32_t probe_mark(std::uint8_t byte, std::uint16_t slot) {
  return ProbeRoutes::kMarkBase | std::uint32_t{byte} << 16 | slot;
}

std::uint32_t probe_table(std::uint32_t mark) { return kTableBase | (mark & ~ProbeRoutes::kMarkMask); }

IpAddress probe_next_hop(std::uint32_t mark) {
  std::array<std::uint8_t, 16> bytes{0xfe, 0x80};
  store_be16(&bytes[10], 0x58);
  store_be16(&bytes[12], byte_of(mark));
  store_be16(&bytes[14], static_cast<std::uint16_t>(mark & 0xffff));
  return IpAddress::v6(bytes);
}

std::vector<RouteChange::Object> probe_objects(const ProbeNextHop& hop, std::uint32_t mark, bool has_ipv6) {
  std::vector<RouteChange::Object> objects;
  for (const Family family : {Family::kV4, Family::kV6}) {
    IpAddress gateway = hop.server;
    if (family == Family::kV6) {
      if (!has_ipv6 || (hop.server.is_v4() && hop.mac.is_zero())) continue;
      if (hop.server.is_v4()) {
        gateway = probe_next_hop(mark);
        objects.emplace_back(FixedNeighbor{.ifindex = hop.ifindex, .address = gateway, .mac = hop.mac});
      }
    }
    objects.emplace_back(route_through(gateway, family, hop.ifindex, mark));
    objects.emplace_back(Rule{.family = family,
                              .priority = ProbeRoutes::kRulePriority,
                              .mark = mark,
                              .mark_mask = 0xffffffff,
                              .table = probe_table(mark)});
  }
  return objects;
}

std::optional<std::uint16_t> probe_slot(const RouteChange::Object& object, std::uint8_t byte) {
  if (const auto* neighbor = std::get_if<FixedNeighbor>(&object)) return slot_of(neighbor->address, byte);
  if (const auto* route = std::get_if<Route>(&object)) return slot_of(route->table, kTableBase, byte);
  const Rule& rule = std::get<Rule>(object);
  if (rule.protocol != kRouteProtocol || rule.priority != ProbeRoutes::kRulePriority || is_probe_claim(rule))
    return std::nullopt;
  return slot_of(rule.mark, ProbeRoutes::kMarkBase, byte);
}

Family probe_family(const RouteChange::Object& object) {
  if (const auto* route = std::get_if<Route>(&object)) return route->destination.address.family();
  if (const auto* rule = std::get_if<Rule>(&object)) return rule->family;
  return Family::kV6;
}

bool have_same_key(const RouteChange::Object& one, const RouteChange::Object& other) {
  if (one.index() != other.index() || probe_family(one) != probe_family(other)) return false;
  if (const auto* neighbor = std::get_if<FixedNeighbor>(&one)) {
    const auto& another = std::get<FixedNeighbor>(other);
    return neighbor->ifindex == another.ifindex && neighbor->address == another.address;
  }
  if (const auto* route = std::get_if<Route>(&one)) {
    const auto& another = std::get<Route>(other);
    return route->destination == another.destination && route->table == another.table &&
           route->priority == another.priority;
  }
  return one == other;
}

Rule probe_guard(Family family) {
  return {.family = family,
          .priority = ProbeRoutes::kGuardPriority,
          .mark = ProbeRoutes::kMarkBase,
          .mark_mask = ProbeRoutes::kMarkMask,
          .is_inverted = true,
          .action = RuleAction::kGoto,
          .goto_priority = ProbeRoutes::kEndPriority};
}

Rule probe_stop(Family family, std::uint8_t byte) {
  return {.family = family,
          .priority = ProbeRoutes::kEndPriority,
          .mark = probe_mark(byte, 0),
          .mark_mask = kInstanceMask,
          .action = RuleAction::kUnreachable};
}

Rule probe_claim(const std::string& instance, std::uint8_t byte) {
  return {.family = Family::kV4,
          .priority = ProbeRoutes::kRulePriority,
          .mark = probe_mark(byte, 0),
          .mark_mask = kInstanceMask,
          .incoming = claim_name(instance),
          .action = RuleAction::kNop};
}

bool is_probe_claim(const Rule& rule) {
  return rule.priority == ProbeRoutes::kRulePriority && rule.action == RuleAction::kNop && !rule.incoming.empty() &&
         rule.protocol == kRouteProtocol && rule.mark_mask == kInstanceMask &&
         (rule.mark & ProbeRoutes::kMarkMask) == ProbeRoutes::kMarkBase;
}

std::optional<ProbeByte> choose_probe_byte(const std::string& instance, const std::vector<Rule>& rules) {
  const std::string name = claim_name(instance);
  std::map<std::uint8_t, std::string> owners;
  ProbeByte chosen;
  for (const Rule& rule : rules) {
    if (!is_probe_claim(rule)) continue;
    const bool is_first = owners.emplace(byte_of(rule.mark), rule.incoming).second;
    if (rule.incoming != name) continue;
    if (!is_first || chosen.is_claimed) {
      chosen.surplus.push_back(rule);
      continue;
    }
    chosen.byte = byte_of(rule.mark);
    chosen.is_claimed = true;
  }
  if (chosen.is_claimed) return chosen;
  const std::uint64_t first = hash_of(instance);
  for (std::uint64_t i = 0; i < kBytes; ++i) {
    chosen.byte = static_cast<std::uint8_t>(1 + (first + i) % kBytes);
    if (!owners.contains(chosen.byte)) return chosen;
  }
  return std::nullopt;
}

bool is_claim_of(const std::string& instance, const Rule& claim) { return claim.incoming == claim_name(instance); }

}  // namespace xdplb
