// SPDX-License-Identifier: GPL-2.0-only
#include "base/result.h"

#include <gtest/gtest.h>

#include <cerrno>
#include <memory>
#include <stdexcept>
#include <string>

namespace xdplb {
namespace {

Result<int> half(int number) {
  if (number % 2 != 0) return fail(ErrorCode::kUsage, "number " + std::to_string(number) + ": write an even one");
  return number / 2;
}

Result<void> check(bool is_good) {
  if (!is_good) return fail(ErrorCode::kConflict, "cluster web: it exists");
  return {};
}

TEST(Result, HoldsTheValueOrTheError) {
  ASSERT_TRUE(half(4));
  EXPECT_EQ(*half(4), 2);
  ASSERT_FALSE(half(3));
  EXPECT_EQ(half(3).error().code, ErrorCode::kUsage);
  EXPECT_EQ(half(3).error().message, "number 3: write an even one");
}

TEST(Result, OfVoidSucceedsByDefault) {
  EXPECT_TRUE(check(true));
  EXPECT_EQ(check(false).error().code, ErrorCode::kConflict);
}

TEST(Result, CarriesMoveOnlyValues) {
  Result<std::unique_ptr<int>> result = std::make_unique<int>(7);
  const std::unique_ptr<int> taken = std::move(*result);
  EXPECT_EQ(*taken, 7);
}

TEST(Result, ValueOfAFailureIsOurMistake) {
  try {
    static_cast<void>(half(3).value());
    FAIL() << "value() of a failure returned";
  } catch (const std::logic_error& error) {
    EXPECT_NE(std::string(error.what()).find("number 3"), std::string::npos);
  }
}

TEST(ErrorCode, IsTheExitCodeOfTheCommand) {
  EXPECT_EQ(static_cast<int>(ErrorCode::kFailed), 1);
  EXPECT_EQ(static_cast<int>(ErrorCode::kUsage), 2);
  EXPECT_EQ(static_cast<int>(ErrorCode::kNotFound), 3);
  EXPECT_EQ(static_cast<int>(ErrorCode::kUnreachable), 4);
  EXPECT_EQ(static_cast<int>(ErrorCode::kPermission), 5);
  EXPECT_EQ(static_cast<int>(ErrorCode::kInvalidConfig), 6);
  EXPECT_EQ(static_cast<int>(ErrorCode::kConflict), 7);
  EXPECT_EQ(static_cast<int>(ErrorCode::kTimedOut), 8);
}

TEST(OsError, NamesTheAttemptAndTheReason) {
  EXPECT_EQ(os_error("open /run/xdplb", ENOENT).message, "open /run/xdplb: No such file or directory");
}

TEST(OsError, TellsMissingRightsFromOtherFailures) {
  EXPECT_EQ(os_error("load", EPERM).code, ErrorCode::kPermission);
  EXPECT_EQ(os_error("load", EACCES).code, ErrorCode::kPermission);
  EXPECT_EQ(os_error("load", ENOENT).code, ErrorCode::kFailed);
  EXPECT_EQ(os_error("load", EBUSY).code, ErrorCode::kFailed);
}

}  // namespace
}  // namespace xdplb
