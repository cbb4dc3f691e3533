// SPDX-License-Identifier: GPL-2.0-only
// setup_server() and remove_server() on broken servers: cured, and afterwards everything as it was.
#include "setup_fixture.h"

namespace xdplb {
namespace {

struct BrokenServer {
  std::string description{};
  std::string commands{};
  std::vector<std::string> vipas{"192.0.2.10"};
  ServerMethod method = ServerMethod::kLoopback;
};

class BrokenServers : public SetupTest, public testing::WithParamInterface<BrokenServer> {};

TEST_P(BrokenServers, AreCuredAndComeBackByteForByte) {
  server_.run(GetParam().commands.empty() ? "true" : GetParam().commands);
  await_ipv6();
  SetupOptions options = options_for(GetParam().vipas);
  options.method = GetParam().method;
  expect_cure_and_return(options);
}

const BrokenServer kBroken[] = {
    {.description = "Nothing"},
    {.description = "NothingV6", .vipas = {"2001:db8::10"}},
    {.description = "BothFamilies", .vipas = {"192.0.2.10", "2001:db8::10", "198.51.100.1"}},
    {.description = "LoDown", .commands = "ip link set lo down", .vipas = {"192.0.2.10", "2001:db8::10"}},
    {.description = "WideAlias", .commands = "ip address add 192.0.2.10/24 dev lo"},
    {.description = "WideAliasV6", .commands = "ip address add 2001:db8::10/64 dev lo", .vipas = {"2001:db8::10"}},
    {.description = "WideAliasWithOthersBehind",
     .commands = "ip address add 192.0.2.10/24 dev lo scope global label lo:vip;"
                 "ip address add 192.0.2.77/24 dev lo; ip address add 203.0.113.5/32 dev lo"},
    {.description = "WideAliasBehindAnother",
     .commands = "ip address add 192.0.2.77/24 dev lo; ip address add 192.0.2.10/24 dev lo"},
    {.description = "WideAliasWithRoutes",
     .commands = "ip address add 192.0.2.10/32 dev lo; ip route add 198.51.100.0/24 via 192.0.2.1 src 192.0.2.10 "
                 "metric 7; ip route add 203.0.113.0/24 dev lo table 77 mtu 1400; ip address add 192.0.2.10/24 dev lo; "
                 "ip address delete 192.0.2.10/32 dev lo"},
    {.description = "WideAliasAndOnEth0First",
     .commands = "ip address flush dev eth0; ip address add 192.0.2.10/24 brd + dev eth0;"
                 "ip address add 192.0.2.11/24 dev eth0; ip route add default via 192.0.2.1;"
                 "ip address add 192.0.2.10/24 dev lo; sysctl -qw net.ipv4.conf.eth0.arp_ignore=8"},
    {.description = "AliasAndRouteViaVipa",
     .commands = "ip route add 198.51.100.0/24 via 192.0.2.10 mtu 1400; ip address add 192.0.2.10/32 dev lo;"
                 "ip address add 203.0.113.7/32 dev lo"},
    {.description = "OnEth0", .commands = "ip address add 192.0.2.10/32 dev eth0"},
    {.description = "OnEth0Wide", .commands = "ip address add 192.0.2.10/24 dev eth0"},
    {.description = "OnEth0First",
     .commands = "ip address flush dev eth0; ip address add 192.0.2.10/24 brd + dev eth0;"
                 "ip address add 192.0.2.11/24 dev eth0 label eth0:own; ip route add default via 192.0.2.1;"
                 "ip route add 198.51.100.0/24 via 192.0.2.1 src 192.0.2.11 mtu 1300"},
    {.description = "OnEth0AsRouteSource",
     .commands = "ip address add 192.0.2.10/24 dev eth0; ip route add 198.51.100.0/24 via 192.0.2.1 src 192.0.2.10"},
    {.description = "OnEth0V6", .commands = "ip address add 2001:db8::10/64 dev eth0", .vipas = {"2001:db8::10"}},
    {.description = "OnEth0FirstV6",
     .commands = "ip address del 2001:db8::11/64 dev eth0; ip address add 2001:db8::10/64 dev eth0;"
                 "ip address add 2001:db8::11/64 dev eth0; ip -6 route add 2001:db8:5::/48 via 2001:db8::1 src "
                 "2001:db8::10 metric 50",
     .vipas = {"2001:db8::10"}},
    {.description = "ArpIgnoreAll", .commands = "sysctl -qw net.ipv4.conf.eth0.arp_ignore=8"},
    {.description = "ArpIgnoreOfLoOnly", .commands = "sysctl -qw net.ipv4.conf.lo.arp_ignore=1"},
    {.description = "ArpIgnoreScope",
     .commands = "sysctl -qw net.ipv4.conf.all.arp_ignore=3; ip address add 192.0.2.10/32 dev lo"},
    {.description = "ArpIgnoreScopeWithoutAlias", .commands = "sysctl -qw net.ipv4.conf.all.arp_ignore=3"},
    {.description = "ArpIgnoreReserved", .commands = "sysctl -qw net.ipv4.conf.eth0.arp_ignore=5"},
    {.description = "ProxyArp",
     .commands = "sysctl -qw net.ipv4.ip_forward=1 net.ipv4.conf.eth0.proxy_arp=1 net.ipv4.conf.all.proxy_arp=1"},
    {.description = "PublishedArp", .commands = "ip neighbour add proxy 192.0.2.10 dev eth0"},
    {.description = "PublishedNd",
     .commands = "sysctl -qw net.ipv6.conf.eth0.proxy_ndp=1; ip -6 neighbour add proxy 2001:db8::10 dev eth0",
     .vipas = {"2001:db8::10"}},
    {.description = "ExtraLocalRoute", .commands = "ip route add local 192.0.2.0/24 dev lo"},
    {.description = "ExtraLocalRouteWithAlias",
     .commands = "ip address add 192.0.2.10/32 dev lo; ip route add local 192.0.2.0/25 dev lo metric 9"},
    {.description = "RouteViaVipa", .commands = "ip route add 198.51.100.0/24 via 192.0.2.10 mtu 1400 metric 3"},
    {.description = "RouteSrcVipa",
     .commands = "ip address add 192.0.2.10/32 dev lo; ip route change default via 192.0.2.1 src 192.0.2.10"},
    {.description = "Ipv6Disabled",
     .commands = "sysctl -qw net.ipv6.conf.lo.disable_ipv6=1",
     .vipas = {"2001:db8::10"}},
    {.description = "RpFilter",
     .commands = "sysctl -qw net.ipv4.conf.all.rp_filter=1; ip link add eth1 type veth peer name lan1;"
                 "ip link set eth1 up; ip link set lan1 up; ip address add 198.51.100.11/24 dev eth1;"
                 "ip route change default via 198.51.100.1"},
    {.description = "Nft", .method = ServerMethod::kNft},
    {.description = "NftBoth", .vipas = {"192.0.2.10", "2001:db8::10"}, .method = ServerMethod::kNft},
    {.description = "NftInPlaceOfAlias",
     .commands = "ip address add 192.0.2.10/24 dev lo; ip address add 192.0.2.10/32 dev eth0; nft add table ip mine",
     .method = ServerMethod::kNft},
};
INSTANTIATE_TEST_SUITE_P(Setup, BrokenServers, testing::ValuesIn(kBroken),
                         [](const auto& row) { return row.param.description; });

}  // namespace
}  // namespace xdplb
