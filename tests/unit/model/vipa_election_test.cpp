// SPDX-License-Identifier: GPL-2.0-only
#include "model/vipa_election.h"

#include <gmock/gmock.h>

namespace xdplb {
namespace {

IpAddress ip(const char* text) { return *IpAddress::parse(text); }
IpPrefix subnet(const char* address, std::uint8_t length) { return {.address = ip(address), .length = length}; }

ElectionCandidate candidate(std::uint32_t ifindex, bool is_up, std::vector<IpPrefix> prefixes) {
  return {.ifindex = ifindex, .name = "eth" + std::to_string(ifindex), .is_up = is_up, .prefixes = std::move(prefixes)};
}

const IpAddress kVipa = ip("192.0.2.10");
const IpPrefix kLan = subnet("192.0.2.4", 24);
const IpPrefix kElsewhere = subnet("198.51.100.4", 24);

TEST(VipaElection, FirstListedThatIsUpOwns) {
  std::vector candidates{candidate(7, true, {kLan}), candidate(3, true, {kLan})};
  Election election = elect_interface(kVipa, candidates);
  EXPECT_EQ(election.kind, ElectionKind::kOwner);
  EXPECT_EQ(election.owner, 7u);
  EXPECT_EQ(election.owner_name, "eth7");
}

TEST(VipaElection, InterfaceThatIsDownIsPassedOver) {
  std::vector candidates{candidate(1, false, {kLan}), candidate(2, true, {kLan})};
  Election election = elect_interface(kVipa, candidates);
  EXPECT_EQ(election.kind, ElectionKind::kOwner);
  EXPECT_EQ(election.owner, 2u);
  EXPECT_THAT(election.reason, testing::HasSubstr("eth1 is down"));
}

TEST(VipaElection, InterfaceOffTheSubnetIsPassedOver) {
  std::vector candidates{candidate(1, true, {kElsewhere}), candidate(2, true, {kElsewhere, kLan})};
  Election election = elect_interface(kVipa, candidates);
  EXPECT_EQ(election.owner, 2u);
  EXPECT_THAT(election.reason, testing::HasSubstr("eth1 is not on its subnet"));
}

TEST(VipaElection, NobodyOnTheSubnetAnswersWhereAsked) {
  std::vector candidates{candidate(1, false, {kLan}), candidate(2, true, {kElsewhere}), candidate(3, true, {})};
  Election election = elect_interface(kVipa, candidates);
  EXPECT_EQ(election.kind, ElectionKind::kAnswerWhereAsked);
  EXPECT_EQ(election.owner, 2u) << "the first that is up announces";
}

TEST(VipaElection, NobodyUpIsSilent) {
  std::vector candidates{candidate(1, false, {kLan}), candidate(2, false, {kElsewhere})};
  Election election = elect_interface(kVipa, candidates);
  EXPECT_EQ(election.kind, ElectionKind::kSilent);
  EXPECT_EQ(election.owner, 0u);
  EXPECT_THAT(election.reason, testing::HasSubstr("eth1, eth2"));
}

TEST(VipaElection, EmptyListIsSilent) {
  Election election = elect_interface(kVipa, {});
  EXPECT_EQ(election.kind, ElectionKind::kSilent);
  EXPECT_THAT(election.reason, testing::HasSubstr("no interface is listed"));
}

TEST(VipaElection, SubnetBoundaryDecides) {
  std::vector candidates{candidate(1, true, {subnet("192.0.2.1", 29)}), candidate(2, true, {subnet("192.0.2.1", 28)})};
  EXPECT_EQ(elect_interface(ip("192.0.2.7"), candidates).owner, 1u);
  EXPECT_EQ(elect_interface(ip("192.0.2.8"), candidates).owner, 2u);
}

TEST(VipaElection, FamiliesDoNotMix) {
  std::vector candidates{candidate(1, true, {subnet("0.0.0.0", 0)}), candidate(2, true, {subnet("2001:db8::1", 64)})};
  EXPECT_EQ(elect_interface(ip("2001:db8::10"), candidates).owner, 2u);
  EXPECT_EQ(elect_interface(kVipa, candidates).owner, 1u);
}

TEST(VipaElection, OtherWordsAreTheSameDecision) {
  Election one{.kind = ElectionKind::kOwner, .owner = 2, .owner_name = "eth2", .reason = "a"};
  Election two{.kind = ElectionKind::kOwner, .owner = 2, .owner_name = "eth2", .reason = "b"};
  EXPECT_TRUE(one.decides_like(two));
  two.owner = 3;
  EXPECT_FALSE(one.decides_like(two));
  two = one;
  two.kind = ElectionKind::kAnswerWhereAsked;
  EXPECT_FALSE(one.decides_like(two));
}

}  // namespace
}  // namespace xdplb
