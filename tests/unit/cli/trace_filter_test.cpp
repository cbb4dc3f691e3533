// SPDX-License-Identifier: GPL-2.0-only
#include "cli/trace_filter.h"

#include <gtest/gtest.h>

namespace xdplb {
namespace {

using nlohmann::json;

const json kRecord = {{"outcome", "forwarded"}, {"server", "web/80/s1"},          {"port", "web/80"},
                      {"interface", "eth0"},    {"source", "198.51.100.7:40000"}, {"destination", "[2001:db8::10]:80"}};

bool matches(const std::vector<std::string>& texts, const json& record = kRecord) {
  const auto filter = TraceFilter::parse(texts);
  EXPECT_TRUE(filter) << filter.error().message;
  return filter && filter->matches(record);
}

TEST(TraceFilter, WithoutWordsEverythingMatches) { EXPECT_TRUE(matches({})); }

TEST(TraceFilter, AWordIsComparedWhole) {
  EXPECT_TRUE(matches({"server=web/80/s1"}));
  EXPECT_FALSE(matches({"server=web/80/s"}));
  EXPECT_FALSE(matches({"server=web/80/s1"}, {{"server", nullptr}}));
}

TEST(TraceFilter, OfOneKeyAnyOfDifferentKeysAllMustHold) {
  EXPECT_TRUE(matches({"outcome=loop", "outcome=forwarded"}));
  EXPECT_TRUE(matches({"outcome=forwarded", "interface=eth0"}));
  EXPECT_FALSE(matches({"outcome=forwarded", "interface=eth1"}));
}

TEST(TraceFilter, AddressesMayBeNetworks) {
  EXPECT_TRUE(matches({"client=198.51.100.0/24"}));
  EXPECT_TRUE(matches({"client=198.51.100.7"}));
  EXPECT_FALSE(matches({"client=198.51.101.0/24"}));
  EXPECT_TRUE(matches({"vipa=2001:db8::/32"}));
  EXPECT_FALSE(matches({"vipa=2001:db8::11"}));
  EXPECT_TRUE(matches({"client=192.0.2.1"}, {{"source", "192.0.2.1"}}));  // a packet without ports
  EXPECT_FALSE(matches({"client=192.0.2.1"}, {{"source", nullptr}}));
}

TEST(TraceFilter, OutcomesAreLeftToTheKernel) {
  EXPECT_EQ(TraceFilter::parse({"outcome=loop", "port=web/80", "outcome=stale"})->outcomes(),
            (std::vector<std::string>{"loop", "stale"}));
}

TEST(TraceFilter, WhatIsNoFilterIsRefusedByName) {
  for (const char* text : {"server", "server=", "=s1", "colour=red", "client=everybody"}) {
    const auto filter = TraceFilter::parse({text});
    ASSERT_FALSE(filter) << text;
    EXPECT_EQ(filter.error().code, ErrorCode::kUsage);
  }
  EXPECT_NE(TraceFilter::parse({"colour=red"}).error().message.find("colour=red"), std::string::npos);
}

}  // namespace
}  // namespace xdplb
