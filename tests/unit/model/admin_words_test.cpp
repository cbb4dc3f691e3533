// SPDX-License-Identifier: GPL-2.0-only
#include "model/admin_words.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>

namespace xdplb {
namespace {

constexpr std::array kAdmins = {Admin::kReady, Admin::kDrain, Admin::kDrainNow, Admin::kDown};

TEST(AdminWords, AreReadyUntilSomebodySaysOtherwise) {
  const AdminWords words;
  EXPECT_EQ(words.admin(), Admin::kReady);
  EXPECT_EQ(words.source(), std::nullopt);
}

TEST(AdminWords, TheMostSevereWins) {
  AdminWords words;
  words.set(AdminSource::kAgent, Admin::kDrain);
  EXPECT_EQ(words.admin(), Admin::kDrain);
  EXPECT_EQ(words.source(), AdminSource::kAgent);
  words.set(AdminSource::kHook, Admin::kDown);
  EXPECT_EQ(words.admin(), Admin::kDown);
  EXPECT_EQ(words.source(), AdminSource::kHook);
  words.set(AdminSource::kOperator, Admin::kDrainNow);
  EXPECT_EQ(words.admin(), Admin::kDown);
  EXPECT_EQ(words.source(), AdminSource::kHook);
}

TEST(AdminWords, OfEqualWordsTheFirstSourceIsNamed) {
  AdminWords words;
  words.set(AdminSource::kHook, Admin::kDrain);
  words.set(AdminSource::kOperator, Admin::kDrain);
  EXPECT_EQ(words.source(), AdminSource::kOperator);
  words.set(AdminSource::kConfig, Admin::kDrain);
  EXPECT_EQ(words.source(), AdminSource::kConfig);
}

TEST(AdminWords, ReadyOfOneSourceTakesBackOnlyItsOwnWord) {
  AdminWords words;
  words.set(AdminSource::kOperator, Admin::kDown);
  words.set(AdminSource::kAgent, Admin::kDrain);
  words.set(AdminSource::kAgent, Admin::kReady);
  EXPECT_EQ(words.admin(), Admin::kDown);
  words.set(AdminSource::kOperator, Admin::kReady);
  EXPECT_EQ(words.admin(), Admin::kReady);
  EXPECT_EQ(words, AdminWords{});
}

// Whatever was said before: what a source said last is what it says, and no other source changes it.
TEST(AdminWords, EverySourceKeepsItsOwnWordInAnyOrder) {
  std::mt19937 random(20);
  AdminWords words;
  std::array<Admin, kAdminSources.size()> said{};
  for (int i = 0; i < 10000; ++i) {
    const AdminSource source = kAdminSources.at(random() % kAdminSources.size());
    const Admin admin = kAdmins.at(random() % kAdmins.size());
    words.set(source, admin);
    said.at(static_cast<std::size_t>(source)) = admin;
    for (const AdminSource each : kAdminSources) ASSERT_EQ(words.of(each), said.at(static_cast<std::size_t>(each)));
    const Admin severest = *std::max_element(said.begin(), said.end());
    ASSERT_EQ(words.admin(), severest);
    ASSERT_EQ(words.source().has_value(), severest != Admin::kReady);
    ASSERT_TRUE(!words.source() || words.of(*words.source()) == severest);
  }
}

TEST(AdminWords, SourcesHaveNames) {
  EXPECT_EQ(admin_source_name(AdminSource::kConfig), "config");
  EXPECT_EQ(admin_source_name(AdminSource::kOperator), "operator");
  EXPECT_EQ(admin_source_name(AdminSource::kAgent), "agent");
  EXPECT_EQ(admin_source_name(AdminSource::kHook), "hook");
}

TEST(DailyHours, HoldTheirFirstAndLastHour) {
  const DailyHours night{.first = 2, .last = 5};
  EXPECT_FALSE(night.contains(1));
  EXPECT_TRUE(night.contains(2));
  EXPECT_TRUE(night.contains(5));
  EXPECT_FALSE(night.contains(6));
}

TEST(DailyHours, GoOverMidnight) {
  const DailyHours night{.first = 22, .last = 4};
  EXPECT_FALSE(night.contains(21));
  EXPECT_TRUE(night.contains(22));
  EXPECT_TRUE(night.contains(23));
  EXPECT_TRUE(night.contains(0));
  EXPECT_TRUE(night.contains(4));
  EXPECT_FALSE(night.contains(5));
}

TEST(DailyHours, OfOneHourHoldOnlyIt) {
  const DailyHours hour{.first = 0, .last = 0};
  EXPECT_TRUE(hour.contains(0));
  EXPECT_FALSE(hour.contains(1));
  EXPECT_FALSE(hour.contains(23));
}

TEST(DailyHours, HoldTheWholeDay) {
  for (unsigned hour = 0; hour < 24; ++hour) {
    EXPECT_TRUE((DailyHours{.first = 0, .last = 23}).contains(hour));
    EXPECT_TRUE((DailyHours{.first = 12, .last = 11}).contains(hour));
  }
}

}  // namespace
}  // namespace xdplb
