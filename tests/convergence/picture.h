// SPDX-License-Identifier: GPL-2.0-only
// A simulation as a picture: shares against capacities, weights and response times over time.
#pragma once

#include "simulation.h"

#include <string>

namespace xdplb::convergence {

// An SVG document of its own.
std::string picture_of(const Scenario& scenario, const std::vector<Sample>& samples);

}  // namespace xdplb::convergence
