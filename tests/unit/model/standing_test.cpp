// SPDX-License-Identifier: GPL-2.0-only
#include "model/standing.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace xdplb {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr std::size_t kV4 = 0;
constexpr std::size_t kV6 = 1;

const HealthClock::time_point kNow{seconds(100000)};

ServerFacts unprobed() { return {}; }
ServerFacts probed(Health health) {
  ServerFacts facts{.health = {health, health}, .is_checked = {true, true}};
  if (health == Health::kDown) facts.health_reason.fill("L4CON connection refused");
  return facts;
}
ServerFacts up() { return probed(Health::kUp); }
ServerFacts down() { return probed(Health::kDown); }
ServerFacts unknown() { return probed(Health::kUnknown); }
ServerFacts said(Admin admin, AdminSource source, ServerFacts facts = up()) {
  facts.admin.set(source, admin);
  return facts;
}
ServerFacts unreachable(ServerFacts facts = up()) {
  facts.unreachable.fill("no answer to ARP for 192.0.2.21 on eth0");
  return facts;
}

ServerConfig in_tier(unsigned tier) { return {.tier = tier}; }

PortConfig port_of(std::size_t servers) { return {.port = 80, .servers = std::vector<ServerConfig>(servers)}; }

// What an IPv4 standing shall be.
struct Expected {
  bool is_in = false;
  unsigned weight = 0;
  std::string reason{};
};

struct StandingCase {
  const char* description;
  std::vector<ServerConfig> servers;
  std::vector<ServerFacts> facts;
  std::vector<Expected> expected;
  OnAllDown on_all_down = OnAllDown::kRowsStay;
  MinUp min_up{};
  bool is_all_down = false;
};

void check_cases(const std::vector<StandingCase>& cases) {
  for (const auto& each : cases) {
    SCOPED_TRACE(each.description);
    const PortConfig port{.min_up = each.min_up, .on_all_down = each.on_all_down, .servers = each.servers};
    const PortStanding standing = stand(port, each.facts, kNow);
    ASSERT_EQ(standing.servers.size(), each.expected.size());
    for (std::size_t i = 0; i < each.expected.size(); ++i) {
      const Standing& server = standing.servers[i][kV4];
      EXPECT_EQ(server.is_in, each.expected[i].is_in) << i;
      EXPECT_EQ(server.weight, each.expected[i].weight) << i;
      EXPECT_EQ(server.reason, each.expected[i].reason) << i;
    }
    EXPECT_EQ(standing.all_down[kV4], each.is_all_down);
  }
}

const Expected kUpWithTen{true, 10, "up: weight 10"};
const Expected kDownByRefusal{false, 0, "down: L4CON connection refused (IPv4)"};
const Expected kOpen{true, 10, "every server is down: traffic goes on to all (on_all_down rows-stay)"};

TEST(Stand, FollowsHealth) {
  ServerFacts trusted = unknown();
  trusted.trusts_unknown = {true, true};
  ServerFacts silent = down();
  silent.health_reason.fill("");
  check_cases({
      {"nothing probes them",
       {{}, {.weight = 3}},
       {unprobed(), unprobed()},
       {{true, 10, "nothing probes it: weight 10"}, {true, 3, "nothing probes it: weight 3"}}},
      {"one is down", {{}, {}}, {up(), down()}, {kUpWithTen, kDownByRefusal}},
      {"one is down and nothing tells why",
       {{}, {}},
       {up(), silent},
       {kUpWithTen, {false, 0, "down: its probes fail (IPv4)"}}},
      {"one is unknown", {{}, {}}, {up(), unknown()}, {kUpWithTen, {false, 0, "not probed yet (IPv4)"}}},
      {"an unknown one served before",
       {{}, {}},
       {up(), trusted},
       {kUpWithTen, {true, 10, "not probed yet, it served before: weight 10"}}},
      {"all are unknown",
       {{}, {}},
       {unknown(), unknown()},
       {{true, 10, "not probed yet, but no other server is up"},
        {true, 10, "not probed yet, but no other server is up"}}},
      {"an unknown one is a better hope than one that is down",
       {{}, {}},
       {down(), unknown()},
       {kDownByRefusal, {true, 10, "not probed yet, but no other server is up"}}},
  });
}

