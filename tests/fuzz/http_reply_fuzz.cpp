// SPDX-License-Identifier: GPL-2.0-only
// The judge of HTTP replies: one byte of options, one for the size of the pieces, the reply. However the network cuts a
// reply, it is judged alike; a reply that ended has a verdict.
#include "advisors/http_reply.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

using namespace xdplb;

namespace {

HttpOptions options_of(std::uint8_t choice) {
  HttpOptions options;
  if ((choice & 1) != 0) options.method = "HEAD";
  if ((choice & 2) != 0) options.body = ReplyMatch{.text = "ok", .is_regex = false};
  if ((choice & 4) != 0) options.body = ReplyMatch{.text = "^o+k$", .is_regex = true};
  if ((choice & 8) != 0) options.statuses = {{100, 599}};
  if ((choice & 16) != 0) options.max_bytes = 5;
  return options;
}

Verdict judge(const HttpOptions& options, std::string_view bytes, std::size_t size) {
  auto reply = HttpReply::make(options);
  if (!reply) std::abort();
  bool wants_more = true;
  while (wants_more && !bytes.empty()) {
    wants_more = reply->take(bytes.substr(0, size));
    bytes.remove_prefix(std::min(size, bytes.size()));
    if (reply->doing().empty() || reply->summary().size() > 100) std::abort();
  }
  if (wants_more) reply->end();
  return reply->verdict();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2) return 0;
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 2, size - 2);
  const HttpOptions options = options_of(data[0]);
  const Verdict whole = judge(options, bytes, bytes.size() + 1);
  const Verdict pieces = judge(options, bytes, data[1] % 64 + 1U);
  if (whole.code == CheckCode::kNone || whole.code != pieces.code) std::abort();
  return 0;
}
