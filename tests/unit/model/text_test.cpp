// SPDX-License-Identifier: GPL-2.0-only
#include "model/text.h"

#include <gtest/gtest.h>

#include <array>

namespace xdplb {
namespace {

constexpr std::array<std::string_view, 4> kKeys = {"name", "address", "weight", "family"};

TEST(Quote, LeavesPrintableTextAlone) { EXPECT_EQ(quote("web 1~"), "\"web 1~\""); }

TEST(Quote, EscapesWhatWouldBreakALineOrATerminal) {
  EXPECT_EQ(quote("a\nb\x1b[2J\x7f"), "\"a\\x0ab\\x1b[2J\\x7f\"");
  EXPECT_EQ(quote(std::string_view("\0", 1)), "\"\\x00\"");
  EXPECT_EQ(quote("\xC3\xA4"), "\"\\xc3\\xa4\"");
}

TEST(Quote, EscapesQuoteAndBackslash) { EXPECT_EQ(quote("a\"b\\c"), "\"a\\\"b\\\\c\""); }

TEST(Quote, CutsBehind64Bytes) {
  EXPECT_EQ(quote(std::string(64, 'a')), '"' + std::string(64, 'a') + '"');
  EXPECT_EQ(quote(std::string(65, 'a')), '"' + std::string(64, 'a') + "...\"");
}

TEST(Nearest, FindsSlipsOfTheFinger) {
  EXPECT_EQ(nearest("wieght", kKeys), "weight");
  EXPECT_EQ(nearest("adress", kKeys), "address");
  EXPECT_EQ(nearest("nam", kKeys), "name");
  EXPECT_EQ(nearest("familly", kKeys), "family");
}

TEST(Nearest, HasNothingForAnUnrelatedWord) {
  EXPECT_EQ(nearest("sticky", kKeys), std::nullopt);
  EXPECT_EQ(nearest("", kKeys), std::nullopt);
  EXPECT_EQ(nearest("x", kKeys), std::nullopt);
  EXPECT_EQ(nearest(std::string(1000, 'w'), kKeys), std::nullopt);
}

TEST(Nearest, AllowsAThirdOfTheLettersToBeWrong) {
  EXPECT_EQ(nearest("xxight", kKeys), "weight");
  EXPECT_EQ(nearest("xxxght", kKeys), std::nullopt);
}

TEST(Nearest, PrefersTheNearer) {
  constexpr std::array<std::string_view, 3> kWords = {"parts", "ports", "port"};
  EXPECT_EQ(nearest("portz", kWords), "ports");
  EXPECT_EQ(nearest("por", kWords), "port");
}

}  // namespace
}  // namespace xdplb
