// SPDX-License-Identifier: GPL-2.0-only
#include "model/plan_restore.h"

#include "plan_fixture.h"

#include <gtest/gtest.h>

#include <set>

namespace xdplb {
namespace {

class PlanRestoreTest : public PlanTest {};

// The maps as a daemon leaves them.
MapReader maps_of(const Plan& plan) {
  return {.rows =
              [&plan](std::uint32_t first, std::uint32_t count) {
                for (const auto& [name, cluster] : plan.clusters)
                  for (const auto& [path, port] : cluster.ports)
                    for (const auto& rows : port->rows)
                      if (rows && rows->first_row == first) return rows->table.owners;
                return std::vector<std::uint16_t>(count);
              },
          .target = [&plan](std::uint16_t index) -> std::optional<ServerTarget> {
            for (const auto& [name, cluster] : plan.clusters)
              for (const auto& [path, port] : cluster.ports)
                if (const auto* found = port->server_at(index)) return found->target;
            return std::nullopt;
          }};
}

TEST_F(PlanRestoreTest, RestoringGivesThePlanThatWasThere) {
  for (int number = 1; number <= 9; ++number) add(number, static_cast<unsigned>(number));
  replan();
  const auto restored = restore_plan(config, {}, {}, assignments_of(plan), maps_of(plan), kSecret, kCapacity);
  const auto port = restored.find(kWeb);
  ASSERT_TRUE(port);
  EXPECT_EQ(port->servers, web().servers);
  EXPECT_EQ(port->seeds, web().seeds);
  EXPECT_EQ(port->rows_of(Family::kV4)->table.owners, web().rows_of(Family::kV4)->table.owners);
  EXPECT_EQ(restored.indexes.free_count(), plan.indexes.free_count());
  EXPECT_EQ(restored.rows.free_count(), plan.rows.free_count());
  auto next = make_plan(restored, config, host, kSecret);
  ASSERT_TRUE(next);
  EXPECT_EQ(next->find(kWeb), port);
}

TEST_F(PlanRestoreTest, RestoringHandsRowsOfStrangersToTheServersThatAreThere) {
  add(1);
  add(2);
  replan();
  const auto kept = assignments_of(plan);
  const auto config_kept = config;
  add(3);
  replan();
  const auto restored = restore_plan(config_kept, {}, {}, kept, maps_of(plan), kSecret, kCapacity);
  const auto port = restored.find(kWeb);
  ASSERT_TRUE(port);
  const auto& owners = port->rows_of(Family::kV4)->table.owners;
  EXPECT_EQ(std::set<std::uint16_t>(owners.begin(), owners.end()),
            (std::set<std::uint16_t>{index_of(*port, "s1"), index_of(*port, "s2")}));
}

TEST_F(PlanRestoreTest, RestoringLeavesOutNumbersThatContradictEachOther) {
  add(1);
  add(2);
  replan();
  auto assignments = assignments_of(plan);
  assignments.ports[kWeb].servers["s2"] = assignments.ports[kWeb].servers["s1"];
  EXPECT_FALSE(restore_plan(config, {}, {}, assignments, maps_of(plan), kSecret, kCapacity).find(kWeb));
  assignments = assignments_of(plan);
  assignments.ports[kWeb].rows[1] = assignments.ports[kWeb].rows[0];
  EXPECT_FALSE(restore_plan(config, {}, {}, assignments, maps_of(plan), kSecret, kCapacity).find(kWeb));
  assignments = {};
  EXPECT_FALSE(restore_plan(config, {}, {}, assignments, maps_of(plan), kSecret, kCapacity).find(kWeb));
}

TEST_F(PlanRestoreTest, AServerThatLeftGetsExactlyItsRowsBackAfterARestart) {
  for (int number = 1; number <= 5; ++number) add(number);
  replan();
  const auto before = web().rows_of(Family::kV4)->table.owners;
  host.targets.erase(server_address(2));
  replan();
  EXPECT_TRUE(web().rows_of(Family::kV4)->has_homes);
  host.targets.erase(server_address(4));
  replan();
  plan = restore_plan(config, {}, {}, assignments_of(plan), maps_of(plan), kSecret, kCapacity);
  resolve(4);
  replan();
  resolve(2);
  EXPECT_EQ(replan().rows_of(Family::kV4)->table.owners, before);
}

TEST_F(PlanRestoreTest, ADrainedServerIsStillDrained) {
  add(1);
  add(2);
  host.admins[{.port = kWeb, .server = "s1"}] = Admin::kDrain;
  replan();
  const auto restored = restore_plan(config, host.admins, {}, assignments_of(plan), maps_of(plan), kSecret, kCapacity);
  EXPECT_EQ(restored.find(kWeb)->servers, web().servers);
  EXPECT_EQ(restored.find(kWeb)->rows, web().rows);
  auto next = make_plan(restored, config, host, kSecret);
  ASSERT_TRUE(next);
  EXPECT_EQ(next->find(kWeb), restored.find(kWeb));
}

TEST_F(PlanRestoreTest, OptionsAndMembersKeepTheirPlaces) {
  add(1);
  add(2);
  auto& port = config.clusters[0].ports[0];
  port.pick = Pick::kLeastConnections;
  port.sticky_s = 60;
  replan();
  const auto restored = restore_plan(config, {}, {}, assignments_of(plan), maps_of(plan), kSecret, kCapacity);
  const auto found = restored.find(kWeb);
  ASSERT_TRUE(found);
  EXPECT_EQ(found->options, web().options);
  EXPECT_EQ(found->affinity, web().affinity);
  EXPECT_EQ(found->members, web().members);
  EXPECT_EQ(restored.clusters.at("web").options, plan.clusters.at("web").options);
  EXPECT_EQ(restored.options.free_count(), plan.options.free_count());
  EXPECT_EQ(restored.rows.free_count(), plan.rows.free_count());
}

}  // namespace
}  // namespace xdplb
