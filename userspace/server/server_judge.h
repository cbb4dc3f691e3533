// SPDX-License-Identifier: GPL-2.0-only
// What is wrong with a server's set-up for VIPAs. Pure.
#pragma once

#include "server/fault.h"
#include "server/server_facts.h"

#include <cstdint>
#include <string>
#include <vector>

namespace xdplb {

// How a server takes the VIPA for its own.
enum class ServerMethod : std::uint8_t {
  kLoopback,  // an address of lo
  kNft,       // no address: nftables redirects to the server's own
};

struct ServerPort {
  std::uint16_t port = 0;  // host order
  Protocol protocol = Protocol::kTcp;
  auto operator<=>(const ServerPort&) const = default;
};

struct ServerWish {
  std::vector<IpAddress> vipas{};   // at least one
  std::vector<ServerPort> ports{};  // what must listen; may be empty
  auto operator<=>(const ServerWish&) const = default;
};

// Every fault, those of one VIPA together, in the order a person should mend them: silence, alias, routes, the way in,
// the service, the way out. A VIPA without alias that nftables redirects (kNft, seen in the ruleset) misses none.
Faults judge_server(const ServerFacts& facts, const ServerWish& wish);

}  // namespace xdplb
