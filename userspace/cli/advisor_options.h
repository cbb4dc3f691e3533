// SPDX-License-Identifier: GPL-2.0-only
// The options of `advisor set`, and the keys of the advisor object they stand for.
#pragma once

#include "base/result.h"

#include <nlohmann/json_fwd.hpp>

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace xdplb {

struct AdvisorOption {
  const char* option;  // "--path"
  const char* key;     // of the advisor object
  // The text of the option as the key's value; null: the default again. Errors: kUsage.
  Result<nlohmann::json> (*read)(const std::string& text);
  const char* group;  // what the help lists it under
  const char* help;
};
std::span<const AdvisorOption> advisor_options();

// An option as typed.
struct AdvisorWord {
  std::string option;
  std::string text;
};

// The keys that change, an object. Steps and headers come in the order typed.
//
// command  of an exec advisor; may be empty
// Errors: kUsage, naming the option: for text that cannot be read, for an option or a key that is said twice.
Result<nlohmann::json> advisor_changes(std::span<const AdvisorWord> words, const std::vector<std::string>& command);

}  // namespace xdplb
