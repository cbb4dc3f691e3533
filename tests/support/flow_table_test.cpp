// SPDX-License-Identifier: GPL-2.0-only
#include "support/flow_table.h"

#include <gtest/gtest.h>

#include <set>

namespace xdplb::test {
namespace {

constexpr FlowSeeds kSeeds{11, 13};
constexpr FlowValue kValue{.server = 3, .state = XDPLB_FLOW_CLOSING, .stamp = 9};

TEST(FlowTable, EveryFieldOfAKeyChangesItsTag) {
  const FlowKey key{.protocol = 6, .client = {.high = 1, .low = 2}, .vipa = {.high = 3, .low = 4}};
  for (const Family family : {Family::kV4, Family::kV6}) {
    std::vector<FlowKey> keys(8, key);
    for (FlowKey& one : keys) one.family = family;
    keys[1].kind = XDPLB_KIND_CLIENT;
    keys[2].protocol = 17;
    keys[3].number = 1;
    keys[4].client.high = 9;
    keys[5].vipa.high = 9;
    keys[6].client_port = 1;
    keys[7].port = 1;
    std::set<std::uint64_t> tags;
    for (const FlowKey& one : keys) tags.insert(flow_tag(one, kSeeds));
    EXPECT_EQ(tags.size(), keys.size());
  }
}

TEST(FlowTable, ZeroIsNoTag) { EXPECT_EQ(flow_tag({}, {0, 0}), 1U); }

TEST(FlowTable, ValuesSurviveTheirWord) {
  EXPECT_EQ(flow_value(flow_word(kValue)), kValue);
  EXPECT_EQ(flow_word(kValue), 0x0000000900020003U);
}

TEST(FlowTable, TakesTwoBucketsAndNoMore) {
  FlowTable table(16);
  // Low half names bucket 1, high half bucket 2.
  const auto tag = [](std::uint64_t number) { return number << 40 | 2ULL << 32 | 1ULL; };
  EXPECT_EQ(table.buckets_of(tag(1)), (std::array<std::uint32_t, 2>{1, 2}));
  for (std::uint64_t i = 1; i <= 2 * XDPLB_FLOW_WAYS; ++i) EXPECT_TRUE(table.insert(tag(i), kValue, {})) << i;
  EXPECT_FALSE(table.insert(tag(99), kValue, {}));
  table.erase(tag(3));
  EXPECT_TRUE(table.insert(tag(99), kValue, {}));
  EXPECT_EQ(table.find(tag(3)), nullptr);
  ASSERT_NE(table.find(tag(99)), nullptr);
  EXPECT_EQ(*table.find(tag(99)), kValue);
}

TEST(FlowTable, PutsAnEntryWhereTheProgramDid) {
  FlowTable table(16);
  const FlowLocator second = [](std::uint64_t) { return 2U; };
  const auto tag = [](std::uint64_t number, std::uint64_t low) { return number << 40 | 2ULL << 32 | low; };
  for (std::uint64_t i = 1; i <= XDPLB_FLOW_WAYS; ++i) EXPECT_TRUE(table.insert(tag(i, 1), kValue, second));
  // Bucket 2 is full now, bucket 1 is not.
  EXPECT_FALSE(table.insert(tag(9, 2), kValue, second));
  EXPECT_TRUE(table.insert(tag(9, 1), kValue, second));
}

}  // namespace
}  // namespace xdplb::test
