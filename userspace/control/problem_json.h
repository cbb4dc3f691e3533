// SPDX-License-Identifier: GPL-2.0-only
// Error <-> problem object (RFC 7807), the body of every reply that is not 200.
#pragma once

#include "base/result.h"

#include <nlohmann/json_fwd.hpp>

#include <string>
#include <string_view>

namespace xdplb {

// The media types of the API.
inline constexpr std::string_view kJsonType = "application/json";
inline constexpr std::string_view kProblemType = "application/problem+json";

// The HTTP status of a failed request: usage 400, permission 403, not found 404, conflict 409, invalid configuration
// 422, failed 500, unreachable 503, timed out 504.
int http_status(ErrorCode code);

// {"type": "urn:xdplb:error:not-found", "title": "not found", "status": 404, "detail": MESSAGE, "exit_code": 3}.
//
// status  overrides http_status(error.code) where HTTP has a number of its own (405, 413); 0 does not
nlohmann::json encode_problem(const Error& error, int status = 0);

// The Error a problem object speaks of. Its code comes from "exit_code", else from "type", else from `status`, so that
// an object of somebody else's making gives a sensible Error, too.
Error decode_problem(const nlohmann::json& document, int status);

// JSON on one line. Text that is not UTF-8 (a hostile name quoted in a message) becomes U+FFFD instead of an exception.
std::string dump_json(const nlohmann::json& document);
// The same with line breaks and an indent of two.
std::string dump_json_pretty(const nlohmann::json& document);

}  // namespace xdplb
