// SPDX-License-Identifier: GPL-2.0-only
// The order in which a port that picks by weighted round robin uses its servers. Pure.
#pragma once

#include "model/rows.h"

#include <cstdint>
#include <span>
#include <vector>

namespace xdplb {

// One period of smooth weighted round robin: in each round every server gains its weight, the one that has most is next
// and pays the sum of all weights. So a server of weight w appears w / gcd times, spread as evenly as can be. Ties go
// to the name that sorts first: the order of `servers` does not matter.
//
// Returns server indexes; empty when all weights are 0. A period longer than kMaxRows is cut there.
// Source: the smooth weighted round robin of nginx (ngx_http_upstream_round_robin).
std::vector<std::uint16_t> round_robin(std::span<const RowServer> servers);

}  // namespace xdplb
