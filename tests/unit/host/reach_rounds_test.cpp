// SPDX-License-Identifier: GPL-2.0-only
#include "host/reach_rounds.h"

#include <gmock/gmock.h>

#include <algorithm>

namespace xdplb {
namespace {

using namespace std::chrono_literals;
using Clock = ReachRounds::Clock;

const MacAddress kMac{{2, 0, 0, 0, 0, 9}};
const ReachQuestion kQuestion{.ifindex = 2, .target = *IpAddress::parse("192.0.2.9")};

ReachQuestion question(unsigned number) {
  return {
      .ifindex = 2,
      .target = IpAddress::v4({198, 18, static_cast<std::uint8_t>(number >> 8), static_cast<std::uint8_t>(number)})};
}

class Rounds : public testing::Test {
 protected:
  void set(const std::vector<ReachQuestion>& questions, const std::set<std::uint32_t>& interfaces = {2}) {
    rounds_.set(interfaces, questions, 1000ms, now_);
  }
  // Lets time pass until the next turn that does something.
  ReachRounds::Turn next_turn() {
    auto next = rounds_.next_at();
    if (!next) return {};
    now_ = std::max(now_, *next);
    return rounds_.turn(now_);
  }
  std::optional<ReachRounds::Outcome> answer() { return rounds_.answer(kQuestion, kMac, std::nullopt, now_); }

