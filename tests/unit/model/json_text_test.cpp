// SPDX-License-Identifier: GPL-2.0-only
#include "model/json_text.h"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <string>

namespace xdplb {
namespace {

using nlohmann::json;

std::string problem_of(std::string_view text) {
  const auto parsed = parse_json(text, "file");
  if (parsed) return "parsed: " + parsed->dump();
  EXPECT_EQ(parsed.error().code, ErrorCode::kInvalidConfig);
  EXPECT_EQ(parsed.error().message.find('\n'), std::string::npos);
  return parsed.error().message;
}

std::string nested(std::size_t depth) { return std::string(depth, '[') + std::string(depth, ']'); }

TEST(ParseJson, ReadsEveryKindOfValue) {
  const auto parsed = parse_json(R"({"a": [1, -2, 1.5, "x", true, false, null], "b": {"c": {}, "d": []}})", "file");
  ASSERT_TRUE(parsed);
  EXPECT_EQ(*parsed, json({{"a", {1, -2, 1.5, "x", true, false, nullptr}},
                           {"b", {{"c", json::object()}, {"d", json::array()}}}}));
}

TEST(ParseJson, ReadsScalarsAsDocuments) {
  EXPECT_EQ(problem_of("5"), "parsed: 5");
  EXPECT_EQ(problem_of(" \"x\"\n"), "parsed: \"x\"");
}

TEST(ParseJson, AllowsComments) {
  EXPECT_EQ(problem_of("// first\n{ /* a */ \"a\": 1 // b\n /* c\nd */ }\n// end"), "parsed: {\"a\":1}");
}

TEST(ParseJson, AllowsAByteOrderMarkAndCountsColumnsBehindIt) {
  EXPECT_EQ(problem_of("\xEF\xBB\xBF{}"), "parsed: {}");
  EXPECT_EQ(problem_of("\xEF\xBB\xBF{]"), "file: line 1, column 2: unexpected ']'; expected a key in double quotes");
}

struct SyntaxCase {
  std::string_view description;
  std::string_view text;
  std::string_view message;
};

class SyntaxErrors : public testing::TestWithParam<SyntaxCase> {};

TEST_P(SyntaxErrors, NameLineColumnAndWhatWasExpected) {
  EXPECT_EQ(problem_of(GetParam().text), "file: " + std::string(GetParam().message)) << GetParam().description;
}

INSTANTIATE_TEST_SUITE_P(
    All, SyntaxErrors,
    testing::Values(
        SyntaxCase{"nothing", "", "line 1, column 1: unexpected end of input; expected a value"},
        SyntaxCase{"only space", " \n ", "line 2, column 2: unexpected end of input; expected a value"},
        SyntaxCase{"missing comma", "{\n  \"a\": 1\n  \"b\": 2\n}",
                   "line 3, column 3: unexpected string literal; expected ',' or '}'"},
        SyntaxCase{"missing comma in array", "[1 22]",
                   "line 1, column 4: unexpected number literal; expected ',' or ']'"},
        SyntaxCase{"missing comma before true", "[1 true]",
                   "line 1, column 4: unexpected true literal; expected ',' or ']'"},
        SyntaxCase{"missing comma before false", "[1 false]",
                   "line 1, column 4: unexpected false literal; expected ',' or ']'"},
        SyntaxCase{"missing comma before null", "[1 null]",
                   "line 1, column 4: unexpected null literal; expected ',' or ']'"},
        SyntaxCase{"trailing comma", "{\"a\": 1,\n}",
                   "line 2, column 1: unexpected '}'; expected a key in double quotes"},
        SyntaxCase{"trailing comma in array", "[1, ]", "line 1, column 5: unexpected ']'; expected a value"},
        SyntaxCase{"missing colon", "{\"a\" 1}", "line 1, column 6: unexpected number literal; expected ':'"},
        SyntaxCase{"missing value", "{\"a\": }", "line 1, column 7: unexpected '}'; expected a value"},
        SyntaxCase{"wrong bracket", "{\"a\": 1 ]", "line 1, column 9: unexpected ']'; expected ',' or '}'"},
        SyntaxCase{"cut off", "{\"a\": [1,", "line 1, column 10: unexpected end of input; expected a value"},
        SyntaxCase{"cut off behind a value", "{\"a\": 1",
                   "line 1, column 8: unexpected end of input; expected ',' or '}'"},
        SyntaxCase{"text behind the document", "{}\nx",
                   "line 2, column 1: invalid literal; expected the end of the document"},
        SyntaxCase{"two documents", "{} {}", "line 1, column 4: unexpected '{'; expected the end of the document"},
        SyntaxCase{"bare key", "{key: 1}", "line 1, column 2: invalid literal; expected a key in double quotes"},
        SyntaxCase{"line break in a string", "[\"a\nb\"]",
                   "line 1, column 4: invalid string: control character U+000A (LF) must be escaped to \\u000A or \\n"},
        SyntaxCase{"a string that never ends", "[\"; expected '}'",
                   "line 1, column 17: invalid string: missing closing quote"},
        SyntaxCase{"a comment that never ends", "[1 /* ]",
                   "line 1, column 8: invalid comment; missing closing '*/'; expected ',' or ']'"},
        SyntaxCase{"bytes that are no UTF-8", "[\"\xff\"]", "line 1, column 3: invalid string: ill-formed UTF-8 byte"},
        SyntaxCase{"number beyond any float", "[1, 1e999]", "line 1, column 5: number too large"},
        SyntaxCase{"columns count characters", "[\"\xC3\xA4\xE2\x82\xAC\" 1]",
                   "line 1, column 7: unexpected number literal; expected ',' or ']'"},
        SyntaxCase{"Windows line ends", "[\r\n1\r\n2]",
                   "line 3, column 1: unexpected number literal; expected ',' or ']'"},
        SyntaxCase{"NUL behind the document", std::string_view("{}\n \0{", 6), "line 2, column 2: NUL byte"}));

TEST(ParseJson, RefusesDuplicateKeysWithLineAndPath) {
  EXPECT_EQ(problem_of("{\"a\": 1, \"a\": 1}"), "file: line 1: a: duplicate key");
  EXPECT_EQ(problem_of("{\n\"a\": [0, {\"b\": {\"c\": 1,\n\"d\": 2,\n\"c\": 3}}]}"),
            "file: line 4: a[1].b.c: duplicate key");
  EXPECT_EQ(problem_of("{\"a\": 1, \"\\u0061\": 2}"), "file: line 1: a: duplicate key");
  EXPECT_EQ(problem_of("{\"x\\ny\": 1, \"x\\ny\": 2}"), "file: line 1: [\"x\\x0ay\"]: duplicate key");
}

TEST(ParseJson, AllowsEqualKeysInDifferentObjects) {
  EXPECT_EQ(problem_of(R"([{"a": 1}, {"a": {"a": 2}}])"), R"(parsed: [{"a":1},{"a":{"a":2}}])");
}

TEST(ParseJson, LimitsNesting) {
  EXPECT_EQ(problem_of(nested(64)), "parsed: " + nested(64));
  EXPECT_EQ(problem_of(nested(65)), "file: line 1, column 65: nested deeper than 64 levels");
  EXPECT_EQ(problem_of(std::string(1 << 20, '[')), "file: line 1, column 65: nested deeper than 64 levels");
}

TEST(JsonPath, WritesPlainKeysPlainAndOthersQuoted) {
  EXPECT_EQ(child_path("", "clusters"), "clusters");
  EXPECT_EQ(child_path(element_path("clusters", 0), "name"), "clusters[0].name");
  EXPECT_EQ(child_path("a", "b c"), "a[\"b c\"]");
  EXPECT_EQ(child_path("a", ""), "a[\"\"]");
  EXPECT_EQ(child_path("a", "b.c"), "a[\"b.c\"]");
}

TEST(FindLine, FindsKeysAndElements) {
  constexpr std::string_view kText =
      "// head\n{\n  \"a\": [\n    1,\n    {\n      \"b c\": 5 }\n  ],\n  \"d\":\n    7\n}";
  EXPECT_EQ(find_line(kText, "a"), 3U);
  EXPECT_EQ(find_line(kText, "a[0]"), 4U);
  EXPECT_EQ(find_line(kText, "a[1]"), 5U);
  EXPECT_EQ(find_line(kText, "a[1][\"b c\"]"), 6U);
  EXPECT_EQ(find_line(kText, "d"), 8U);
}

TEST(FindLine, FindsANumberThatEndsItsLine) { EXPECT_EQ(find_line("[\n1\n]", "[0]"), 2U); }

TEST(FindLine, HasNoneForTheRootOrAnAbsentPath) {
  EXPECT_EQ(find_line("{\"a\": 1}", ""), std::nullopt);
  EXPECT_EQ(find_line("{\"a\": 1}", "b"), std::nullopt);
  EXPECT_EQ(find_line("{\"a\": 1}", "a[0]"), std::nullopt);
}

}  // namespace
}  // namespace xdplb
