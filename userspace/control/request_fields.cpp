// SPDX-License-Identifier: GPL-2.0-only
#include "control/request_fields.h"

#include <fmt/format.h>

#include <algorithm>

namespace xdplb {

using nlohmann::json;

std::optional<std::string> Call::find(std::string_view key) const {
  for (const auto& [name_of, value] : query) {
    if (name_of == key) return value;
  }
  return std::nullopt;
}

Error bad_body(std::string_view key, std::string_view why) {
  return fail(ErrorCode::kInvalidConfig, fmt::format("request body: {}: {}", key, why));
}

Error bad_query(std::string_view why) { return fail(ErrorCode::kUsage, fmt::format("query: {}", why)); }

Result<void> only_keys(const json& object, std::initializer_list<std::string_view> known) {
  for (const auto& [key, value] : object.items()) {
    if (std::find(known.begin(), known.end(), key) != known.end()) continue;
    return bad_body(key, fmt::format("unknown key; there are {}", fmt::join(known, ", ")));
  }
  return {};
}

Result<std::string> take_string(json& object, const char* key) {
  const auto found = object.find(key);
  if (found == object.end()) return bad_body(key, "is missing");
  if (!found->is_string()) return bad_body(key, "is not a string");
  std::string text = found->get<std::string>();
  object.erase(found);
  return text;
}

Result<std::vector<std::string>> take_strings(json& object, const char* key) {
  const auto found = object.find(key);
  if (found == object.end()) return bad_body(key, "is missing");
  if (!found->is_array()) return bad_body(key, "is not a list");
  std::vector<std::string> texts;
  for (const json& entry : *found) {
    if (!entry.is_string()) return bad_body(key, "holds something that is not a string");
    texts.push_back(entry.get<std::string>());
  }
  if (texts.empty()) return bad_body(key, "is empty, name at least one");
  object.erase(found);
  return texts;
}

Result<void> only_one(const Call& call, std::string_view first, std::string_view second) {
  if (!call.find(first) || !call.find(second)) return {};
  return bad_query(fmt::format("say either {} or {}", first, second));
}

}  // namespace xdplb
