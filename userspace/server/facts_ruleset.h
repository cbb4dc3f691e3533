// SPDX-License-Identifier: GPL-2.0-only
// nft runs as a child and says what rules there are.
#pragma once

#include "base/result.h"

#include <string>

namespace xdplb {

// `nft -j list ruleset` of this network namespace: a JSON document. Errors: kNotFound: no nft is installed; kPermission
// and others: what nft said, one line.
Result<std::string> read_ruleset();

}  // namespace xdplb
