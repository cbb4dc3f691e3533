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

// How the program is attached to an interface.
inline Cell attach_cell(const nlohmann::json& interface) {
  const std::string attach = text_of(interface, "attach");
  if (attach == "link") return {.text = "pinned link"};
  return {.text = attach == "dispatcher" ? "libxdp dispatcher" : attach};
}

// Whether an interface may own VIPAs.
inline Cell interface_health_cell(const nlohmann::json& interface) {
  const std::string state = optional_text(interface, "state");
  const bool is_between = state == "settling" || state == "suspect";
  return {.text = state, .colour = state == "up" ? Colour::kGreen : is_between ? Colour::kYellow : Colour::kRed};
}

}  // namespace xdplb
