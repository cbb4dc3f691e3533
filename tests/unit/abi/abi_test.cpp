// SPDX-License-Identifier: GPL-2.0-only
// The kernel boundary holds what it says, on both sides: no hidden padding, every name and limit in its place.
#include "xdplb/maps.h"
#include "xdplb/outcomes.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <bit>
#include <cstddef>
#include <cstdint>
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
static_assert(std::has_unique_object_representations_v<xdplb_tables>);
static_assert(std::has_unique_object_representations_v<xdplb_server>);
static_assert(std::has_unique_object_representations_v<xdplb_egress>);
static_assert(std::has_unique_object_representations_v<xdplb_counters>);
static_assert(std::has_unique_object_representations_v<xdplb_options>);
static_assert(std::has_unique_object_representations_v<xdplb_state>);
static_assert(std::has_unique_object_representations_v<xdplb_flow>);
static_assert(std::has_unique_object_representations_v<xdplb_flow_bucket>);
static_assert(std::has_unique_object_representations_v<xdplb_flow_detail>);
static_assert(std::has_unique_object_representations_v<xdplb_prefix_key>);
static_assert(std::has_unique_object_representations_v<xdplb_outcome_counters>);
static_assert(std::has_unique_object_representations_v<xdplb_trace_record>);

// A key is compared and hashed as three words, a line is one cache line, a server is loaded as one word.
static_assert(sizeof(xdplb_port_key) == 3 * sizeof(__u64) && offsetof(xdplb_port, key) == 0);
static_assert(sizeof(xdplb_port) == 64 && offsetof(xdplb_tables, ports) % 64 == 0);
static_assert(sizeof(xdplb_server) == sizeof(__u64) && alignof(xdplb_server) == alignof(__u64));
static_assert(offsetof(xdplb_server, egress) == 0 && offsetof(xdplb_server, mac) == 2);
static_assert(offsetof(xdplb_port_key, protocol) == 2 && offsetof(xdplb_port_key, family) == 3);
static_assert(offsetof(xdplb_port_key, address) == 4);
static_assert(offsetof(xdplb_port_key, prefix_bits) == 20);

// Words that the program loads, stores or swaps as one.
static_assert(offsetof(xdplb_settings, port_selector) % 8 == 0 && offsetof(xdplb_settings, traced_outcomes) % 8 == 0);
static_assert(offsetof(xdplb_egress, ifindex) == 8 && offsetof(xdplb_egress, tag) == 12);
static_assert(offsetof(xdplb_egress, flags) == 14);
static_assert(offsetof(xdplb_flow, tag) == 0 && offsetof(xdplb_flow, value) == 8 && sizeof(xdplb_flow) == 16);
static_assert(offsetof(xdplb_state, recorded) % 8 == 0 && offsetof(xdplb_state, refused) % 8 == 0);

// What is shared between CPUs, or looked up for a packet, lies in as few cache lines as it can.
static_assert(sizeof(xdplb_flow_bucket) == 64 && sizeof(xdplb_options) == 64 && sizeof(xdplb_state) == 64);
static_assert(offsetof(xdplb_tables, servers) % 64 == 0 && offsetof(xdplb_tables, options) % 64 == 0);
static_assert(offsetof(xdplb_tables, states) % 64 == 0 && offsetof(xdplb_tables, rows) % 64 == 0);
static_assert(offsetof(xdplb_tables, touches) % 64 == 0 && offsetof(xdplb_tables, egresses) % 64 == 0);

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
  EXPECT_EQ(dropped, (std::set<std::string_view>{"no_server", "server_gone", "no_egress", "stale", "fragment_unplaced",
                                                 "headers_too_long", "icmp_unplaced", "echo_off", "loop", "ttl_expired",
                                                 "no_headroom"}));
}

TEST(MapNames, AreUniqueAndFitTheKernel) {
  const std::vector<std::string_view> names{XDPLB_MAP_TABLES,    XDPLB_MAP_FLOWS,    XDPLB_MAP_FLOW_DETAILS,
                                            XDPLB_MAP_FRAGMENTS, XDPLB_MAP_PREFIXES, XDPLB_MAP_DEVICES,
                                            XDPLB_MAP_COUNTERS,  XDPLB_MAP_OUTCOMES, XDPLB_MAP_TRACE};
  // BPF_OBJ_NAME_LEN is 16 with the closing zero; the kernel would refuse or libbpf cut a longer one.
  for (const std::string_view name : names) EXPECT_LE(name.size(), 15U) << name;
  EXPECT_EQ(std::set<std::string_view>(names.begin(), names.end()).size(), names.size());
}