TEST(Stand, FollowsAdmin) {
  ServerFacts both = said(Admin::kDrain, AdminSource::kOperator);
  both.admin.set(AdminSource::kHook, Admin::kDown);
  check_cases({
      {"the operator drains",
       {{}, {}},
       {up(), said(Admin::kDrain, AdminSource::kOperator)},
       {kUpWithTen, {true, 0, "the operator drains it"}}},
      {"the agent drains now",
       {{}, {}},
       {up(), said(Admin::kDrainNow, AdminSource::kAgent)},
       {kUpWithTen, {true, 0, "the agent drains it now"}}},
      {"the configuration says down",
       {{}, {}},
       {up(), said(Admin::kDown, AdminSource::kConfig)},
       {kUpWithTen, {false, 0, "the configuration took it down"}}},
      {"the most severe of two", {{}, {}}, {up(), both}, {kUpWithTen, {false, 0, "a hook took it down"}}},
      {"drained and down",
       {{}, {}},
       {up(), said(Admin::kDrain, AdminSource::kOperator, down())},
       {kUpWithTen, kDownByRefusal}},
      {"all are drained: nobody gets new flows",
       {{}},
       {said(Admin::kDrain, AdminSource::kOperator)},
       {{true, 0, "the operator drains it"}}},
      {"the one that is up is drained: no resort to the other",
       {{}, {}},
       {said(Admin::kDrain, AdminSource::kOperator), down()},
       {{true, 0, "the operator drains it"}, kDownByRefusal}},
      {"all were taken down: that is no failure",
       {{}},
       {said(Admin::kDown, AdminSource::kOperator, down())},
       {{false, 0, "the operator took it down"}}},
  });
}

TEST(Stand, NeverSendsToAnUnreachableServer) {
  const std::string why = "no answer to ARP for 192.0.2.21 on eth0";
  check_cases({
      {"beside one that is up", {{}, {}}, {up(), unreachable()}, {kUpWithTen, {false, 0, why}}},
      {"nor when nothing probes it", {{}, {}}, {up(), unreachable(unprobed())}, {kUpWithTen, {false, 0, why}}},
      {"nor when all are down",
       {{}, {}},
       {down(), unreachable(down())},
       {kOpen, {false, 0, why}},
       OnAllDown::kRowsStay,
       {},
       true},
      {"alone, though its probes were answered",
       {{}},
       {unreachable()},
       {{false, 0, why}},
       OnAllDown::kRowsStay,
       {},
       true},
      {"alone, before the first probe", {{}}, {unreachable(unknown())}, {{false, 0, why}}},
      {"alone, with nothing that probes it", {{}}, {unreachable(unprobed())}, {{false, 0, why}}},
  });
}

TEST(Stand, WhenAllAreDownDoesWhatThePortSays) {
  check_cases({
      {"rows stay", {{}, {}}, {down(), down()}, {kOpen, kOpen}, OnAllDown::kRowsStay, {}, true},
      {"drop", {{}, {}}, {down(), down()}, {kDownByRefusal, kDownByRefusal}, OnAllDown::kDrop, {}, true},
      {"reset", {{}, {}}, {down(), down()}, {kDownByRefusal, kDownByRefusal}, OnAllDown::kReset, {}, true},
      {"one comes up", {{}, {}}, {down(), up()}, {kDownByRefusal, kUpWithTen}, OnAllDown::kReset, {}, false},
      {"admin still counts",
       {{}, {}, {}},
       {down(), said(Admin::kDrain, AdminSource::kOperator, down()),
        said(Admin::kDown, AdminSource::kOperator, down())},
       {kOpen, {true, 0, "the operator drains it"}, {false, 0, "the operator took it down"}},
       OnAllDown::kRowsStay,
       {},
       true},
      {"and so do tiers",
       {in_tier(0), in_tier(1)},
       {down(), down()},
       {kOpen, {true, 0, "backup of tier 1: 1 server of better tiers is up"}},
       OnAllDown::kRowsStay,
       {},
       true},
      {"and weights",
       {{.weight = 0}, {.weight = 7}},
       {down(), down()},
       {{true, 0, "weight 0 in the configuration"}, {true, 7, kOpen.reason}},
       OnAllDown::kRowsStay,
       {},
       true},
  });
}

