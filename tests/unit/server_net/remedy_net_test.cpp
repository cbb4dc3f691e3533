// SPDX-License-Identifier: GPL-2.0-only
// Each wrong set-up is told by its code, and its remedy typed as it stands cures it.
#include <gmock/gmock.h>

#include "server/server_judge.h"
#include "server_sandbox.h"

namespace xdplb {
namespace {

using testing::IsEmpty;

struct Wrong {
  const char* name;  // of the test
  const char* commands;
  const char* code;
};
void PrintTo(const Wrong& wrong, std::ostream* out) { *out << wrong.commands; }

class Remedy : public ServerSandbox, public testing::WithParamInterface<Wrong> {
 protected:
  void SetUp() override {
    ServerSandbox::SetUp();
    if (IsSkipped()) return;
    plug_in(server(), "e1", "02:00:00:00:00:22");
    server().run(
        "ip addr add 198.51.100.21/24 dev e1; ip addr add 2001:db8:2::21/64 dev e1;"
        "sysctl -qw net.ipv4.conf.e1.rp_filter=0");
    web_ = listen({.address = "::"});
  }
  Faults judge() const {
    return judge_server(read(), {.vipas = {ip("192.0.2.10"), ip("2001:db8:1::10")}, .ports = {{.port = 80}}});
  }
  static std::string described(const Faults& faults) {
    std::string text;
    for (const Fault& fault : faults) {
      text += fault.code + " " + fault.object + ": " + fault.text + "\n  " + fault.remedy + "\n";
    }
    return text;
  }

