// SPDX-License-Identifier: GPL-2.0-only
// What `xdplb verify` is to look at, cut out of a configuration or made up. Pure.
#pragma once

#include "base/result.h"
#include "model/config.h"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace xdplb {

struct VerifyPortWord {
  std::uint16_t port = 0;
  std::optional<Protocol> protocol{};  // absent: TCP where a configuration is made up, else either
};

// What was said on the command line; empty lists leave everything in.
struct VerifyScope {
  std::string cluster{};  // empty: every one
  std::vector<IpAddress> vipas{};
  std::vector<std::string> servers{};  // names or addresses
  std::vector<VerifyPortWord> ports{};
};

// "80", "80/tcp", "53/udp". Errors: kUsage.
Result<VerifyPortWord> parse_verify_port(const std::string& text);

// Of `config` only what verifying needs and the scope leaves in. Errors: kNotFound, naming what was said and is not
// there, or when nothing is left.
Result<Config> cut_config(const Config& config, const VerifyScope& scope);

// One cluster, "verify", of the VIPAs, servers and ports said; without ports a server is asked for an echo alone.
// Errors: kUsage, for a server that is no address, too.
Result<Config> make_up_config(const VerifyScope& scope);

}  // namespace xdplb
