// SPDX-License-Identifier: GPL-2.0-only
// The program's clock: ticks of about a second, made of jiffies (xdplb/maps.h).
#pragma once

#include "base/file_descriptor.h"
#include "base/result.h"

#include <cstdint>

namespace xdplb {

// How many jiffies a tick has. Pure but for measure().
struct TickLength {
  std::uint32_t hz = 250;   // jiffies a second
  std::uint32_t shift = 8;  // 2^shift jiffies are a tick

  // The power of two nearest to one second. hz: 1..10000.
  static TickLength for_hz(std::uint32_t hz);
  // Of the running kernel: its coarse clock advances once a jiffy.
  static TickLength measure();

  // Rounded up, so that a limit is never shorter than asked for.
  std::uint32_t ticks(std::uint32_t seconds) const;
  // Rounded down.
  std::uint32_t seconds(std::uint32_t ticks) const;
  std::uint64_t tick_ns() const { return (std::uint64_t{1} << shift) * 1'000'000'000 / hz; }
};

class Clock {
 public:
  Clock() = default;
  // program  of the XDP program that returns the present stamp
  Clock(FileDescriptor program, TickLength length) : program_(std::move(program)), length_(length) {}

  const TickLength& length() const { return length_; }
  // The present stamp, as packets get it. Errors: os_error.
  Result<std::uint32_t> now() const;

 private:
  FileDescriptor program_;
  TickLength length_;
};

}  // namespace xdplb