  Clock::time_point now_ = Clock::time_point(1h);
  ReachRounds rounds_{7};
};

TEST_F(Rounds, NewQuestionIsAskedAtOnceAndOfEverybody) {
  set({kQuestion});
  EXPECT_EQ(rounds_.next_at(), now_);
  auto turn = next_turn();
  ASSERT_EQ(turn.asks.size(), 1u);
  EXPECT_EQ(turn.asks[0].question, kQuestion);
  EXPECT_FALSE(turn.asks[0].mac);
  EXPECT_TRUE(turn.outcomes.empty());
}

TEST_F(Rounds, EachRoundWithoutAnAnswerCounts) {
  set({kQuestion});
  auto start = now_;
  next_turn();
  for (unsigned missed = 1; missed <= 4; ++missed) {
    auto turn = next_turn();
    ASSERT_EQ(turn.outcomes.size(), 1u);
    EXPECT_EQ(turn.outcomes[0].missed, missed);
    EXPECT_EQ(turn.asks.size(), 1u) << "and is asked again";
    if (missed == 3) {
      EXPECT_GE(now_ - start, 2400ms);
      EXPECT_LE(now_ - start, 3100ms);
    }
  }
}

TEST_F(Rounds, AnswerIsToldWhenItIsTheFirstEndsASilenceOrHasAnotherMac) {
  set({kQuestion});
  next_turn();
  auto first = answer();
  ASSERT_TRUE(first);
  EXPECT_EQ(first->missed, 0u);
  EXPECT_EQ(first->mac, kMac);
  next_turn();
  EXPECT_FALSE(answer()) << "as before";
  next_turn();
  EXPECT_EQ(next_turn().outcomes.at(0).missed, 1u);
  EXPECT_TRUE(answer()) << "ends a silence";
  next_turn();
  const MacAddress other{{2, 0, 0, 0, 0, 8}};
  auto changed = rounds_.answer(kQuestion, other, std::nullopt, now_);
  ASSERT_TRUE(changed);
  EXPECT_EQ(changed->mac, other);
}

TEST_F(Rounds, WhoAnsweredIsAskedDirectlyUntilItMisses) {
  set({kQuestion});
  next_turn();
  answer();
  EXPECT_EQ(next_turn().asks.at(0).mac, kMac);
  auto after_miss = next_turn();
  EXPECT_EQ(after_miss.outcomes.at(0).missed, 1u);
  EXPECT_FALSE(after_miss.asks.at(0).mac);
}

TEST_F(Rounds, AnswerNobodyAskedForIsNone) {
  EXPECT_FALSE(answer());
  set({kQuestion});
  EXPECT_FALSE(answer()) << "not asked yet";
  next_turn();
  EXPECT_TRUE(answer());
  EXPECT_FALSE(rounds_.answer(kQuestion, MacAddress{{2, 0, 0, 0, 0, 8}}, std::nullopt, now_)) << "a second one";
}

TEST_F(Rounds, LateAnswersCountForSixteenAsks) {
  set({kQuestion});
  std::uint16_t first = next_turn().asks.at(0).sequence;
  for (int i = 0; i < 15; ++i) next_turn();
  EXPECT_FALSE(rounds_.answer(kQuestion, std::nullopt, static_cast<std::uint16_t>(first + 16), now_))
      << "of the future";
  EXPECT_TRUE(rounds_.answer(kQuestion, std::nullopt, first, now_));
  for (int i = 0; i < 16; ++i) next_turn();
  EXPECT_FALSE(rounds_.answer(kQuestion, std::nullopt, static_cast<std::uint16_t>(first + 15), now_));
}

TEST_F(Rounds, HurryAsksThreeTimesAtShortIntervals) {
  set({kQuestion});
  next_turn();
  answer();
  next_turn();
  now_ += 300ms;  // in the middle of a round
  rounds_.hurry(kQuestion, now_);
  auto start = now_;
  auto turn = next_turn();
  EXPECT_EQ(now_, start);
  EXPECT_EQ(turn.asks.size(), 1u);
  EXPECT_TRUE(turn.outcomes.empty()) << "the round that was cut short is no miss";
  for (unsigned missed = 1; missed <= 3; ++missed) EXPECT_EQ(next_turn().outcomes.at(0).missed, missed);
  EXPECT_EQ(now_ - start, 300ms);
  next_turn();
  EXPECT_GE(now_ - start, 1200ms) << "then the usual pace";
}

TEST_F(Rounds, HurryEndsWithTheAnswerAndIsNotDoubled) {
  set({kQuestion});
  next_turn();
  rounds_.hurry(kQuestion, now_);
  next_turn();
  rounds_.hurry(kQuestion, now_);
  EXPECT_EQ(rounds_.next_at(), now_ + 100ms) << "it is in a hurry already";
  answer();
  EXPECT_GE(*rounds_.next_at(), now_ + 900ms);
  rounds_.hurry(question(1), now_);  // unknown
  EXPECT_GE(*rounds_.next_at(), now_ + 900ms);
}

TEST_F(Rounds, StayingQuestionsKeepTheirCount) {
  set({kQuestion});
  next_turn();
  next_turn();
  set({kQuestion, question(1)});
  auto turn = next_turn();
  ASSERT_EQ(turn.asks.size(), 1u);
  EXPECT_EQ(turn.asks[0].question, question(1));
  unsigned missed = 0;
  for (int i = 0; i < 4; ++i) {
    for (const auto& outcome : next_turn().outcomes) {
      if (outcome.question == kQuestion) missed = outcome.missed;
    }
  }
  EXPECT_GE(missed, 2u);
}

TEST_F(Rounds, RemovedQuestionsAreNotAskedAgain) {
  set({kQuestion});
  next_turn();
  set({});
  EXPECT_FALSE(rounds_.next_at());
  EXPECT_FALSE(answer());
}

TEST_F(Rounds, QuestionsOfAnInterfaceThatIsNotListedWait) {
  set({kQuestion});
  next_turn();
  next_turn();
  set({kQuestion}, {3});
  EXPECT_FALSE(rounds_.next_at());
  EXPECT_FALSE(answer());
  set({kQuestion}, {2, 3});
  EXPECT_EQ(rounds_.next_at(), now_);
  EXPECT_TRUE(next_turn().outcomes.empty()) << "the pause is no miss";
  EXPECT_EQ(next_turn().outcomes.at(0).missed, 2u);
}

TEST_F(Rounds, ManyQuestionsLeaveInSlicesAndThenSpread) {
  std::vector<ReachQuestion> questions;
  for (unsigned i = 0; i < 3000; ++i) questions.push_back(question(i));
  set(questions);
  auto start = now_;
  for (unsigned slice = 0; slice < 6; ++slice) {
    EXPECT_EQ(next_turn().asks.size(), 500u);
    EXPECT_TRUE(rounds_.turn(now_).asks.empty()) << "the slice is full";
    EXPECT_EQ(now_ - start, slice * 10ms);
  }
  // The second round, by the 10 ms it falls into.
  std::map<long, std::size_t> asks;
  while (now_ - start < 1100ms) {
    auto turn = next_turn();
    asks[(now_ - start) / 10ms] += turn.asks.size();
  }
  std::size_t busiest = 0;
  for (const auto& [slice, count] : asks) busiest = std::max(busiest, count);
  EXPECT_LT(busiest, 150u) << "3000 in some 500 ms";
}

TEST_F(Rounds, ShorterIntervalTakesEffectAtOnce) {
  rounds_.set({2}, {kQuestion}, 60s, now_);
  next_turn();
  rounds_.set({2}, {kQuestion}, 1s, now_);
  EXPECT_LE(*rounds_.next_at(), now_ + 1s);
}

}  // namespace
}  // namespace xdplb
