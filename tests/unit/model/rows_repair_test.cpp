// SPDX-License-Identifier: GPL-2.0-only
#include "model/rows.h"

#include "row_counts.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <random>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace xdplb {
namespace {

using ::testing::Each;

Servers without(Servers servers, const std::string& name) {
  std::erase_if(servers, [&](const RowServer& candidate) { return candidate.name == name; });
  return servers;
}

Servers with_weight(Servers servers, const std::string& name, unsigned weight) {
  for (RowServer& candidate : servers) {
    if (candidate.name == name) candidate.weight = weight;
  }
  return servers;
}

std::set<std::uint32_t> rows_of(const RowTable& table, const RowServer& owner) {
  std::set<std::uint32_t> rows;
  for (std::uint32_t row = 0; row < table.owners.size(); ++row) {
    if (table.owners[row] == owner.index) rows.insert(row);
  }
  return rows;
}

RowTable duplicated(const RowTable& table, std::size_t row_count) {
  RowTable grown = table;
  for (std::size_t row = table.owners.size(); row < row_count; ++row) {
    grown.owners.push_back(grown.owners[row % table.owners.size()]);
  }
  return grown;
}

// What any repair must move at least: rows of nobody, of servers that are gone and above the new quotas.
std::uint32_t least_moves(const RowTable& before, const Servers& servers, std::uint32_t row_count) {
  const auto quotas = row_quotas(servers, row_count);
  auto counts = loads(duplicated(before, row_count));
  std::uint32_t least = 0;
  for (std::size_t i = 0; i < servers.size(); ++i) {
    least += counts[servers[i].index] - std::min(counts[servers[i].index], quotas[i]);
    counts.erase(servers[i].index);
  }
  for (const auto& [index, count] : counts) least += count;
  return least;
}

// A random walk over the servers of one port.
class History {
 public:
  explicit History(unsigned seed) : random_(seed) {
    const unsigned count = pick(2, 12);
    for (unsigned i = 1; i <= count; ++i) servers_.push_back(server(i, pick(1, 20)));
    next_ = count + 1;
    table_ = fill_rows(servers_, rows_for(servers_.size()));
  }

  unsigned pick(unsigned low, unsigned high) { return std::uniform_int_distribution<unsigned>(low, high)(random_); }
  const RowServer& any() { return servers_[pick(0, static_cast<unsigned>(servers_.size()) - 1)]; }

  // Adds, removes, drains, re-weighs or brings back one server.
  void step() {
    const unsigned kind = pick(0, 5);
    if (kind == 0) servers_.push_back(server(next_++, pick(1, 20)));
    if (kind == 1 && servers_.size() > 2) remove(any());
    if (kind == 2) servers_[pick(0, static_cast<unsigned>(servers_.size()) - 1)].weight = 0;
    if (kind >= 3 && kind <= 4) servers_[pick(0, static_cast<unsigned>(servers_.size()) - 1)].weight = pick(1, 20);
    if (kind == 5 && !removed_.empty()) {
      servers_.push_back(removed_.back());
      removed_.pop_back();
    }
    std::shuffle(servers_.begin(), servers_.end(), random_);
  }

  void repair() { table_ = repair_rows(table_, servers_, rows_for(servers_.size())); }

  Servers servers_;
  RowTable table_;
  std::mt19937 random_;

 private:
  void remove(const RowServer& gone) {
    removed_.push_back(gone);
    servers_ = without(servers_, removed_.back().name);
  }

