// SPDX-License-Identifier: GPL-2.0-only
#include "cli/cells.h"
#include "cli/print.h"

#include <fmt/format.h>

#include <array>
#include <ostream>

namespace xdplb {
namespace {

using nlohmann::json;

struct VerdictWord {
  const char* name;  // in the document
  const char* word;
  Colour colour;
};

constexpr std::array<VerdictWord, 3> kWords = {
    {{"fail", "FAIL", Colour::kRed}, {"warn", "warn", Colour::kYellow}, {"ok", "ok  ", Colour::kGreen}}};

void print_check(const Page& page, const json& check, const VerdictWord& verdict) {
  const auto object = optional_text(check, "object");
  page.out << fmt::format("{} {}{}{}: {}\n", paint(verdict.word, verdict.colour, page.has_colour),
                          text_of(check, "code"), object.empty() ? "" : " ", object, text_of(check, "text"));
  if (const auto remedy = optional_text(check, "remedy"); !remedy.empty())
    page.out << fmt::format("        {}\n", remedy);
}

}  // namespace

void print_doctor(const Page& page, const json& report, bool hides_good) {
  std::array<std::size_t, kWords.size()> counts{};
  for (std::size_t i = 0; i < kWords.size(); ++i) {
    for (const auto& check : list_of(report, "checks")) {
      if (text_of(check, "verdict") != kWords.at(i).name) continue;
      ++counts.at(i);
      const bool is_good = i + 1 == kWords.size();
      if (!is_good || !hides_good) print_check(page, check, kWords.at(i));
    }
  }
  if (!hides_good) page.out << fmt::format("{} failed, {} warned, {} ok\n", counts[0], counts[1], counts[2]);
}

}  // namespace xdplb
