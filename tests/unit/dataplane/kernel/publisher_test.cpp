// SPDX-License-Identifier: GPL-2.0-only
// Program and Publisher on real maps: what a plan leaves in the kernel, and what another daemon finds there.
#include "dataplane/publisher.h"

#include "fixture.h"

#include <bpf/bpf.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace xdplb {
namespace {

using PublisherTest = DataplaneTest;

TEST_F(PublisherTest, WritesServersRowsAndPorts) {
  add(21);
  add(22);
  publish();
  EXPECT_EQ(active_lines(), 4U);
}

TEST_F(PublisherTest, APortSetChangesByOneFlipAndTheOldHalfStaysWhole) {
  add(21);
  publish();
  const auto half = tables().active_half();
  config.clusters[0].ports.push_back({.port = 443, .protocol = Protocol::kTcp, .servers = {}});
  publish();
  EXPECT_NE(tables().active_half(), half);
  const auto old = tables().half(half);
  EXPECT_EQ(std::count_if(old.begin(), old.end(), [](const xdplb_port& line) { return line.key.family != 0; }), 4);
}

TEST_F(PublisherTest, AServerMoreNeedsNoFlip) {
  add(21);
  publish();
  const auto half = tables().active_half();
  add(22);
  publish();
  EXPECT_EQ(tables().active_half(), half);
}

TEST_F(PublisherTest, ARemovedServersWordIsCleared) {
  add(21);
  add(22);
  publish();
  const auto index = plan.find(kWeb)->servers[1].index;
  config.clusters[0].ports[0].servers.pop_back();
  publish();
  EXPECT_FALSE(tables().server(index));
}

TEST_F(PublisherTest, AnIndexThatIsReusedStartsCountingAtZero) {
  plan = Plan({.servers = 3, .rows = XDPLB_MAX_ROWS});
  add(21);
  add(22);
  publish();
  const std::uint32_t index = plan.find(kWeb)->servers[1].index;
  const FileDescriptor counters(bpf_obj_get((pin_dir / "maps" / XDPLB_MAP_COUNTERS).c_str()));
  const std::vector<xdplb_counters> some(256,
                                         xdplb_counters{.packets = 5, .bytes = 5, .new_flows = 5, .closed_flows = 5});
  ASSERT_EQ(bpf_map_update_elem(counters.get(), &index, some.data(), BPF_ANY), 0);
  EXPECT_GE(tables().read_counters(static_cast<std::uint16_t>(index))->packets, 5U);
  config.clusters[0].ports[0].servers.pop_back();
  publish();
  add(23);
  publish();
  ASSERT_EQ(plan.find(kWeb)->servers[1].index, index);
  EXPECT_EQ(tables().read_counters(static_cast<std::uint16_t>(index))->packets, 0U);
}

TEST_F(PublisherTest, ATargetOnAnUnknownInterfaceIsRefusedAndNothingIsWritten) {
  add(21);
  publish();
  add(22);
  host.targets[address_of(22)].ifindex = ifindex + 1000;
  auto next = make_plan(plan, config, host, kSecret);
  ASSERT_TRUE(next);
  EXPECT_FALSE(publisher->publish(plan, *next));
  expect_maps_hold_the_plan();
}

TEST_F(PublisherTest, AnotherDaemonFindsEverythingAndCountersGoOn) {
  add(21);
  add(22);
  publish();
  const std::uint32_t index = plan.find(kWeb)->servers[0].index;
  const FileDescriptor counters(bpf_obj_get((pin_dir / "maps" / XDPLB_MAP_COUNTERS).c_str()));
  const std::vector<xdplb_counters> some(256,
                                         xdplb_counters{.packets = 7, .bytes = 0, .new_flows = 0, .closed_flows = 0});
  ASSERT_EQ(bpf_map_update_elem(counters.get(), &index, some.data(), BPF_ANY), 0);
  const auto before = tables().read_counters(static_cast<std::uint16_t>(index))->packets;
  open();
  EXPECT_TRUE(program->adopted());
  ASSERT_TRUE(publisher->publish(plan, plan, Publisher::Scope::kEverything));
  expect_maps_hold_the_plan();
  EXPECT_EQ(tables().read_counters(static_cast<std::uint16_t>(index))->packets, before);
}

TEST_F(PublisherTest, EverythingClearsWhatNoPlanNames) {
  add(21);
  publish();
  tables().store_server(4711, 1, mac_of(99));
  ASSERT_TRUE(publisher->publish(plan, plan, Publisher::Scope::kEverything));
  EXPECT_FALSE(tables().server(4711));
  expect_maps_hold_the_plan();
}

TEST_F(PublisherTest, MapsOfAnotherLayoutAreRefusedAndLeftAlone) {
  tables().settings().layout_version = XDPLB_LAYOUT_VERSION + 1;
  const auto refused = Program::open(pin_dir);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::kConflict);
  EXPECT_THAT(refused.error().message, testing::HasSubstr("layout 3"));
  EXPECT_EQ(tables().settings().layout_version, XDPLB_LAYOUT_VERSION + 1U);
  EXPECT_TRUE(std::filesystem::exists(pin_dir / "maps" / XDPLB_MAP_FLOWS));
}

