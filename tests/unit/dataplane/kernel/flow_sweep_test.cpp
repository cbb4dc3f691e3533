// SPDX-License-Identifier: GPL-2.0-only
// The sweep on real maps: which entries it gives up, when rows settle.
#include "dataplane/flow_sweep.h"

#include "fixture.h"

#include <gtest/gtest.h>

#include <chrono>

namespace xdplb {
namespace {

class FlowSweepTest : public DataplaneTest {
 protected:
  FlowSweepTest() { add(21); }

  void publish_and_note() {
    publish();
    flow_sweep.set_plan(plan);
  }
  SweepReport sweep() {
    publisher->settle();
    auto report = flow_sweep.sweep(publisher->row_writer());
    EXPECT_TRUE(report);
    return std::move(*report);
  }
  // s21 owned all rows, half of them are s22's now.
  void begin_change() {
    publish_and_note();
    add(22);
    publish_and_note();
  }
  std::uint32_t first_row() const { return web().rows_of(Family::kV4)->first_row; }
  std::uint32_t find_row(const std::function<bool(const RowState&)>& matches) const {
    const auto all = states();
    return static_cast<std::uint32_t>(std::find_if(all.begin(), all.end(), matches) - all.begin());
  }
  std::uint32_t changing_row() const {
    return find_row([](const RowState& row) { return row.base != row.cur; });
  }
  long changing() const {
    return count_rows([](const RowState& row) { return row.base != row.cur; });
  }
  long lookups() const {
    return count_rows([](const RowState& row) { return row.base == row.cur && row.lookup; });
  }
  RowState state(std::uint32_t row) const { return decode_row(tables().row(first_row() + row)); }

