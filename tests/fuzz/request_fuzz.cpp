// SPDX-License-Identifier: GPL-2.0-only
// The API's decoder: "METHOD TARGET\nBODY". What decodes must come back from its own encoding; nothing may throw.
#include "control/problem_json.h"
#include "control/request_json.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

using namespace xdplb;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const std::string_view head = text.substr(0, text.find('\n'));
  const std::string_view body = text.substr(std::min(head.size() + 1, text.size()));
  const std::string_view method = head.substr(0, head.find(' '));
  const std::string_view target = head.substr(std::min(method.size() + 1, head.size()));

  const auto request = decode_request(method, target, body);
  if (!request) {
    const Error& error = request.error();
    if (error.message.empty()) std::abort();
    dump_json(encode_problem(error));
    return 0;
  }
  const HttpCall call = encode_request(*request);
  const auto again = decode_request(call.method, call.target, call.body);
  if (!again || !(*again == *request)) std::abort();
  return 0;
}
