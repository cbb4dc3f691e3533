// SPDX-License-Identifier: GPL-2.0-only
// Any bytes as the line of an agent: words in their ranges, or one printable line saying why not.
#include "advisors/agent_line.h"

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string_view>

namespace {

void require(bool holds, const char* claim) {
  if (holds) return;
  std::fprintf(stderr, "does not hold: %s\n", claim);
  std::abort();
}

bool is_printable(std::string_view text) {
  for (const char letter : text) {
    if (letter < ' ' || letter > '~') return false;
  }
  return true;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto line = xdplb::parse_agent_line({reinterpret_cast<const char*>(data), size});
  if (!line) {
    require(is_printable(line.error().message) && line.error().message.size() < 100, "a refusal is one short line");
    return 0;
  }
  require(line->words.weight_percent.value_or(0) <= 256, "a weight is at most 256 %");
  require(is_printable(line->reason) && line->reason.size() <= 200, "a reason is one short line");
  return 0;
}
