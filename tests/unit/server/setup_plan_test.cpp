// SPDX-License-Identifier: GPL-2.0-only
#include "server/setup_plan.h"

#include "server_fixture.h"

#include <gmock/gmock.h>

namespace xdplb {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

class SetupPlanTest : public Server {
 protected:
  std::vector<std::string> texts(ServerMethod method = ServerMethod::kLoopback, bool is_lasting = false) {
    std::vector<std::string> lines;
    for (const SetupStep& step : plan_setup(facts_, wish_, method, is_lasting)) lines.push_back(to_text(step.action));
    return lines;
  }
  void drop_alias(const std::string& text) {
    std::erase_if(facts_.addresses, [&](const auto& one) { return one.prefix.address == ip(text); });
    std::erase_if(facts_.routes, [&](const auto& one) { return one.destination.address == ip(text); });
  }
};

TEST_F(SetupPlanTest, RightServerNeedsNothing) { EXPECT_THAT(texts(), IsEmpty()); }

TEST_F(SetupPlanTest, SilenceComesBeforeTheAlias) {
  drop_alias("192.0.2.10");
  drop_alias("2001:db8:1::10");
  v4("all", "arp_ignore") = 0;
  v4("all", "arp_announce") = 1;
  v4("eth0", "arp_ignore") = 8;
  EXPECT_THAT(texts(),
              ElementsAre("sysctl net.ipv4.conf.all.arp_ignore: 0 -> 1", "sysctl net.ipv4.conf.eth0.arp_ignore: 8 -> 1",
                          "sysctl net.ipv4.conf.all.arp_announce: 1 -> 2", "address 192.0.2.10/32 on lo: added",
                          "address 2001:db8:1::10/128 on lo: added"));
}

TEST_F(SetupPlanTest, SilenceThatLastsDoesNotDependOnTheScopeOfTheAlias) {
  drop_alias("192.0.2.10");
  v4("all", "arp_ignore") = 0;
  v4("eth0", "arp_ignore") = 3;
  EXPECT_THAT(texts(), ElementsAre("address 192.0.2.10/32 on lo: added"));
  EXPECT_THAT(texts(ServerMethod::kLoopback, true),
              ElementsAre("sysctl net.ipv4.conf.eth0.arp_ignore: 3 -> 1", "address 192.0.2.10/32 on lo: added"));
}

TEST_F(SetupPlanTest, WideAliasGoesAfterTheRightOneCame) {
  drop_alias("192.0.2.10");
  address(kLo, "192.0.2.10/24");
  EXPECT_THAT(texts(), ElementsAre("address 192.0.2.10/32 on lo: added", "address 192.0.2.10/24 on lo: removed"));
}

TEST_F(SetupPlanTest, WideIpv6AliasGoesBefore) {
  drop_alias("2001:db8:1::10");
  address(kLo, "2001:db8:1::10/64");
  EXPECT_THAT(texts(),
              ElementsAre("address 2001:db8:1::10/64 on lo: removed", "address 2001:db8:1::10/128 on lo: added"));
}

TEST_F(SetupPlanTest, AliasElsewhereAndItsRoutes) {
  address(kEth0, "192.0.2.10/24");
  way("198.51.100.0/24", "192.0.2.10", kEth0);
  way("203.0.113.0/24", "192.0.2.1", kEth0).source = ip("192.0.2.10");
  EXPECT_THAT(texts(), ElementsAre("route 198.51.100.0/24 via 192.0.2.10 dev eth0: removed",
                                   "address 192.0.2.10/24 on eth0: removed",
                                   "route 203.0.113.0/24 via 192.0.2.1 dev eth0: source 192.0.2.10 removed"));
}

TEST_F(SetupPlanTest, LoopbackThatIsDownComesUpFirst) {
  link("lo").is_up = false;
  EXPECT_THAT(texts(), ElementsAre("interface lo: down -> up"));
}

TEST_F(SetupPlanTest, InterfacesToComeAreSilenced) {
  facts_.links.resize(1);
  v4("all", "arp_ignore") = 0;
  v4("all", "arp_announce") = 0;
  wish_.vipas = {ip("192.0.2.10")};
  EXPECT_THAT(texts(), ElementsAre("sysctl net.ipv4.conf.all.arp_ignore: 0 -> 1",
                                   "sysctl net.ipv4.conf.all.arp_announce: 0 -> 2"));
}

TEST_F(SetupPlanTest, NftTakesAliasesAwayAndNeedsNoSilence) {
  v4("all", "arp_ignore") = 0;
  EXPECT_THAT(texts(ServerMethod::kNft),
              ElementsAre("address 192.0.2.10/32 on lo: removed", "address 2001:db8:1::10/128 on lo: removed"));
}

TEST_F(SetupPlanTest, StepTellsItselfBackwards) {
  const SetSysctl set{.name = "net/ipv4/conf/eth0.7/rp_filter", .before = 1, .after = 2};
  EXPECT_EQ(to_text(set), "sysctl net/ipv4/conf/eth0.7/rp_filter: 1 -> 2");
  EXPECT_EQ(to_undo_text(set), "sysctl net/ipv4/conf/eth0.7/rp_filter: 2 -> 1");
  EXPECT_THAT(served_networks(set), ElementsAre(prefix("0.0.0.0/0")));
}

}  // namespace
}  // namespace xdplb
