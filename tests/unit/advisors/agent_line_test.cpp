// SPDX-License-Identifier: GPL-2.0-only
#include "advisors/agent_line.h"

#include <gtest/gtest.h>

#include <optional>
#include <string>

namespace xdplb {
namespace {

TEST(AgentLine, TellsWordsOfHaproxysLanguage) {
  struct Case {
    std::string line;
    AgentWords words;
    std::string reason;
  };
  const Case cases[] = {
      {"up\n", {.is_up = true}, ""},
      {"up", {.is_up = true}, ""},
      {"UP Ready\r\n", {.admin = Admin::kReady, .is_up = true}, ""},
      {"down#no database\n", {.is_up = false}, "no database"},
      {"failed # out of disk, sorry\n", {.is_up = false}, "out of disk, sorry"},
      {"fail\n", {.is_up = false}, ""},
      {"stopped#by\x01hand\n", {.is_up = false}, "by.hand"},
      {"drain\n", {.admin = Admin::kDrain}, ""},
      {"maint\n", {.admin = Admin::kDown}, ""},
      {"75%\n", {.weight_percent = 75}, ""},
      {"0%\n", {.weight_percent = 0}, ""},
      {"256%\n", {.weight_percent = 256}, ""},
      {" \tup,,50%, ready\tmaxconn:30 \n", {.weight_percent = 50, .admin = Admin::kReady, .is_up = true}, ""},
      {"maxconn:30\n", {}, ""},
      {"up down\n", {.is_up = false}, ""},
      {"up\ndown\n", {.is_up = true}, ""},
      {"up\rdown\n", {.is_up = true}, ""},
  };
  for (const Case& one : cases) {
    const auto parsed = parse_agent_line(one.line);
    ASSERT_TRUE(parsed) << one.line << parsed.error().message;
    EXPECT_EQ(parsed->words, one.words) << one.line;
    EXPECT_EQ(parsed->reason, one.reason) << one.line;
  }
}

TEST(AgentLine, IsTakenAsAWholeOrNotAtAll) {
  const std::pair<std::string, std::string> cases[] = {
      {"", "an empty line"},
      {"\n", "an empty line"},
      {" , \t\n", "an empty line"},
      {"# nothing else\n", "an empty line"},
      {"up sideways\n", "no word of an agent: sideways"},
      {"257%\n", "no word of an agent: 257%"},
      {"1000%\n", "no word of an agent: 1000%"},
      {"-5%\n", "no word of an agent: -5%"},
      {"7 5%\n", "no word of an agent: 7"},
      {"%\n", "no word of an agent: %"},
      {"75\n", "no word of an agent: 75"},
      {"HTTP/1.1 400 Bad Request\r\n", "no word of an agent: http/1.1"},
      {"\x7f\x80up\n", "no word of an agent: ..up"},
      {std::string("u\0p", 3), "no word of an agent: u.p"},
  };
  for (const auto& [line, message] : cases) {
    const auto parsed = parse_agent_line(line);
    ASSERT_FALSE(parsed) << line;
    EXPECT_EQ(parsed.error().message, message);
  }
}

TEST(AgentLine, IsReadUpToOneKibibyte) {
  const std::string spaces(kMaxAgentLine - 2, ' ');
  EXPECT_TRUE(parse_agent_line(spaces + "up"));
  EXPECT_FALSE(parse_agent_line(spaces + "  up"));
}

}  // namespace
}  // namespace xdplb
