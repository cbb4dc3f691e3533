// SPDX-License-Identifier: GPL-2.0-only
// What `setup` has to change in the running kernel, as a list of steps in their order. Pure.
#pragma once

#include "server/server_facts.h"
#include "server/server_setup.h"

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

namespace xdplb {

struct SetSysctl {
  std::string name{};  // "net/ipv4/conf/all/arp_ignore"
  int before = 0;
  int after = 0;
  auto operator<=>(const SetSysctl&) const = default;
};
struct RaiseLink {
  std::uint32_t ifindex = 0;
  std::string interface {};
  auto operator<=>(const RaiseLink&) const = default;
};
struct DeletePublished {
  std::string interface {};  // empty: on every one
  PublishedNeighbor entry{};
  auto operator<=>(const DeletePublished&) const = default;
};
struct DeleteAddress {
  std::uint32_t ifindex = 0;
  std::string interface {};
  IpPrefix prefix{};
  auto operator<=>(const DeleteAddress&) const = default;
};
struct AddAddress {
  std::uint32_t ifindex = 0;
  std::string interface {};
  IpAddress address{};
  std::uint8_t scope = 0;  // RT_SCOPE_*
  auto operator<=>(const AddAddress&) const = default;
};
struct DeleteRoute {
  ServerRoute route{};
  std::string interface {};
  auto operator<=>(const DeleteRoute&) const = default;
};
// The route stays, the kernel chooses the source.
struct StripSource {
  ServerRoute route{};
  std::string interface {};
  auto operator<=>(const StripSource&) const = default;
};
using SetupAction =
    std::variant<SetSysctl, RaiseLink, DeletePublished, DeleteAddress, AddAddress, DeleteRoute, StripSource>;

struct SetupStep {
  SetupAction action{};
  std::vector<IpAddress> vipas{};  // that need it
  auto operator<=>(const SetupStep&) const = default;
};
using SetupPlan = std::vector<SetupStep>;

// In the order that never leaks an ARP answer: settings, the loopback up, published neighbours, routes by way of a
// VIPA, then the alias, wide masks and the routes they made, VIPAs on interfaces where they are heard. With kNft every
// address that is a VIPA goes. What judge_server() finds no fault with stays, unless is_lasting (plan_settings()).
SetupPlan plan_setup(const ServerFacts& facts, const ServerWish& wish, ServerMethod method, bool is_lasting);

// "sysctl net.ipv4.conf.all.arp_ignore: 0 -> 1", "address 192.0.2.10/24 on eth0: removed"
std::string to_text(const SetupAction& action);
// The same backwards: "sysctl net.ipv4.conf.all.arp_ignore: 1 -> 0", "address 192.0.2.10/24 on eth0: put back"
std::string to_undo_text(const SetupAction& action);

// The networks whose VIPAs need it, also those that are set up later: a setting serves a family; no network or route
// that would take a VIPA in comes back.
std::vector<IpPrefix> served_networks(const SetupAction& action);

// "net/ipv4/conf/eth0/arp_ignore" -> "net.ipv4.conf.eth0.arp_ignore"; with slashes when the interface has a dot. What
// sysctl(8) and sysctl.d(5) take.
std::string sysctl_text(const std::string& name);

}  // namespace xdplb
