// SPDX-License-Identifier: GPL-2.0-only
// Program and Publisher on real maps: what a plan leaves in the kernel, and what another daemon finds there.
#include "dataplane/publisher.h"

#include "dataplane/program.h"

#include <bpf/bpf.h>
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <net/if.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>

namespace xdplb {
namespace {

constexpr std::string_view kSecret = "secret";
constexpr Capacity kCapacity{.servers = XDPLB_MAX_SERVERS, .rows = XDPLB_MAX_ROWS};
const PortPath kWeb{.cluster = "web", .port = 80, .protocol = Protocol::kTcp};

IpAddress address_of(int number) { return IpAddress::v4({192, 0, 2, static_cast<std::uint8_t>(number)}); }
MacAddress mac_of(int number) { return {{2, 0, 0, 0, 1, static_cast<std::uint8_t>(number)}}; }

class PublisherTest : public testing::Test {
 protected:
  PublisherTest() : pin_dir(fmt::format("/sys/fs/bpf/xdplb-publisher-test-{}", ::getpid())) {
    config.clusters.push_back({.name = "web",
                               .addresses = {IpAddress::v4({192, 0, 2, 10}), IpAddress::parse("2001:db8::10").value()},
                               .ports = {{.port = 80, .protocol = Protocol::kTcp, .servers = {}}}});
    host.interfaces = {ifindex};
    open();
  }
  ~PublisherTest() override {
    if (!program) return;
    EXPECT_TRUE(program->unpin());
  }

  void open() {
    publisher.reset();
    program.reset();
    auto opened = Program::open(pin_dir);
    ASSERT_TRUE(opened) << opened.error().message;
    program = std::move(*opened);
    publisher = std::make_unique<Publisher>(Publisher::open(program->tables()));
    ASSERT_TRUE(publisher->set_egress(ifindex, mac_of(200)));
  }
  void add(int number) {
    config.clusters[0].ports[0].servers.push_back(
        {.name = fmt::format("s{}", number), .address = address_of(number), .weight = 10, .family = {}});
    host.targets[address_of(number)] = {.mac = mac_of(number), .ifindex = ifindex};
  }
  void publish() {
    auto next = make_plan(plan, config, host, kSecret);
    ASSERT_TRUE(next) << next.error().message;
    const auto published = publisher->publish(plan, *next);
    ASSERT_TRUE(published) << published.error().message;
    plan = std::move(*next);
    expect_maps_hold_the_plan();
  }
  std::size_t active_lines() const {
    const auto half = tables().half(tables().active_half());
    return static_cast<std::size_t>(
        std::count_if(half.begin(), half.end(), [](const xdplb_port& line) { return line.key.family != 0; }));
  }
  const KernelTables& tables() const { return program->tables(); }

  void expect_maps_hold_the_plan() const {
    EXPECT_EQ(active_lines(), port_lines(plan).size());
    for (const auto& [name, cluster] : plan.clusters) {
      for (const auto& [path, port] : cluster.ports) {
        for (const auto& server : port->servers) {
          const auto stored = tables().server(server.index);
          ASSERT_EQ(stored.has_value(), server.target.has_value()) << server.config.name;
          if (!stored) continue;
          EXPECT_EQ(stored->second, server.target->mac);
        }
        for (const auto& rows : port->rows) {
          if (!rows) continue;
          for (std::uint32_t row = 0; row < rows->table.owners.size(); ++row) {
            const std::uint32_t owner = rows->table.owners[row];
            ASSERT_EQ(tables().row(rows->first_row + row), owner << XDPLB_ROW_BASE_SHIFT | owner);
          }
        }
      }
    }
  }

  const std::uint32_t ifindex = ::if_nametoindex("lo");
  std::filesystem::path pin_dir;
  std::unique_ptr<Program> program;
  std::unique_ptr<Publisher> publisher;
  Config config;
  Surroundings host;
  Plan plan{kCapacity};
};

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
  EXPECT_THAT(refused.error().message, testing::HasSubstr("layout 2"));
  EXPECT_EQ(tables().settings().layout_version, XDPLB_LAYOUT_VERSION + 1U);
  EXPECT_TRUE(std::filesystem::exists(pin_dir / "maps" / XDPLB_MAP_ROWS));
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

}  // namespace
}  // namespace xdplb
