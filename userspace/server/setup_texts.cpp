// SPDX-License-Identifier: GPL-2.0-only
// What a step of a plan says, and whom it serves.
#include "server/setup_plan.h"

#include <linux/rtnetlink.h>
#include <fmt/format.h>

#include <algorithm>

namespace xdplb {
namespace {

constexpr std::uint32_t kLocalTableNumber = 255;
constexpr std::uint32_t kMainTableNumber = 254;
constexpr std::uint32_t kUsualIpv6Metric = 1024;  // IP6_RT_PRIO_USER

std::string on(const std::string& interface) { return interface.empty() ? "" : " on " + interface; }

std::string route_text(const ServerRoute& route, const std::string& interface) {
  std::string text = route.type == RTN_LOCAL ? "route local " : "route ";
  text += route.destination.length == 0 ? "default" : route.destination.network().to_string();
  if (route.gateway) text += " via " + route.gateway->to_string();
  if (!interface.empty()) text += " dev " + interface;
  // It names the step: two routes that differ in nothing else are two.
  if (route.priority != 0 && route.priority != kUsualIpv6Metric) text += " metric " + std::to_string(route.priority);
  if (route.table == kLocalTableNumber) return text + " table local";
  return route.table == kMainTableNumber ? text : text + " table " + std::to_string(route.table);
}

IpPrefix host_of(const IpAddress& address) {
  return {.address = address, .length = static_cast<std::uint8_t>(8 * address.bytes().size())};
}

struct Words {
  bool is_undo = false;

  std::string operator()(const SetSysctl& set) const {
    const int from = is_undo ? set.after : set.before;
    const int to = is_undo ? set.before : set.after;
    return fmt::format("sysctl {}: {} -> {}", sysctl_text(set.name), from, to);
  }
  std::string operator()(const RaiseLink& link) const {
    return fmt::format("interface {}: {}", link.interface, is_undo ? "up -> down" : "down -> up");
  }
  std::string operator()(const DeletePublished& published) const {
    return fmt::format("neighbour proxy {}{}: {}", published.entry.address.to_string(), on(published.interface),
                       taken());
  }
  std::string operator()(const DeleteAddress& address) const {
    return fmt::format("address {}{}: {}", address.prefix.to_string(), on(address.interface), taken());
  }
  std::string operator()(const AddAddress& address) const {
    return fmt::format("address {}{}: {}", host_of(address.address).to_string(), on(address.interface),
                       is_undo ? "removed" : "added");
  }
  std::string operator()(const DeleteRoute& gone) const {
    return fmt::format("{}: {}", route_text(gone.route, gone.interface), taken());
  }
  std::string operator()(const StripSource& stripped) const {
    return fmt::format("{}: source {} {}", route_text(stripped.route, stripped.interface),
                       stripped.route.source ? stripped.route.source->to_string() : "", taken());
  }
  const char* taken() const { return is_undo ? "put back" : "removed"; }
};

IpPrefix all_of(Family family) {
  return {.address = family == Family::kV4 ? IpAddress() : IpAddress::v6({}), .length = 0};
}

struct Served {
  std::vector<IpPrefix> operator()(const SetSysctl& set) const {
    return {all_of(set.name.starts_with("net/ipv4/") ? Family::kV4 : Family::kV6)};
  }
  std::vector<IpPrefix> operator()(const RaiseLink&) const { return {all_of(Family::kV4), all_of(Family::kV6)}; }
  std::vector<IpPrefix> operator()(const DeletePublished& gone) const { return {host_of(gone.entry.address)}; }
  std::vector<IpPrefix> operator()(const DeleteAddress& gone) const { return {gone.prefix}; }
  std::vector<IpPrefix> operator()(const AddAddress& made) const { return {host_of(made.address)}; }
  std::vector<IpPrefix> operator()(const DeleteRoute& gone) const {
    return {gone.route.gateway ? host_of(*gone.route.gateway) : gone.route.destination};
  }
  std::vector<IpPrefix> operator()(const StripSource& stripped) const {
    return {host_of(stripped.route.source.value_or(stripped.route.destination.address))};
  }
};

}  // namespace

std::string sysctl_text(const std::string& name) {
  if (name.find('.') != std::string::npos) return name;
  std::string text = name;
  std::replace(text.begin(), text.end(), '/', '.');
  return text;
}

std::string to_text(const SetupAction& action) { return std::visit(Words{.is_undo = false}, action); }
std::string to_undo_text(const SetupAction& action) { return std::visit(Words{.is_undo = true}, action); }

std::vector<IpPrefix> served_networks(const SetupAction& action) { return std::visit(Served{}, action); }

}  // namespace xdplb
