// SPDX-License-Identifier: GPL-2.0-only
// Small helpers for one-line messages about text that someone else wrote.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace xdplb {

// `text` in double quotes, fit for a terminal and a log: whatever is not printable ASCII becomes \xNN, a long text is
// cut and ends in "...".
std::string quote(std::string_view text);

// The candidate that `word` probably meant, by edit distance (a swap of neighbours counts as one edit); nullopt when
// none is near enough.
std::optional<std::string_view> nearest(std::string_view word, std::span<const std::string_view> candidates);

}  // namespace xdplb
