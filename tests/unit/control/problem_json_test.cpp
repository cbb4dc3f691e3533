// SPDX-License-Identifier: GPL-2.0-only
#include "control/problem_json.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <set>

namespace xdplb {
namespace {

using nlohmann::json;

constexpr ErrorCode kCodes[] = {ErrorCode::kFailed,      ErrorCode::kUsage,      ErrorCode::kNotFound,
                                ErrorCode::kUnreachable, ErrorCode::kPermission, ErrorCode::kInvalidConfig,
                                ErrorCode::kConflict,    ErrorCode::kTimedOut};

TEST(Problem, SaysWhatRfc7807Asks) {
  const json expected = {{"type", "urn:xdplb:error:not-found"},
                         {"title", "not found"},
                         {"status", 404},
                         {"detail", "cluster web: there is none"},
                         {"exit_code", 3}};
  EXPECT_EQ(encode_problem({.code = ErrorCode::kNotFound, .message = "cluster web: there is none"}), expected);
}

TEST(Problem, EveryCodeHasItsOwnStatusAndComesBack) {
  std::set<int> seen;
  for (const ErrorCode code : kCodes) {
    const Error error{.code = code, .message = "text"};
    EXPECT_TRUE(seen.insert(http_status(code)).second);
    const Error back = decode_problem(encode_problem(error), 200);
    EXPECT_EQ(back.code, code);
    EXPECT_EQ(back.message, "text");
  }
  EXPECT_EQ(http_status(ErrorCode::kUsage), 400);
  EXPECT_EQ(http_status(ErrorCode::kPermission), 403);
  EXPECT_EQ(http_status(ErrorCode::kConflict), 409);
  EXPECT_EQ(http_status(ErrorCode::kInvalidConfig), 422);
  EXPECT_EQ(http_status(ErrorCode::kFailed), 500);
  EXPECT_EQ(http_status(ErrorCode::kUnreachable), 503);
  EXPECT_EQ(http_status(ErrorCode::kTimedOut), 504);
}

TEST(Problem, StatusOfHttpOverridesTheCodes) {
  EXPECT_EQ(encode_problem({.code = ErrorCode::kUsage, .message = "x"}, 405)["status"], 405);
}

TEST(Problem, FallsBackToTypeThenStatus) {
  EXPECT_EQ(decode_problem({{"type", "urn:xdplb:error:conflict"}, {"detail", "x"}}, 500).code, ErrorCode::kConflict);
  EXPECT_EQ(decode_problem({{"exit_code", 99}}, 403).code, ErrorCode::kPermission);
  EXPECT_EQ(decode_problem(json::object(), 418).code, ErrorCode::kUsage);
  EXPECT_EQ(decode_problem(json(), 599).code, ErrorCode::kFailed);
  EXPECT_EQ(decode_problem(json(), 404).code, ErrorCode::kNotFound);
  EXPECT_EQ(decode_problem({{"detail", 7}}, 500).message, "HTTP status 500 without a detail");
}

TEST(Problem, TextThatIsNotUtf8IsShownNotThrown) {
  EXPECT_EQ(dump_json("a\xff"), "\"a\xef\xbf\xbd\"");
  EXPECT_EQ(dump_json_pretty({{"a", 1}}), "{\n  \"a\": 1\n}");
}

}  // namespace
}  // namespace xdplb
