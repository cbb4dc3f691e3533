// SPDX-License-Identifier: GPL-2.0-only
// Any bytes as a configuration file: a Config that keeps the rules and survives encoding, or one line saying why not.
#include "model/config_json.h"

#include <nlohmann/json.hpp>

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>

namespace {

void require(bool holds, const char* claim, const std::string& detail) {
  if (holds) return;
  std::fprintf(stderr, "does not hold: %s: %s\n", claim, detail.c_str());
  std::abort();
}

bool is_one_printable_line(std::string_view text) {
  for (const char letter : text) {
    if (letter < ' ' || letter > '~') return false;
  }
  return !text.empty();
}

void check_refusal(const xdplb::Error& error) {
  const bool fits = error.code == xdplb::ErrorCode::kInvalidConfig || error.code == xdplb::ErrorCode::kConflict;
  require(fits, "a refusal is an invalid configuration or a conflict", error.message);
  require(is_one_printable_line(error.message), "a refusal is one printable line", error.message);
  require(error.message.starts_with("input: "), "a refusal names its source", error.message);
  require(error.message.size() < 2000, "a refusal is short", error.message);
}

void check_config(const xdplb::Config& config) {
  const auto valid = xdplb::validate(config);
  require(valid.has_value(), "what was accepted is valid", valid ? "" : valid.error().message);
  const std::string text = xdplb::encode_config(config).dump();
  const auto again = xdplb::parse_config(text, "encoded");
  require(again.has_value(), "what was encoded can be decoded", again ? "" : again.error().message);
  require(*again == config, "decoding undoes encoding", text);
  require(xdplb::diff_lines(config, *again).empty(), "equal configurations do not differ", text);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto config = xdplb::parse_config(text, "input");
  if (config) {
    check_config(*config);
  } else {
    check_refusal(config.error());
  }
  return 0;
}
