// SPDX-License-Identifier: GPL-2.0-only
#include "vipa/claim_book.h"

#include <gmock/gmock.h>

#include "vipa/recent_pairs.h"

namespace xdplb {
namespace {

using namespace std::chrono_literals;

const auto kStart = ClaimBook::Clock::time_point() + 1h;
const IpAddress kVipa = *IpAddress::parse("192.0.2.10");

Claim claim(unsigned i) { return {.vipa = kVipa, .mac = {{2, 0, 0, 0, 0, static_cast<std::uint8_t>(i)}}}; }

TEST(ClaimBook, BothFormsOnAllInterfacesAreOneClaim) {
  ClaimBook book;
  EXPECT_TRUE(book.note(2, claim(1), false, kStart));
  EXPECT_FALSE(book.note(2, claim(1), false, kStart));
  EXPECT_FALSE(book.note(3, claim(1), false, kStart + 99ms));
  EXPECT_TRUE(book.note(3, claim(1), false, kStart + 100ms)) << "the window does not grow with what it holds back";
  auto heard = book.list();
  ASSERT_EQ(heard.size(), 1u);
  EXPECT_EQ(heard[0].count, 2u);
  EXPECT_EQ(heard[0].ifindex, 3u);
  EXPECT_EQ(heard[0].last, kStart + 100ms);
}

TEST(ClaimBook, OtherMacsAndOtherKindsAreOtherClaims) {
  ClaimBook book;
  EXPECT_TRUE(book.note(2, claim(1), false, kStart));
  EXPECT_TRUE(book.note(2, claim(2), false, kStart));
  Claim probe = claim(1);
  probe.is_probe = true;
  EXPECT_TRUE(book.note(2, probe, false, kStart));
  Claim answer = claim(1);
  answer.is_answer = true;
  EXPECT_TRUE(book.note(2, answer, true, kStart));
  auto heard = book.list();
  ASSERT_EQ(heard.size(), 2u);
  EXPECT_EQ(heard[0].mac, claim(1).mac) << "heard last";
  EXPECT_EQ(heard[0].count, 3u);
  EXPECT_TRUE(heard[0].is_expected);
  EXPECT_FALSE(heard[1].is_expected);
}

TEST(ClaimBook, KeepsTheLatestEight) {
  ClaimBook book;
  for (unsigned i = 1; i <= 9; ++i) book.note(2, claim(i), false, kStart + std::chrono::seconds(i));
  auto heard = book.list();
  ASSERT_EQ(heard.size(), 8u);
  EXPECT_EQ(heard.front().mac, claim(9).mac);
  EXPECT_EQ(heard.back().mac, claim(2).mac);
}

TEST(RecentPairs, NotesAPairOnceInTheWindow) {
  RecentPairs pairs(10s);
  EXPECT_TRUE(pairs.note({claim(1).mac, kVipa}, kStart));
  EXPECT_FALSE(pairs.note({claim(1).mac, kVipa}, kStart + 10s - 1ns));
  EXPECT_TRUE(pairs.note({claim(2).mac, kVipa}, kStart));
  EXPECT_TRUE(pairs.note({claim(1).mac, kVipa}, kStart + 10s));
}

}  // namespace
}  // namespace xdplb
