// SPDX-License-Identifier: GPL-2.0-only
// The report of the manager, as the classic Dispatcher printed it.
#include "cli/cells.h"
#include "cli/print.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <ostream>

namespace xdplb {
namespace {

using nlohmann::json;

struct Part {
  const char* title;
  const char* key;
};
constexpr std::array<Part, 4> kParts = {{{"ACTV", "active"}, {"NEWC", "new"}, {"PORT", "port"}, {"SYS", "system"}}};

// A whole number, else with one decimal; "-" for nothing.
std::string number_text(const json& value) {
  if (!value.is_number()) return "-";
  const double number = value.get<double>();
  if (!std::isfinite(number) || std::abs(number) > 1e15) return "-";
  return number == std::round(number) ? fmt::format("{:.0f}", number) : fmt::format("{:.1f}", number);
}

// -1 is a server that is down; without data the classic report has this number.
std::string load_text(const json& part) {
  const json& value = member(part, "value");
  return value.is_number() ? number_text(value) : "-9999";
}

// "49": what is in force for the part, "-" when nobody tells.
std::string percent_text(const json& manager, std::size_t part) {
  const json& proportions = list_of(manager, "proportions");
  return part < proportions.size() ? number_text(proportions[part]) : "-";
}

void print_row(const Page& page, const std::string& name, std::size_t width, const json& line) {
  page.out << fmt::format("  {:<{}} | {:>4} {:>4}", name, width, number_text(member(line, "now")),
                          number_text(member(line, "next")));
  for (const Part& part : kParts) {
    const json& load = member(line, part.key);
    page.out << fmt::format(" | {:>4} {:>8}", number_text(member(load, "weight")), load_text(load));
  }
  page.out << '\n';
}

std::string name_text(const json& server) {
  return text_of(server, "name") + (is_true(server, "fixed") ? " (fixed)" : "");
}

void print_port(const Page& page, const json& manager, const json& port) {
  const bool is_pushed = member(port, "pushed_ago_s").is_number();
  page.out << paint("port " + text_of(port, "port"), Colour::kBold, page.has_colour)
           << (is_pushed ? fmt::format(", weights pushed {} ago\n", human_seconds(count_of(port, "pushed_ago_s")))
                         : ", no weights pushed\n");
  constexpr std::string_view kTotals = "TOTALS";
  std::size_t width = kTotals.size();
  for (const json& server : list_of(port, "servers")) width = std::max(width, name_text(server).size());
  std::string titles = fmt::format("  {:<{}} | {:^9}", "SERVER", width, "WEIGHT");
  std::string units = fmt::format("  {:<{}} |  NOW  NEW", "", width);
  std::string rule = fmt::format("  {}-+-----------", std::string(width, '-'));
  for (std::size_t i = 0; i < kParts.size(); ++i) {
    titles += fmt::format(" | {:^13}", fmt::format("{} {}%", kParts[i].title, percent_text(manager, i)));
    units += " | WGHT    VALUE";
    rule += "+---------------";
  }
  titles.erase(titles.find_last_not_of(' ') + 1);
  page.out << titles << '\n' << units << '\n' << rule << '\n';
  for (const json& server : list_of(port, "servers")) print_row(page, name_text(server), width, server);
  print_row(page, std::string(kTotals), width, member(port, "totals"));
}

}  // namespace

void print_managers(const Page& page, const json& managers) {
  const json list = as_list(managers);
  if (list.empty()) page.out << "no cluster\n";
  bool is_first = true;
  for (const json& manager : list) {
    if (!is_first) page.out << '\n';
    is_first = false;
    const bool is_on = is_true(manager, "enabled");
    page.out << "manager " << text_of(manager, "cluster") << ": "
             << paint(is_on ? "on" : "off", is_on ? Colour::kGreen : Colour::kYellow, page.has_colour)
             << fmt::format(", interval {} s, refresh {}, sensitivity {} %, smoothing {}, weight bound {}\n",
                            text_of(manager, "interval_s"), text_of(manager, "refresh"),
                            text_of(manager, "sensitivity"), text_of(manager, "smoothing"),
                            text_of(manager, "weight_bound"));
    for (const json& port : list_of(manager, "ports")) {
      page.out << '\n';
      print_port(page, manager, port);
    }
  }
}

}  // namespace xdplb