TEST_F(PublisherTest, AnUnfinishedSetOfPinsIsReplaced) {
  tables().settings().layout_version = 0;
  open();
  EXPECT_FALSE(program->adopted());
  EXPECT_EQ(tables().settings().layout_version, static_cast<unsigned>(XDPLB_LAYOUT_VERSION));
}

TEST_F(PublisherTest, AFolderThatIsNoBpffsIsNamedWithTheWayOut) {
  const auto refused = Program::open("/tmp/xdplb-not-a-bpffs");
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().message, testing::HasSubstr("mount -t bpf"));
}

TEST_F(PublisherTest, ChangedRowsKeepTheirBaseAndAreTouched) {
  add(21);
  publish();
  pass(1000);
  add(22);
  publish();
  const auto s1 = index_of("s21");
  const auto s2 = index_of("s22");
  EXPECT_EQ(count_rows([&](const RowState& row) { return row == RowState{.base = s1, .cur = s1}; }), 512);
  EXPECT_EQ(count_rows([&](const RowState& row) { return row == RowState{.base = s1, .cur = s2, .lookup = true}; }),
            512);
  const auto stamp = now();
  const auto all = states();
  for (std::uint32_t row = 0; row < all.size(); ++row) {
    if (all[row].base == all[row].cur) continue;
    ASSERT_LE(stamp - tables().touch(web().rows_of(Family::kV4)->first_row + row), 1U);
  }
}

TEST_F(PublisherTest, ABaseStaysThroughAnotherChangeAndItsTouchToo) {
  add(21);
  publish();
  add(22);
  publish();
  const auto first = web().rows_of(Family::kV4)->first_row;
  const auto before = states();
  std::vector<std::uint16_t> touches;
  for (std::uint32_t row = 0; row < before.size(); ++row) touches.push_back(tables().touch(first + row));
  pass(100);
  add(23);
  publish();
  const auto after = states();
  for (std::uint32_t row = 0; row < after.size(); ++row) {
    ASSERT_EQ(after[row].base, index_of("s21"));
    ASSERT_EQ(after[row].lookup, before[row].lookup || after[row].cur != after[row].base);
    if (before[row].base == before[row].cur) continue;
    ASSERT_EQ(tables().touch(first + row), touches[row]);
  }
}

TEST_F(PublisherTest, ADrainedServerIsBaseAndADownOneIsNothing) {
  add(21);
  add(22);
  publish();
  const auto s1 = index_of("s21");
  say("s21", Admin::kDrain);
  publish();
  EXPECT_EQ(count_rows([&](const RowState& row) { return row.base == s1; }), 512);
  EXPECT_EQ(count_rows([&](const RowState& row) { return row.cur == s1; }), 0);
  EXPECT_TRUE(tables().server(s1));
  say("s21", Admin::kDrainNow);
  publish();
  say("s21", Admin::kDown);
  publish();
  EXPECT_EQ(count_rows([&](const RowState& row) { return row.base == s1; }), 0);
  EXPECT_FALSE(tables().server(s1));
  host.admins.clear();
  publish();
  EXPECT_EQ(count_rows([&](const RowState& row) { return row.base == s1; }), 0);
  EXPECT_EQ(count_rows([&](const RowState& row) { return row.cur == s1; }), 512);
}

