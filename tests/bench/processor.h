// SPDX-License-Identifier: GPL-2.0-only
// One processor for a measurement.
#pragma once

#include "base/result.h"

namespace xdplb::bench {

// The calling thread stays on a processor from now on. What it makes the kernel do there later, in ksoftirqd, can be
// told.
class Processor {
 public:
  static Result<Processor> stay();

  // Time that ksoftirqd of this processor has run so far, in microseconds.
  double softirq_us() const;

 private:
  int ksoftirqd_ = 0;  // its process id
};

}  // namespace xdplb::bench
