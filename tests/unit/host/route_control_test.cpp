// SPDX-License-Identifier: GPL-2.0-only
#include "host/route_control.h"

#include <linux/rtnetlink.h>
#include <gmock/gmock.h>

#include "sandbox.h"

namespace xdplb {
namespace {

IpAddress ip(const char* text) { return *IpAddress::parse(text); }
IpPrefix prefix(const char* text) { return *IpPrefix::parse(text); }

constexpr std::uint32_t kTable = 0x58440000;
constexpr std::uint32_t kLo = 1;

class Routes : public Sandbox {
 protected:
  void SetUp() override {
    Sandbox::SetUp();
    if (IsSkipped()) return;
    plug_in(dispatcher_, "e0", "02:00:00:00:00:01");
    plug_in(dispatcher_, "e1", "02:00:00:00:00:02");
    dispatcher_.run(
        "ip addr add 192.0.2.4/24 dev e0; ip addr add 192.0.2.5/24 dev e1;"
        "ip addr add 2001:db8::4/64 dev e0; ip addr add 2001:db8::5/64 dev e1");
    e0_ = index("e0");
    e1_ = index("e1");
    auto opened = dispatcher_.inside([] { return RouteControl::open(); });
    ASSERT_TRUE(opened) << opened.error().message;
    control_.emplace(std::move(*opened));
  }
  std::uint32_t index(const std::string& name) const { return index_of(dispatcher_, name); }
  std::string output(const std::string& command) const { return dispatcher_.output(command); }
  Route route(const char* destination, const char* gateway, std::uint32_t ifindex) const {
    Route made;
    made.destination = prefix(destination);
    if (gateway != nullptr) made.gateway = ip(gateway);
    made.ifindex = ifindex;
    made.table = kTable;
    made.priority = 1024;
    if (gateway == nullptr && made.destination.address.is_v4()) made.scope = RT_SCOPE_LINK;
    return made;
  }

