// SPDX-License-Identifier: GPL-2.0-only
// Aligned columns for people, and how numbers are written for them.
#pragma once

#include <cstdint>
#include <iosfwd>
#include <string>
#include <string_view>
#include <vector>

namespace xdplb {

enum class Colour { kNone, kRed, kGreen, kYellow, kBold };

// `text` in a colour when `on`.
std::string paint(std::string_view text, Colour colour, bool on);

struct Cell {
  std::string text;
  Colour colour = Colour::kNone;
  bool is_number = false;  // to the right
};

class Table {
 public:
  explicit Table(std::vector<std::string> titles) : titles_(std::move(titles)) {}
  // As many cells as titles.
  void add(std::vector<Cell> row) { rows_.push_back(std::move(row)); }
  bool is_empty() const { return rows_.empty(); }
  // Title line and rows, two spaces between columns, none at the end of a line. A column without any text is left out.
  void print(std::ostream& out, std::string_view indent, bool has_colour) const;

 private:
  std::vector<std::string> titles_;
  std::vector<std::vector<Cell>> rows_;
};

std::string human_count(std::uint64_t count);      // "12,345,678"
std::string human_bytes(std::uint64_t bytes);      // "999 B", "1.5 KiB", "12.3 GiB"
std::string human_seconds(std::uint64_t seconds);  // "42 s", "3 min 2 s", "2 h 5 min", "3 d 4 h"

}  // namespace xdplb
