// SPDX-License-Identifier: GPL-2.0-only
// Fields of a document as cells of a table.
#pragma once

#include "cli/fields.h"
#include "cli/table.h"

namespace xdplb {

inline Cell text_cell(const nlohmann::json& object, const char* key) { return {.text = text_of(object, key)}; }

inline Cell count_cell(const nlohmann::json& object, const char* key) {
  return {.text = human_count(count_of(object, key)), .is_number = true};
}

// Empty for 0, so that a column without any is left out.
inline Cell some_cell(std::uint64_t count) { return {.text = count == 0 ? "" : human_count(count), .is_number = true}; }

inline Cell bytes_cell(const nlohmann::json& object) {
  return {.text = human_bytes(count_of(object, "bytes")), .is_number = true};
}

}  // namespace xdplb
