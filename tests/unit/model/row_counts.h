// SPDX-License-Identifier: GPL-2.0-only
// Servers and counts for the tests of rows.
#pragma once

#include "model/rows.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <string>
#include <vector>

namespace xdplb {

using Servers = std::vector<RowServer>;

inline std::string server_name(unsigned number) {
  std::string name = "s";
  return name.append(std::to_string(number));
}

inline RowServer server(unsigned number, unsigned weight = 10) {
  return {.name = server_name(number), .index = static_cast<std::uint16_t>(number), .weight = weight};
}

inline Servers equal_servers(unsigned count) {
  Servers servers;
  for (unsigned i = 1; i <= count; ++i) servers.push_back(server(i));
  return servers;
}

inline std::map<std::uint16_t, std::uint32_t> loads(const RowTable& table) {
  std::map<std::uint16_t, std::uint32_t> counts;
  for (const std::uint16_t owner : table.owners) ++counts[owner];
  return counts;
}

inline std::uint32_t moves(const RowTable& before, const RowTable& after) {
  std::uint32_t count = 0;
  for (std::size_t row = 0; row < after.owners.size(); ++row) {
    count += before.owners[row % before.owners.size()] != after.owners[row] ? 1 : 0;
  }
  return count;
}

inline void expect_exact_quotas(const RowTable& table, const Servers& servers) {
  const auto quotas = row_quotas(servers, static_cast<std::uint32_t>(table.owners.size()));
  auto counts = loads(table);
  if (std::all_of(quotas.begin(), quotas.end(), [](std::uint32_t quota) { return quota == 0; })) {
    EXPECT_EQ(counts[0], table.owners.size());
    return;
  }
  for (std::size_t i = 0; i < servers.size(); ++i) {
    EXPECT_EQ(counts[servers[i].index], quotas[i]) << servers[i].name;
    counts.erase(servers[i].index);
  }
  EXPECT_TRUE(counts.empty()) << "a row is owned by index " << counts.begin()->first << ", which has no weight";
}

}  // namespace xdplb
