// SPDX-License-Identifier: GPL-2.0-only
#include "model/row_state.h"

#include <gtest/gtest.h>

#include <map>
#include <ostream>
#include <random>
#include <vector>

namespace xdplb {

// For messages of failing tests; found by name lookup.
static std::ostream& operator<<(std::ostream& out, const RowState& row) {
  return out << "{base " << row.base << ", cur " << row.cur << (row.lookup ? ", lookup}" : "}");
}

namespace {

constexpr std::uint32_t kStale = 300;

struct RetargetCase {
  const char* description;
  RowState before;
  std::uint16_t cur;
  bool base_serves;
  bool keeps_flows;
  RowState after;
};

TEST(RowState, RetargetKeepsTheBaseThatServes) {
  const std::vector<RetargetCase> cases = {
      {"nobody's row", {}, 1, false, true, {.base = 1, .cur = 1}},
      {"no change", {.base = 1, .cur = 1}, 1, true, true, {.base = 1, .cur = 1}},
      {"a new owner", {.base = 1, .cur = 1}, 2, true, true, {.base = 1, .cur = 2, .lookup = true}},
      {"another one", {.base = 1, .cur = 2, .lookup = true}, 3, true, true, {.base = 1, .cur = 3, .lookup = true}},
      {"back", {.base = 1, .cur = 2, .lookup = true}, 1, true, true, {.base = 1, .cur = 1, .lookup = true}},
      {"base went down", {.base = 1, .cur = 1}, 2, false, true, {.base = 2, .cur = 2}},
      {"base of a changing row went down",
       {.base = 1, .cur = 2, .lookup = true},
       3,
       false,
       true,
       {.base = 3, .cur = 3, .lookup = true}},
      {"nobody is left", {.base = 1, .cur = 1}, 0, true, true, {.base = 1, .cur = 0, .lookup = true}},
      {"nobody's flows are kept", {.base = 1, .cur = 1}, 2, true, false, {.base = 2, .cur = 2}},
      {"not kept any more",
       {.base = 1, .cur = 2, .lookup = true},
       2,
       true,
       false,
       {.base = 2, .cur = 2, .lookup = true}},
  };
  for (const auto& one : cases)
    EXPECT_EQ(retarget(one.before, one.cur, one.base_serves, one.keeps_flows), one.after) << one.description;
}

TEST(RowState, ASettledRowIsLeftAlone) {
  EXPECT_EQ(sweep_row({.base = 1, .cur = 1}, {.idle_ticks = 99999, .promoted_ticks = 99999, .is_forced = true}, kStale),
            std::nullopt);
}

TEST(RowState, ABaseIsReplacedWhenItWasSilentForLongerThanTheStaleTimeout) {
  const RowState row{.base = 1, .cur = 2, .lookup = true};
  EXPECT_EQ(sweep_row(row, {.idle_ticks = kStale}, kStale), std::nullopt);
  EXPECT_EQ(sweep_row(row, {.idle_ticks = kStale + 1}, kStale), (RowState{.base = 2, .cur = 2, .lookup = true}));
}

TEST(RowState, WithoutASuccessorABaseStaysUntilItIsForced) {
  const RowState row{.base = 1, .cur = 0, .lookup = true};
  EXPECT_EQ(sweep_row(row, {.idle_ticks = 99999}, kStale), std::nullopt);
  EXPECT_EQ(sweep_row(row, {.is_forced = true}, kStale), (RowState{.base = 0, .cur = 0, .lookup = true}));
}

TEST(RowState, LookupEndsWithTheLastForeignFlowAndNotBeforeStragglersAreHome) {
  const RowState row{.base = 2, .cur = 2, .lookup = true};
  EXPECT_EQ(sweep_row(row, {.foreign_flows = 1, .promoted_ticks = 100}, kStale), std::nullopt);
  EXPECT_EQ(sweep_row(row, {.promoted_ticks = kStragglerTicks - 1}, kStale), std::nullopt);
  EXPECT_EQ(sweep_row(row, {.promoted_ticks = kStragglerTicks}, kStale), (RowState{.base = 2, .cur = 2}));
}

// A row with its flows, as packets treat it: the plain twin of the program's rules.
class RowOracle {
 public:
  explicit RowOracle(std::uint64_t seed) : random_(seed) {}

  void step() {
    ++now_;
    switch (random_() % 8) {
      case 0:
        row_ = retarget(row_, static_cast<std::uint16_t>(1 + random_() % 3), true);
        if (row_.base != row_.cur) touched_ = std::max(touched_, was_settled_ ? now_ : touched_);
        break;
      case 1:
      case 2:
        open_flow();
        break;
      case 3:
        sweep();
        break;
      default:
        send();
    }
    was_settled_ = row_.base == row_.cur;
  }

 private:
  struct Flow {
    std::uint16_t owner = 0;
    std::uint32_t last = 0;
  };

  void open_flow() {
    const int name = next_++;
    std::uint16_t owner = row_.base;
    const bool is_refused = random_() % 4 == 0;
    if (!row_.is_settled() && row_.cur != row_.base && !is_refused) {
      owner = row_.cur;
      entries_[name] = owner;
    } else if (row_.base != row_.cur) {
      touched_ = now_;
    }
    flows_[name] = {.owner = owner, .last = now_};
  }

  void send() {
    if (flows_.empty()) return;
    auto flow = std::next(flows_.begin(), static_cast<long>(random_() % flows_.size()));
    if (now_ - flow->second.last > kStaleTicks) {  // its server may have forgotten it: no promise
      entries_.erase(flow->first);
      flows_.erase(flow);
      return;
    }
    flow->second.last = now_;
    std::uint16_t got = row_.cur;
    if (!row_.is_settled()) {
      const auto entry = entries_.find(flow->first);
      got = entry != entries_.end() ? entry->second : row_.base;
      if (entry == entries_.end() && row_.base != row_.cur) touched_ = now_;
    }
    ASSERT_EQ(got, flow->second.owner) << row_ << " at " << now_;
  }

  void sweep() {
    std::uint32_t foreign = 0;
    std::erase_if(entries_, [&](const auto& entry) {
      const auto flow = flows_.find(entry.first);
      const bool is_old = flow == flows_.end() || now_ - flow->second.last > kStaleTicks;
      if (!is_old && entry.second != row_.base) ++foreign;
      return is_old || (row_.base == row_.cur && entry.second == row_.base);
    });
    const auto next =
        sweep_row(row_, {.idle_ticks = now_ - touched_, .foreign_flows = foreign, .promoted_ticks = 9}, kStaleTicks);
    if (next) row_ = *next;
  }

  static constexpr std::uint32_t kStaleTicks = 20;
  std::mt19937_64 random_;
  std::uint32_t now_ = 0;
  std::uint32_t touched_ = 0;
  bool was_settled_ = true;
  int next_ = 0;
  RowState row_{.base = 1, .cur = 1};
  std::map<int, Flow> flows_;
  std::map<int, std::uint16_t> entries_;
};

TEST(RowState, NoLiveFlowEverChangesItsServer) {
  for (std::uint64_t seed = 0; seed < 50; ++seed) {
    RowOracle oracle(seed);
    for (int step = 0; step < 4000 && !HasFatalFailure(); ++step) oracle.step();
    ASSERT_FALSE(HasFatalFailure()) << "seed " << seed;
  }
}

}  // namespace
}  // namespace xdplb
