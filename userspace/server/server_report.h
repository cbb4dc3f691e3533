// SPDX-License-Identifier: GPL-2.0-only
// What a check found, as text and as JSON. Pure but for the stream.
#pragma once

#include "server/server_facts.h"
#include "server/server_judge.h"

#include <nlohmann/json.hpp>

#include <iosfwd>

namespace xdplb {

// None is more than a warning.
bool is_well(const Faults& faults);

// "ok 192.0.2.10: ..." for each VIPA without fault, and each fault with its remedy below.
void print_report(std::ostream& out, const ServerFacts& facts, const ServerWish& wish, const Faults& faults);

// {"ok", "vipas", "faults": [{"code", "object", "text", "remedy", "severity", "curable"}]}
nlohmann::ordered_json report_json(const ServerWish& wish, const Faults& faults);

}  // namespace xdplb