TEST_F(PublisherTest, FlowsOfUdpAreNotKeptUnlessTheyAreWrittenDown) {
  for (const bool is_tracked : {false, true}) {
    config.clusters[0].ports[0] = {.port = 80, .protocol = Protocol::kUdp, .udp_tracking = is_tracked};
    const PortPath path{.cluster = "web", .port = 80, .protocol = Protocol::kUdp};
    add(21);
    publish();
    add(22);
    publish();
    const auto& rows = *plan.find(path)->rows_of(Family::kV4);
    long changing = 0;
    for (std::uint32_t row = 0; row < rows.count(); ++row) {
      const auto state = decode_row(tables().row(rows.first_row + row));
      if (state.base != state.cur) ++changing;
    }
    EXPECT_EQ(changing, is_tracked ? 512 : 0);
    config.clusters[0].ports.clear();
    publish();
    config.clusters[0].ports.push_back({.port = 80});
  }
}

TEST_F(PublisherTest, ASliceThatGrowsTakesItsBasesAlong) {
  for (int number = 21; number <= 28; ++number) add(number);
  publish();
  const auto before = states();
  const auto index = index_of("s21");
  const auto client = IpAddress::v4({203, 0, 113, 9});
  const auto row = client_row({.address = client, .port = 40000}, web().seeds, 1023);
  const auto place = write_entry(XDPLB_KIND_FLOW, index, web().rows_of(Family::kV4)->first_row + row, 0, now(), client);
  add(29);
  publish();
  const auto after = states();
  ASSERT_EQ(after.size(), 2048U);
  for (std::size_t i = 0; i < after.size(); ++i) ASSERT_EQ(after[i].base, before[i % 1024].base);
  publisher->settle();
  EXPECT_EQ(tables().flow_details()[place].row,
            web().rows_of(Family::kV4)->first_row + client_row({.address = client, .port = 40000}, web().seeds, 2047));
}

TEST_F(PublisherTest, EntriesOfAServerThatWentAreGivenUpBeforeItsIndexIsReused) {
  add(21);
  add(22);
  publish();
  const auto gone = index_of("s22");
  const auto kept = write_entry(XDPLB_KIND_FLOW, index_of("s21"), 0, XDPLB_FLOW_OPEN, now());
  const auto lost = write_entry(XDPLB_KIND_FLOW, gone, 0, XDPLB_FLOW_OPEN, now());
  const auto client = write_entry(XDPLB_KIND_CLIENT, gone, 0, XDPLB_FLOW_OPEN, now());
  auto& fragment = tables().fragments()[5].ways[2];
  fragment = {.tag = 77, .value = gone};
  tables().active(gone) = 1;
  config.clusters[0].ports[0].servers.pop_back();
  publish();
  publisher->settle();
  EXPECT_TRUE(has_entry(kept));
  EXPECT_FALSE(has_entry(lost) || has_entry(client));
  EXPECT_EQ(fragment.tag, 0U);
  EXPECT_EQ(tables().active(gone), 0U);
}

TEST_F(PublisherTest, AServerThatIsOutInOneFamilyLosesThatFamilysEntriesAtOnce) {
  add(21);
  add(22);
  publish();
  const auto index = index_of("s21");
  const auto v6 = IpAddress::parse("2001:db8:9::7").value();
  const auto kept = write_entry(XDPLB_KIND_FLOW, index, 0, XDPLB_FLOW_OPEN, now());
  const auto lost = write_entry(XDPLB_KIND_FLOW, index, 0, XDPLB_FLOW_OPEN, now(), v6);
  const auto client = write_entry(XDPLB_KIND_CLIENT, index, 0, XDPLB_FLOW_OPEN, now(), v6);
  host.grants[{.port = kWeb, .server = "s21"}] = {.is_in = {true, false}, .weight = {10, 0}};
  publish();
  EXPECT_TRUE(has_entry(kept));
  EXPECT_FALSE(has_entry(lost) || has_entry(client));
  EXPECT_TRUE(tables().server(index));
  // The rows of the family that is left have not moved.
  EXPECT_GT(count_rows([index](const RowState& row) { return row.cur == index && row.base == index; }), 0);
}

