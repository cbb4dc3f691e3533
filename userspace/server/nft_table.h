// SPDX-License-Identifier: GPL-2.0-only
// The nftables table of VIPAs without alias, in the running kernel.
#pragma once

#include "base/result.h"
#include "server/server_facts.h"

#include <string>

namespace xdplb {

// Whether there is a table of ours. Pure. False also when the ruleset is not known.
bool has_nft_table(const ServerFacts& facts);

// Gives `commands` to `nft -f -`, which does all of them or none. Errors: kNotFound without nft, else kFailed with
// what nft said.
Result<void> run_nft(const std::string& commands);

}  // namespace xdplb