TEST(Limits, ArePowersOfTwoThatFitTheirFields) {
  EXPECT_EQ(1 << XDPLB_PORT_SLOT_BITS, XDPLB_PORT_SLOTS);
  // Indexes are masked.
  for (const unsigned limit :
       {unsigned{XDPLB_MAX_ROWS}, unsigned{XDPLB_MAX_SERVERS}, unsigned{XDPLB_MAX_EGRESSES},
        unsigned{XDPLB_MAX_OPTIONS}, unsigned{XDPLB_FLOW_WAYS}, unsigned{XDPLB_MIN_FLOWS}, unsigned{XDPLB_MAX_FLOWS},
        unsigned{XDPLB_DEFAULT_FLOWS}, unsigned{XDPLB_FRAGMENT_BUCKETS}, unsigned{XDPLB_TRACE_RING_BYTES}}) {
    EXPECT_TRUE(std::has_single_bit(limit)) << limit;
  }
  EXPECT_LE(XDPLB_MIN_FLOWS, XDPLB_DEFAULT_FLOWS);
  EXPECT_LE(XDPLB_DEFAULT_FLOWS, XDPLB_MAX_FLOWS);
  // A row's two owners and its flag share a word without touching each other, and name every server.
  EXPECT_EQ(XDPLB_ROW_SERVER_MASK, XDPLB_MAX_SERVERS - 1U);
  EXPECT_EQ(XDPLB_ROW_SERVER_MASK & XDPLB_ROW_SERVER_MASK << XDPLB_ROW_BASE_SHIFT, 0U);
  EXPECT_EQ((XDPLB_ROW_SERVER_MASK | XDPLB_ROW_SERVER_MASK << XDPLB_ROW_BASE_SHIFT) & XDPLB_ROW_LOOKUP, 0U);
  // A server's word names every way out beside its flag.
  EXPECT_EQ(XDPLB_SERVER_EGRESS_MASK, XDPLB_MAX_EGRESSES - 1U);
  EXPECT_EQ(XDPLB_SERVER_EGRESS_MASK & XDPLB_SERVER_FORSAKEN, 0U);
  EXPECT_LE(XDPLB_MAX_OPTIONS, 0x10000);  // the field of a line
  EXPECT_LE(XDPLB_OUTCOME_COUNT, 64);     // bits of traced_outcomes
  // The bit that names the half is where the second half starts, and leaves the multiplier odd.
  EXPECT_EQ(static_cast<int>(XDPLB_SELECTOR_HALF), static_cast<int>(XDPLB_PORT_SLOTS));
}

// Bits of one word that stand for different things.
void expect_apart(const std::vector<std::uint64_t>& bits) {
  std::uint64_t all = 0;
  for (const std::uint64_t bit : bits) {
    EXPECT_EQ(all & bit, 0U) << bit;
    EXPECT_NE(bit, 0U);
    all |= bit;
  }
}

TEST(Bits, DoNotTouchEachOther) {
  expect_apart({XDPLB_OPTION_WILDCARD_TCP, XDPLB_OPTION_WILDCARD_UDP, XDPLB_OPTION_TRACKED, XDPLB_OPTION_ALIVE,
                XDPLB_OPTION_SHARED});
  expect_apart({XDPLB_EGRESS_LOCAL, XDPLB_EGRESS_DECREMENT_TTL, XDPLB_EGRESS_TRACED});
  expect_apart({XDPLB_TAG_SET, XDPLB_TAG_NONE, XDPLB_TAG_VLAN_MASK});
  expect_apart({XDPLB_HOW_ROW, XDPLB_HOW_BASE, XDPLB_HOW_FLOW, XDPLB_HOW_RECORDED, XDPLB_HOW_REFUSED, XDPLB_HOW_CLIENT,
                XDPLB_HOW_FRAGMENT, XDPLB_HOW_INNER});
  // A flow's value: server, state, stamp.
  expect_apart({XDPLB_ROW_SERVER_MASK, XDPLB_FLOW_STATE_MASK, ~std::uint64_t{0} << XDPLB_FLOW_STAMP_SHIFT});
  EXPECT_EQ(XDPLB_FLOW_STATE_MASK >> XDPLB_FLOW_STATE_SHIFT, 3U);
  EXPECT_LE(XDPLB_FLOW_CLOSING, 3);
  // Neither is a TCP flag that a line's attention may name, a family or a protocol.
  EXPECT_EQ(XDPLB_ATTENTION_ALWAYS & 0xff, 0U);
  EXPECT_EQ(XDPLB_FAMILY_PREFIX & 7, 0);
  EXPECT_EQ(XDPLB_PROTOCOL_FRAGMENTS & (6 | 17), 0);
}

}  // namespace
}  // namespace xdplb
