// SPDX-License-Identifier: GPL-2.0-only
#include "model/check_result.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <set>
#include <string>

namespace xdplb {
namespace {

using namespace std::string_view_literals;

constexpr auto kLastCode = static_cast<unsigned>(CheckCode::kSocketError);

TEST(CheckCode, NamesAndTextsAreThereAndNamesAreUnique) {
  std::set<std::string_view> names;
  for (unsigned i = 0; i <= kLastCode; ++i) {
    const auto code = static_cast<CheckCode>(i);
    EXPECT_TRUE(names.insert(check_code_name(code)).second) << check_code_name(code);
    EXPECT_FALSE(check_code_text(code).empty());
    EXPECT_EQ(clean_text(check_code_text(code)), check_code_text(code));
  }
  EXPECT_EQ(check_code_name(CheckCode::kNone), "-");
  EXPECT_EQ(check_code_name(CheckCode::kL2NoMac), "L2NOMAC");
  EXPECT_EQ(check_code_name(CheckCode::kL3NoVip), "L3NOVIP");
  EXPECT_EQ(check_code_name(CheckCode::kL4Refused), "L4CON");
  EXPECT_EQ(check_code_name(CheckCode::kL7OkConditional), "L7OKC");
  EXPECT_EQ(check_code_name(CheckCode::kSocketError), "SOCKERR");
  EXPECT_EQ(check_code_text(CheckCode::kL4Refused), "connection refused");
}

TEST(CheckCode, SuccessesAreTheOnesThatSayOk) {
  const std::set<CheckCode> successes = {
      CheckCode::kL3Ok,  CheckCode::kL4Ok, CheckCode::kL6Ok, CheckCode::kL7Ok, CheckCode::kL7OkConditional,
      CheckCode::kProcOk};
  for (unsigned i = 0; i <= kLastCode; ++i) {
    const auto code = static_cast<CheckCode>(i);
    EXPECT_EQ(is_success(code), successes.contains(code)) << check_code_name(code);
    EXPECT_EQ(CheckResult{.code = code}.ok(), successes.contains(code));
  }
}

struct CleanCase {
  const char* description;
  std::string_view text;
  std::string_view clean;
};

TEST(CleanText, LetsNothingHostileThrough) {
  const CleanCase cases[] = {
      {"nothing", "", ""},
      {"plain text", "HTTP/1.1 503 Service Unavailable", "HTTP/1.1 503 Service Unavailable"},
      {"the first and the last printable", "!~", "!~"},
      {"the byte after the last printable", "a\x7f", "a."},
      {"a colour of a terminal", "\x1b[31mred\x1b[0m", ".[31mred.[0m"},
      {"a title of a terminal", "\x1b]0;title\x07", ".]0;title."},
      {"a control sequence in one byte",
       "\x9b"
       "31m",
       ".31m"},
      {"UTF-8", "caf\xc3\xa9", "caf.."},
      {"bytes that are not UTF-8", "\xff\xfe\x80", "..."},
      {"NUL", "a\0b"sv, "a.b"},
      {"a forged line of a log", "ok\r\nNov 28 16:00:00 root: hello", "ok Nov 28 16:00:00 root: hello"},
      {"runs of every white space", "a \t\n\v\f\r b", "a b"},
      {"white space at the ends", " \r\n a b \r\n", "a b"},
      {"only white space", " \t\r\n", ""},
      {"what erases a line before it", "bad\b\b\bgood", "bad...good"},
  };
  for (const auto& each : cases) EXPECT_EQ(clean_text(each.text), each.clean) << each.description;
}

TEST(CleanText, IsCutAtItsLimit) {
  EXPECT_EQ(clean_text(std::string(200, 'x')), std::string(200, 'x'));
  EXPECT_EQ(clean_text(std::string(201, 'x')), std::string(200, 'x'));
  EXPECT_EQ(clean_text(std::string(10'000'000, '\n') + "x"), "x");
  EXPECT_EQ(clean_text("abc", 0), "");
  EXPECT_EQ(clean_text("a bc", 1), "a");
  EXPECT_EQ(clean_text("a bc", 2), "a");  // no space at the end
  EXPECT_EQ(clean_text("a bc", 3), "a b");
}

TEST(CleanText, OfAnyBytesIsPrintableShortAndCleanAlready) {
  std::mt19937 random(21);
  for (int i = 0; i < 2000; ++i) {
    std::string bytes(random() % 400, '\0');
    for (char& byte : bytes) byte = static_cast<char>(random() & 0xff);
    const std::size_t limit = random() % 300;
    const std::string clean = clean_text(bytes, limit);
    ASSERT_LE(clean.size(), limit);
    ASSERT_TRUE(std::all_of(clean.begin(), clean.end(), [](char each) { return each >= ' ' && each <= '~'; }));
    ASSERT_EQ(clean.find("  "), std::string::npos);
    ASSERT_EQ(clean_text(clean, limit), clean);
  }
}

}  // namespace
}  // namespace xdplb
