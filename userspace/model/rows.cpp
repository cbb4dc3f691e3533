// SPDX-License-Identifier: GPL-2.0-only
#include "model/rows.h"

#include <algorithm>
#include <bit>
#include <cassert>
#include <utility>

namespace xdplb {
namespace {

// Position of a party in Repair, of a server in name order in a fill: the order of `servers` must not matter.
using Slot = std::uint16_t;
constexpr Slot kNobody = 0xffff;

// The finaliser of splitmix64: every bit of the input reaches every bit of the output.
std::uint64_t mix(std::uint64_t value) {
  value += 0x9e3779b97f4a7c15;
  value = (value ^ value >> 30) * 0xbf58476d1ce4e5b9;
  value = (value ^ value >> 27) * 0x94d049bb133111eb;
  return value ^ value >> 31;
}

std::vector<RowServer> sorted_by_name(std::span<const RowServer> servers) {
  std::vector<RowServer> sorted(servers.begin(), servers.end());
  std::sort(sorted.begin(), sorted.end(), [](const RowServer& a, const RowServer& b) { return a.name < b.name; });
  return sorted;
}

// One server's walk over all rows: the skip is odd, so it meets each of 2^k rows once.
struct Claimant {
  std::uint32_t next = 0;
  std::uint32_t skip = 1;
  std::uint32_t quota = 0;
  std::uint32_t credit = 0;  // towards the next claim, which costs the largest quota
  Slot slot = kNobody;
};

// The first fill, in slots of `sorted`; `quotas` is beside it.
std::vector<Slot> fill_slots(std::span<const RowServer> sorted, std::span<const std::uint32_t> quotas,
                             std::uint32_t row_count) {
  std::vector<Slot> slots(row_count, kNobody);
  const std::uint32_t mask = row_count - 1;
  std::vector<Claimant> claimants;
  std::uint32_t turns = 0;
  for (std::size_t i = 0; i < sorted.size(); ++i) {
    if (quotas[i] == 0) continue;
    const std::uint64_t hash = name_hash(sorted[i].name);
    claimants.push_back({
        .next = static_cast<std::uint32_t>(hash) & mask,
        .skip = (static_cast<std::uint32_t>(mix(hash)) & mask) | 1,
        .quota = quotas[i],
        .credit = 0,
        .slot = static_cast<Slot>(i),
    });
    turns = std::max(turns, quotas[i]);
  }
  // Over all turns a server earns quota x turns and a claim costs `turns`: it claims its quota exactly.
  for (std::uint32_t turn = 0; turn < turns; ++turn) {
    for (Claimant& claimant : claimants) {
      claimant.credit += claimant.quota;
      if (claimant.credit < turns) continue;
      claimant.credit -= turns;
      while (slots[claimant.next] != kNobody) claimant.next = (claimant.next + claimant.skip) & mask;
      slots[claimant.next] = claimant.slot;
    }
  }
  return slots;
}

// Slots by name_hash.
class NameIndex {
 public:
  void add(std::uint64_t name, Slot slot) { entries_.emplace_back(name, slot); }
  void sort() { std::sort(entries_.begin(), entries_.end()); }
  bool is_empty() const { return entries_.empty(); }
  // kNobody when absent; for 0, too.
  Slot find(std::uint64_t name) const {
    if (name == 0) return kNobody;
    const auto at = std::lower_bound(entries_.begin(), entries_.end(), std::pair<std::uint64_t, Slot>{name, 0});
    return at != entries_.end() && at->first == name ? at->second : kNobody;
  }

 private:
  std::vector<std::pair<std::uint64_t, Slot>> entries_;
};

// A server of the old table, the new one or both.
struct Party {
  std::uint64_t name = 0;   // name_hash; 0 when the old table does not tell
  std::uint16_t index = 0;  // 0 when absent from the new servers
  bool is_leaving = false;  // absent or of weight 0
  std::uint32_t quota = 0;
  std::uint32_t load = 0;     // rows before
  std::uint32_t surplus = 0;  // rows still to give up
  std::uint32_t deficit = 0;  // rows still to get
};

// One repair. Rows that must move find their new owner in the order of run(); every step stops at the surplus of the
// giver and the deficit of the taker, so none of them moves a row more than the quotas demand.
class Repair {
 public:
  Repair(const RowTable& before, std::span<const RowServer> servers, std::uint32_t row_count);
  RowTable run();

