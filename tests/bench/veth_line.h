// SPDX-License-Identifier: GPL-2.0-only
// The live line: a veth pair with a generator of frames at its near end and the program under test at its far end.
#pragma once

#include "base/result.h"
#include "frames.h"
#include "programs.h"

#include <cstdint>

namespace xdplb::bench {

inline constexpr const char* kNear = "bench-near";      // the generator sends here, what comes back is counted here
inline constexpr const char* kFar = "bench-far";        // carries the program under test
inline constexpr const char* kStack = "hand_to_stack";  // at the far end: the kernel forwards

inline constexpr const char* kAnyClient = "generate";        // generators: clients at random
inline constexpr const char* kEachClient = "generate_each";  // one after the other

// Makes the pair in the caller's network namespace, with 203.0.113.10 and so on as neighbours at the far end: the
// servers. The kernel forwards what is for 10.99.0.0/16 to one of them more.
Result<void> make_veth(int servers);

// Puts a loaded program to an end of the line, in native mode, in place of what is there.
Result<void> attach(const char* interface, int program);

struct Slice {
  std::uint64_t arrived = 0;  // packets that came back
  double us = 0;              // of the calling thread, without the set-up of the call
};

// Sends frames; who comes back is counted by the program `count_arrived`, which must be at the near end.
Result<Slice> send_slice(const Programs& programs, const char* generator, const FrameSpec& frame,
                         std::uint32_t packets);

}  // namespace xdplb::bench
