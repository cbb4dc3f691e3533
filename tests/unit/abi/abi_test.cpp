// SPDX-License-Identifier: GPL-2.0-only
// The kernel boundary holds what it says, on both sides: no hidden padding, every name and limit in its place.
#include "xdplb/maps.h"
#include "xdplb/outcomes.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <bit>
#include <cstddef>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

namespace xdplb {
namespace {

// Padding would be hashed, compared and shown with whatever lay in memory.
static_assert(std::has_unique_object_representations_v<xdplb_settings>);
static_assert(std::has_unique_object_representations_v<xdplb_port_key>);
static_assert(std::has_unique_object_representations_v<xdplb_port>);
static_assert(std::has_unique_object_representations_v<xdplb_row_chunk>);
static_assert(std::has_unique_object_representations_v<xdplb_tables>);
static_assert(std::has_unique_object_representations_v<xdplb_server>);
static_assert(std::has_unique_object_representations_v<xdplb_egress>);
static_assert(std::has_unique_object_representations_v<xdplb_counters>);

// A key is compared and hashed as three words, a line is one cache line, a server is loaded as one word.
static_assert(sizeof(xdplb_port_key) == 3 * sizeof(__u64) && offsetof(xdplb_port, key) == 0);
static_assert(sizeof(xdplb_port) == 64 && offsetof(xdplb_tables, ports) % 64 == 0);
static_assert(sizeof(xdplb_server) == sizeof(__u64) && alignof(xdplb_server) == alignof(__u64));
static_assert(offsetof(xdplb_server, egress) == 0 && offsetof(xdplb_server, mac) == 2);
static_assert(offsetof(xdplb_port_key, protocol) == 2 && offsetof(xdplb_port_key, family) == 3);
static_assert(offsetof(xdplb_port_key, address) == 4);

struct OutcomeLine {
  int number;
  std::string_view constant;
  std::string_view name;
  std::string_view verdict;
  std::string_view meaning;
};

const std::vector<OutcomeLine>& outcome_lines() {
  static const std::vector<OutcomeLine> kLines{
#define XDPLB_LINE(NAME, name, VERDICT, meaning) {XDPLB_OUTCOME_##NAME, #NAME, #name, #VERDICT, meaning},
      XDPLB_OUTCOMES(XDPLB_LINE)
#undef XDPLB_LINE
  };
  return kLines;
}

TEST(Outcomes, AreNumberedWithoutGapsAfterContinue) {
  EXPECT_EQ(XDPLB_CONTINUE, 0);
  int expected = 1;
  for (const OutcomeLine& line : outcome_lines()) EXPECT_EQ(line.number, expected++) << line.name;
  EXPECT_EQ(XDPLB_OUTCOME_COUNT, expected);
}

TEST(Outcomes, HaveUniqueNamesThatAreTheirConstantsInLowerCase) {
  std::set<std::string_view> names;
  for (const OutcomeLine& line : outcome_lines()) {
    EXPECT_TRUE(names.insert(line.name).second) << line.name << " is there twice";
    std::string lower;
    for (const char letter : line.constant) {
      lower += letter >= 'A' && letter <= 'Z' ? static_cast<char>(letter - 'A' + 'a') : letter;
    }
    EXPECT_EQ(line.name, lower);
  }
}

TEST(Outcomes, HaveAVerdictAndAMeaning) {
  for (const OutcomeLine& line : outcome_lines()) {
    EXPECT_THAT(line.verdict, testing::AnyOf("TX", "REDIRECT", "PASS", "DROP")) << line.name;
    EXPECT_FALSE(line.meaning.empty()) << line.name;
  }
}

TEST(Outcomes, OnlyAPacketForAVipaIsDropped) {
  std::set<std::string_view> dropped;
  for (const OutcomeLine& line : outcome_lines()) {
    if (line.verdict == "DROP") dropped.insert(line.name);
  }
  EXPECT_EQ(dropped, (std::set<std::string_view>{"no_server", "server_gone", "no_egress"}));
}

TEST(MapNames, AreUniqueAndFitTheKernel) {
  const std::vector<std::string_view> names{XDPLB_MAP_TABLES, XDPLB_MAP_ROWS, XDPLB_MAP_DEVICES, XDPLB_MAP_COUNTERS,
                                            XDPLB_MAP_OUTCOMES};
  // BPF_OBJ_NAME_LEN is 16 with the closing zero; the kernel would refuse or libbpf cut a longer one.
  for (const std::string_view name : names) EXPECT_LE(name.size(), 15U) << name;
  EXPECT_EQ(std::set<std::string_view>(names.begin(), names.end()).size(), names.size());
}

TEST(Limits, ArePowersOfTwoThatFitTheirFields) {
  EXPECT_EQ(1 << XDPLB_PORT_SLOT_BITS, XDPLB_PORT_SLOTS);
  EXPECT_EQ(XDPLB_ROW_CHUNKS * XDPLB_ROWS_PER_CHUNK, XDPLB_MAX_ROWS);
  EXPECT_TRUE(std::has_single_bit(static_cast<unsigned>(XDPLB_ROWS_PER_CHUNK)));
  // A slice is a power of two at a multiple of its size, so it lies in one chunk.
  EXPECT_GE(XDPLB_ROWS_PER_CHUNK, 65536);
  // Indexes are masked.
  EXPECT_TRUE(std::has_single_bit(static_cast<unsigned>(XDPLB_MAX_SERVERS)));
  EXPECT_TRUE(std::has_single_bit(static_cast<unsigned>(XDPLB_MAX_EGRESSES)));
  // A row's two owners and its flag share a word without touching each other, and name every server.
  EXPECT_EQ(XDPLB_ROW_SERVER_MASK, XDPLB_MAX_SERVERS - 1U);
  EXPECT_EQ(XDPLB_ROW_SERVER_MASK & XDPLB_ROW_SERVER_MASK << XDPLB_ROW_BASE_SHIFT, 0U);
  EXPECT_EQ((XDPLB_ROW_SERVER_MASK | XDPLB_ROW_SERVER_MASK << XDPLB_ROW_BASE_SHIFT) & XDPLB_ROW_LOOKUP, 0U);
  EXPECT_LE(XDPLB_MAX_EGRESSES, 0x10000);
  // The bit that names the half is where the second half starts, and leaves the multiplier odd.
  EXPECT_EQ(static_cast<int>(XDPLB_SELECTOR_HALF), static_cast<int>(XDPLB_PORT_SLOTS));
  EXPECT_EQ(XDPLB_WILDCARD_TCP & XDPLB_WILDCARD_UDP, 0U);
}

}  // namespace
}  // namespace xdplb