  std::optional<RouteControl> control_;
  std::uint32_t e0_ = 0;
  std::uint32_t e1_ = 0;
};

TEST_F(Routes, AreReplacedInPlaceAndReadBack) {
  for (const auto& [destination, gateway] :
       {std::pair("198.51.100.0/24", "192.0.2.1"), std::pair("2001:db8:1::/48", "2001:db8::1"),
        std::pair("0.0.0.0/0", "192.0.2.1"), std::pair("::/0", "2001:db8::1")}) {
    const Family family = prefix(destination).address.family();
    auto before = control_->own_routes(family);
    ASSERT_TRUE(before);
    for (std::uint32_t through : {e0_, e1_}) {
      Route wanted = route(destination, gateway, through);
      auto replaced = control_->replace(wanted);
      ASSERT_TRUE(replaced) << replaced.error().message;
      EXPECT_THAT(*control_->routes(family, kTable), testing::ElementsAre(wanted)) << destination;
    }
    EXPECT_EQ(control_->own_routes(family)->size(), before->size() + 1);
    ASSERT_TRUE(control_->remove(route(destination, gateway, e1_)));
    EXPECT_TRUE(control_->routes(family, kTable)->empty());
    auto again = control_->remove(route(destination, gateway, e1_));
    ASSERT_FALSE(again);
    EXPECT_EQ(again.error().code, ErrorCode::kNotFound);
  }
}

TEST_F(Routes, ThrowRoutesTakeTurnsWithOthers) {
  for (const auto& [destination, gateway] :
       {std::pair("198.51.100.0/24", "192.0.2.1"), std::pair("2001:db8:1::/48", "2001:db8::1")}) {
    const Family family = prefix(destination).address.family();
    Route thrown = route(destination, nullptr, 0);
    thrown.type = RTN_THROW;
    thrown.scope = 0;
    for (const Route& wanted : {thrown, route(destination, gateway, e0_), thrown}) {
      auto replaced = control_->replace(wanted);
      ASSERT_TRUE(replaced) << replaced.error().message;
      auto found = control_->routes(family, kTable);
      ASSERT_EQ(found->size(), 1u) << destination;
      EXPECT_EQ(found->front().type, wanted.type);
    }
    EXPECT_TRUE(control_->remove(control_->routes(family, kTable)->front()));
    EXPECT_TRUE(control_->own_routes(family)->empty());
  }
}

TEST_F(Routes, OfSeveralNextHopsComeOneByOneAndTellTheDeadOnes) {
  dispatcher_.run(
      "ip route add 198.51.100.0/24 metric 7 nexthop via 192.0.2.1 dev e0 nexthop via 192.0.2.2 dev e1;"
      "ip -6 route add 2001:db8:1::/48 metric 7 nexthop via 2001:db8::1 dev e0 nexthop via 2001:db8::2 dev e1");
  lan_.run("ip link set port-e0 down");
  await(dispatcher_, "ip -6 route show 2001:db8:1::/48", "e0.*linkdown");
  await(dispatcher_, "ip route show 198.51.100.0/24", "e0.*linkdown");
  for (const char* destination : {"198.51.100.0/24", "2001:db8:1::/48"}) {
    auto all = control_->routes(prefix(destination).address.family(), kMainTable);
    ASSERT_TRUE(all);
    std::erase_if(*all, [&](const Route& one) { return one.destination != prefix(destination); });
    ASSERT_EQ(all->size(), 2u);
    EXPECT_EQ((*all)[0].ifindex, e0_);
    EXPECT_TRUE((*all)[0].gateway);
    EXPECT_TRUE((*all)[0].is_dead);
    EXPECT_EQ((*all)[1].ifindex, e1_);
    EXPECT_FALSE((*all)[1].is_dead);
    EXPECT_EQ((*all)[1].priority, 7u);
  }
}

TEST_F(Routes, CarryMetricsOver) {
  dispatcher_.run("ip route add 198.51.100.0/24 via 192.0.2.1 dev e0 mtu lock 1400 initcwnd 20 congctl reno");
  auto all = control_->routes(Family::kV4, kMainTable);
  for (Route& one : *all) {
    if (one.destination != prefix("198.51.100.0/24")) continue;
    one.table = kTable;
    auto replaced = control_->replace(one);
    ASSERT_TRUE(replaced) << replaced.error().message;
  }
  EXPECT_THAT(output("ip route show table 1480851456"),
              testing::AllOf(testing::HasSubstr("mtu lock 1400"), testing::HasSubstr("initcwnd 20"),
                             testing::HasSubstr("congctl reno")));
}

TEST_F(Routes, WithAGatewayOfTheOtherFamilyAreLeftOut) {
  dispatcher_.run("ip route add 198.51.100.0/24 via inet6 2001:db8::1 dev e0");
  for (const Route& one : *control_->routes(Family::kV4, kMainTable)) {
    EXPECT_NE(one.destination, prefix("198.51.100.0/24"));
  }
}

TEST_F(Routes, OfATableThatDoesNotExistAreNone) {
  for (Family family : {Family::kV4, Family::kV6}) {
    auto found = control_->routes(family, 987654);
    ASSERT_TRUE(found) << found.error().message;
    EXPECT_TRUE(found->empty());
  }
}

TEST_F(Routes, RefusalNamesTheRouteAndGivesTheKernelsWords) {
  auto refused = control_->replace(route("198.51.100.0/24", "203.0.113.1", e0_));
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().message, testing::HasSubstr("route 198.51.100.0/24 via 203.0.113.1 table 1480851456"));
  EXPECT_THAT(refused.error().message, testing::HasSubstr("Nexthop has invalid gateway"));
}

TEST_F(Routes, RulesAreMadeOnceAndRemovedExactly) {
  for (const char* from : {"10.1.1.7", "2001:db8::7"}) {
    const Family family = ip(from).family();
    Rule rule{.family = family, .priority = 1088, .from = prefix(from), .table = kTable};
    Rule marked{.family = family, .priority = 1089, .mark = 0x80000001, .mark_mask = 0xffffffff, .table = kTable + 1};
    for (const Rule& one : {rule, marked, rule}) {
      auto added = control_->add(one);
      ASSERT_TRUE(added) << added.error().message;
    }
    auto ours = control_->rules(family);
    std::erase_if(*ours, [](const Rule& one) { return one.protocol != kRouteProtocol; });
    EXPECT_THAT(*ours, testing::ElementsAre(rule, marked));
    ASSERT_TRUE(control_->remove(rule));
    auto again = control_->remove(rule);
    ASSERT_FALSE(again);
    EXPECT_EQ(again.error().code, ErrorCode::kNotFound);
    EXPECT_THAT(again.error().message, testing::HasSubstr("rule from " + std::string(from) + " lookup 1480851456"));
    ASSERT_TRUE(control_->remove(marked));
    EXPECT_THAT(*control_->rules(family), testing::Not(testing::Contains(marked)));
  }
}

TEST_F(Routes, RulesOfEveryActionAndConditionAreMadeOnceReadBackAndRemoved) {
  for (const Family family : {Family::kV4, Family::kV6}) {
    const auto before = control_->rules(family);
    const std::vector<Rule> rules = {
        {.family = family,
         .priority = 5,
         .mark = 0x58000000,
         .mark_mask = 0xff000000,
         .is_inverted = true,
         .action = RuleAction::kGoto,
         .goto_priority = 8},
        {.family = family, .priority = 6, .mark = 0x58000001, .mark_mask = 0xffffffff, .table = kTable},
        {.family = family, .priority = 7, .mark = 0, .mark_mask = 1, .table = kTable},
        {.family = family, .priority = 8, .action = RuleAction::kNop},
        {.family = family, .priority = 8, .incoming = "nobody=here", .action = RuleAction::kNop},
        {.family = family,
         .priority = 9,
         .mark = 0x58420000,
         .mark_mask = 0xffff0000,
         .action = RuleAction::kUnreachable}};
    std::vector<RouteChange> changes;
    for (const Rule& rule : rules) changes.push_back({.kind = RouteChange::Kind::kPut, .object = rule});
    for (int round = 0; round < 2; ++round) {
      auto outcomes = control_->apply(changes);
      ASSERT_TRUE(outcomes) << outcomes.error().message;
      for (const auto& outcome : *outcomes) EXPECT_TRUE(outcome) << outcome.error().message;
    }
    auto ours = *control_->rules(family);
    std::erase_if(ours, [](const Rule& one) { return one.protocol != kRouteProtocol; });
    EXPECT_EQ(ours, rules);
    for (auto& change : changes) change.kind = RouteChange::Kind::kRemove;
    for (int round = 0; round < 2; ++round) {
      for (const auto& outcome : *control_->apply(changes)) EXPECT_TRUE(outcome) << outcome.error().message;
    }
    EXPECT_EQ(*control_->rules(family), *before);
  }
}

TEST_F(Routes, OneRefusedChangeOfManyIsNamedAndTheOthersAreMade) {
  std::vector<RouteChange> changes;
  for (std::uint32_t i = 0; i < 250; ++i) {
    Route made = route("198.51.100.0/24", i == 120 ? "203.0.113.1" : "192.0.2.1", e0_);
    made.table = kTable + i;
    changes.push_back({.kind = RouteChange::Kind::kPut, .object = made});
  }
  const auto outcomes = control_->apply(changes);
  ASSERT_TRUE(outcomes) << outcomes.error().message;
  for (std::size_t i = 0; i < outcomes->size(); ++i) EXPECT_EQ((*outcomes)[i].has_value(), i != 120) << i;
  EXPECT_THAT((*outcomes)[120].error().message, testing::HasSubstr("via 203.0.113.1 table 1480851576"));
  EXPECT_EQ(control_->own_routes(Family::kV4)->size(), 249U);
}

TEST_F(Routes, OwnOnesMayHaveAGatewayOfTheOtherFamily) {
  Route wanted = route("0.0.0.0/0", "2001:db8::10", e0_);
  wanted.is_onlink = true;
  ASSERT_TRUE(control_->replace(wanted));
  EXPECT_THAT(*control_->own_routes(Family::kV4), testing::ElementsAre(wanted));
  EXPECT_THAT(output("ip route show table 1480851456"), testing::HasSubstr("default via inet6 2001:db8::10 dev e0"));
  ASSERT_TRUE(control_->remove(wanted));
  EXPECT_TRUE(control_->own_routes(Family::kV4)->empty());
}

TEST_F(Routes, FixedNeighborsOfOursAreToldFromOthers) {
  dispatcher_.run("ip neigh add fe80::99 lladdr 02:00:00:00:00:99 dev e0 nud permanent");
  FixedNeighbor wanted{.ifindex = e0_, .address = ip("fe80::58:1:2"), .mac = *MacAddress::parse("02:00:00:00:00:0a")};
  for (const char* mac : {"02:00:00:00:00:0a", "02:00:00:00:00:0b"}) {
    wanted.mac = *MacAddress::parse(mac);
    ASSERT_TRUE(control_->apply({{.kind = RouteChange::Kind::kPut, .object = wanted}})->front());
    EXPECT_THAT(*control_->own_neighbors(Family::kV6), testing::ElementsAre(wanted));
  }
  EXPECT_THAT(output("ip neigh show fe80::58:1:2 dev e0"), testing::HasSubstr("02:00:00:00:00:0b PERMANENT"));
  for (int round = 0; round < 2; ++round) {
    EXPECT_TRUE(control_->apply({{.kind = RouteChange::Kind::kRemove, .object = wanted}})->front());
  }
  EXPECT_TRUE(control_->own_neighbors(Family::kV6)->empty());
  EXPECT_THAT(output("ip neigh show dev e0"), testing::HasSubstr("fe80::99"));
}

TEST_F(Routes, RulesWithOtherConditionsAreLeftOut) {
  auto before = control_->rules(Family::kV4);
  dispatcher_.run(
      "ip rule add from 10.1.1.7 oif e0 lookup 9 priority 5; ip rule add from 10.1.1.8 blackhole priority 6;"
      "ip rule add from 10.1.1.7 to 192.0.2.0/24 lookup 9 priority 7;"
      "ip rule add from 10.1.1.7 ipproto tcp lookup 9 priority 9;"
      "ip rule add lookup main suppress_prefixlength 0 priority 11");
  EXPECT_EQ(*control_->rules(Family::kV4), *before);
  EXPECT_THAT(*before, testing::Contains(testing::Field(&Rule::priority, 32766u)));
}

TEST_F(Routes, AddressesTellWhoMadeThem) {
  dispatcher_.run("ip addr add 203.0.113.7/32 dev lo");
  for (const char* text : {"10.1.1.7/32", "2001:db8::7/128"}) {
    auto made = control_->add_address(kLo, prefix(text));
    ASSERT_TRUE(made) << made.error().message;
    EXPECT_TRUE(*made);
    EXPECT_FALSE(*control_->add_address(kLo, prefix(text)));
    EXPECT_THAT(*control_->addresses(prefix(text).address.family()),
                testing::Contains(TaggedAddress{.ifindex = kLo, .prefix = prefix(text), .protocol = kRouteProtocol}));
  }
  EXPECT_THAT(*control_->addresses(Family::kV4),
              testing::Contains(TaggedAddress{.ifindex = kLo, .prefix = prefix("203.0.113.7/32"), .protocol = 0}));
  EXPECT_THAT(output("ip -6 addr show dev lo"), testing::Not(testing::HasSubstr("tentative")));
  EXPECT_THAT(output("ip -6 route show"), testing::Not(testing::HasSubstr("2001:db8::7")));
  for (const char* text : {"10.1.1.7/32", "2001:db8::7/128"}) {
    ASSERT_TRUE(control_->remove_address(kLo, prefix(text)));
    auto again = control_->remove_address(kLo, prefix(text));
    ASSERT_FALSE(again);
    EXPECT_EQ(again.error().code, ErrorCode::kNotFound) << again.error().message;
  }
  auto refused = control_->add_address(9999, prefix("10.1.1.7/32"));
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().message, testing::HasSubstr("address 10.1.1.7"));
}

}  // namespace
}  // namespace xdplb
