// SPDX-License-Identifier: GPL-2.0-only
// The numbers of a plan as the state file keeps them, and the plan that outlived the daemon. Pure.
#pragma once

#include "model/plan.h"

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace xdplb {

// Servers that a row gave up when they left (model/rows.h).
struct RowHome {
  std::uint32_t row = 0;        // within the slice
  std::uint64_t home = 0;       // name_hash
  std::uint64_t last_home = 0;  // name_hash, 0 = none
  bool operator==(const RowHome&) const = default;
};

struct SliceAssignment {
  std::uint32_t first_row = 0;
  std::uint32_t count = 0;
  bool operator==(const SliceAssignment&) const = default;
};

// Numbers of one port as the state file keeps them.
struct PortAssignment {
  std::map<std::string, std::uint16_t> servers{};  // name -> index
  ByFamily<std::optional<SliceAssignment>> rows{};
  ByFamily<std::vector<RowHome>> homes{};  // only rows that have one, ascending
  ByFamily<std::optional<SliceAssignment>> members{};
  ByFamily<std::uint16_t> options{};  // 0: none
  bool operator==(const PortAssignment&) const = default;
};

struct Assignments {
  std::map<PortPath, PortAssignment> ports{};
  std::map<std::string, ByFamily<std::uint16_t>> clusters{};  // options, by cluster name
  bool operator==(const Assignments&) const = default;
};

Assignments assignments_of(const Plan& plan);

// The maps that outlived the daemon, as restore_plan reads them.
struct MapReader {
  std::function<std::vector<std::uint16_t>(std::uint32_t first, std::uint32_t count)> rows;  // `cur` of each
  std::function<std::optional<ServerTarget>(std::uint16_t index)> target;
};

// The plan that the pinned maps hold, from the numbers kept in the state file: the `before` of the first make_plan
// after a restart. Ports whose numbers contradict each other are left out, and make_plan plans them anew.
//
// admins  as kept: without them a drained server would seem to have lost its rows by accident
// grants  as the last plan had them, as far as known
Plan restore_plan(const Config& config, const std::map<ServerPath, Admin>& admins,
                  const std::map<ServerPath, ServerGrant>& grants, const Assignments& assignments,
                  const MapReader& maps, std::string_view secret, Capacity capacity);

}  // namespace xdplb
