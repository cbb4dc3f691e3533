// SPDX-License-Identifier: GPL-2.0-only
// JSON text -> document, stricter than the library's own parser: duplicate keys are errors, nesting has a limit, and
// every message says where. Paths name a place in a document: "clusters[0].ports[1].port".
#pragma once

#include "base/result.h"

#include <nlohmann/json_fwd.hpp>

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace xdplb {

inline constexpr std::size_t kMaxJsonDepth = 64;

// Parses one JSON document; // and /* */ comments are allowed, duplicate keys are not.
//
// source  what the text is, for messages: a file name or "request body"
// Errors: kInvalidConfig "SOURCE: line 3, column 7: ..." (both count from 1, columns in characters) or
// "SOURCE: line 3: clusters[0].name: duplicate key". Never throws, also for hostile text: nesting is limited to
// kMaxJsonDepth levels.
Result<nlohmann::json> parse_json(std::string_view text, std::string_view source);

// Path of a key of the object at `path`; the root is "". A key that is no plain word comes out quoted.
std::string child_path(std::string_view path, std::string_view key);

// Path of an element of the array at `path`.
std::string element_path(std::string_view path, std::size_t index);

// The line, from 1, on which the key or element at `path` stands in `text`; nullopt for the root and for a path that
// is not there. Costs a second parse: for messages only.
std::optional<std::size_t> find_line(std::string_view text, std::string_view path);

}  // namespace xdplb
