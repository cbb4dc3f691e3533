// SPDX-License-Identifier: GPL-2.0-only
#include "model/plan_draft.h"
#include "model/round_robin.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>

namespace xdplb::draft {
namespace {

// The rows of the lead in this port's indexes of the same servers.
RowTable translate(const RowTable& lead_table, const PlannedPort& lead, const PlannedPort& port) {
  std::map<std::string_view, std::uint16_t> own;
  for (const auto& server : port.servers) own.emplace(server.config.name, server.index);
  std::map<std::uint16_t, std::uint16_t> index_of;
  RowTable table;
  for (const auto& server : lead.servers) {
    const auto found = own.find(server.config.name);
    if (found == own.end()) continue;
    index_of.emplace(server.index, found->second);
    table.names.push_back({.index = found->second, .name = name_hash(server.config.name)});
  }
  std::sort(table.names.begin(), table.names.end(),
            [](const RowName& a, const RowName& b) { return a.index < b.index; });
  table.owners.reserve(lead_table.owners.size());
  for (const auto owner : lead_table.owners) {
    const auto found = index_of.find(owner);
    table.owners.push_back(found == index_of.end() ? std::uint16_t{0} : found->second);
  }
  table.homes.assign(table.owners.size(), 0);
  return table;
}

Result<std::uint32_t> take_rows(const PlannedPort& port, std::uint32_t count, Draft& draft) {
  const auto first = draft.plan.rows.take(count);
  if (first) return *first;
  return fail(ErrorCode::kFailed, fmt::format("port {}: no room for {} more rows ({} are free); remove a port first",
                                              port.path.to_string(), count, draft.plan.rows.free_count()));
}

}  // namespace

std::vector<RowServer> row_servers(const std::vector<PlannedServer>& servers, Family family) {
  std::vector<RowServer> chosen;
  for (const auto& server : servers) {
    if (!server.serves(family)) continue;
    chosen.push_back({.name = server.config.name, .index = server.index, .weight = server.weight(family)});
  }
  return chosen;
}

Result<void> plan_rows(PlannedPort& port, Family family, const PlannedPort* before, const PlannedPort* lead,
                       Draft& draft) {
  const PlannedRows* old = before != nullptr && before->rows_of(family) ? &*before->rows_of(family) : nullptr;
  const std::uint32_t size = old != nullptr ? old->count() : 0;
  PlannedRows next;
  if (lead != nullptr && lead->rows_of(family)) {
    next.table = translate(lead->rows_of(family)->table, *lead, port);
  } else {
    const auto servers = row_servers(port.servers, family);
    next.table =
        repair_rows(old != nullptr ? old->table : RowTable{}, servers, std::max(size, rows_for(servers.size())));
  }
  next.has_homes =
      std::any_of(next.table.homes.begin(), next.table.homes.end(), [](std::uint64_t home) { return home != 0; });
  if (next.count() == size) {
    next.first_row = old->first_row;
  } else {
    auto first = take_rows(port, next.count(), draft);
    if (!first) return first.error();
    next.first_row = *first;
    if (old != nullptr) draft.freed_rows.emplace_back(old->first_row, size);
  }
  port.rows_of(family) = std::move(next);
  return {};
}

std::optional<std::vector<std::uint32_t>> member_words(const PlannedPort& port, Family family) {
  std::vector<std::uint32_t> words;
  if (port.config.pick == Pick::kRoundRobin) {
    for (const auto index : round_robin(row_servers(port.servers, family))) words.push_back(index);
    return words;
  }
  if (port.config.pick != Pick::kLeastConnections && !port.is_shared) return std::nullopt;
  // Those that get no new flows are there, too: their sticky clients are sent to them.
  for (const auto& server : port.servers)
    if (server.is_in(family)) words.push_back(std::uint32_t{server.index} | server.weight(family) << 16);
  return words;
}

Result<void> plan_members(PlannedPort& port, Family family, const PlannedPort* before, Draft& draft) {
  const auto place = static_cast<std::size_t>(family);
  const PlannedMembers* old = before != nullptr && before->members[place] ? &*before->members[place] : nullptr;
  auto words = port.rows[place] ? member_words(port, family) : std::nullopt;
  if (!words) {
    if (old != nullptr) draft.freed_rows.emplace_back(old->first_row, old->slice);
    return {};
  }
  if (port.config.pick != Pick::kRoundRobin && words->size() > kMaxMembers) {
    return fail(ErrorCode::kFailed,
                fmt::format("port {}: {} servers are too many to pick by least-connections or to share affinity, {} "
                            "are possible; remove servers or let it pick by hash",
                            port.path.to_string(), words->size(), kMaxMembers));
  }
  PlannedMembers next{.first_row = 0,
                      .slice = std::max(kMinRows, std::bit_ceil(static_cast<std::uint32_t>(words->size()))),
                      .words = std::move(*words)};
  if (old != nullptr && old->slice >= next.slice) {
    next.first_row = old->first_row;
    next.slice = old->slice;
  } else {
    auto first = take_rows(port, next.slice, draft);
    if (!first) return first.error();
    next.first_row = *first;
    if (old != nullptr) draft.freed_rows.emplace_back(old->first_row, old->slice);
  }
  port.members[place] = std::move(next);
  return {};
}

}  // namespace xdplb::draft