TEST(Stand, TheManagersZeroForServersThatAreDownDoesNotCloseThePort) {
  ServerFacts facts = down();
  facts.manager_weight = 0;
  check_cases({{"all down", {{}, {}}, {facts, facts}, {kOpen, kOpen}, OnAllDown::kRowsStay, {}, true}});
  facts = up();
  facts.manager_weight = 0;
  check_cases({{"just up again", {{}}, {facts}, {kUpWithTen}}});
}

TEST(Stand, WorseTiersWaitForMinUpServers) {
  const std::vector<ServerConfig> tiers = {in_tier(0), in_tier(0), in_tier(1), in_tier(2)};
  const Expected one{true, 0, "backup of tier 1: 2 servers of better tiers are up"};
  const Expected two{true, 0, "backup of tier 2: 2 servers of better tiers are up"};
  const Expected three{true, 0, "backup of tier 2: 3 servers of better tiers are up"};
  const ServerFacts drained = said(Admin::kDrain, AdminSource::kOperator);
  ServerFacts weightless = up();
  weightless.agent_percent = 0;
  check_cases({
      {"enough in tier 0", tiers, {up(), up(), up(), up()}, {kUpWithTen, kUpWithTen, one, two}, {}, {.value = 2}},
      {"one too few in tier 0",
       tiers,
       {up(), down(), up(), up()},
       {kUpWithTen, kDownByRefusal, kUpWithTen, two},
       {},
       {.value = 2}},
      {"too few in tiers 0 and 1",
       tiers,
       {up(), down(), down(), up()},
       {kUpWithTen, kDownByRefusal, kDownByRefusal, kUpWithTen},
       {},
       {.value = 2}},
      {"three of three asked for",
       tiers,
       {up(), up(), up(), up()},
       {kUpWithTen, kUpWithTen, kUpWithTen, three},
       {},
       {.value = 3}},
      {"more asked for than there are",
       tiers,
       {up(), up(), up(), up()},
       {kUpWithTen, kUpWithTen, kUpWithTen, kUpWithTen},
       {},
       {.value = 1000}},
      {"half of four",
       tiers,
       {up(), up(), up(), up()},
       {kUpWithTen, kUpWithTen, one, two},
       {},
       {.value = 50, .is_percent = true}},
      {"more than half of four",
       tiers,
       {up(), up(), up(), up()},
       {kUpWithTen, kUpWithTen, kUpWithTen, three},
       {},
       {.value = 51, .is_percent = true}},
      {"a drained server takes no new flows",
       tiers,
       {up(), drained, up(), up()},
       {kUpWithTen, {true, 0, "the operator drains it"}, kUpWithTen, two},
       {},
       {.value = 2}},
      {"nor does one that asks for nothing",
       tiers,
       {up(), weightless, up(), up()},
       {kUpWithTen, {true, 0, "the agent asks for weight 0"}, kUpWithTen, two},
       {},
       {.value = 2}},
      {"an empty tier is passed over",
       {in_tier(1), in_tier(3)},
       {up(), up()},
       {kUpWithTen, {true, 0, "backup of tier 3: 1 server of better tiers is up"}}},
  });
}

TEST(Stand, TellsTheWorstTierInUse) {
  PortConfig port = port_of(3);
  port.servers[1].tier = 1;
  port.servers[2].tier = 3;
  EXPECT_EQ(stand(port, {up(), up(), up()}, kNow).tier, 0U);
  EXPECT_EQ(stand(port, {down(), up(), up()}, kNow).tier, 1U);
  EXPECT_EQ(stand(port, {down(), down(), up()}, kNow).tier, 3U);
  port.min_up = {.value = 2};
  EXPECT_EQ(stand(port, {up(), up(), up()}, kNow).tier, 1U);
  EXPECT_EQ(stand({}, {}, kNow).tier, 0U);
}

