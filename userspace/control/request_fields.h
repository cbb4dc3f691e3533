// SPDX-License-Identifier: GPL-2.0-only
// What the decoders of request_decode.cpp share: taking fields out of a query and a body.
#pragma once

#include "base/result.h"

#include <fmt/format.h>

#include <initializer_list>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace xdplb {

// One request taken apart; that its target and body have the route's shape is checked already.
struct Call {
  std::string name;  // what stands where the route's path has '*'
  std::vector<std::pair<std::string, std::string>> query;
  nlohmann::json body;  // an object, or null where the route takes none

  std::optional<std::string> find(std::string_view key) const;
};

Error bad_body(std::string_view key, std::string_view why);  // kInvalidConfig
Error bad_query(std::string_view why);                       // kUsage

Result<void> only_keys(const nlohmann::json& object, std::initializer_list<std::string_view> known);

// Removes a string, or a list of at least one string, from the object. Errors: kInvalidConfig when absent or something
// else.
Result<std::string> take_string(nlohmann::json& object, const char* key);
Result<std::vector<std::string>> take_strings(nlohmann::json& object, const char* key);

// Errors: kUsage when the query has both.
Result<void> only_one(const Call& call, std::string_view first, std::string_view second);

// Text a model parser refused is, inside a body, an invalid document.
template <typename T>
Result<T> in_body(Result<T> parsed, std::string_view key) {
  if (parsed) return parsed;
  return bad_body(key, parsed.error().message);
}

// The value of a word, which must be there.
template <typename T>
Result<T> take_word(nlohmann::json& body, const char* key, Result<T> (*parse)(std::string_view)) {
  const auto text = take_string(body, key);
  if (!text) return text.error();
  return in_body(parse(*text), key);
}

// Puts true or false into the field when it is there. Errors: kInvalidConfig for anything else.
template <typename Field>
Result<void> take_truth(const nlohmann::json& body, const char* key, Field& field) {
  const auto found = body.find(key);
  if (found == body.end()) return {};
  if (!found->is_boolean()) return bad_body(key, "is not true or false");
  field = found->template get<bool>();
  return {};
}

// A document that contradicts itself is invalid; kConflict is kept for contradicting what is there.
template <typename T>
Result<T> without_conflict(Result<T> decoded) {
  if (decoded || decoded.error().code != ErrorCode::kConflict) return decoded;
  return fail(ErrorCode::kInvalidConfig, decoded.error().message);
}

// A PortPath or ServerPath of the query.
template <typename Path>
Result<Path> take_path(const Call& call, std::string_view key) {
  const auto text = call.find(key);
  if (!text) return bad_query(fmt::format("{}= is missing", key));
  return Path::parse(*text);
}

}  // namespace xdplb
