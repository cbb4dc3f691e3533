// SPDX-License-Identifier: GPL-2.0-only
#include "host/host_tables.h"

#include <gmock/gmock.h>

namespace xdplb {
namespace {

IpAddress ip(const char* text) { return *IpAddress::parse(text); }

NetlinkMessage link(std::uint32_t index, const char* name, bool is_gone = false) {
  LinkMessage message;
  message.is_gone = is_gone;
  message.link.index = index;
  message.link.name = name;
  return message;
}

NetlinkMessage address(std::uint32_t ifindex, const char* text, bool is_gone = false) {
  return AddressMessage{.is_gone = is_gone,
                        .address = {.ifindex = ifindex, .prefix = {.address = ip(text), .length = 24}}};
}

NetlinkMessage neighbor(const char* text, NeighborState state, std::uint8_t last_of_mac = 0) {
  Neighbor entry;
  entry.ifindex = 2;
  entry.address = ip(text);
  entry.state = state;
  if (last_of_mac != 0) entry.mac = MacAddress{{2, 0, 0, 0, 0, last_of_mac}};
  return NeighborMessage{entry};
}

TEST(HostTables, RepeatedMessageIsNoChange) {
  HostTables tables;
  for (const auto& message :
       {link(2, "eth0"), address(2, "192.0.2.1"), neighbor("192.0.2.9", NeighborState::kValid, 9)}) {
    EXPECT_TRUE(tables.apply(message));
    EXPECT_FALSE(tables.apply(message));
  }
}

TEST(HostTables, RemovalOfTheUnknownIsNoChange) {
  HostTables tables;
  EXPECT_FALSE(tables.apply(link(2, "eth0", true)));
  EXPECT_FALSE(tables.apply(address(2, "192.0.2.1", true)));
  EXPECT_FALSE(tables.apply(neighbor("192.0.2.9", NeighborState::kGone)));
}

TEST(HostTables, ChangeOfMacIsAChange) {
  HostTables tables;
  tables.apply(neighbor("192.0.2.9", NeighborState::kValid, 9));
  auto change = tables.apply(neighbor("192.0.2.9", NeighborState::kValid, 8));
  ASSERT_TRUE(change);
  EXPECT_EQ(std::get<NeighborChanged>(*change).neighbor.mac.bytes[5], 8);
  EXPECT_EQ(tables.find_neighbor({.ifindex = 2, .address = ip("192.0.2.9")})->mac.bytes[5], 8);
  EXPECT_EQ(tables.find_neighbor({.ifindex = 3, .address = ip("192.0.2.9")}), nullptr);
}

TEST(HostTables, CallToLearnIsToldForKnownLinksOnly) {
  HostTables tables;
  tables.apply(link(2, "eth0"));
  LinkMessage message = std::get<LinkMessage>(link(2, "eth0"));
  EXPECT_FALSE(tables.side_event(message));
  message.neighbours_must_learn = true;
  EXPECT_FALSE(tables.apply(message)) << "the link itself is as it was";
  auto event = tables.side_event(message);
  ASSERT_TRUE(event);
  EXPECT_EQ(std::get<NeighboursMustLearn>(*event).index, 2u);
  message.link.index = 3;
  EXPECT_FALSE(tables.side_event(message));
  EXPECT_FALSE(tables.side_event(address(2, "192.0.2.1")));
}

TEST(HostTables, ReplaceTellsWhatCameAndWent) {
  HostTables tables;
  for (const auto& message :
       {link(2, "eth0"), link(3, "eth1"), address(2, "192.0.2.1"), address(3, "198.51.100.1"),
        neighbor("192.0.2.9", NeighborState::kValid, 9), neighbor("192.0.2.8", NeighborState::kValid, 8)}) {
    tables.apply(message);
  }
  auto changes =
      tables.replace({link(2, "eth0"), link(4, "eth2")}, {address(2, "192.0.2.1"), address(4, "203.0.113.1")},
                     {neighbor("192.0.2.9", NeighborState::kFailed)});
  std::vector<std::uint32_t> links;
  std::vector<std::uint32_t> addresses;
  std::vector<Neighbor> neighbors;
  for (const auto& change : changes) {
    if (const auto* one = std::get_if<LinkChanged>(&change)) links.push_back(one->index);
    if (const auto* one = std::get_if<AddressChanged>(&change)) addresses.push_back(one->ifindex);
    if (const auto* one = std::get_if<NeighborChanged>(&change)) neighbors.push_back(one->neighbor);
  }
  EXPECT_THAT(links, testing::ElementsAre(3, 4));
  EXPECT_THAT(addresses, testing::ElementsAre(3, 4));
  ASSERT_EQ(neighbors.size(), 2u);
  EXPECT_EQ(neighbors[0].state, NeighborState::kGone);
  EXPECT_EQ(neighbors[0].address, ip("192.0.2.8"));
  EXPECT_EQ(neighbors[1].state, NeighborState::kFailed);
  EXPECT_EQ(tables.find_link("eth1"), nullptr);
  EXPECT_EQ(tables.find_link("eth2")->index, 4u);
}

TEST(HostTables, EqualDumpChangesNothing) {
  HostTables tables;
  std::vector<NetlinkMessage> links{link(2, "eth0")};
  std::vector<NetlinkMessage> addresses{address(2, "192.0.2.1")};
  std::vector<NetlinkMessage> neighbors{neighbor("192.0.2.9", NeighborState::kValid, 9)};
  EXPECT_EQ(tables.replace(links, addresses, neighbors).size(), 3u);
  EXPECT_TRUE(tables.replace(links, addresses, neighbors).empty());
}

TEST(FindConnected, FirstCandidateOnTheSubnetWins) {
  std::vector<InterfaceAddress> addresses{{.ifindex = 1, .prefix = {.address = ip("198.51.100.1"), .length = 24}},
                                          {.ifindex = 2, .prefix = {.address = ip("192.0.2.1"), .length = 24}},
                                          {.ifindex = 3, .prefix = {.address = ip("192.0.2.2"), .length = 24}}};
  EXPECT_EQ(find_connected(addresses, ip("192.0.2.9"), std::vector<std::uint32_t>{1, 3, 2}), 3u);
  EXPECT_EQ(find_connected(addresses, ip("192.0.2.9"), std::vector<std::uint32_t>{1}), std::nullopt);
  EXPECT_EQ(find_connected(addresses, ip("203.0.113.9"), std::vector<std::uint32_t>{1, 2, 3}), std::nullopt);
  EXPECT_EQ(find_connected(addresses, ip("192.0.2.9"), {}), std::nullopt);
}

}  // namespace
}  // namespace xdplb
