// SPDX-License-Identifier: GPL-2.0-only
// Fault: one thing that is wrong with a server's set-up, and what cures it.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace xdplb {

enum class Severity : std::uint8_t {
  kFault,    // clients get no answer, or the server answers for what is not its own
  kWarning,  // works here and now, or cannot be judged from here
};

struct Fault {
  std::string code{};    // stable, snake_case: "alias_missing"
  std::string object{};  // what it is about: "192.0.2.10 on lo", "net/ipv4/conf/all/arp_ignore", "port 80/tcp"
  std::string text{};    // one line: what is, and what follows from it
  std::string remedy{};  // a command to type; empty: there is none in general
  Severity severity = Severity::kFault;
  bool is_curable = false;  // `setup` does it
  auto operator<=>(const Fault&) const = default;
};
using Faults = std::vector<Fault>;

}  // namespace xdplb
