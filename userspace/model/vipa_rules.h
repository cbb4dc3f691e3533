// SPDX-License-Identifier: GPL-2.0-only
// The rules for VIPAs and the health of interfaces: a part of validate().
#pragma once

#include "model/config.h"

#include <functional>
#include <string_view>

namespace xdplb {

// Why `address` can be neither a VIPA nor a machine's; empty when it can.
std::string_view unusable_address(const IpAddress& address);

// Checks ranges, reach targets that are listed twice or cannot be asked.
//
// is_vipa  whether an address is a VIPA of a cluster or of its own
// Errors: kConflict for a duplicate, else kInvalidConfig.
Result<void> check_health(const HealthConfig& health, const std::function<bool(const IpAddress&)>& is_vipa);

// Checks each VIPA's options and what excludes what, and that no address comes twice. Errors: kConflict for a
// duplicate, else kInvalidConfig, naming the VIPA.
Result<void> check_vipas(const std::vector<VipaConfig>& vipas);

}  // namespace xdplb
