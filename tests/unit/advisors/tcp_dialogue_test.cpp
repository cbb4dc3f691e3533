// SPDX-License-Identifier: GPL-2.0-only
#include "advisors/tcp_dialogue.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

namespace xdplb {
namespace {

using ::testing::HasSubstr;
using Need = TcpDialogue::Need;

TcpStep send(std::string bytes) { return {.kind = TcpStep::Kind::kSend, .bytes = std::move(bytes)}; }
TcpStep expect(std::string text) {
  return {.kind = TcpStep::Kind::kExpect, .match = {.text = std::move(text), .is_regex = false}};
}
TcpStep expect_regex(std::string text) {
  return {.kind = TcpStep::Kind::kExpect, .match = {.text = std::move(text), .is_regex = true}};
}

TcpDialogue make(std::vector<TcpStep> steps) {
  auto made = TcpDialogue::make(std::move(steps));
  EXPECT_TRUE(made) << made.error().message;
  return std::move(*made);
}

// With a server that says `bytes` in pieces, whatever it is asked.
Verdict talk(TcpDialogue dialogue, std::string_view bytes, std::size_t size) {
  while (dialogue.need() != Need::kNothing) {
    if (dialogue.need() == Need::kSend) {
      dialogue.sent();
    } else if (bytes.empty()) {
      dialogue.end();
    } else {
      dialogue.take(bytes.substr(0, size));
      bytes.remove_prefix(std::min(size, bytes.size()));
    }
  }
  return dialogue.verdict();
}

struct DialogueCase {
  std::string description;
  std::vector<TcpStep> steps;
  std::string bytes;
  CheckCode code;
  std::string text;
};

TEST(TcpDialogue, FindsEachExpectBehindTheOneBefore) {
  const std::vector<DialogueCase> cases = {
      {"one", {send("PING\r\n"), expect("+PONG")}, "+PONG\r\n", CheckCode::kL7Ok, "+PONG"},
      {"two in one packet",
       {expect("220 "), send("QUIT\r\n"), expect("221 ")},
       "220 a\r\n221 b\r\n",
       CheckCode::kL7Ok,
       "220 "},
      {"the same text twice", {expect("ok"), expect("ok")}, "ok", CheckCode::kL7Response, "step 2 of 2"},
      {"the same text twice, said twice", {expect("ok"), expect("ok")}, "okok", CheckCode::kL7Ok, "ok"},
      {"in the wrong order", {expect("b"), expect("a")}, "ab", CheckCode::kL7Response, "waiting for \"a\""},
      {"not at all", {expect("+PONG")}, "-LOADING\r\n", CheckCode::kL7Response, "got \"-LOADING"},
      {"silence", {expect("x")}, "", CheckCode::kL7Response, "got nothing"},
      {"a line", {expect_regex("^\\+OK")}, "+OK ready\r\n", CheckCode::kL7Ok, "+OK"},
      {"no line begins so", {expect_regex("^\\+OK")}, "x+OK ready\r\n", CheckCode::kL7Response, ""},
      {"a later line",
       {expect("+OK"), send("QUIT\r\n"), expect_regex("^\\+OK")},
       "+OK ready\r\n+OK bye\r\n",
       CheckCode::kL7Ok,
       ""},
      {"right behind a match no line begins", {expect("a"), expect_regex("^b")}, "ab", CheckCode::kL7Response, ""},
      {"a byte of 0", {expect(std::string("\0z", 2))}, std::string("a\0\0z", 4), CheckCode::kL7Ok, ""},
      {"a text that begins again", {expect("aab")}, "aaab", CheckCode::kL7Ok, ""},
      {"only sends", {send("a"), send("b")}, "", CheckCode::kL7Ok, ""},
  };
  for (const DialogueCase& test : cases) {
    for (const std::size_t size : {std::size_t{1}, std::size_t{3}, test.bytes.size() + 1}) {
      SCOPED_TRACE(test.description + " in pieces of " + std::to_string(size));
      const Verdict verdict = talk(make(test.steps), test.bytes, size);
      EXPECT_EQ(check_code_name(verdict.code), check_code_name(test.code)) << verdict.text;
      EXPECT_THAT(verdict.text, HasSubstr(test.text));
    }
  }
}

TEST(TcpDialogue, LooksInSoManyBytesAndNoMore) {
  const std::string most(TcpDialogue::kMaxUnmatched - 1, 'x');
  EXPECT_EQ(talk(make({expect("y")}), most + "y", 4096).code, CheckCode::kL7Ok);
  TcpDialogue dialogue = make({expect("y")});
  dialogue.take(most + "x");
  EXPECT_EQ(dialogue.need(), Need::kRead);
  dialogue.take("x");
  EXPECT_EQ(dialogue.verdict().code, CheckCode::kL7Response);
  EXPECT_THAT(dialogue.verdict().text, HasSubstr("no \"y\" in 65537 bytes"));
}

TEST(TcpDialogue, AnExpressionIsNotFedByteByByteForEver) {
  TcpDialogue dialogue = make({expect_regex("y$")});
  std::size_t count = 0;
  for (; dialogue.need() == Need::kRead && count < TcpDialogue::kMaxUnmatched; ++count) dialogue.take("x");
  EXPECT_EQ(dialogue.verdict().code, CheckCode::kL7Response);
  EXPECT_LT(count, 6000U);
}

TEST(TcpDialogue, ForgetsWhatIsBehindIt) {
  const std::string line = std::string(5000, 'x') + "\n";
  EXPECT_EQ(talk(make({expect(line), expect_regex("^ok"), expect("!")}), line + "ok!", 4096).code, CheckCode::kL7Ok);
}

TEST(TcpDialogue, KnowsWhenOnlyAGoodbyeIsLeft) {
  TcpDialogue dialogue = make({expect("+OK"), send("QUIT\r\n")});
  EXPECT_FALSE(dialogue.is_at_goodbye());
  dialogue.take("+OK\r\n");
  EXPECT_EQ(dialogue.need(), Need::kSend);
  EXPECT_TRUE(dialogue.is_at_goodbye());
  dialogue.end();
  EXPECT_EQ(dialogue.verdict().code, CheckCode::kL7Ok);
  EXPECT_FALSE(make({send("x")}).is_at_goodbye());
}

TEST(TcpDialogue, RefusesABadExpression) {
  const auto made = TcpDialogue::make({expect_regex("[")});
  ASSERT_FALSE(made);
  EXPECT_EQ(made.error().code, ErrorCode::kUsage);
}

}  // namespace
}  // namespace xdplb
