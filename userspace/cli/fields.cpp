// SPDX-License-Identifier: GPL-2.0-only
#include "cli/fields.h"

#include "cli/context.h"

namespace xdplb {

using nlohmann::json;

const json& member(const json& object, const char* key) {
  static const json nothing;
  if (!object.is_object()) return nothing;
  const auto found = object.find(key);
  return found == object.end() ? nothing : *found;
}

const json& list_of(const json& object, const char* key) {
  static const json empty = json::array();
  const json& found = member(object, key);
  return found.is_array() ? found : empty;
}

json as_list(const json& value) { return value.is_array() ? value : json::array({value}); }

std::string optional_text(const json& object, const char* key) {
  const json& found = member(object, key);
  if (found.is_string()) return one_line(found.get_ref<const std::string&>());
  if (found.is_boolean()) return found.get<bool>() ? "yes" : "no";
  return found.is_number() ? found.dump() : "";
}

std::string text_of(const json& object, const char* key) {
  std::string text = optional_text(object, key);
  return text.empty() ? "-" : text;
}

std::uint64_t count_of(const json& object, const char* key) {
  const json& found = member(object, key);
  if (found.is_number_unsigned()) return found.get<std::uint64_t>();
  if (!found.is_number()) return 0;
  const double value = found.get<double>();
  // Outside this range the conversion is undefined.
  return value > 0 && value < 1e19 ? static_cast<std::uint64_t>(value) : 0;
}

std::uint64_t total_of(const json& value) {
  if (!value.is_object()) return count_of({{"value", value}}, "value");
  std::uint64_t total = 0;
  for (const auto& item : value.items()) total += count_of(value, item.key().c_str());
  return total;
}

bool is_true(const json& object, const char* key) {
  const json& found = member(object, key);
  return found.is_boolean() && found.get<bool>();
}

std::string joined(const json& list, const char* separator) {
  std::string text;
  for (const json& entry : list) {
    if (!entry.is_string()) continue;
    if (!text.empty()) text += separator;
    text += one_line(entry.get_ref<const std::string&>());
  }
  return text;
}

}  // namespace xdplb
