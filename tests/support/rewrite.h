// SPDX-License-Identifier: GPL-2.0-only
// What leaves instead of what came, for the reference model.
#pragma once

#include "packet.h"
#include "reading.h"
#include "setup.h"

#include <cstdint>
#include <optional>

namespace xdplb::test {

// Time to live, or hop limit, one less, with the checksum (RFC 1624); false when it is 1 or 0, and the frame as it was.
[[nodiscard]] bool decrement_ttl(Frame& frame, const IpReading& ip);

// The outermost tag as an egress asks for it: XDPLB_TAG_*; 0 leaves it.
void set_tag(Frame& frame, std::uint16_t tag);

// The answer to an echo request: same data, sent back.
Frame echo_answer(const Frame& frame, const IpReading& ip);

// The reset that answers a TCP packet (RFC 9293 3.10.7.1); nullopt when none may.
std::optional<Frame> reset_answer(const Frame& frame, const IpReading& ip);

}  // namespace xdplb::test
