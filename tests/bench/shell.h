// SPDX-License-Identifier: GPL-2.0-only
// Set-up of the bench's own network namespace by ip(8) and nft(8).
#pragma once

#include "base/result.h"

#include <string>
#include <vector>

namespace xdplb::bench {

// Moves the calling process into a network namespace that ends with it, with the loopback up.
Result<void> enter_own_namespace();

// Runs a program, found in PATH, with `input`; fails with the first line it wrote.
Result<void> run_tool(std::vector<std::string> words, const std::string& input = "");

// Runs `program -` of ip(8) -batch or nft(8) -f with `input`; fails with the first line it wrote.
Result<void> run_ip(const std::string& input);
Result<void> run_nft(const std::string& input);

// Writes a setting below /proc/sys/net of the namespace, e.g. "ipv4/ip_forward".
Result<void> write_setting(const std::string& name, const std::string& value);

}  // namespace xdplb::bench
