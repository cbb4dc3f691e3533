// SPDX-License-Identifier: GPL-2.0-only
#include "doctor_support.h"

namespace xdplb {
namespace {

using ::testing::HasSubstr;

constexpr std::uint64_t kAll = ~std::uint64_t{0};

std::uint64_t without(std::initializer_list<unsigned> bits) {
  std::uint64_t capabilities = kAll;
  for (const unsigned bit : bits) capabilities &= ~(std::uint64_t{1} << bit);
  return capabilities;
}

LimitFacts good_limits() {
  return {.cpus = {.online = 2, .possible = 2},
          .process = {.capabilities = kAll, .descriptors = kWantedDescriptors},
          .is_clock_synchronised = true,
          .tracked_connections = 10,
          .most_connections = 1000};
}

Check check_of(const LimitFacts& facts, std::string_view code, const DoctorNeeds& needs = {}) {
  const auto checks = judge_limits(needs, facts);
  expect_remedies(checks);
  return find_check(checks, code);
}

TEST(JudgeLimits, FindsGoodOnesWell) { EXPECT_EQ(worst(judge_limits({}, good_limits())), Verdict::kOk); }

TEST(JudgeLimits, Capabilities) {
  auto facts = good_limits();
  for (const unsigned bit : {12U, 13U}) {
    facts.process.capabilities = without({bit});
    EXPECT_EQ(check_of(facts, "capabilities").verdict, Verdict::kFailure) << bit;
  }
  facts.process.capabilities = without({38, 39});
  EXPECT_EQ(check_of(facts, "capabilities").verdict, Verdict::kOk) << "cap_sys_admin stands for them";
  facts.process.capabilities = without({21});
  EXPECT_EQ(check_of(facts, "capabilities").verdict, Verdict::kWarning) << "no dispatcher, all else works";
  facts.process.capabilities = without({21, 38});
  EXPECT_EQ(check_of(facts, "capabilities").verdict, Verdict::kFailure);
  EXPECT_THAT(check_of(facts, "capabilities").text, HasSubstr("cap_perfmon"));
  facts.process.capabilities.reset();
  EXPECT_EQ(check_of(facts, "capabilities").verdict, Verdict::kWarning);
}

TEST(JudgeLimits, DescriptorBoundaries) {
  auto facts = good_limits();
  facts.process.descriptors = kWantedDescriptors - 1;
  EXPECT_EQ(check_of(facts, "file_limit").verdict, Verdict::kWarning);
  facts.process.descriptors = kOwnDescriptors;
  EXPECT_EQ(check_of(facts, "file_limit").verdict, Verdict::kWarning);
  EXPECT_EQ(check_of(facts, "file_limit", {.probes = 1}).verdict, Verdict::kFailure);
  facts.process.descriptors = kOwnDescriptors - 1;
  EXPECT_EQ(check_of(facts, "file_limit").verdict, Verdict::kFailure);
  facts.process = {.daemon = 42, .capabilities = kAll, .descriptors = std::nullopt};
  EXPECT_EQ(check_of(facts, "file_limit").verdict, Verdict::kWarning);
  EXPECT_EQ(check_of(facts, "file_limit").object, "xdplbd 42");
}

TEST(JudgeLimits, Clock) {
  auto facts = good_limits();
  facts.is_clock_synchronised = false;
  EXPECT_EQ(check_of(facts, "clock").verdict, Verdict::kWarning);
  facts.is_clock_synchronised.reset();
  EXPECT_EQ(check_of(facts, "clock").verdict, Verdict::kWarning);
}

TEST(JudgeLimits, TrackedConnections) {
  auto facts = good_limits();
  facts.tracked_connections = 899;
  EXPECT_EQ(check_of(facts, "conntrack").verdict, Verdict::kOk);
  facts.tracked_connections = 900;
  EXPECT_EQ(check_of(facts, "conntrack").remedy, "sysctl -w net.netfilter.nf_conntrack_max=2000");
  facts.most_connections.reset();
  EXPECT_EQ(check_of(facts, "conntrack").verdict, Verdict::kOk);
  facts.tracked_connections.reset();
  EXPECT_EQ(check_of(facts, "conntrack").verdict, Verdict::kOk);
}

}  // namespace
}  // namespace xdplb
