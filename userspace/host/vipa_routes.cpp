// SPDX-License-Identifier: GPL-2.0-only
#include "host/vipa_routes.h"

#include <linux/rtnetlink.h>

#include <algorithm>
#include <map>
#include <set>
#include <tuple>

namespace xdplb {
namespace {

// One route a destination, so any number will do; 0 would become 1024 in an IPv6 table, and the tables are compared.
constexpr std::uint32_t kMetric = 1024;

class Successor {
 public:
  Successor(const LocalVipa& vipa, const RoutingState& state) : vipa_(vipa), state_(state) {}

  bool is_listed(const Route& route) const {
    return std::find(vipa_.interfaces.begin(), vipa_.interfaces.end(), route.ifindex) != vipa_.interfaces.end();
  }

  // The owner can send what this route of a listed interface sends.
  bool can_carry(const Route& route) const {
    if (route.type != RTN_UNICAST || route.ifindex == 0) return false;
    if (route.ifindex == vipa_.owner) return true;
    if (!is_listed(route)) return false;
    if (!route.gateway) return owner_is_in(route.destination);
    if (route.gateway->is_link_local()) return shares_network_with(route.ifindex);
    return owner_reaches(*route.gateway);
  }

 private:
  bool owner_is_in(const IpPrefix& network) const {
    return network.length != 0 && any_address([&](const TaggedAddress& address) {
             return address.ifindex == vipa_.owner && network.contains(address.prefix.address);
           });
  }

  bool owner_reaches(const IpAddress& gateway) const {
    const bool is_near = any_address([&](const TaggedAddress& address) {
      return address.ifindex == vipa_.owner && address.prefix.contains(gateway);
    });
    return is_near || std::any_of(state_.main.begin(), state_.main.end(), [&](const Route& route) {
             return !route.gateway && route.destination.contains(gateway) && is_listed(route) &&
                    owner_is_in(route.destination);
           });
  }

  // Every interface has an fe80::/10 address: that alone says nothing of the LAN.
  bool shares_network_with(std::uint32_t ifindex) const {
    return any_address([&](const TaggedAddress& address) {
      return address.ifindex == ifindex && !address.prefix.address.is_link_local() && !address.prefix.is_host() &&
             owner_is_in(address.prefix);
    });
  }

  template <typename Condition>
  bool any_address(const Condition& holds) const {
    return std::any_of(state_.addresses.begin(), state_.addresses.end(), holds);
  }

  const LocalVipa& vipa_;
  const RoutingState& state_;
};

// Never asked for by way of a VIPA: they need an interface, or the local table answers first.
bool is_of_no_concern(const Route& route, std::uint32_t loopback) {
  const IpAddress& address = route.destination.address;
  return address.is_multicast() || address.is_link_local() || route.ifindex == loopback || route.type == RTN_LOCAL ||
         route.type == RTN_BROADCAST || route.type == RTN_ANYCAST || route.type == RTN_MULTICAST;
}

Route copy_of(const Route& route, const LocalVipa& vipa, std::uint32_t table) {
  Route copy;
  copy.destination = route.destination;
  copy.gateway = route.gateway;
  copy.ifindex = vipa.owner;
  copy.table = table;
  copy.priority = kMetric;
  copy.scope = route.scope;
  copy.is_onlink = route.is_onlink && route.ifindex == vipa.owner;
  copy.metrics = route.metrics;
  return copy;
}

Route throw_for(const IpPrefix& destination, std::uint32_t table) {
  Route route;
  route.destination = destination;
  route.table = table;
  route.priority = kMetric;
  route.type = RTN_THROW;
  return route;
}

// One of `copied` is wider and contains it.
bool is_caught(const IpPrefix& destination, const std::set<IpPrefix>& copied) {
  for (std::uint8_t length = 0; length < destination.length; ++length) {
    if (copied.contains(IpPrefix{.address = destination.address, .length = length}.network())) return true;
  }
  return false;
}

}  // namespace

std::vector<Route> vipa_routes(const LocalVipa& vipa, const RoutingState& state, std::uint32_t table) {
  const Successor successor(vipa, state);
  struct Candidate {
    const Route* route = nullptr;
    bool can_carry = false;
    auto rank(std::uint32_t owner) const {
      return std::tuple(route->priority, !can_carry, route->ifindex != owner, route->is_dead);
    }
  };
  std::map<IpPrefix, std::vector<Candidate>> destinations;
  for (const Route& route : state.main) {
    if (is_of_no_concern(route, state.loopback)) continue;
    const bool can_carry = successor.can_carry(route);
    // A dead route that nobody can stand in for leads nowhere.
    auto& candidates = destinations[route.destination.network()];
    if (can_carry || !route.is_dead) candidates.push_back({.route = &route, .can_carry = can_carry});
  }
  std::vector<Route> routes;
  for (const auto& [destination, candidates] : destinations) {
    auto best = std::min_element(candidates.begin(), candidates.end(), [&](const Candidate& a, const Candidate& b) {
      return a.rank(vipa.owner) < b.rank(vipa.owner);
    });
    if (best != candidates.end() && best->can_carry) routes.push_back(copy_of(*best->route, vipa, table));
  }
  std::set<IpPrefix> copied;
  for (const Route& route : routes) copied.insert(route.destination.network());
  for (const auto& [destination, candidates] : destinations) {
    if (!copied.contains(destination) && is_caught(destination, copied))
      routes.push_back(throw_for(destination, table));
  }
  std::stable_sort(routes.begin(), routes.end(), [](const Route& a, const Route& b) {
    return std::tuple(a.gateway.has_value(), a.destination) < std::tuple(b.gateway.has_value(), b.destination);
  });
  return routes;
}

}  // namespace xdplb