TEST_F(PublisherTest, APortThatBecomesTrackedAdoptsItsFlowsAndOneThatCeasesLooksThemUp) {
  add(21);
  publish();
  const auto options = web().options_of(Family::kV4);
  EXPECT_EQ(tables().state(options).refused_stamp, 0U);
  port().pick = Pick::kRoundRobin;
  publish();
  EXPECT_LE(now() - tables().state(options).refused_stamp, 1U);
  EXPECT_NE(tables().options(options).flags & XDPLB_OPTION_TRACKED, 0U);
  const auto members = tables().options(options);
  ASSERT_EQ(members.member_count, 1U);
  EXPECT_EQ(tables().row(members.first_member), index_of("s21"));
  EXPECT_EQ(count_rows([](const RowState& row) { return row.lookup; }), 0);
  port().pick = Pick::kHash;
  publish();
  EXPECT_EQ(count_rows([](const RowState& row) { return row.lookup && row.base == row.cur; }), 1024);
}

TEST_F(PublisherTest, OptionsThatChangeHandsStartAtZero) {
  add(21);
  publish();
  const auto options = web().options_of(Family::kV4);
  tables().state(options).recorded = 5;
  config.clusters.clear();
  publish();
  Plan full = plan;
  while (full.options.free_count() > 4) ASSERT_TRUE(full.options.take());  // so that the next ones are those that were
  plan = full;
  config.clusters.push_back({.name = "new",
                             .addresses = {IpAddress::v4({192, 0, 2, 10}), IpAddress::parse("2001:db8::10").value()},
                             .ports = {{.port = 80}}});
  publish();
  EXPECT_EQ(tables().state(options).recorded, 0U);
}

TEST_F(PublisherTest, NetworksAreInTheTrieWhileTheyAreConfigured) {
  config.clusters[0].prefixes = {{.address = IpAddress::v4({198, 51, 100, 0}), .length = 24},
                                 {.address = IpAddress::v4({0, 0, 0, 0}), .length = 0}};
  publish();
  EXPECT_EQ(tables().prefixes().size(), 2U);
  EXPECT_EQ(tables().settings().flags, XDPLB_SETTING_PREFIXES);
  config.clusters[0].prefixes.pop_back();
  publish();
  ASSERT_EQ(tables().prefixes().size(), 1U);
  EXPECT_EQ(tables().prefixes()[0].bits, 56U);
  config.clusters[0].prefixes.clear();
  publish();
  EXPECT_TRUE(tables().prefixes().empty());
  EXPECT_EQ(tables().settings().flags, 0U);
}

TEST_F(PublisherTest, PeersAndTheirFilterFollowTheConfiguration) {
  config.peers = {{{2, 0, 0, 0, 9, 65}}};
  publish();
  EXPECT_EQ(tables().settings().peers[0], 0x410900000002U);
  EXPECT_EQ(tables().settings().peer_filter, 2U);
  config.peers.clear();
  publish();
  EXPECT_EQ(tables().settings().peers[0], 0U);
  EXPECT_EQ(tables().settings().peer_filter, 0U);
}