  Servers removed_;
  unsigned next_ = 1;
};

TEST(RepairRows, OfAnEmptyTableIsTheFill) {
  EXPECT_EQ(repair_rows({}, equal_servers(3), 1024), fill_rows(equal_servers(3), 1024));
}

TEST(RepairRows, ChangesNothingWhenNothingChanged) {
  for (unsigned seed = 0; seed < 50; ++seed) {
    History history(seed);
    for (int i = 0; i < 10; ++i) {
      history.step();
      history.repair();
    }
    const RowTable before = history.table_;
    history.repair();
    EXPECT_EQ(history.table_, before) << "seed " << seed;
  }
}

TEST(RepairRows, KeepsSizeWhenFewerRowsAreWanted) {
  const RowTable before = fill_rows(equal_servers(20), 4096);
  EXPECT_EQ(repair_rows(before, equal_servers(20), 1024), before);
}

TEST(RepairRows, GrowthByDuplicationMovesNoRow) {
  const RowTable before = repair_rows(fill_rows(equal_servers(8), 1024), without(equal_servers(8), "s3"), 1024);
  const RowTable after = repair_rows(before, without(equal_servers(8), "s3"), 2048);
  // 1024 and 2048 rows for 7 servers: quotas of 146 or 147 and 292 or 293 differ by the rounding only.
  EXPECT_LE(moves(before, after), 2U);
  const RowTable even = fill_rows(equal_servers(8), 1024);
  EXPECT_EQ(repair_rows(even, equal_servers(8), 8192).owners, duplicated(even, 8192).owners);
}

TEST(RepairRows, GrowthDuplicatesHomes) {
  const Servers all = equal_servers(8);
  const RowTable before = repair_rows(fill_rows(all, 1024), without(all, "s3"), 1024);
  const RowTable back = repair_rows(repair_rows(before, without(all, "s3"), 2048), all, 2048);
  EXPECT_EQ(rows_of(back, all[2]), rows_of(duplicated(fill_rows(all, 1024), 2048), all[2]));
}

TEST(RepairRows, MovesExactlyTheLowerBoundInAnyHistory) {
  for (unsigned seed = 0; seed < 200; ++seed) {
    SCOPED_TRACE(seed);
    History history(seed);
    for (int i = 0; i < 25; ++i) {
      const RowTable before = history.table_;
      history.step();
      history.repair();
      const auto row_count = static_cast<std::uint32_t>(history.table_.owners.size());
      expect_exact_quotas(history.table_, history.servers_);
      const bool has_weight = std::any_of(history.servers_.begin(), history.servers_.end(),
                                          [](const RowServer& each) { return each.weight > 0; });
      if (!has_weight) continue;
      EXPECT_EQ(moves(before, history.table_), least_moves(before, history.servers_, row_count));
    }
  }
}

TEST(RepairRows, MovesOnlyTheChangedServersShare) {
  const Servers ten = equal_servers(10);
  const RowTable table = fill_rows(ten, 2048);
  EXPECT_LE(moves(table, repair_rows(table, without(ten, "s4"), 2048)), 1.1 * 2048 / 10);
  EXPECT_LE(moves(table, repair_rows(table, equal_servers(11), 2048)), 1.1 * 2048 / 11);
  // Twice the weight: from 1/10 of the rows to 2/11.
  EXPECT_LE(moves(table, repair_rows(table, with_weight(ten, "s4", 20), 2048)), 1.1 * 2048 * (2.0 / 11 - 1.0 / 10));
}

TEST(RepairRows, DoesNotDependOnOrderAndIsPure) {
  for (unsigned seed = 0; seed < 100; ++seed) {
    History history(seed);
    for (int i = 0; i < 10; ++i) {
      const RowTable before = history.table_;
      history.step();
      history.repair();
      Servers shuffled = history.servers_;
      std::shuffle(shuffled.begin(), shuffled.end(), history.random_);
      EXPECT_EQ(repair_rows(before, shuffled, rows_for(shuffled.size())), history.table_) << "seed " << seed;
    }
  }
}

TEST(RepairRows, RemovedServerGetsExactlyItsRowsBackAfterAnyHistory) {
  for (unsigned seed = 0; seed < 200; ++seed) {
    History history(seed);
    const unsigned steps = history.pick(0, 30);
    for (unsigned i = 0; i < steps; ++i) {
      history.step();
      history.repair();
    }
    const auto row_count = static_cast<std::uint32_t>(history.table_.owners.size());
    const RowServer gone = history.any();
    const auto rows = rows_of(history.table_, gone);
    const RowTable removed = repair_rows(history.table_, without(history.servers_, gone.name), row_count);
    EXPECT_TRUE(rows_of(removed, gone).empty());
    EXPECT_EQ(rows_of(repair_rows(removed, history.servers_, row_count), gone), rows) << "seed " << seed;

    const RowTable drained = repair_rows(history.table_, with_weight(history.servers_, gone.name, 0), row_count);
    EXPECT_EQ(rows_of(repair_rows(drained, history.servers_, row_count), gone), rows) << "seed " << seed;
  }
}

TEST(RepairRows, FlappingServerGetsItsRowsBackEachTime) {
  const Servers all = equal_servers(6);
  RowTable table = repair_rows(fill_rows(all, 1024), without(all, "s6"), 1024);  // one is gone for good
  const RowTable settled = table;
  for (int i = 0; i < 5; ++i) {
    table = repair_rows(table, without(without(all, "s6"), "s2"), 1024);
    table = repair_rows(table, without(all, "s6"), 1024);
    EXPECT_EQ(table.owners, settled.owners) << "flap " << i;
  }
}

TEST(RepairRows, TwoServersGetTheirRowsBackInEitherOrder) {
  for (unsigned count = 3; count <= 12; ++count) {
    const Servers all = equal_servers(count);
    const RowTable full = fill_rows(all, 1024);
    for (unsigned other = 2; other <= count; ++other) {
      SCOPED_TRACE(std::to_string(count) + " servers, two gone: s1 and " + server_name(other));
      const Servers no_first = without(all, "s1");
      const Servers no_second = without(all, server_name(other));
      const RowTable one_gone = repair_rows(full, no_first, 1024);
      const RowTable both_gone = repair_rows(one_gone, without(no_first, server_name(other)), 1024);

      const RowTable second_back = repair_rows(both_gone, no_first, 1024);
      EXPECT_EQ(second_back, one_gone);
      EXPECT_EQ(repair_rows(second_back, all, 1024), full);
      EXPECT_EQ(repair_rows(both_gone, all, 1024), full);

      // In the order of their leaving the first may meet a stand-in that keeps a few of its rows for its own quota.
      const RowTable first_back = repair_rows(both_gone, no_second, 1024);
      EXPECT_LE(moves(full, repair_rows(first_back, all, 1024)), 10U);
    }
  }
}

TEST(RepairRows, StandInThatLeavesAsTheOwnerReturnsKeepsNoClaim) {
  const Servers all = equal_servers(4);
  const RowTable full = fill_rows(all, 1024);
  const RowTable first_gone = repair_rows(full, without(all, "s1"), 1024);
  const RowTable swapped = repair_rows(first_gone, without(all, "s2"), 1024);
  const RowTable back = repair_rows(swapped, all, 1024);
  unsigned stood_in = 0;
  for (const std::uint32_t row : rows_of(full, all[0])) {
    if (first_gone.owners[row] != 2) continue;
    ++stood_in;
    EXPECT_EQ(swapped.owners[row], 1) << row;
    EXPECT_EQ(swapped.homes[row], 0U) << row;
    EXPECT_EQ(back.owners[row], 1) << row;
  }
  EXPECT_GT(stood_in, 50U);
}

TEST(RepairRows, ServerThatReturnsGoesBeforeOneThatGrows) {
  // "giver" can spare one row and remembers "back" on one and "grower" on another; "other" can spare one, too.
  const Servers servers{{.name = "grower", .index = 1, .weight = 300},
                        {.name = "giver", .index = 2, .weight = 400},
                        {.name = "other", .index = 3, .weight = 323},
                        {.name = "back", .index = 4, .weight = 1}};
  RowTable before{.owners = std::vector<std::uint16_t>(1024, 3), .homes = std::vector<std::uint64_t>(1024, 0)};
  std::fill_n(before.owners.begin(), 299, std::uint16_t{1});
  std::fill_n(before.owners.begin() + 299, 401, std::uint16_t{2});
  for (const auto& [own, grown] : {std::pair{300U, 500U}, std::pair{500U, 300U}}) {
    before.homes.assign(1024, 0);
    before.homes[own] = name_hash("back");
    before.homes[grown] = name_hash("grower");
    EXPECT_EQ(rows_of(repair_rows(before, servers, 1024), servers[3]), std::set<std::uint32_t>{own});
  }
}

TEST(RepairRows, ServerThatReturnsByDegreesGetsItsRowsBack) {
  const Servers all = equal_servers(5);
  const RowTable full = fill_rows(all, 1024);
  RowTable table = repair_rows(full, without(all, "s2"), 1024);
  for (const unsigned weight : {1U, 3U, 7U, 10U}) {
    table = repair_rows(table, with_weight(all, "s2", weight), 1024);
    const auto rows = rows_of(table, all[1]);
    const auto own = rows_of(full, all[1]);
    EXPECT_TRUE(std::includes(own.begin(), own.end(), rows.begin(), rows.end())) << "weight " << weight;
  }
  EXPECT_EQ(table.owners, full.owners);
}

TEST(RepairRows, AllServersComeBackFromAnOutage) {
  const Servers all = equal_servers(4);
  const RowTable full = fill_rows(all, 1024);
  Servers down = all;
  for (RowServer& each : down) each.weight = 0;
  for (const Servers& nobody : {down, Servers{}}) {
    RowTable table = repair_rows(full, nobody, 1024);
    EXPECT_THAT(table.owners, Each(0));
    for (std::size_t i = 0; i < 1024; ++i) EXPECT_EQ(table.homes[i], name_hash(server_name(full.owners[i])));
    EXPECT_EQ(repair_rows(table, nobody, 1024), table);
    EXPECT_EQ(repair_rows(table, all, 1024), full);
    for (std::size_t count = 1; count <= 4; ++count) {
      table = repair_rows(table, Servers(all.begin(), all.begin() + static_cast<std::ptrdiff_t>(count)), 1024);
    }
    EXPECT_EQ(table.owners, full.owners);
  }
}

TEST(RepairRows, OnlyARowGivenUpByALeaverHasAHome) {
  const Servers all = equal_servers(4);
  const RowTable full = fill_rows(all, 1024);
  const RowTable gone = repair_rows(full, without(all, "s2"), 1024);
  for (std::size_t row = 0; row < 1024; ++row) {
    EXPECT_EQ(gone.homes[row], full.owners[row] == 2 ? name_hash("s2") : 0U) << row;
  }
  EXPECT_EQ(repair_rows(gone, all, 1024), full) << "homes are cleared by the return";
  const RowTable less = repair_rows(full, with_weight(all, "s2", 3), 1024);
  EXPECT_GT(moves(full, less), 0U);
  EXPECT_THAT(less.homes, Each(0U)) << "a smaller quota leaves no home";
}

TEST(RepairRows, FirstHomeOfARowStays) {
  const Servers all = equal_servers(4);
  const RowTable full = fill_rows(all, 1024);
  const RowTable gone = repair_rows(full, without(all, "s2"), 1024);
  const RowTable both = repair_rows(gone, without(without(all, "s2"), "s3"), 1024);
  for (std::size_t row = 0; row < 1024; ++row) {
    const bool moved_twice_or_once = full.owners[row] == 2 || full.owners[row] == 3;
    EXPECT_EQ(both.homes[row], moved_twice_or_once ? name_hash(server_name(full.owners[row])) : 0) << row;
  }
}

TEST(RepairRows, RowsOfARemovedServerAreSharedOut) {
  const Servers all = equal_servers(5);
  const RowTable full = fill_rows(all, 1024);
  const RowTable gone = repair_rows(full, without(all, "s1"), 1024);
  std::map<std::uint16_t, unsigned> heirs;
  for (const std::uint32_t row : rows_of(full, all[0])) ++heirs[gone.owners[row]];
  EXPECT_EQ(heirs.size(), 4U);
  for (const auto& [index, count] : heirs) EXPECT_NEAR(count, 51, 1) << "server " << index;
}

TEST(RepairRows, AnIndexThatPassesToAnotherNamePassesNoRows) {
  const Servers before{server(1), server(2), server(3)};
  const RowTable full = fill_rows(before, 1024);
  const Servers after{server(1), server(2), {.name = "other", .index = 3, .weight = 10}, server(4)};
  const RowTable table = repair_rows(full, after, 1024);
  expect_exact_quotas(table, after);
  for (const std::uint32_t row : rows_of(full, before[2])) EXPECT_EQ(table.homes[row], name_hash("s3"));
  const RowTable back =
      repair_rows(table, Servers{server(1), server(2), {.name = "s3", .index = 9, .weight = 10}}, 1024);
  EXPECT_EQ(rows_of(back, {.name = "s3", .index = 9, .weight = 10}), rows_of(full, before[2]));
}

TEST(RepairRows, AdoptedRowsWithoutNamesBelongToTheirIndexes) {
  const Servers all = equal_servers(4);
  const RowTable full = fill_rows(all, 1024);
  const RowTable adopted{.owners = full.owners, .homes = {}};
  EXPECT_EQ(repair_rows(adopted, all, 1024), full);
  const RowTable gone = repair_rows(adopted, without(all, "s2"), 1024);
  expect_exact_quotas(gone, without(all, "s2"));
  EXPECT_EQ(moves(full, gone), 256U);
  EXPECT_THAT(gone.homes, Each(0U)) << "nobody knows the name";
}

TEST(RepairRows, MoreServersThanRowsLeaveSomeWithout) {
  const Servers many = equal_servers(1500);
  const RowTable table = repair_rows(fill_rows(equal_servers(3), 1024), many, 1024);
  expect_exact_quotas(table, many);
}

}  // namespace
}  // namespace xdplb
