// SPDX-License-Identifier: GPL-2.0-only
#include "server/server_facts.h"

#include "host/netlink_socket.h"
#include "host/route_netlink.h"
#include "host/sysctl.h"
#include "server/facts_listeners.h"
#include "server/facts_netlink.h"
#include "server/facts_ruleset.h"

#include <linux/ethtool.h>
#include <linux/rtnetlink.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <array>
#include <cstring>

namespace xdplb {
namespace {

constexpr std::array kV4Keys = {"arp_ignore", "arp_announce", "arp_filter",     "proxy_arp",   "proxy_arp_pvlan",
                                "rp_filter",  "forwarding",   "route_localnet", "accept_local"};
constexpr std::array kV6Keys = {"proxy_ndp", "forwarding", "disable_ipv6", "accept_dad"};
constexpr std::array kSingleKeys = {"net/ipv4/ip_forward", "net/ipv4/ip_nonlocal_bind", "net/ipv6/ip_nonlocal_bind"};

// One table; `append` takes a message into `out`.
template <typename T, typename Append>
Result<void> dump_into(NetlinkSocket& socket, std::vector<std::uint8_t> request, const std::string& what,
                       std::vector<T>& out, const Append& append) {
  const std::size_t before = out.size();
  auto answer = socket.dump(
      std::move(request), [&] { out.erase(out.begin() + static_cast<std::ptrdiff_t>(before), out.end()); },
      [&](const nlmsghdr& message) { append(message, out); });
  if (!answer) return answer.error();
  // A kernel without IPv6 has none of its tables.
  if (answer->number != 0 && answer->number != EAFNOSUPPORT && answer->number != EOPNOTSUPP) {
    return os_error("netlink: list the " + what, answer->number);
  }
  return {};
}

Result<void> read_tables(ServerFacts& facts) {
  auto socket = NetlinkSocket::open({});
  if (!socket) return socket.error();
  auto read = dump_into(*socket, make_dump_request(RTM_GETLINK, 0), "links", facts.links, read_link);
  if (read) {
    read = dump_into(*socket, make_dump_request(RTM_GETADDR, 0), "addresses", facts.addresses, read_server_address);
  }
  if (read) read = dump_into(*socket, make_published_dump(), "proxy neighbours", facts.published, read_published);
  for (Family family : {Family::kV4, Family::kV6}) {
    if (!read) return read;
    read = dump_into(*socket, make_route_dump(family, 0, 0), "routes", facts.routes,
                     [&](const nlmsghdr& message, auto& out) { read_server_routes(message, family, out); });
    if (!read) return read;
    read = dump_into(*socket, make_rule_dump(family), "rules", facts.rules,
                     [&](const nlmsghdr& message, auto& out) { read_server_rule(message, family, out); });
  }
  return read;
}

void read_settings(ServerFacts& facts) {
  auto take = [&](const std::string& name) {
    if (auto value = read_sysctl(name)) facts.sysctls[name] = *value;
  };
  std::vector<std::string> scopes = {"all", "default"};
  for (const ServerLink& link : facts.links) scopes.push_back(link.name);
  for (const std::string& scope : scopes) {
    for (const char* key : kV4Keys) take("net/ipv4/conf/" + scope + "/" + key);
    for (const char* key : kV6Keys) take("net/ipv6/conf/" + scope + "/" + key);
  }
  for (const char* name : kSingleKeys) take(name);
}

void read_offloads(ServerFacts& facts) {
  const FileDescriptor fd(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  if (!fd.is_open()) return;
  for (ServerLink& link : facts.links) {
    ethtool_value value{.cmd = ETHTOOL_GFLAGS, .data = 0};
    ifreq request{};
    std::strncpy(request.ifr_name, link.name.c_str(), sizeof(request.ifr_name) - 1);
    request.ifr_data = reinterpret_cast<char*>(&value);
    if (::ioctl(fd.get(), SIOCETHTOOL, &request) == 0) link.has_lro = (value.data & ETH_FLAG_LRO) != 0;
  }
}

}  // namespace

Result<ServerFacts> read_server_facts() {
  ServerFacts facts;
  if (auto read = read_tables(facts); !read) return read.error();
  read_settings(facts);
  read_offloads(facts);
  if (auto listeners = read_listeners()) {
    facts.listeners = std::move(*listeners);
  } else {
    facts.listeners_failure = listeners.error().message;
  }
  if (auto ruleset = read_ruleset()) {
    facts.ruleset = std::move(*ruleset);
  } else {
    facts.ruleset_failure = ruleset.error().message;
  }
  return facts;
}

}  // namespace xdplb