TEST(Stand, MultipliesWeights) {
  const auto with = [](unsigned agent, std::optional<unsigned> manager = {}) {
    ServerFacts facts = up();
    facts.agent_percent = agent;
    facts.manager_weight = manager;
    return facts;
  };
  const std::string agent_1 = "up: weight 10; the agent asks for 1 %";
  check_cases({
      {"half", {{}}, {with(50)}, {{true, 5, "up: weight 10; the agent asks for 50 %"}}},
      {"rounded down", {{}}, {with(54)}, {{true, 5, "up: weight 10; the agent asks for 54 %"}}},
      {"rounded up", {{}}, {with(55)}, {{true, 6, "up: weight 10; the agent asks for 55 %"}}},
      {"at least 1", {{}}, {with(1)}, {{true, 1, agent_1}}},
      {"but for 0", {{}}, {with(0)}, {{true, 0, "the agent asks for weight 0"}}},
      {"at most 100", {{.weight = 100}}, {with(256)}, {{true, 100, "up: weight 100; the agent asks for 256 %"}}},
      {"more than configured", {{}}, {with(256)}, {{true, 26, "up: weight 10; the agent asks for 256 %"}}},
      {"the manager's", {{}}, {with(100, 17)}, {{true, 17, "up: weight 17 of the manager"}}},
      {"not of a fixed weight", {{.has_fixed_weight = true}}, {with(100, 17)}, {kUpWithTen}},
      {"not of a weight of 0", {{.weight = 0}}, {with(100, 17)}, {{true, 0, "weight 0 in the configuration"}}},
  });
}

TEST(Stand, StartsSlowlyInTenSteps) {
  PortConfig port = port_of(1);
  port.slow_start_s = 20;
  ServerFacts facts = up();
  facts.up_since = kNow;
  struct Step {
    milliseconds after;
    unsigned weight;
    std::string reason;
    std::optional<milliseconds> next;
  };
  const Step steps[] = {
      {milliseconds(-1), 1, "slow start: 10 % of weight 10", milliseconds(2000)},
      {milliseconds(0), 1, "slow start: 10 % of weight 10", milliseconds(2000)},
      {milliseconds(1999), 1, "slow start: 10 % of weight 10", milliseconds(2000)},
      {milliseconds(2000), 2, "slow start: 20 % of weight 10", milliseconds(4000)},
      {milliseconds(7000), 4, "slow start: 40 % of weight 10", milliseconds(8000)},
      {milliseconds(17999), 9, "slow start: 90 % of weight 10", milliseconds(18000)},
      {milliseconds(18000), 10, "up: weight 10", std::nullopt},
      {milliseconds(1000000), 10, "up: weight 10", std::nullopt},
  };
  for (const Step& step : steps) {
    SCOPED_TRACE(step.after.count());
    const PortStanding standing = stand(port, {facts}, kNow + step.after);
    EXPECT_EQ(standing.servers[0][kV4].weight, step.weight);
    EXPECT_EQ(standing.servers[0][kV4].reason, step.reason);
    ASSERT_EQ(standing.changes_at.has_value(), step.next.has_value());
    if (step.next) {
      EXPECT_EQ(*standing.changes_at, kNow + *step.next);
    }
  }
}

TEST(Stand, SlowStartMultipliesWithTheOthersAndIsNamed) {
  PortConfig port = port_of(1);
  port.slow_start_s = 10;
  ServerFacts facts = up();
  facts.up_since = kNow - seconds(4);
  facts.manager_weight = 20;
  facts.agent_percent = 60;
  const Standing standing = stand(port, {facts}, kNow).servers[0][kV4];
  EXPECT_EQ(standing.weight, 6U);
  EXPECT_EQ(standing.reason, "slow start: 50 % of weight 20 of the manager; the agent asks for 60 %");
}

TEST(Stand, SlowStartConcernsOnlyWhoGetsNewFlows) {
  PortConfig port = port_of(3);
  port.slow_start_s = 10;
  port.servers[1].tier = 1;
  ServerFacts backup = up();
  backup.up_since = kNow;
  ServerFacts drained = said(Admin::kDrain, AdminSource::kOperator);
  drained.up_since = kNow;
  EXPECT_EQ(stand(port, {up(), backup, drained}, kNow).changes_at, std::nullopt);

  ServerFacts started = up();
  started.up_since = kNow - seconds(2);
  EXPECT_EQ(stand(port, {started, backup, drained}, kNow).changes_at, kNow + seconds(1));

  port = port_of(1);  // as if up: at once
  port.slow_start_s = 10;
  ServerFacts fallen = down();
  fallen.up_since = kNow;
  EXPECT_EQ(stand(port, {fallen}, kNow).servers[0][kV4].weight, 10U);

  port.slow_start_s = 0;  // off
  EXPECT_EQ(stand(port, {started}, kNow).servers[0][kV4].weight, 10U);
}

