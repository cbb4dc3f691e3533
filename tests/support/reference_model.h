// SPDX-License-Identifier: GPL-2.0-only
// The packet path again, in plain C++ and slowly: what xdplb/outcomes.h and xdplb/maps.h promise of one frame. Written
// from those promises and not from bpf/, so that the two can be held against each other.
#pragma once

#include "packet.h"
#include "setup.h"

#include "xdplb/maps.h"
#include "xdplb/outcomes.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace xdplb::test {

// "forwarded", "not_ip" ...; "none" for XDPLB_CONTINUE, "unknown" for what is no outcome.
std::string_view outcome_name(int outcome);
// XDP_TX, ... as outcomes.h says it.
int outcome_verdict(int outcome);
// "TX", "PASS", ... or the number.
std::string verdict_name(int verdict);

// What a frame's journey must come to.
struct Journey {
  xdplb_outcome outcome = XDPLB_CONTINUE;
  int verdict = 0;               // XDP_*
  std::optional<Frame> frame{};  // as it leaves; nullopt: dropped, nobody sees it
  std::uint16_t server = 0;      // that counts the packet; 0: none
  xdplb_counters counters{};     // what is added to the server's
};

// ingress  ifindex the frame comes in by
//
// The rules, in the order they are asked:
//  1. A frame that ends within its Ethernet header, one of its first two tags or its IP header without options is
//     `truncated`; what is then no IPv4 and no IPv6 (a third tag, too) is `not_ip`.
//  2. A destination that is no VIPA: `from_vipa` when the source is one, else `not_for_vipa`, whatever else it holds
//  (I7).
//  3. A header that contradicts itself (version, length below 20) is `truncated`: the headers it announces are not
//  there.
//  4. `fragment`, then `extension_header`, then `other_protocol`, then `truncated` within the TCP or UDP header.
//  5. The port's own entry, else port 0 of its protocol, else `no_port`.
//  6. The client's row; its `cur` owner; 0 is `no_server`. A server that leads nowhere is `server_gone`.
//  7. The egress is the ingress: `forwarded`. Another one with a device: `redirected`, else `no_egress`.
Journey expected_journey(const DataplaneSetup& setup, const Frame& frame, std::uint32_t ingress);

}  // namespace xdplb::test
