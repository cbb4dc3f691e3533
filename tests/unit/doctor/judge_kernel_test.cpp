// SPDX-License-Identifier: GPL-2.0-only
#include "doctor_support.h"

namespace xdplb {
namespace {

using ::testing::HasSubstr;

Verdict verdict_of(const KernelFacts& facts, std::string_view code) {
  const auto checks = judge_kernel(facts);
  expect_remedies(checks);
  return find_check(checks, code).verdict;
}

TEST(JudgeKernel, FindsAGoodOneWell) {
  const auto checks = judge_kernel(good_kernel());
  expect_remedies(checks);
  EXPECT_EQ(worst(checks), Verdict::kOk);
  for (const char* code : {"kernel", "prog_type_xdp", "map_types", "jit", "jit_harden", "btf", "link_features",
                           "dispatcher_ext", "bpffs", "memlock"})
    EXPECT_EQ(count_checks(checks, code), 1U) << code;
}

TEST(JudgeKernel, VersionBoundary) {
  auto facts = good_kernel();
  for (const auto& [release, verdict] : std::vector<std::pair<std::string, Verdict>>{{"6.1.0", Verdict::kOk},
                                                                                     {"6.0.19-1", Verdict::kFailure},
                                                                                     {"5.15.0", Verdict::kFailure},
                                                                                     {"7.0-rc1", Verdict::kOk},
                                                                                     {"6.10.3", Verdict::kOk},
                                                                                     {"six", Verdict::kWarning},
                                                                                     {"", Verdict::kWarning}}) {
    facts.release = release;
    EXPECT_EQ(verdict_of(facts, "kernel"), verdict) << release;
  }
}

TEST(JudgeKernel, MemoryLimitCountsBefore5_11) {
  auto facts = good_kernel();
  facts.release = "5.11.0";
  EXPECT_EQ(verdict_of(facts, "memlock"), Verdict::kOk);
  facts.release = "5.10.0-28-amd64";
  EXPECT_EQ(verdict_of(facts, "memlock"), Verdict::kWarning);
}

TEST(JudgeKernel, ForbiddenIsAFailureAndTellsNothingElse) {
  auto facts = good_kernel();
  facts.features = {.xdp = {.support = Support::kUnknown, .why = "Operation not permitted"}};
  const auto checks = judge_kernel(facts);
  expect_remedies(checks);
  const auto check = find_check(checks, "prog_type_xdp");
  EXPECT_EQ(check.verdict, Verdict::kFailure);
  EXPECT_THAT(check.text, HasSubstr("may not load"));
  EXPECT_EQ(count_checks(checks, "map_types"), 0U);
  EXPECT_EQ(find_check(checks, "link_features").verdict, Verdict::kWarning);
  EXPECT_EQ(find_check(checks, "dispatcher_ext").verdict, Verdict::kWarning);
}

TEST(JudgeKernel, ProgramsAndMaps) {
  auto facts = good_kernel();
  facts.features.lacking = {"ringbuf"};
  EXPECT_EQ(verdict_of(facts, "map_types"), Verdict::kFailure);
  EXPECT_THAT(find_check(judge_kernel(facts), "map_types").text, HasSubstr("ringbuf"));
  facts = good_kernel();
  facts.features.program = {.support = Support::kNo, .why = "loading the XDP program: Invalid argument"};
  EXPECT_EQ(verdict_of(facts, "prog_type_xdp"), Verdict::kFailure);
  facts.features.xdp = {.support = Support::kNo, .why = "Invalid argument"};
  EXPECT_EQ(verdict_of(facts, "prog_type_xdp"), Verdict::kFailure);
}

TEST(JudgeKernel, JitByWhatBecameOfTheProgramThenByTheSwitch) {
  struct Case {
    std::optional<bool> is_machine_code;
    std::optional<int> jit;
    Verdict verdict;
  };
  for (const auto& one : std::vector<Case>{{true, 1, Verdict::kOk},
                                           {true, std::nullopt, Verdict::kOk},
                                           {true, 2, Verdict::kWarning},
                                           {false, 1, Verdict::kWarning},
                                           {std::nullopt, 0, Verdict::kWarning},
                                           {std::nullopt, 1, Verdict::kOk},
                                           {std::nullopt, std::nullopt, Verdict::kWarning}}) {
    auto facts = good_kernel();
    facts.features.is_machine_code = one.is_machine_code;
    facts.jit = one.jit;
    EXPECT_EQ(verdict_of(facts, "jit"), one.verdict);
  }
}

TEST(JudgeKernel, HardenedForEverybodyOnlyAt2) {
  auto facts = good_kernel();
  for (const auto& [value, verdict] :
       std::vector<std::pair<int, Verdict>>{{0, Verdict::kOk}, {1, Verdict::kOk}, {2, Verdict::kWarning}}) {
    facts.jit_harden = value;
    EXPECT_EQ(verdict_of(facts, "jit_harden"), verdict) << value;
  }
  facts.jit_harden.reset();
  EXPECT_EQ(count_checks(judge_kernel(facts), "jit_harden"), 0U) << "what is not known is not told";
}

TEST(JudgeKernel, LinksDispatcherTypesAndPins) {
  auto facts = good_kernel();
  facts.features.link = {.support = Support::kNo, .why = "Invalid argument"};
  EXPECT_EQ(verdict_of(facts, "link_features"), Verdict::kFailure);
  facts.features.dispatcher = {.support = Support::kNo, .why = "refused"};
  EXPECT_EQ(verdict_of(facts, "dispatcher_ext"), Verdict::kWarning);
  facts.has_btf = false;
  EXPECT_EQ(verdict_of(facts, "btf"), Verdict::kWarning);
  facts.bpffs = BpffsState::kAbsent;
  EXPECT_EQ(verdict_of(facts, "bpffs"), Verdict::kFailure);
  facts.bpffs = BpffsState::kReadOnly;
  EXPECT_EQ(verdict_of(facts, "bpffs"), Verdict::kFailure);
}

}  // namespace
}  // namespace xdplb
