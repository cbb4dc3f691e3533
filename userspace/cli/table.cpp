// SPDX-License-Identifier: GPL-2.0-only
#include "cli/table.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <ostream>

namespace xdplb {
namespace {

std::string_view escape(Colour colour) {
  switch (colour) {
    case Colour::kRed:
      return "\033[31m";
    case Colour::kGreen:
      return "\033[32m";
    case Colour::kYellow:
      return "\033[33m";
    case Colour::kBold:
      return "\033[1m";
    case Colour::kNone:
      break;
  }
  return "";
}

std::string padded(const Cell& cell, std::size_t width, bool has_colour) {
  const std::string space(width - std::min(width, cell.text.size()), ' ');
  const std::string text = paint(cell.text, cell.colour, has_colour);
  return cell.is_number ? space + text : text + space;
}

}  // namespace

std::string paint(std::string_view text, Colour colour, bool on) {
  if (!on || colour == Colour::kNone || text.empty()) return std::string(text);
  return fmt::format("{}{}\033[0m", escape(colour), text);
}

void Table::print(std::ostream& out, std::string_view indent, bool has_colour) const {
  std::vector<std::size_t> widths(titles_.size(), 0);
  for (const auto& row : rows_) {
    for (std::size_t i = 0; i < widths.size(); ++i) widths[i] = std::max(widths[i], row[i].text.size());
  }
  std::vector<Cell> head;
  for (std::size_t i = 0; i < titles_.size(); ++i) {
    if (widths[i] != 0) widths[i] = std::max(widths[i], titles_[i].size());
    head.push_back({.text = titles_[i], .colour = Colour::kBold, .is_number = !rows_.empty() && rows_[0][i].is_number});
  }
  const auto print_row = [&](const std::vector<Cell>& row) {
    std::string line(indent);
    for (std::size_t i = 0; i < widths.size(); ++i) {
      if (widths[i] != 0) line += padded(row[i], widths[i], has_colour) + "  ";
    }
    line.erase(line.find_last_not_of(' ') + 1);
    out << line << '\n';
  };
  print_row(head);
  for (const auto& row : rows_) print_row(row);
}

std::string human_count(std::uint64_t count) {
  std::string text = std::to_string(count);
  for (std::size_t at = text.size(); at > 3; at -= 3) text.insert(at - 3, 1, ',');
  return text;
}

std::string human_bytes(std::uint64_t bytes) {
  constexpr std::array<std::string_view, 6> kUnits = {"KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
  if (bytes < 1024) return fmt::format("{} B", bytes);
  auto value = static_cast<double>(bytes) / 1024;
  std::size_t unit = 0;
  // 1023.95 would be printed as 1024.0.
  for (; value >= 1023.95 && unit + 1 < kUnits.size(); ++unit) value /= 1024;
  return fmt::format("{:.1f} {}", value, kUnits[unit]);
}

std::string human_seconds(std::uint64_t seconds) {
  constexpr std::uint64_t kMinute = 60;
  constexpr std::uint64_t kHour = 60 * kMinute;
  constexpr std::uint64_t kDay = 24 * kHour;
  if (seconds < kMinute) return fmt::format("{} s", seconds);
  if (seconds < kHour) return fmt::format("{} min {} s", seconds / kMinute, seconds % kMinute);
  if (seconds < kDay) return fmt::format("{} h {} min", seconds / kHour, seconds % kHour / kMinute);
  return fmt::format("{} d {} h", seconds / kDay, seconds % kDay / kHour);
}

}  // namespace xdplb