TEST_F(PublisherTest, EachTagIsAWayOutOfItsOwn) {
  for (int number = 21; number <= 24; ++number) add(number);
  port().servers[1].vlan = 0;
  port().servers[2].vlan = 100;
  port().servers[3].vlan = 100;
  host.targets.erase(address_of(24));
  host.own = {address_of(24)};
  config.decrement_ttl = true;
  publish();
  const auto way = [&](const std::string& name) {
    return tables().egress(tables().server(index_of(name))->first & XDPLB_SERVER_EGRESS_MASK);
  };
  EXPECT_EQ(way("s21").tag, 0);
  EXPECT_EQ(way("s22").tag, XDPLB_TAG_NONE);
  EXPECT_EQ(way("s23").tag, XDPLB_TAG_SET | 100U);
  EXPECT_EQ(way("s23").ifindex, ifindex);
  EXPECT_EQ(way("s23").flags, XDPLB_EGRESS_DECREMENT_TTL);
  EXPECT_EQ(way("s24").flags, XDPLB_EGRESS_DECREMENT_TTL | XDPLB_EGRESS_LOCAL);
  EXPECT_NE(way("s24").ifindex, 0U);
  EXPECT_EQ(publisher->ifindex_of(tables().server(index_of("s23"))->first), ifindex);
  config.decrement_ttl = false;
  publish();
  EXPECT_EQ(way("s23").flags, 0);
  ASSERT_TRUE(publisher->set_trace(std::uint64_t{1} << XDPLB_OUTCOME_FORWARDED, 10));
  EXPECT_EQ(way("s23").flags, XDPLB_EGRESS_TRACED);
  EXPECT_EQ(tables().settings().trace_sample, 10U);
  ASSERT_TRUE(publisher->set_trace(0, 0));
  EXPECT_EQ(way("s21").flags, 0);
}

TEST_F(PublisherTest, WaysOutThatNobodyUsesAreReusedAndTooManyAreRefused) {
  add(21);
  for (std::uint16_t vlan = 1; vlan <= 200; ++vlan) {
    port().servers[0].vlan = vlan;
    publish();
  }
  for (int number = 22; number < 22 + XDPLB_MAX_EGRESSES; ++number) {
    add(number);
    port().servers.back().vlan = static_cast<std::uint16_t>(number);
  }
  const auto next = make_plan(plan, config, host, kSecret);
  ASSERT_TRUE(next);
  const auto refused = publisher->publish(plan, *next);
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().message, testing::HasSubstr("fewer VLANs"));
  expect_maps_hold_the_plan();
}

TEST_F(PublisherTest, PortsThatShareAffinityChangeTogether) {
  port().sticky_s = 60;
  add(21);
  const auto add_follower = [this] {
    auto follower = port();
    follower.port = 443;
    follower.crossport = 80;
    config.clusters[0].ports.resize(1);
    config.clusters[0].ports.push_back(follower);
  };
  add_follower();
  publish();
  add(22);
  add_follower();
  publish();
  const auto follower = plan.find({.cluster = "web", .port = 443, .protocol = Protocol::kTcp});
  const auto all = states();
  for (std::uint32_t row = 0; row < all.size(); ++row) {
    const auto state = decode_row(tables().row(follower->rows_of(Family::kV4)->first_row + row));
    ASSERT_EQ(state.lookup, all[row].lookup);
    ASSERT_EQ(follower->server_at(state.base)->config.name, web().server_at(all[row].base)->config.name);
    ASSERT_EQ(follower->server_at(state.cur)->config.name, web().server_at(all[row].cur)->config.name);
  }
}

TEST_F(PublisherTest, TheClockBeginsAtOneAndGoesOnInAnotherDaemon) {
  EXPECT_GE(now(), 1U);
  EXPECT_LE(now(), 2U + 60U);
  const auto seeds = tables().settings().flow_seeds[0];
  EXPECT_EQ(tables().settings().flow_seeds[1] & 1, 1U);
  EXPECT_EQ(tables().settings().flow_bucket_mask, 1023U);
  pass(5000);
  open();
  EXPECT_GE(now(), 5001U);
  EXPECT_EQ(tables().settings().flow_seeds[0], seeds);
}

TEST_F(PublisherTest, ATableOfFlowsOfAnImpossibleSizeIsRefused) {
  for (const std::uint32_t entries : {0U, 512U, 1025U, 2U * XDPLB_MAX_FLOWS}) {
    const auto refused = Program::open(pin_dir, {.entries = entries});
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, ErrorCode::kUsage);
  }
}

}  // namespace
}  // namespace xdplb
