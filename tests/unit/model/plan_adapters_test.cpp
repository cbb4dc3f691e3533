// SPDX-License-Identifier: GPL-2.0-only
// A server with several adapters: which one its frames go to, and that nothing but that changes.
#include "model/plan.h"

#include "plan_fixture.h"

#include <gtest/gtest.h>

namespace xdplb {
namespace {

class AdapterTest : public PlanTest {
 protected:
  AdapterTest() {
    add(1);
    add(9);
    servers()[0].further_addresses = {server_address(2), server_address(3)};
    for (int number = 1; number <= 3; ++number) resolve(number);
  }
  const PlannedServer& alpha() { return *web().server_named("s1"); }
};

TEST_F(AdapterTest, TheFirstResolvedAdapterCarriesTheFlows) {
  replan();
  EXPECT_EQ(alpha().carrier, server_address(1));
  EXPECT_EQ(alpha().target, host.targets[server_address(1)]);
}

TEST_F(AdapterTest, ALostAdapterIsReplacedByTheNextInOrderAndNoRowMoves) {
  replan();
  const auto rows = web().rows_of(Family::kV4)->table.owners;
  const auto index = alpha().index;
  for (int lost = 1; lost <= 2; ++lost) {
    host.targets.erase(server_address(lost));
    replan();
    EXPECT_EQ(alpha().carrier, server_address(lost + 1));
    EXPECT_EQ(alpha().target, host.targets[server_address(lost + 1)]);
    EXPECT_EQ(alpha().index, index);
    EXPECT_EQ(web().rows_of(Family::kV4)->table.owners, rows);
  }
}

TEST_F(AdapterTest, ABetterAdapterThatIsBackCarriesAgain) {
  host.targets.erase(server_address(1));
  replan();
  resolve(1);
  replan();
  EXPECT_EQ(alpha().carrier, server_address(1));
}

TEST_F(AdapterTest, AServerWithoutAnyAdapterLosesItsRows) {
  for (int number = 1; number <= 3; ++number) host.targets.erase(server_address(number));
  replan();
  EXPECT_FALSE(alpha().target);
  EXPECT_FALSE(alpha().carrier);
  EXPECT_EQ(rows_of(web(), alpha().index), 0);
}

TEST_F(AdapterTest, TheLastServersOfAPortKeepTheAdapterThatCarriedLast) {
  host.targets.erase(server_address(1));
  replan();
  const auto last = alpha().target;
  host.targets.clear();
  replan();
  EXPECT_EQ(alpha().target, last);
  EXPECT_EQ(alpha().carrier, server_address(2));
}

TEST_F(AdapterTest, AnAdapterThatIsThisHostMakesTheServerLocal) {
  host.own = {server_address(3)};
  replan();
  EXPECT_TRUE(alpha().target->is_local);
  EXPECT_EQ(alpha().carrier, server_address(3));
}

TEST_F(AdapterTest, AnUnchangedServerKeepsItsPlanObject) {
  replan();
  const auto* before = &web();
  replan();
  EXPECT_EQ(&web(), before);
  host.targets[server_address(2)].mac = {{2, 0, 0, 0, 0, 0x77}};
  replan();
  EXPECT_EQ(&web(), before) << "an adapter that carries nothing changed";
  host.targets[server_address(1)].mac = {{2, 0, 0, 0, 0, 0x77}};
  replan();
  EXPECT_NE(&web(), before);
}

}  // namespace
}  // namespace xdplb