TEST(Stand, FamiliesAreIndependent) {
  PortConfig port = port_of(3);
  port.servers[2].family = Family::kV6;
  ServerFacts half = up();
  half.health = {Health::kUp, Health::kDown};
  half.health_reason = {"", "L4TOUT not connected in time"};
  const PortStanding standing = stand(port, {up(), half, down()}, kNow);
  EXPECT_EQ(standing.servers[1][kV4], (Standing{true, 10, "up: weight 10"}));
  EXPECT_EQ(standing.servers[1][kV6], (Standing{false, 0, "down: L4TOUT not connected in time (IPv6)"}));
  EXPECT_EQ(standing.servers[2][kV4], (Standing{false, 0, "it does not serve IPv4"}));
  EXPECT_EQ(standing.servers[2][kV6], (Standing{false, 0, "down: L4CON connection refused (IPv6)"}));
  EXPECT_EQ(standing.up, (std::array{2U, 1U}));

  const PortStanding fallen = stand(port, {down(), half, down()}, kNow);
  EXPECT_EQ(fallen.all_down, (std::array{false, true}));
  EXPECT_EQ(fallen.servers[0][kV6].is_in, true);
  EXPECT_EQ(fallen.servers[0][kV4].is_in, false);
}

TEST(Stand, TellsWhenFewerThanMinUpAreUp) {
  PortConfig port = port_of(4);
  port.min_up = {.value = 2};
  EXPECT_FALSE(stand(port, {up(), up(), down(), down()}, kNow).below_min_up[kV4]);
  EXPECT_TRUE(stand(port, {up(), unknown(), down(), down()}, kNow).below_min_up[kV4]);
  EXPECT_TRUE(stand(port, {up(), unreachable(), down(), down()}, kNow).below_min_up[kV4]);
  EXPECT_FALSE(
      stand(port, {up(), said(Admin::kDrain, AdminSource::kOperator), down(), down()}, kNow).below_min_up[kV4]);
  EXPECT_TRUE(stand(port, {up(), said(Admin::kDown, AdminSource::kOperator), down(), down()}, kNow).below_min_up[kV4]);
  EXPECT_EQ(stand(port, {up(), up(), down(), down()}, kNow).up[kV4], 2U);
  EXPECT_EQ(stand(port, {down(), down(), down(), down()}, kNow).up[kV4], 0U);
  EXPECT_TRUE(stand(port, {down(), down(), down(), down()}, kNow).below_min_up[kV4]);
}

TEST(Stand, AFamilyWithoutServersLacksNothing) {
  PortConfig port = port_of(1);
  port.servers[0].family = Family::kV4;
  const PortStanding standing = stand(port, {down()}, kNow);
  EXPECT_EQ(standing.below_min_up, (std::array{true, false}));
  EXPECT_EQ(standing.all_down, (std::array{true, false}));
}

TEST(MinUpCount, RoundsPercentUp) {
  PortConfig port = port_of(3);
  EXPECT_EQ(min_up_count(port, Family::kV4), 1U);
  port.min_up = {.value = 7};
  EXPECT_EQ(min_up_count(port, Family::kV4), 7U);
  port.min_up = {.value = 33, .is_percent = true};
  EXPECT_EQ(min_up_count(port, Family::kV4), 1U);
  port.min_up.value = 34;
  EXPECT_EQ(min_up_count(port, Family::kV4), 2U);
  port.min_up.value = 66;
  EXPECT_EQ(min_up_count(port, Family::kV4), 2U);
  port.min_up.value = 67;
  EXPECT_EQ(min_up_count(port, Family::kV4), 3U);
  port.min_up.value = 100;
  EXPECT_EQ(min_up_count(port, Family::kV4), 3U);
}

TEST(MinUpCount, PercentAreOfTheServersOfTheFamilyAndAtLeastOne) {
  PortConfig port = port_of(4);
  port.servers[0].family = Family::kV4;
  port.servers[1].family = Family::kV4;
  port.min_up = {.value = 100, .is_percent = true};
  EXPECT_EQ(min_up_count(port, Family::kV4), 4U);
  EXPECT_EQ(min_up_count(port, Family::kV6), 2U);
  port.servers.clear();
  EXPECT_EQ(min_up_count(port, Family::kV4), 1U);
}

}  // namespace
}  // namespace xdplb
