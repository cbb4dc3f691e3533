// SPDX-License-Identifier: GPL-2.0-only
// Enumerations and their words: tables for model/option_text*.cpp.
#pragma once

#include "base/result.h"
#include "model/text.h"

#include <fmt/format.h>

#include <array>
#include <cstddef>
#include <string_view>

namespace xdplb {

template <typename T>
struct Word {
  T value;
  std::string_view name;
};

template <typename T, std::size_t N>
std::string_view name_in(const std::array<Word<T>, N>& words, T value) {
  for (const Word<T>& word : words) {
    if (word.value == value) return word.name;
  }
  return "?";
}

// Errors: kUsage, naming the text and the words there are.
template <typename T, std::size_t N>
Result<T> value_in(const std::array<Word<T>, N>& words, std::string_view text) {
  std::array<std::string_view, N> names{};
  for (std::size_t i = 0; i < N; ++i) {
    if (text == words[i].name) return words[i].value;
    names[i] = words[i].name;
  }
  return fail(ErrorCode::kUsage, fmt::format("{} is not one of {}", quote(text), fmt::join(names, ", ")));
}

}  // namespace xdplb
