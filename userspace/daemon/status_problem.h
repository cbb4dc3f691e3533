// SPDX-License-Identifier: GPL-2.0-only
// One entry of the status document's "problems".
#pragma once

#include <nlohmann/json.hpp>

#include <string>

namespace xdplb {

// code  one of the table in docs/api.md
inline nlohmann::json problem(const char* code, const std::string& object, const std::string& text) {
  return {{"code", code}, {"object", object}, {"text", text}};
}

}  // namespace xdplb
