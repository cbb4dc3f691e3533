// SPDX-License-Identifier: GPL-2.0-only
#include "dataplane/clock.h"

#include <linux/if_ether.h>
#include <bpf/bpf.h>

#include <array>
#include <ctime>

namespace xdplb {

TickLength TickLength::for_hz(std::uint32_t hz) {
  TickLength length{.hz = hz, .shift = 0};
  while ((2U << length.shift) <= hz) ++length.shift;
  // Between 2^shift and 2^(shift + 1): the nearer one.
  const std::uint32_t below = 1U << length.shift;
  if (hz - below > 2 * below - hz) ++length.shift;
  return length;
}

TickLength TickLength::measure() {
  timespec resolution{};
  if (::clock_getres(CLOCK_MONOTONIC_COARSE, &resolution) != 0 || resolution.tv_nsec <= 0) return for_hz(250);
  const auto ns = static_cast<std::uint32_t>(resolution.tv_nsec);
  return for_hz((1'000'000'000 + ns / 2) / ns);
}

std::uint32_t TickLength::ticks(std::uint32_t seconds) const {
  const std::uint64_t jiffies = std::uint64_t{seconds} * hz;
  return static_cast<std::uint32_t>((jiffies + (std::uint64_t{1} << shift) - 1) >> shift);
}

std::uint32_t TickLength::seconds(std::uint32_t ticks) const {
  return static_cast<std::uint32_t>((std::uint64_t{ticks} << shift) / hz);
}

Result<std::uint32_t> Clock::now() const {
  std::array<std::uint8_t, ETH_HLEN> frame{};  // the shortest that the kernel runs a program on
  bpf_test_run_opts options{};
  options.sz = sizeof(options);
  options.data_in = frame.data();
  options.data_size_in = frame.size();
  options.repeat = 1;
  const int error = bpf_prog_test_run_opts(program_.get(), &options);
  if (error != 0) return os_error("program \"xdplb_clock\"", -error);
  return options.retval;
}

}  // namespace xdplb
