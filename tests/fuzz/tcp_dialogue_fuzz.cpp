// SPDX-License-Identifier: GPL-2.0-only
// Conversations over TCP: "EXPECT\nEXPECT\nBYTES OF THE SERVER", a byte for the size of the pieces ahead. Literal
// expects find the same however the bytes are cut, and what they find is there in that order; regular expressions only
// must not fail.
#include "advisors/tcp_dialogue.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

using namespace xdplb;

namespace {

std::string_view take_line(std::string_view& rest) {
  const std::string_view line = rest.substr(0, rest.find('\n'));
  rest.remove_prefix(std::min(line.size() + 1, rest.size()));
  return line;
}

TcpStep expect(std::string_view text, bool is_regex) {
  TcpStep step;
  step.kind = TcpStep::Kind::kExpect;
  step.match = ReplyMatch{.text = std::string(text), .is_regex = is_regex};
  return step;
}

Verdict talk(std::string_view first, std::string_view second, bool is_regex, std::string_view bytes, std::size_t size) {
  auto dialogue = TcpDialogue::make({expect(first, is_regex), TcpStep{}, expect(second, is_regex), TcpStep{}});
  if (!dialogue && is_regex) return {};
  if (!dialogue) std::abort();
  while (dialogue->need() != TcpDialogue::Need::kNothing) {
    if (dialogue->doing().empty()) std::abort();
    if (dialogue->need() == TcpDialogue::Need::kSend) {
      dialogue->sent();
    } else if (bytes.empty()) {
      dialogue->end();
    } else {
      dialogue->take(bytes.substr(0, size));
      bytes.remove_prefix(std::min(size, bytes.size()));
    }
  }
  return dialogue->verdict();
}

bool are_in_order(std::string_view first, std::string_view second, std::string_view bytes) {
  const std::size_t at = bytes.find(first);
  return at != std::string_view::npos && bytes.find(second, at + first.size()) != std::string_view::npos;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 1) return 0;
  std::string_view rest(reinterpret_cast<const char*>(data) + 1, size - 1);
  const std::string_view first = take_line(rest);
  const std::string_view second = take_line(rest);
  const std::size_t piece = data[0] % 64 + 1U;
  const Verdict whole = talk(first, second, false, rest, rest.size() + 1);
  const Verdict pieces = talk(first, second, false, rest, piece);
  if (whole.code != pieces.code) std::abort();
  if ((whole.code == CheckCode::kL7Ok) != are_in_order(first, second, rest)) std::abort();
  talk(first, second, true, rest, piece);
  return 0;
}
