// SPDX-License-Identifier: GPL-2.0-only
// Fields of options that may be left unsaid, against those that always have a value.
#pragma once

#include <optional>

namespace xdplb {

// Takes over what was said.
template <typename T>
void set_field(T& field, const std::optional<T>& said) {
  if (said) field = *said;
}

// Says what is not as usual.
template <typename T>
void note_field(std::optional<T>& said, const T& field, const T& usual) {
  if (field != usual) said = field;
}

}  // namespace xdplb
