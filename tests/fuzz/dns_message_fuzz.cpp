// SPDX-License-Identifier: GPL-2.0-only
// Any bytes as the reply of a name server: answers that are bounded and end, or one line saying why not.
#include "advisors/dns_message.h"

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>

namespace {

void require(bool holds, const char* claim) {
  if (holds) return;
  std::fprintf(stderr, "does not hold: %s\n", claim);
  std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const xdplb::DnsQuestion question{.name = "www.example.com", .type = 1};
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const auto reply = xdplb::decode_dns_reply(bytes, 0x1234, question);
  if (!reply) {
    require(reply.error().message.starts_with("no reply: "), "a refusal says that it is none");
  } else {
    require(reply->rcode <= 15, "an rcode has four bits");
    require(reply->answers.size() <= xdplb::kMaxDnsAnswers, "answers are bounded");
    // A name of 255 bytes of which each becomes four; SOA has two; TXT no more than the message.
    for (const auto& answer : reply->answers) require(answer.size() <= 2200 + size, "an answer is bounded");
  }
  const auto query = xdplb::encode_dns_query(1, {.name = std::string(bytes), .type = 1});
  require(!query || query->size() <= 12 + 255 + 4, "a query is bounded");
  return 0;
}
