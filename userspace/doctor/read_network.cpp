// SPDX-License-Identifier: GPL-2.0-only
#include "doctor/read_facts.h"
#include "host/address_probe.h"
#include "host/host_snapshot.h"
#include "host/netlink_socket.h"
#include "host/route_control.h"
#include "host/sysctl.h"

#include <linux/rtnetlink.h>
#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace xdplb {
namespace {

constexpr std::uint32_t kLocalTable = 255;

std::string name_of(const HostSnapshot& host, std::uint32_t index) {
  const auto* link = host.find_link(index);
  return link != nullptr ? link->name : std::to_string(index);
}

// Interfaces that are there, in the needs' order.
std::vector<std::uint32_t> indexes_of(const DoctorNeeds& needs, const HostSnapshot& host) {
  std::vector<std::uint32_t> indexes;
  for (const auto& name : needs.interfaces)
    if (const auto* link = host.find_link(name)) indexes.push_back(link->index);
  return indexes;
}

Result<std::string> find_local_route(RouteControl& control, const HostSnapshot& host, const IpAddress& vipa) {
  const auto routes = control.routes(vipa.family(), kLocalTable);
  if (!routes) return routes.error();
  for (const auto& route : *routes)
    if (route.type == RTN_LOCAL && route.destination.contains(vipa))
      return fmt::format("{} dev {}", route.destination.to_string(), name_of(host, route.ifindex));
  return std::string();
}

Result<VipaFacts> read_vipa(NetlinkSocket& socket, RouteControl& control, const HostSnapshot& host,
                            const IpAddress& address) {
  VipaFacts facts{.address = address};
  const auto route = ask_route(socket, address);
  if (!route) return route.error();
  facts.route = *route;
  for (const auto& own : host.addresses)
    if (own.prefix.address == address) facts.holder = name_of(host, own.ifindex);
  if (facts.route.kind != RouteAnswer::Kind::kLocal || !facts.holder.empty()) return facts;
  auto local = find_local_route(control, host, address);
  if (!local) return local.error();
  facts.local_route = std::move(*local);
  return facts;
}

// Through which interfaces servers are reached.
std::set<std::uint32_t> server_interfaces(const DoctorNeeds& needs, const HostSnapshot& host) {
  const auto candidates = indexes_of(needs, host);
  std::set<std::uint32_t> interfaces;
  for (const auto& server : needs.servers)
    if (const auto found = find_connected(host.addresses, server, candidates)) interfaces.insert(*found);
  return interfaces;
}

std::vector<ProbePath> read_paths(const DoctorNeeds& needs, const HostSnapshot& host,
                                  const std::vector<VipaFacts>& vipas) {
  std::vector<ProbePath> paths;
  for (const auto index : server_interfaces(needs, host)) {
    const auto name = name_of(host, index);
    const auto filter = read_effective_ipv4_conf(name, "rp_filter");
    if (!filter) continue;
    for (const auto& vipa : vipas)
      if (vipa.address.is_v4())
        paths.push_back(
            {.interface = name, .ifindex = index, .vipa = vipa.address, .rp_filter = *filter, .way_back = vipa.route});
  }
  return paths;
}

ProfileNeeds profile_needs(const DoctorNeeds& needs, const HostSnapshot& host) {
  ProfileNeeds profile;
  for (const auto& name : needs.interfaces)
    if (host.find_link(name) != nullptr) profile.interfaces.push_back(name);
  for (const auto& vipa : needs.vipas) {
    if (!vipa.is_local) continue;
    (vipa.address.is_v4() ? profile.has_local_v4 : profile.has_local_v6) = true;
  }
  return profile;
}

std::optional<int> read_number(std::string_view name) {
  const auto value = read_sysctl(name);
  return value ? std::optional<int>(*value) : std::nullopt;
}

// A VIPA's entry may name an interface by one of its addresses.
bool is_preferred(const std::vector<std::string>& preferred, const Link& link, const HostSnapshot& host) {
  return std::any_of(preferred.begin(), preferred.end(), [&](const std::string& word) {
    if (word == link.name) return true;
    const auto address = IpAddress::parse(word);
    return address && std::any_of(host.addresses.begin(), host.addresses.end(), [&](const InterfaceAddress& own) {
             return own.ifindex == link.index && own.prefix.address == *address;
           });
  });
}

// Where a VIPA is asked for: where it is configured to live, else on its own network, else everywhere.
std::vector<const Link*> asked_interfaces(const DoctorNeeds& needs, const DoctorVipa& vipa, const HostSnapshot& host) {
  std::vector<const Link*> usable;
  for (const auto& name : needs.interfaces) {
    const auto* link = host.find_link(name);
    if (link != nullptr && link->is_usable() && !link->mac.is_zero()) usable.push_back(link);
  }
  const auto pick = [&](auto&& fits) {
    std::vector<const Link*> picked;
    std::copy_if(usable.begin(), usable.end(), std::back_inserter(picked), fits);
    return picked;
  };
  if (vipa.preferred) {
    auto listed = pick([&](const Link* link) { return is_preferred(*vipa.preferred, *link, host); });
    if (!listed.empty()) return listed;
  }
  auto connected = pick([&](const Link* link) {
    return std::any_of(host.addresses.begin(), host.addresses.end(), [&](const InterfaceAddress& own) {
      return own.ifindex == link->index && own.prefix.contains(vipa.address);
    });
  });
  return connected.empty() ? usable : connected;
}

// The questions, and to which VIPA each belongs.
struct Questions {
  std::vector<AddressQuestion> questions{};
  std::vector<std::size_t> vipas{};
};

Questions questions_of(const DoctorNeeds& needs, const HostSnapshot& host) {
  Questions asked;
  for (std::size_t i = 0; i < needs.vipas.size(); ++i) {
    if (needs.vipas[i].yields) continue;
    for (const auto* link : asked_interfaces(needs, needs.vipas[i], host)) {
      asked.questions.push_back({.ifindex = link->index,
                                 .interface = link->name,
                                 .mac = link->mac,
                                 .link_local = host.link_local_of(link->index),
                                 .address = needs.vipas[i].address});
      asked.vipas.push_back(i);
    }
  }
  return asked;
}

}  // namespace