  FlowSweep flow_sweep{program->tables()};
};

TEST_F(FlowSweepTest, SilentBasesArePromotedAndLookupEndsTwoTicksLater) {
  begin_change();
  pass(280);
  EXPECT_EQ(sweep().ports[kWeb].changing, 2U * 512U);  // both families
  EXPECT_EQ(changing(), 512);
  tables().store_touch(first_row() + changing_row(), now());
  pass(30);
  const auto report = sweep();
  EXPECT_EQ(changing(), 1);
  EXPECT_EQ(report.ports.at(kWeb).changing, 1U);
  EXPECT_EQ(report.ports.at(kWeb).lookups, 1023U);
  EXPECT_EQ(report.ports.at(kWeb).rows, 2048U);
  EXPECT_EQ(report.promoted, 1023U);
  EXPECT_EQ(lookups(), 511);
  pass(kStragglerTicks);
  sweep();
  EXPECT_EQ(lookups(), 0);
  EXPECT_EQ(changing(), 1);
}

TEST_F(FlowSweepTest, TheServerOfSilentRowsIsToldUntilTheyArePromoted) {
  begin_change();
  EXPECT_EQ(sweep().servers[index_of("s21")].base_rows, 1024U);
  pass(300);
  sweep();
  EXPECT_EQ(sweep().servers[index_of("s21")].base_rows, 0U);
}

TEST_F(FlowSweepTest, EntriesAgeByTheirState) {
  publish_and_note();
  const auto server = index_of("s21");
  port().pick = Pick::kRoundRobin;  // tracked: no entry is redundant
  publish_and_note();
  pass(1000);
  const auto stamp = now();
  const auto write = [&](std::uint32_t state, std::uint32_t idle) {
    return write_entry(XDPLB_KIND_FLOW, server, first_row(), state, stamp - idle);
  };
  const std::vector<std::size_t> live = {write(XDPLB_FLOW_HALF_OPEN, 8), write(XDPLB_FLOW_CLOSING, 58),
                                         write(XDPLB_FLOW_OPEN, 290)};
  const std::vector<std::size_t> dead = {write(XDPLB_FLOW_HALF_OPEN, 11), write(XDPLB_FLOW_CLOSING, 61),
                                         write(XDPLB_FLOW_OPEN, 301)};
  tables().active(server) = 4;
  const auto report = sweep();
  for (const auto place : live) EXPECT_TRUE(has_entry(place));
  for (const auto place : dead) EXPECT_FALSE(has_entry(place));
  EXPECT_EQ(tables().active(server), 2U);  // a closing one was not counted any more
  EXPECT_EQ(report.used, 3U);
  EXPECT_EQ(report.given_up, 3U);
  EXPECT_EQ(report.capacity, 4096U);
  EXPECT_FALSE(report.is_crowded);
  EXPECT_EQ(report.ports.at(kWeb).flows, 3U);
  EXPECT_EQ(report.ports.at(kWeb).half_open, 1U);
  EXPECT_EQ(report.ports.at(kWeb).closing, 1U);
  EXPECT_EQ(report.servers[server].half_open, 1U);
  EXPECT_EQ(report.servers[server].flows, 2U) << "nobody waits for one that is closing and quiet";
  EXPECT_EQ(report.servers[server].closing, 0U);
}

TEST_F(FlowSweepTest, AServerIsWaitedForWhileAClosingFlowIsNotQuiet) {
  publish_and_note();
  const auto server = index_of("s21");
  port().pick = Pick::kRoundRobin;
  publish_and_note();
  pass(1000);
  write_entry(XDPLB_KIND_FLOW, server, first_row(), XDPLB_FLOW_CLOSING, now());
  EXPECT_EQ(sweep().servers[server].closing, 1U);
  pass(kQuietTicks + 1);
  EXPECT_EQ(sweep().servers[server].closing, 0U);
  EXPECT_EQ(sweep().ports.at(kWeb).closing, 1U);
}

TEST_F(FlowSweepTest, ClientsAreForgottenAfterTheirStickyTime) {
  port().sticky_s = 100;
  publish_and_note();
  pass(1000);
  const auto live = write_entry(XDPLB_KIND_CLIENT, index_of("s21"), first_row(), 0, now() - 95);
  const auto dead = write_entry(XDPLB_KIND_CLIENT, index_of("s21"), first_row(), 0, now() - 102);
  const auto report = sweep();
  EXPECT_TRUE(has_entry(live));
  EXPECT_FALSE(has_entry(dead));
  EXPECT_EQ(report.ports.at(kWeb).clients, 1U);
  EXPECT_EQ(report.ports.at(kWeb).flows, 0U);
}

TEST_F(FlowSweepTest, AStickyClientKeepsItsBaseForItsTime) {
  port().sticky_s = 1000;
  begin_change();
  pass(900);
  sweep();
  EXPECT_EQ(changing(), 512);
  pass(120);
  sweep();
  EXPECT_EQ(changing(), 0);
}

TEST_F(FlowSweepTest, AFlowOfAnotherServerThanBaseKeepsItsRowLookedUp) {
  begin_change();
  const auto row = changing_row();
  pass(310);
  const auto flow = write_entry(XDPLB_KIND_FLOW, index_of("s21"), first_row() + row, XDPLB_FLOW_OPEN, now());
  sweep();
  for (int second = 0; second < 6; ++second) {
    pass(1);
    sweep();
  }
  EXPECT_TRUE(has_entry(flow));
  EXPECT_EQ(state(row), (RowState{.base = index_of("s22"), .cur = index_of("s22"), .lookup = true}));
  EXPECT_EQ(lookups(), 1);
  pass(310);
  sweep();  // counts it a last time
  EXPECT_FALSE(has_entry(flow));
  EXPECT_TRUE(state(row).lookup);
  sweep();
  EXPECT_TRUE(state(row).is_settled());
}

TEST_F(FlowSweepTest, AnEntryOfTheNewBaseGoesOneSweepAfterThePromotion) {
  begin_change();
  const auto row = changing_row();
  pass(310);
  const auto flow = write_entry(XDPLB_KIND_FLOW, index_of("s22"), first_row() + row, XDPLB_FLOW_OPEN, now());
  sweep();
  EXPECT_EQ(state(row).base, index_of("s22"));
  EXPECT_TRUE(has_entry(flow));
  pass(1);
  sweep();
  EXPECT_FALSE(has_entry(flow));
}

TEST_F(FlowSweepTest, AnEntryOfTheBaseOfAChangingRowStays) {
  begin_change();
  const auto row = changing_row();
  const auto flow = write_entry(XDPLB_KIND_FLOW, index_of("s21"), first_row() + row, XDPLB_FLOW_OPEN, now());
  sweep();
  pass(2);
  sweep();
  EXPECT_TRUE(has_entry(flow));
}

TEST_F(FlowSweepTest, ARowThatIsStoredAnewBeginsItsCalmAnew) {
  begin_change();
  const auto row = changing_row();
  port().servers[1].weight = 0;
  publish_and_note();  // back to base, flows may be written down
  EXPECT_EQ(state(row), (RowState{.base = index_of("s21"), .cur = index_of("s21"), .lookup = true}));
  sweep();
  port().servers[1].weight = 10;
  publish_and_note();
  port().servers[1].weight = 0;
  publish_and_note();
  pass(kStragglerTicks);
  sweep();
  EXPECT_TRUE(state(row).lookup);
  pass(kStragglerTicks);
  sweep();
  EXPECT_TRUE(state(row).is_settled());
}

TEST_F(FlowSweepTest, AtTheDeadlineADrainedServerLosesWhatItHas) {
  begin_change();
  const auto s1 = index_of("s21");
  say("s21", Admin::kDrain);
  publish_and_note();
  const auto flow = write_entry(XDPLB_KIND_FLOW, s1, first_row(), XDPLB_FLOW_OPEN, now());
  const auto client = write_entry(XDPLB_KIND_CLIENT, s1, first_row(), XDPLB_FLOW_OPEN, now());
  const auto kept = write_entry(XDPLB_KIND_FLOW, index_of("s22"), first_row(), XDPLB_FLOW_OPEN, now());
  sweep();
  EXPECT_EQ(count_rows([&](const RowState& row) { return row.base == s1; }), 1024);
  ASSERT_TRUE(flow_sweep.force(s1));
  EXPECT_EQ(count_rows([&](const RowState& row) { return row.base == s1; }), 0);
  EXPECT_FALSE(has_entry(flow) || has_entry(client));
  EXPECT_TRUE(has_entry(kept));
  EXPECT_EQ(lookups(), 1024);
  EXPECT_EQ(sweep().servers[s1].base_rows, 0U);
}

TEST_F(FlowSweepTest, EntriesOfNobodyAndDeadClaimsAreCleared) {
  publish_and_note();
  const auto nobody = write_entry(XDPLB_KIND_FLOW, 4711, first_row(), XDPLB_FLOW_OPEN, now());
  const auto claim = write_entry(XDPLB_KIND_FLOW, 0, 0, 0, 0);
  entry(claim).value = 0;
  sweep();
  EXPECT_FALSE(has_entry(nobody));
  EXPECT_TRUE(has_entry(claim));  // it may be in the making
  sweep();
  EXPECT_FALSE(has_entry(claim));
}

TEST_F(FlowSweepTest, PortsThatShareAffinityArePromotedTogether) {
  port().sticky_s = 60;
  const auto add_follower = [this] {
    auto follower = port();
    follower.port = 443;
    follower.crossport = 80;
    config.clusters[0].ports.resize(1);
    config.clusters[0].ports.push_back(follower);
  };
  add_follower();
  publish_and_note();
  add(22);
  add_follower();
  publish_and_note();
  const auto follower = plan.find({.cluster = "web", .port = 443, .protocol = Protocol::kTcp});
  const auto row = changing_row();
  const auto theirs = follower->rows_of(Family::kV4)->first_row + row;
  pass(310);
  tables().store_touch(theirs, now());  // its base is in use at the other port
  sweep();
  EXPECT_EQ(changing(), 1);
  EXPECT_NE(state(row).base, state(row).cur);
  pass(310);
  // A client's entry that one port wrote keeps the rows of both looked up.
  write_entry(XDPLB_KIND_CLIENT, index_of("s21"), first_row() + row, 0, now());
  sweep();
  EXPECT_EQ(changing(), 0);
  pass(10);
  sweep();
  EXPECT_TRUE(state(row).lookup);
  EXPECT_TRUE(decode_row(tables().row(theirs)).lookup);
  EXPECT_EQ(lookups(), 1);
}

TEST_F(FlowSweepTest, AnotherDaemonGoesOnWithTheRowsAndEntries) {
  begin_change();
  const auto row = changing_row();
  const auto flow = write_entry(XDPLB_KIND_FLOW, index_of("s22"), 4711, XDPLB_FLOW_OPEN, now());
  open();
  ASSERT_TRUE(publisher->publish(plan, plan, Publisher::Scope::kEverything));
  flow_sweep = FlowSweep(program->tables());
  flow_sweep.set_plan(plan);
  sweep();
  EXPECT_EQ(changing(), 512);
  EXPECT_TRUE(has_entry(flow));
  // Whoever wrote it, its row is known again.
  EXPECT_EQ(tables().flow_details()[flow].row, row_of(tables().flow_details()[flow], web()));
  pass(310);
  sweep();
  EXPECT_EQ(state(row).base, state(row).cur);
}

TEST_F(FlowSweepTest, ActiveFlowsAreCountedAnew) {
  publish_and_note();
  const auto server = index_of("s21");
  write_entry(XDPLB_KIND_FLOW, server, 0, XDPLB_FLOW_OPEN, now());
  write_entry(XDPLB_KIND_FLOW, server, 0, XDPLB_FLOW_HALF_OPEN, now());
  write_entry(XDPLB_KIND_FLOW, server, 0, XDPLB_FLOW_CLOSING, now());
  write_entry(XDPLB_KIND_CLIENT, server, 0, XDPLB_FLOW_OPEN, now());
  tables().active(server) = 99;
  recount_active(tables());
  EXPECT_EQ(tables().active(server), 2U);
}

TEST_F(FlowSweepTest, FlowsAreReadWithTheirAddresses) {
  publish_and_note();
  pass(100);
  write_entry(XDPLB_KIND_FLOW, index_of("s21"), first_row() + 5, XDPLB_FLOW_CLOSING, now() - 20,
              IpAddress::parse("2001:db8::7").value(), 1234);
  write_entry(XDPLB_KIND_CLIENT, index_of("s21"), first_row(), XDPLB_FLOW_OPEN, now());
  std::vector<FlowRecord> records;
  ASSERT_TRUE(read_flows(tables(), [&](const FlowRecord& record) {
    records.push_back(record);
    return true;
  }));
  ASSERT_EQ(records.size(), 2U);
  EXPECT_EQ(records[0].client.to_string(), "[2001:db8::7]:1234");
  EXPECT_EQ(records[0].vipa.port, 80);
  EXPECT_EQ(records[0].phase, FlowPhase::kClosing);
  EXPECT_EQ(records[0].row, first_row() + 5);
  EXPECT_GE(records[0].idle_s, 15U);
  EXPECT_FALSE(records[0].is_client);
  EXPECT_TRUE(records[1].is_client);
  int visited = 0;
  ASSERT_TRUE(read_flows(tables(), [&](const FlowRecord&) { return ++visited < 1; }));
  EXPECT_EQ(visited, 1);
}

}  // namespace
}  // namespace xdplb
