// SPDX-License-Identifier: GPL-2.0-only
#include "cli/cells.h"
#include "cli/print.h"

#include <fmt/format.h>

#include <ostream>

namespace xdplb {
namespace {

using nlohmann::json;

Cell mark_cell(const json& steps, const char* step) {
  const auto mark = text_of(steps, step);
  if (mark == "ok") return {.text = "ok", .colour = Colour::kGreen};
  if (mark == "warning") return {.text = "warn", .colour = Colour::kYellow};
  if (mark == "fault") return {.text = "FAULT", .colour = Colour::kRed};
  return {.text = "-"};
}

std::string server_name(const json& row) {
  const auto cluster = text_of(row, "cluster");
  return cluster == "-" ? text_of(row, "server") : fmt::format("{}/{}", cluster, text_of(row, "server"));
}

}  // namespace

void print_verify(const Page& page, const json& report) {
  Table table({"SERVER", "VIPA", "MAC", "SILENT", "MAC", "ECHO", "PORTS", "SILENT"});
  for (const auto& row : list_of(report, "servers")) {
    const auto& steps = member(row, "steps");
    table.add({{.text = server_name(row)},
               text_cell(row, "vipa"),
               text_cell(row, "mac"),
               mark_cell(steps, "silent_before"),
               mark_cell(steps, "mac"),
               mark_cell(steps, "echo"),
               mark_cell(steps, "ports"),
               mark_cell(steps, "silent_after")});
  }
  if (table.is_empty()) {
    page.out << "no server to verify\n";
  } else {
    table.print(page.out, "", page.has_colour);
  }
  for (const auto& fault : list_of(report, "faults")) {
    const bool is_warning = text_of(fault, "severity") == "warning";
    const auto word =
        is_warning ? paint("warn ", Colour::kYellow, page.has_colour) : paint("FAULT", Colour::kRed, page.has_colour);
    page.out << fmt::format("{} {} {}: {}\n", word, text_of(fault, "code"), text_of(fault, "object"),
                            text_of(fault, "text"));
    if (const auto remedy = optional_text(fault, "remedy"); !remedy.empty())
      page.out << fmt::format("        {}\n", remedy);
  }
  for (const auto& note : list_of(report, "notes"))
    if (note.is_string()) page.out << fmt::format("note  {}\n", joined(json::array({note}), ""));
}

}  // namespace xdplb
