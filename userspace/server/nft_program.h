// SPDX-License-Identifier: GPL-2.0-only
// The nft program of nftables, run once.
#pragma once

#include "base/result.h"

#include <cstddef>
#include <string>
#include <vector>

namespace xdplb {

// Runs it and returns what it wrote.
//
// arguments   behind its name
// input       on its standard input
// max_output  bytes of what it writes that are kept
// Errors: kNotFound when it is not installed, kTimedOut, kFailed with the first line of what it said; those of
// run_child.
Result<std::string> run_nft_program(const std::vector<std::string>& arguments, const std::string& input,
                                    std::size_t max_output);

}  // namespace xdplb
