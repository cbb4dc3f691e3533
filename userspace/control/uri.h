// SPDX-License-Identifier: GPL-2.0-only
// The target of an HTTP request (RFC 3986 path and query), decoded strictly. Pure.
#pragma once

#include "base/result.h"

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace xdplb {

struct Target {
  std::vector<std::string> segments;                       // of the path, decoded: "/v1/ports" is {"v1", "ports"}
  std::vector<std::pair<std::string, std::string>> query;  // in order, decoded; a key may repeat
  bool operator==(const Target&) const = default;
};

// Splits and decodes "/v1/ports?path=web%2F443". '+' stands for itself. A path that ends in '/' has an empty last
// segment.
//
// Errors: kUsage for a target that does not start with '/', a '%' without two hexadecimal digits, a character RFC 3986
// does not allow there ('[' and ']' are allowed in a query, as people type IPv6 addresses), a control character in
// decoded text, a query part without '='.
Result<Target> parse_target(std::string_view text);

// Text for one path segment or query value: everything but unreserved characters, ':' and (in a query) '/' is escaped.
std::string encode_segment(std::string_view text);
std::string encode_query_value(std::string_view text);

}  // namespace xdplb
