// SPDX-License-Identifier: GPL-2.0-only
// Reading a document without ever failing: what is absent, null or of another type is "nothing".
#pragma once

#include <nlohmann/json.hpp>

#include <cstdint>
#include <string>

namespace xdplb {

// The member, or null.
const nlohmann::json& member(const nlohmann::json& object, const char* key);
// The member when it is an array, else an empty one.
const nlohmann::json& list_of(const nlohmann::json& object, const char* key);
// A list's elements, or the value itself as the only element of one.
nlohmann::json as_list(const nlohmann::json& value);
// A string without control characters, a number or a truth value as text; "-" for nothing.
std::string text_of(const nlohmann::json& object, const char* key);
// The same, "" for nothing.
std::string optional_text(const nlohmann::json& object, const char* key);
// 0 for nothing and for what is below 0.
std::uint64_t count_of(const nlohmann::json& object, const char* key);
// A number, or the sum of an object's; 0 for nothing.
std::uint64_t total_of(const nlohmann::json& value);
bool is_true(const nlohmann::json& object, const char* key);
// The strings of a list, joined.
std::string joined(const nlohmann::json& list, const char* separator);

}  // namespace xdplb