Result<NetworkFacts> read_network(const DoctorNeeds& needs) {
  auto socket = NetlinkSocket::open({});
  if (!socket) return socket.error();
  auto control = RouteControl::open();
  if (!control) return control.error();
  auto host = read_host_snapshot(*socket);
  if (!host) return host.error();
  NetworkFacts facts{.forwards_v4 = read_number("net/ipv4/ip_forward"),
                     .forwards_v6 = read_number("net/ipv6/conf/all/forwarding")};
  for (const auto& vipa : needs.vipas) {
    auto read = read_vipa(*socket, *control, *host, vipa.address);
    if (!read) return read.error();
    facts.vipas.push_back(std::move(*read));
  }
  facts.is_server = std::any_of(host->addresses.begin(), host->addresses.end(), [&](const InterfaceAddress& own) {
    return needs.servers.contains(own.prefix.address);
  });
  facts.paths = read_paths(needs, *host, facts.vipas);
  facts.settings = check_profile(profile_needs(needs, *host));
  auto rules = read_policy_rules();
  if (!rules) return rules.error();
  facts.rules = std::move(*rules);
  facts.known = std::move(host->known);
  return facts;
}

boost::asio::awaitable<void> ask_for_vipas(boost::asio::io_context& io, const DoctorNeeds& needs,
                                           std::chrono::milliseconds wait, NetworkFacts& facts) {
  const auto host = read_host_snapshot();
  const auto asked = host ? questions_of(needs, *host) : Questions{};
  for (std::size_t i = 0; i < facts.vipas.size(); ++i)
    facts.vipas[i].unasked = needs.vipas[i].yields ? "its owner yields it to whoever answers or asks for it"
                                                   : "no interface that is up was named to ask on";
  if (!host || asked.questions.empty()) co_return;
  const auto answers = co_await probe_addresses(io, asked.questions, wait);
  if (!answers) {
    for (auto& vipa : facts.vipas) vipa.unasked = answers.error().message;
    co_return;
  }
  std::set<MacAddress> own;
  for (const auto& link : host->links) own.insert(link.mac);
  for (std::size_t i = 0; i < answers->size(); ++i) {
    auto& vipa = facts.vipas[asked.vipas[i]];
    if (!vipa.answers) vipa.answers.emplace();
    std::copy_if((*answers)[i].begin(), (*answers)[i].end(), std::inserter(*vipa.answers, vipa.answers->end()),
                 [&](const MacAddress& mac) { return !own.contains(mac); });
  }
}

}  // namespace xdplb