 private:
  void add_parties(const RowTable& before);
  void grow_rows(const RowTable& before);
  void forget_old_homes();
  void take_homes(bool only_returning);
  void release_stand_ins();
  void take_filled();
  void deal_rest();
  RowTable finish();

  // Rows are visited in a scrambled, fixed order: what a server loses is spread over the table.
  std::uint32_t row_at(std::uint32_t step) const { return (step * 0x9e3779b1U + 0x7f4a7c15U) & (row_count_ - 1); }
  bool is_movable(std::uint32_t row) const { return slots_[row] == kNobody || parties_[slots_[row]].surplus > 0; }
  bool stays(std::uint32_t row) const { return slots_[row] != kNobody && !parties_[slots_[row]].is_leaving; }
  std::uint64_t last_home(std::uint32_t row) const { return table_.last_homes.empty() ? 0 : table_.last_homes[row]; }
  void set_last_home(std::uint32_t row, std::uint64_t name);
  void release(std::uint32_t row);
  void give(std::uint32_t row, Slot to);
  void remember(std::uint32_t row, std::uint64_t leaver);

  std::uint32_t row_count_;
  std::vector<RowServer> servers_;  // in name order; the first parties_
  std::vector<std::uint32_t> quotas_;
  std::vector<Party> parties_;
  std::vector<Slot> slot_by_index_;
  std::vector<Slot> slots_;  // by row: the owner so far
  RowTable table_;
  std::uint32_t open_ = 0;  // sum of all deficits
};

Repair::Repair(const RowTable& before, std::span<const RowServer> servers, std::uint32_t row_count)
    : row_count_(row_count), servers_(sorted_by_name(servers)), quotas_(row_quotas(servers_, row_count)) {
  add_parties(before);
  grow_rows(before);
  for (Party& party : parties_) {
    party.surplus = party.load - std::min(party.load, party.quota);
    party.deficit = party.quota - std::min(party.load, party.quota);
    open_ += party.deficit;
  }
}

void Repair::add_parties(const RowTable& before) {
  std::size_t indexes = 1;
  for (const std::uint16_t owner : before.owners) indexes = std::max<std::size_t>(indexes, owner + 1U);
  for (const RowServer& server : servers_) indexes = std::max<std::size_t>(indexes, server.index + 1U);
  for (const RowName& name : before.names) indexes = std::max<std::size_t>(indexes, name.index + 1U);
  slot_by_index_.assign(indexes, kNobody);

  NameIndex present;
  for (std::size_t i = 0; i < servers_.size(); ++i) {
    const RowServer& server = servers_[i];
    parties_.push_back(
        {.name = name_hash(server.name), .index = server.index, .is_leaving = server.weight == 0, .quota = quotas_[i]});
    present.add(parties_.back().name, static_cast<Slot>(i));
    slot_by_index_[server.index] = static_cast<Slot>(i);
  }
  present.sort();
  // The old table's word on who owned an index goes before who has it now.
  for (const RowName& old : before.names) {
    Slot slot = present.find(old.name);
    if (slot == kNobody) {
      slot = static_cast<Slot>(parties_.size());
      parties_.push_back({.name = old.name, .is_leaving = true});
    }
    slot_by_index_[old.index] = slot;
  }
}

void Repair::grow_rows(const RowTable& before) {
  const auto old_mask = static_cast<std::uint32_t>(before.owners.size()) - 1;
  table_.homes.assign(row_count_, 0);
  if (!before.last_homes.empty()) table_.last_homes.assign(row_count_, 0);
  slots_.assign(row_count_, kNobody);
  Slot unknown = kNobody;
  for (std::uint32_t row = 0; row < row_count_; ++row) {
    const std::uint32_t from = row & old_mask;
    if (from < before.homes.size()) table_.homes[row] = before.homes[from];
    if (from < before.last_homes.size()) table_.last_homes[row] = before.last_homes[from];
    const std::uint16_t owner = before.owners[from];
    if (owner == 0) continue;
    Slot slot = slot_by_index_[owner];
    if (slot == kNobody) {  // an absent server whose name nobody knows
      if (unknown == kNobody) {
        unknown = static_cast<Slot>(parties_.size());
        parties_.push_back({.is_leaving = true});
      }
      slot = unknown;
    }
    slots_[row] = slot;
    ++parties_[slot].load;
  }
}

RowTable Repair::run() {
  forget_old_homes();
  if (open_ > 0) {
    take_homes(true);  // first those that return: they get exactly what they had
    take_homes(false);
    release_stand_ins();
    take_filled();
    deal_rest();
  }
  return finish();
}

void Repair::set_last_home(std::uint32_t row, std::uint64_t name) {
  if (name == last_home(row)) return;
  if (table_.last_homes.empty()) table_.last_homes.assign(row_count_, 0);
  table_.last_homes[row] = name;
}

void Repair::remember(std::uint32_t row, std::uint64_t leaver) {
  if (leaver == 0 || table_.homes[row] == leaver) return;
  if (table_.homes[row] == 0) {
    table_.homes[row] = leaver;
  } else {
    set_last_home(row, leaver);
  }
}

void Repair::release(std::uint32_t row) {
  --parties_[slots_[row]].surplus;
  slots_[row] = kNobody;
}

void Repair::give(std::uint32_t row, Slot to) {
  Party& taker = parties_[to];
  const bool is_home = table_.homes[row] == taker.name;
  const bool was_last_home = last_home(row) == taker.name;
  // Who left later only stood in for the taker: its claim ends with the taker's return.
  if (is_home) table_.homes[row] = 0;
  if (is_home || was_last_home) set_last_home(row, 0);

  if (slots_[row] != kNobody) {
    Party& giver = parties_[slots_[row]];
    --giver.surplus;
    const bool stood_in = (is_home || was_last_home) && taker.load == 0;
    if (giver.is_leaving && !stood_in) remember(row, giver.name);
  }
  slots_[row] = to;
  --taker.deficit;
  --open_;
}

// A server that leaves again wants the rows it has now, not those of an earlier life.
void Repair::forget_old_homes() {
  NameIndex leavers;
  for (std::size_t i = 0; i < parties_.size(); ++i) {
    if (parties_[i].is_leaving && parties_[i].load > 0) leavers.add(parties_[i].name, static_cast<Slot>(i));
  }
  if (leavers.is_empty()) return;
  leavers.sort();
  for (std::uint32_t row = 0; row < row_count_; ++row) {
    if (leavers.find(last_home(row)) != kNobody) set_last_home(row, 0);
    if (leavers.find(table_.homes[row]) == kNobody) continue;
    table_.homes[row] = last_home(row);
    set_last_home(row, 0);
  }
}

void Repair::take_homes(bool only_returning) {
  NameIndex takers;
  for (std::size_t i = 0; i < parties_.size(); ++i) {
    const Party& party = parties_[i];
    if (party.deficit > 0 && (!only_returning || party.load == 0)) takers.add(party.name, static_cast<Slot>(i));
  }
  if (takers.is_empty()) return;
  takers.sort();
  const auto wants = [&](Slot slot) { return slot != kNobody && parties_[slot].deficit > 0; };
  for (std::uint32_t step = 0; step < row_count_; ++step) {
    const std::uint32_t row = row_at(step);
    if (table_.homes[row] == 0 || !is_movable(row)) continue;
    Slot slot = takers.find(table_.homes[row]);
    if (!wants(slot)) slot = takers.find(last_home(row));
    if (wants(slot)) give(row, slot);
  }
}

// A server in need gives up rows it holds for somebody who left before its own, or those who return could not get
// theirs.
void Repair::release_stand_ins() {
  for (std::uint32_t step = 0; step < row_count_; ++step) {
    const std::uint32_t row = row_at(step);
    if (table_.homes[row] != 0 && stays(row) && is_movable(row)) release(row);
  }
}

// The owner in a fresh table keeps repaired tables close to it, so histories matter less.
void Repair::take_filled() {
  if (open_ == 0) return;
  const std::vector<Slot> filled = fill_slots(servers_, quotas_, row_count_);
  for (std::uint32_t step = 0; step < row_count_; ++step) {
    const std::uint32_t row = row_at(step);
    if (is_movable(row) && parties_[filled[row]].deficit > 0) give(row, filled[row]);
  }
}

void Repair::deal_rest() {
  if (open_ == 0) return;
  std::vector<Slot> takers;
  for (std::size_t i = 0; i < parties_.size(); ++i) {
    if (parties_[i].deficit > 0) takers.push_back(static_cast<Slot>(i));
  }
  std::size_t turn = 0;
  for (std::uint32_t step = 0; step < row_count_; ++step) {
    const std::uint32_t row = row_at(step);
    if (!is_movable(row)) continue;
    turn = turn < takers.size() ? turn : 0;
    const Slot taker = takers[turn];
    give(row, taker);
    if (parties_[taker].deficit > 0) {
      ++turn;
    } else {
      takers.erase(takers.begin() + static_cast<std::ptrdiff_t>(turn));
    }
  }
}

RowTable Repair::finish() {
  table_.owners.assign(row_count_, 0);
  std::vector<bool> has_rows(parties_.size(), false);
  for (std::uint32_t row = 0; row < row_count_; ++row) {
    if (slots_[row] == kNobody) continue;
    const Party& owner = parties_[slots_[row]];
    if (owner.is_leaving) {  // only when nobody is left to take its rows
      remember(row, owner.name);
      continue;
    }
    table_.owners[row] = owner.index;
    has_rows[slots_[row]] = true;
  }
  for (std::size_t i = 0; i < servers_.size(); ++i) {
    if (has_rows[i]) table_.names.push_back({.index = parties_[i].index, .name = parties_[i].name});
  }
  std::sort(table_.names.begin(), table_.names.end(),
            [](const RowName& a, const RowName& b) { return a.index < b.index; });
  const auto is_set = [](std::uint64_t name) { return name != 0; };
  if (std::none_of(table_.last_homes.begin(), table_.last_homes.end(), is_set)) table_.last_homes = {};
  return std::move(table_);
}

}  // namespace

std::uint32_t rows_for(std::size_t server_count) {
  if (server_count >= kMaxRows / kRowsPerServer) return kMaxRows;
  return std::max(kMinRows, std::bit_ceil(static_cast<std::uint32_t>(server_count) * kRowsPerServer));
}

std::uint64_t name_hash(std::string_view name) {
  std::uint64_t hash = 0xcbf29ce484222325;  // FNV-1a
  for (const char c : name) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3;
  hash = mix(hash);
  return hash != 0 ? hash : 1;
}

std::vector<std::uint32_t> row_quotas(std::span<const RowServer> servers, std::uint32_t row_count) {
  std::vector<std::uint32_t> quotas(servers.size(), 0);
  std::uint64_t weights = 0;
  for (const RowServer& server : servers) weights += server.weight;
  if (weights == 0) return quotas;

  struct Remainder {
    std::uint64_t rest = 0;
    std::size_t at = 0;
  };
  std::vector<Remainder> remainders;
  std::uint32_t left = row_count;
  for (std::size_t i = 0; i < servers.size(); ++i) {
    const std::uint64_t share = std::uint64_t{row_count} * servers[i].weight;
    quotas[i] = static_cast<std::uint32_t>(share / weights);
    left -= quotas[i];
    remainders.push_back({.rest = share % weights, .at = i});
  }
  std::sort(remainders.begin(), remainders.end(), [&](const Remainder& a, const Remainder& b) {
    return a.rest != b.rest ? a.rest > b.rest : servers[a.at].name < servers[b.at].name;
  });
  for (std::uint32_t i = 0; i < left; ++i) ++quotas[remainders[i].at];
  return quotas;
}

RowTable fill_rows(std::span<const RowServer> servers, std::uint32_t row_count) {
  assert(std::has_single_bit(row_count));
  const RowTable nobody{.owners = std::vector<std::uint16_t>(row_count, 0), .homes = {}};
  return Repair(nobody, servers, row_count).run();
}

RowTable repair_rows(const RowTable& before, std::span<const RowServer> servers, std::uint32_t row_count) {
  if (before.owners.empty()) return fill_rows(servers, row_count);
  row_count = std::max(row_count, static_cast<std::uint32_t>(before.owners.size()));
  assert(std::has_single_bit(row_count) && std::has_single_bit(before.owners.size()));
  return Repair(before, servers, row_count).run();
}

}  // namespace xdplb
