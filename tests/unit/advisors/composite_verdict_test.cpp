// SPDX-License-Identifier: GPL-2.0-only
#include "advisors/composite_verdict.h"

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

namespace xdplb {
namespace {

using namespace std::chrono_literals;

CompositePart part(const std::string& name, CheckCode code, const std::string& text = {}) {
  CompositePart made{.name = name};
  made.result.code = code;
  made.result.text = text;
  return made;
}

const CompositePart kUp = part("http 8080", CheckCode::kL7Ok, "200");
const CompositePart kDrains = part("agent 9000", CheckCode::kL7OkConditional, "drain");
const CompositePart kDown = part("connect 80", CheckCode::kL4Refused);
const CompositePart kSilent = part("ping", CheckCode::kL3Timeout);
const CompositePart kUnsure = part("exec", CheckCode::kSocketError, "no such file");

TEST(CompositeVerdict, IsTheDecisivePartsCode) {
  struct Case {
    const char* description;
    std::vector<CompositePart> parts;
    Combine combine;
    unsigned at_least;
    CheckCode code;
    const char* text;
  };
  const Case cases[] = {
      {"all up", {kUp, kUp}, Combine::kAll, 0, CheckCode::kL7Ok, "http 8080: 200 (2 of 2 are up)"},
      {"one asks for a drain",
       {kUp, kDrains},
       Combine::kAll,
       0,
       CheckCode::kL7OkConditional,
       "agent 9000: drain (2 of 2 are up)"},
      {"all, the first that failed",
       {kUp, kDown, kSilent},
       Combine::kAll,
       0,
       CheckCode::kL4Refused,
       "connect 80: connection refused (1 of 3 are up)"},
      {"any", {kDown, kUp}, Combine::kAny, 0, CheckCode::kL7Ok, "http 8080: 200 (1 of 2 are up)"},
      {"none of any", {kSilent, kDown}, Combine::kAny, 0, CheckCode::kL3Timeout, nullptr},
      {"enough", {kUp, kUp, kDown}, Combine::kAtLeast, 2, CheckCode::kL7Ok, nullptr},
      {"one too few", {kUp, kDown, kSilent}, Combine::kAtLeast, 2, CheckCode::kL4Refused, nullptr},
      {"who could not be asked would decide",
       {kUp, kUnsure},
       Combine::kAll,
       0,
       CheckCode::kSocketError,
       "exec: no such file (1 of 2 are up)"},
      {"and here would not", {kUnsure, kDown}, Combine::kAll, 0, CheckCode::kL4Refused, nullptr},
      {"nor here", {kUnsure, kUp}, Combine::kAny, 0, CheckCode::kL7Ok, nullptr},
  };
  for (const Case& one : cases) {
    const CheckResult result = combine_results(one.parts, one.combine, one.at_least);
    EXPECT_EQ(check_code_name(result.code), check_code_name(one.code)) << one.description;
    if (one.text != nullptr) {
      EXPECT_EQ(result.text, one.text) << one.description;
    }
  }
}

TEST(CompositeVerdict, MergesWhatThePartsTell) {
  CompositePart first = kUp;
  first.result.latency = 3ms;
  first.result.load = 20;
  first.result.agent = {.weight_percent = 50, .admin = Admin::kReady, .is_up = true};
  first.result.certificate_end = std::chrono::system_clock::time_point(100s);
  CompositePart second = kUp;
  second.result.latency = 5ms;
  second.result.load = 10;
  second.result.agent = {.weight_percent = 75, .admin = Admin::kDrain, .is_up = false};
  second.result.certificate_end = std::chrono::system_clock::time_point(50s);
  const AgentWords merged = {.weight_percent = 50, .admin = Admin::kDrain, .is_up = false};
  for (const auto& parts : {std::vector{first, second, kUp}, std::vector{kUp, second, first}}) {
    const CheckResult result = combine_results(parts, Combine::kAll, 0);
    EXPECT_EQ(result.latency, 5ms);
    EXPECT_EQ(result.load, 20U);
    EXPECT_EQ(result.agent, merged);
    EXPECT_EQ(result.certificate_end, std::chrono::system_clock::time_point(50s));
  }
}

}  // namespace
}  // namespace xdplb