  FileDescriptor web_;
};

TEST_P(Remedy, Cures) {
  EXPECT_THAT(judge(), IsEmpty()) << described(judge());
  server().run(GetParam().commands);
  Faults faults = judge();
  ASSERT_FALSE(faults.empty());
  for (const Fault& fault : faults) EXPECT_EQ(fault.code, GetParam().code) << described(faults);
  // The second family may have a fault of the same kind.
  for (int round = 0; round < 3 && !faults.empty(); ++round) {
    std::string remedy = faults.front().remedy;
    ASSERT_NE(remedy, "") << described(faults);
    if (auto place = remedy.find("GATEWAY"); place != std::string::npos) remedy.replace(place, 7, "192.0.2.1");
    server().run(remedy);
    faults = judge();
  }
  EXPECT_THAT(faults, IsEmpty()) << described(faults);
}

const Wrong kWrong[] = {
    {"ArpIgnore", "sysctl -qw net.ipv4.conf.all.arp_ignore=0", "arp_ignore"},
    {"ArpIgnoreOnLoOnly", "sysctl -qw net.ipv4.conf.all.arp_ignore=0 net.ipv4.conf.lo.arp_ignore=1", "arp_ignore"},
    {"ArpIgnoreOnOneOnly", "sysctl -qw net.ipv4.conf.all.arp_ignore=0 net.ipv4.conf.e0.arp_ignore=1", "arp_ignore"},
    {"ArpIgnoreReserved", "sysctl -qw net.ipv4.conf.e0.arp_ignore=5", "arp_ignore"},
    {"ArpIgnoreScope", "sysctl -qw net.ipv4.conf.all.arp_ignore=3", "arp_ignore_scope"},
    {"ArpIgnoreAll", "sysctl -qw net.ipv4.conf.e0.arp_ignore=8", "arp_ignore_all"},
    {"ArpAnnounce", "sysctl -qw net.ipv4.conf.all.arp_announce=1", "arp_announce"},
    {"ProxyArp", "sysctl -qw net.ipv4.conf.e0.proxy_arp=1", "proxy_arp"},
    {"PublishedArp", "ip neigh add proxy 192.0.2.10 dev e0", "published_arp"},
    {"PublishedNd", "ip neigh add proxy 2001:db8:1::10 dev e0", "published_nd"},
    {"ProxyNdp", "sysctl -qw net.ipv6.conf.all.proxy_ndp=1", "proxy_ndp"},
    {"AliasMissing", "ip addr del 192.0.2.10/32 dev lo", "alias_missing"},
    {"AliasMissingV6", "ip addr del 2001:db8:1::10/128 dev lo", "alias_missing"},
    {"AliasWide", "ip addr del 192.0.2.10/32 dev lo; ip addr add 192.0.2.10/24 dev lo", "alias_wide"},
    {"AliasWideBeside", "ip addr add 192.0.2.10/24 dev lo", "alias_wide"},
    {"AliasWideV6", "ip addr del 2001:db8:1::10/128 dev lo; ip addr add 2001:db8:1::10/64 dev lo", "alias_wide"},
    {"AliasOnWire", "ip addr del 192.0.2.10/32 dev lo; ip addr add 192.0.2.10/24 dev e0", "alias_wrong_device"},
    {"AliasOnWireV6", "ip addr del 2001:db8:1::10/128 dev lo; ip addr add 2001:db8:1::10/128 dev e0 nodad",
     "alias_wrong_device"},
    {"ExtraRoute", "ip route add local 192.0.2.0/24 dev lo", "extra_local_route"},
    {"ExtraRouteV6", "ip route add local 2001:db8:1::/64 dev lo", "extra_local_route"},
    {"ExtraRouteOfAnother", "ip addr add 192.0.2.99/25 dev lo", "extra_local_route"},
    {"RouteSource", "ip route replace default via 192.0.2.1 dev e0 src 192.0.2.10", "route_src_vipa"},
    {"RuleBlackhole",
     "ip rule add pref 100 lookup local; ip rule del pref 0; ip rule add pref 50 to 192.0.2.10 blackhole",
     "rule_in_the_way"},
    {"RuleElsewhere",
     "ip rule add pref 100 lookup local; ip rule del pref 0; ip route add default via 192.0.2.1 table 77;"
     "ip rule add pref 50 iif e0 lookup 77",
     "rule_in_the_way"},
    {"RuleAtZero", "ip rule add pref 100 lookup local; ip rule del pref 0; ip rule add pref 1 from all prohibit",
     "rule_in_the_way"},
    {"RuleV6", "ip -6 rule add pref 100 lookup local; ip -6 rule del pref 0; ip -6 rule add pref 9 prohibit",
     "rule_in_the_way"},
    {"RuleLocalGone", "ip rule del pref 0", "rule_in_the_way"},
    {"RuleAnswers", "ip rule add pref 1000 from 192.0.2.10 unreachable", "rule_in_the_way"},
    {"LocalMissing", "ip route del local 192.0.2.10 dev lo table local", "local_missing"},
    {"LocalMissingV6", "ip -6 route del local 2001:db8:1::10 dev lo table local", "local_missing"},
    {"LocalBlackhole",
     "ip route del local 192.0.2.10 dev lo table local; ip route add blackhole 192.0.2.10/32 table local",
     "local_missing"},
    {"RpFilter", "sysctl -qw net.ipv4.conf.all.rp_filter=1; ip route replace default via 198.51.100.1 dev e1",
     "rp_filter"},
    {"RouteLocalnet", "sysctl -qw net.ipv4.conf.all.route_localnet=1", "route_localnet"},
    {"NftDrop",
     "nft add table inet f; nft 'add chain inet f i { type filter hook input priority 0; policy accept; }';"
     "nft add rule inet f i ip daddr 192.0.2.10 tcp dport 80 drop",
     "nft_drop"},
    {"NftPolicy",
     "nft add table inet f; nft 'add chain inet f i { type filter hook input priority 0; policy drop; }';"
     "nft add rule inet f i tcp dport 22 accept",
     "nft_drop"},
    {"NftStrong",
     "nft add table inet f; nft 'add chain inet f p { type filter hook prerouting priority -300; }';"
     "nft 'add rule inet f p fib daddr . iif type != { local, broadcast, multicast } drop'",
     "nft_drop"},
    {"NftAnswers",
     "nft add table ip f; nft 'add chain ip f o { type filter hook output priority 0; }';"
     "nft add rule ip f o ip saddr 192.0.2.10 reject",
     "nft_drop_answer"},
    {"NftFib",
     "ip route replace default via 198.51.100.1 dev e1; nft add table inet f;"
     "nft 'add chain inet f p { type filter hook prerouting priority -300; }';"
     "nft 'add rule inet f p meta nfproto ipv4 fib saddr . iif oif missing drop'",
     "rp_filter"},
    {"NoWayOut", "ip route del default", "no_way_out"},
    {"MtuOut", "ip -6 route replace default via 2001:db8:2::1 dev e1; ip link set e1 mtu 9000", "mtu"},
};

INSTANTIATE_TEST_SUITE_P(Of, Remedy, testing::ValuesIn(kWrong),
                         [](const auto& about) { return std::string(about.param.name); });

// What belongs to no one command: told, but not cured by one.
class Told : public Remedy {};

TEST_P(Told, ByItsCode) {
  server().run(GetParam().commands);
  const Faults faults = judge();
  EXPECT_TRUE(std::any_of(faults.begin(), faults.end(), [](auto& fault) { return fault.code == GetParam().code; }))
      << described(faults);
}

const Wrong kTold[] = {
    {"RouteVia",
     "ip addr del 192.0.2.10/32 dev lo; ip route replace default via 192.0.2.10 dev e0;"
     "ip addr add 192.0.2.10/32 dev lo",
     "route_via_vipa"},
    {"Ipv6Disabled", "sysctl -qw net.ipv6.conf.lo.disable_ipv6=1", "ipv6_disabled"},
    {"Mtu", "ip link set e0 mtu 1200", "mtu"},
    {"Tentative",
     "sysctl -qw net.ipv6.conf.e0.accept_dad=1 net.ipv6.conf.e0.dad_transmits=3; ip addr del 2001:db8:1::10/128 dev lo;"
     "ip addr add 2001:db8:1::10/128 dev e0",
     "alias_tentative"},
    {"Forwarding", "ip addr del 192.0.2.10/32 dev lo; sysctl -qw net.ipv4.ip_forward=1", "forwarding"},
    {"Nonlocal", "ip addr del 192.0.2.10/32 dev lo; sysctl -qw net.ipv4.ip_nonlocal_bind=1", "nonlocal"},
};

INSTANTIATE_TEST_SUITE_P(Of, Told, testing::ValuesIn(kTold),
                         [](const auto& about) { return std::string(about.param.name); });

TEST_F(Remedy, IsNotAskedForByARedirection) {
  server().run(
      "ip addr del 192.0.2.10/32 dev lo; sysctl -qw net.ipv4.conf.all.arp_ignore=0 net.ipv4.conf.all.arp_announce=0;"
      "nft add table ip r; nft 'add chain ip r p { type nat hook prerouting priority dstnat; }';"
      "nft add rule ip r p ip daddr 192.0.2.10 redirect");
  EXPECT_THAT(judge_server(read(), {.vipas = {ip("192.0.2.10")}, .ports = {{.port = 80}}}), IsEmpty());
}

}  // namespace
}  // namespace xdplb
