// SPDX-License-Identifier: GPL-2.0-only
// tests/data/nft/NAME.json is what nft 1.0.6 said of NAME.nft.
#include "server/nft_rules.h"

#include <gmock/gmock.h>

#include <fstream>
#include <sstream>

#include "server_fixture.h"

namespace xdplb {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

std::string document(const std::string& name) {
  std::ifstream file(XDPLB_TEST_DATA "/nft/" + name + ".json");
  EXPECT_TRUE(file.is_open()) << name;
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

NftRules rules(const std::string& name) {
  auto parsed = NftRules::parse(document(name));
  EXPECT_TRUE(parsed) << name;
  return parsed.value_or(NftRules());
}

NftPacket to(const std::string& vipa, std::uint16_t port, Protocol protocol = Protocol::kTcp) {
  NftPacket packet;
  packet.destination = ip(vipa);
  packet.family = packet.destination->family();
  packet.protocol = protocol;
  packet.destination_port = port;
  packet.incoming = {"eth0"};
  return packet;
}

NftPacket from(const std::string& vipa, std::uint16_t port) {
  NftPacket packet;
  packet.source = ip(vipa);
  packet.family = packet.source->family();
  packet.protocol = Protocol::kTcp;
  packet.source_port = port;
  packet.outgoing = {"eth0"};
  return packet;
}

TEST(NftRules, RefuseWhatIsNoRuleset) {
  for (const char* text : {"", "{}", "[]", "{\"nftables\": 3}", "{\"nftables\": [", "nonsense"}) {
    EXPECT_FALSE(NftRules::parse(text)) << text;
  }
  EXPECT_TRUE(NftRules::parse("{\"nftables\": [3, {}, {\"rule\": null}, {\"chain\": {}}]}"));
}

TEST(NftRules, LetAPolicyDropWhatNoRuleAccepts) {
  const NftRules firewall = rules("host_firewall");
  EXPECT_FALSE(firewall.judge_incoming(to("192.0.2.10", 80)).is_dropped);
  EXPECT_FALSE(firewall.judge_incoming(to("192.0.2.10", 1000)).is_dropped);
  EXPECT_FALSE(firewall.judge_incoming(to("192.0.2.10", 2000)).is_dropped);
  EXPECT_FALSE(firewall.judge_incoming(to("2001:db8:1::10", 22)).is_dropped);
  for (const std::uint16_t port : std::initializer_list<std::uint16_t>{79, 81, 443, 999, 2001}) {
    const auto verdict = firewall.judge_incoming(to("192.0.2.10", port));
    EXPECT_TRUE(verdict.is_dropped) << port;
    EXPECT_THAT(verdict.place, HasSubstr("the policy of nftables chain inet filter input"));
  }
  EXPECT_TRUE(firewall.judge_incoming(to("192.0.2.10", 80, Protocol::kUdp)).is_dropped);
  // What depends on the client or on a rate is not told.
  EXPECT_FALSE(firewall.judge_incoming(to("192.0.2.10", 5432)).is_dropped);
  EXPECT_FALSE(firewall.judge_incoming(to("192.0.2.10", 53, Protocol::kUdp)).is_dropped);
  EXPECT_FALSE(firewall.judge_outgoing(from("192.0.2.10", 443)).is_dropped);
}

TEST(NftRules, KnowNoPortWithoutOne) {
  NftPacket packet;
  packet.destination = ip("192.0.2.10");
  packet.incoming = {"eth0"};
  EXPECT_FALSE(rules("host_firewall").judge_incoming(packet).is_dropped);
}

TEST(NftRules, FindRulesThatDrop) {
  const NftRules guard = rules("drops");
  struct Case {
    const char* description;
    NftPacket packet;
    bool is_dropped;
  };
  const std::vector<Case> cases = {
      {"a range of a named set", to("192.0.2.10", 80), true},
      {"another port", to("192.0.2.10", 81), false},
      {"outside of the named set", to("192.0.2.11", 80), false},
      {"a prefix of the named set", to("203.0.113.255", 80), true},
      {"a named set of pairs", to("192.0.2.12", 80), true},
      {"one half of a pair", to("192.0.2.12", 81), false},
      {"pairs in place", to("192.0.2.14", 81), true},
      {"no pair in place", to("192.0.2.14", 82), false},
      {"a chain that is jumped to", to("192.0.2.13", 80), true},
      {"back from a chain", to("192.0.2.13", 443), false},
      {"new connections to all ports but one", to("192.0.2.15", 80), true},
      {"new connections to the one port", to("192.0.2.15", 443), false},
      {"not TCP", to("192.0.2.15", 80, Protocol::kUdp), false},
      {"a verdict map that drops", to("2001:db8:1::10", 80), true},
      {"a verdict map that accepts", to("2001:db8:1::10", 22), false},
      {"a verdict map without the port", to("2001:db8:1::10", 443), false},
      {"interfaces by pattern", to("192.0.2.16", 80), true},
      {"interfaces by set", to("192.0.2.17", 80), true},
      {"an early chain of one family", to("192.0.2.18", 53, Protocol::kUdp), true},
      {"another protocol", to("192.0.2.18", 53), false},
  };
  for (const auto& [description, packet, is_dropped] : cases) {
    EXPECT_EQ(guard.judge_incoming(packet).is_dropped, is_dropped) << description;
  }
}

TEST(NftRules, AreSureOnlyWhereAllInterfacesAgree) {
  NftPacket packet = to("192.0.2.16", 80);
  packet.incoming = {"eth0", "lan0"};
  EXPECT_FALSE(rules("drops").judge_incoming(packet).is_dropped);
  packet.incoming = {"eth0", "eth1"};
  EXPECT_TRUE(rules("drops").judge_incoming(packet).is_dropped);
  packet.incoming = {"lan0"};
  EXPECT_FALSE(rules("drops").judge_incoming(packet).is_dropped);
}

TEST(NftRules, FindAnswersThatAreDropped) {
  const NftRules guard = rules("drops");
  EXPECT_TRUE(guard.judge_outgoing(from("192.0.2.10", 443)).is_dropped);
  EXPECT_TRUE(guard.judge_outgoing(from("192.0.2.11", 80)).is_dropped);
  EXPECT_FALSE(guard.judge_outgoing(from("192.0.2.11", 443)).is_dropped);
  const auto verdict = guard.judge_outgoing(from("192.0.2.10", 80));
  EXPECT_EQ(verdict.remedy(ip("192.0.2.10"), ServerPort{.port = 80}),
            "nft insert rule inet guard output ip saddr 192.0.2.10 tcp sport 80 accept");
}

TEST(NftRules, DropNothingByAnIngressChainOfUnknownDevices) {
  EXPECT_FALSE(rules("netdev").judge_incoming(to("192.0.2.10", 80)).is_dropped);
  auto text = document("netdev");
  const std::string where = "\"hook\": \"ingress\"";
  text.replace(text.find(where), where.size(), where + ", \"dev\": \"eth0\"");
  const auto known = NftRules::parse(text);
  ASSERT_TRUE(known);
  EXPECT_TRUE(known->judge_incoming(to("192.0.2.10", 80)).is_dropped);
  NftPacket other = to("192.0.2.10", 80);
  other.incoming = {"eth1"};
  EXPECT_FALSE(known->judge_incoming(other).is_dropped);
}

TEST(NftRules, IgnoreATableThatSleeps) {
  auto text = document("drops");
  const std::string where = "{\"family\": \"inet\", \"name\": \"guard\", \"handle\"";
  ASSERT_NE(text.find(where), std::string::npos);
  text.replace(text.find(where), where.size(),
               "{\"family\": \"inet\", \"name\": \"guard\", \"flags\": [\"dormant\"], \"handle\"");
  EXPECT_FALSE(NftRules::parse(text)->judge_incoming(to("192.0.2.10", 80)).is_dropped);
}

TEST(NftRules, FindRedirections) {
  const NftRules nat = rules("redirects");
  EXPECT_TRUE(nat.redirects(ip("192.0.2.10"), {}));
  EXPECT_TRUE(nat.redirects(ip("192.0.2.10"), {{.port = 80}, {.port = 53, .protocol = Protocol::kUdp}}));
  EXPECT_TRUE(nat.redirects(ip("192.0.2.11"), {}));
  EXPECT_TRUE(nat.redirects(ip("192.0.2.11"), {{.port = 80}}));
  EXPECT_FALSE(nat.redirects(ip("192.0.2.11"), {{.port = 80}, {.port = 443}}));
  EXPECT_TRUE(nat.redirects(ip("192.0.2.13"), {{.port = 80}, {.port = 443}}));
  EXPECT_EQ(nat.redirected_port(ip("192.0.2.10"), {.port = 81}), 81);
  EXPECT_EQ(nat.redirected_port(ip("192.0.2.11"), {.port = 80}), 8080);
  EXPECT_EQ(nat.redirected_port(ip("192.0.2.14"), {.port = 80}), 80);
  // Ports of containers on local addresses: the VIPA is none without alias.
  EXPECT_FALSE(nat.redirects(ip("192.0.2.15"), {}));
  EXPECT_FALSE(nat.redirects(ip("192.0.2.15"), {{.port = 80}}));
  EXPECT_FALSE(nat.redirects(ip("2001:db8:1::10"), {}));
}

class Firewalled : public Server {
 protected:
  Firewalled() { wish_.vipas = {ip("192.0.2.10")}; }
  void other_way() {
    add_eth1();
    std::erase_if(facts_.routes, [](auto& route) { return route.destination == prefix("0.0.0.0/0"); });
    way("0.0.0.0/0", "198.51.100.1", kEth1);
  }
};

TEST_F(Firewalled, TellsWhichPortIsDropped) {
  facts_.ruleset = document("host_firewall");
  EXPECT_THAT(codes(), IsEmpty());
  facts_.listeners.push_back({.address = ip("0.0.0.0"), .port = 443});
  wish_.ports.push_back({.port = 443});
  ASSERT_THAT(codes(), ElementsAre("nft_drop"));
  EXPECT_EQ(faults()[0].object, "192.0.2.10 port 443/tcp");
  EXPECT_EQ(remedy("nft_drop"), "nft insert rule inet filter input ip daddr 192.0.2.10 tcp dport 443 accept");
}

TEST_F(Firewalled, TellsOfBothWays) {
  facts_.ruleset = document("drops");
  EXPECT_THAT(codes(), ElementsAre("nft_drop", "nft_drop_answer"));
}

TEST_F(Firewalled, KnowsThatAStrongHostRuleDropsAnAliasOfLo) {
  facts_.ruleset = document("strong");
  EXPECT_THAT(codes(), ElementsAre("nft_drop"));
}

TEST_F(Firewalled, TakesAFibRuleForRpFilter) {
  facts_.ruleset = document("filters");
  EXPECT_THAT(codes(), IsEmpty());
  other_way();
  EXPECT_THAT(codes(), ElementsAre("rp_filter"));
  EXPECT_THAT(remedy("rp_filter"), HasSubstr("nft insert rule inet filters back ip daddr 192.0.2.10 accept"));
}

TEST_F(Firewalled, NeedsNeitherAliasNorSilenceForWhatIsRedirected) {
  facts_.ruleset = document("redirects");
  drop_alias("192.0.2.10");
  v4("all", "arp_ignore") = 0;
  v4("all", "arp_announce") = 0;
  EXPECT_THAT(codes(), IsEmpty());
  facts_.listeners = {{.address = ip("192.0.2.21"), .port = 80}};
  EXPECT_THAT(codes(), IsEmpty());
  facts_.listeners = {{.address = ip("127.0.0.1"), .port = 80}};
  EXPECT_THAT(codes(), ElementsAre("listens_elsewhere"));
  wish_.vipas = {ip("192.0.2.99")};
  EXPECT_THAT(codes(), testing::IsSupersetOf({"arp_ignore", "arp_announce", "alias_missing"}));
}

TEST_F(Firewalled, FollowsTheRedirectedPort) {
  facts_.ruleset = document("redirects");
  wish_.vipas = {ip("192.0.2.11")};
  EXPECT_THAT(codes(), ElementsAre("not_listening"));
  facts_.listeners = {{.address = ip("0.0.0.0"), .port = 8080}};
  EXPECT_THAT(codes(), IsEmpty());
}

TEST_F(Firewalled, SaysNothingOfWhatItCannotRead) {
  facts_.ruleset = "garbage";
  EXPECT_THAT(codes(), IsEmpty());
}

}  // namespace
}  // namespace xdplb
