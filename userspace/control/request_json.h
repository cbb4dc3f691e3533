// SPDX-License-Identifier: GPL-2.0-only
// Request <-> HTTP method, target and JSON body. The routes are those of docs/api.md. Pure.
#pragma once

#include "control/request.h"

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace xdplb {

inline constexpr std::size_t kMaxBodyBytes = 8U << 20;

struct HttpCall {
  std::string method;
  std::string target;  // path and query, escaped
  std::string body;    // JSON text or empty
  bool operator==(const HttpCall&) const = default;
};

// The verbs a target knows, e.g. {"GET", "POST"} for "/v1/clusters"; empty for a target that is no resource.
std::vector<std::string_view> allowed_methods(std::string_view target);

// What the caller asks for. Everything it says must be understood: unknown and repeated keys of the query and of the
// body are errors, so is a body where none belongs.
//
// Errors: kNotFound for an unknown target; kUsage for an unknown verb, a malformed target or query, a body over
// kMaxBodyBytes; kInvalidConfig for the body. decode_request(encode_request(r)) == r for every request that decodes.
Result<Request> decode_request(std::string_view method, std::string_view target, std::string_view body);

HttpCall encode_request(const Request& request);

}  // namespace xdplb
