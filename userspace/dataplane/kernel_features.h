// SPDX-License-Identifier: GPL-2.0-only
// What this kernel offers to the program, tried out rather than concluded from its version.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace xdplb {

// How an attempt ended. Unknown: it could not be made, mostly for want of rights.
enum class Support : std::uint8_t { kUnknown, kNo, kYes };

struct Trial {
  Support support = Support::kUnknown;
  std::string why{};  // what the kernel said; empty when it works
};

struct KernelFeatures {
  Trial xdp{};                            // a program of type XDP that does nothing loads
  std::vector<std::string> lacking{};     // types of maps that the program has and the kernel does not
  Trial program{};                        // our own program loads, with small tables
  std::optional<bool> is_machine_code{};  // it runs translated; absent: it did not load
  Trial link{};                           // an XDP link is to be had
  Trial dispatcher{};                     // libxdp's dispatcher is (`xdplb load --chain`)
};

// Loads programs and drops them. Links and dispatchers are tried on the loopback of a network namespace that is made
// for it and gone at return, so no interface of this host meets a program. Takes as long as the kernel needs to check
// our program, twice.
KernelFeatures probe_kernel_features();

// The name of a loaded program as the kernel shows it, cut at 15 characters; empty when it is not to be known.
std::string program_name(std::uint32_t id);

}  // namespace xdplb
