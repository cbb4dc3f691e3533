// SPDX-License-Identifier: GPL-2.0-only
// What is said of a server and what comes of it.
#include "cli/cells.h"
#include "cli/context.h"
#include "cli/print.h"
#include "cli/sparkline.h"

#include <fmt/format.h>

#include <array>
#include <ostream>

namespace xdplb {
namespace {

using nlohmann::json;

// "drain, the word of agent (config ready, operator ready, agent drain)".
std::string admin_text(const json& server) {
  std::string text = text_of(server, "admin");
  if (const std::string source = optional_text(server, "admin_source"); !source.empty()) {
    text += ", the word of " + source;
  }
  std::string words;
  for (const auto& [source, word] : member(server, "admins").items()) {
    if (!word.is_string()) continue;
    words += fmt::format("{}{} {}", words.empty() ? "" : ", ", one_line(source), one_line(word.get<std::string>()));
  }
  return words.empty() ? text : fmt::format("{} ({})", text, words);
}

std::string daily_text(const json& server) {
  const json& hours = list_of(server, "daily");
  if (hours.size() != 2 || !hours[0].is_number_integer() || !hours[1].is_number_integer()) return "";
  return fmt::format("drains from {:02}:00 to {:02}:59", hours[0].get<int>(), hours[1].get<int>());
}

// "v4 up, v6 down"; families that are not served are left out.
std::string families_text(const json& server) {
  std::string text;
  for (const auto& [family, key] : {std::pair("v4", "health_v4"), std::pair("v6", "health_v6")}) {
    const std::string health = optional_text(server, key);
    if (!health.empty()) text += fmt::format("{}{} {}", text.empty() ? "" : ", ", family, health);
  }
  return text.empty() ? text_of(server, "health") : text;
}

std::string check_text(const json& server) {
  const json& check = member(server, "check");
  if (!check.is_object()) return "";
  const std::string text = optional_text(check, "text");
  return fmt::format("{}{}{}, {}", text_of(check, "code"), text.empty() ? "" : " ", text,
                     latency_text(count_of(check, "latency_us")));
}

// "10, in force 5 (IPv6 0), fixed".
std::string weight_text(const json& server) {
  std::string text = text_of(server, "weight");
  const std::string v4 = optional_text(server, "effective_weight");
  const std::string v6 = optional_text(server, "effective_weight_v6");
  if (!v4.empty()) text += ", in force " + v4;
  if (!v6.empty() && v6 != v4) text += fmt::format(" (IPv6 {})", v6);
  return is_true(server, "fixed_weight") ? text + ", fixed: the manager leaves it alone" : text;
}

}  // namespace

void print_standing(const Page& page, const json& servers) {
  const auto line = [&page](const char* name, const std::string& value) {
    if (!value.empty()) page.out << fmt::format("{:<8} {}\n", name, value);
  };
  for (const json& server : as_list(servers)) {
    if (member(server, "admins").is_null()) continue;
    page.out << '\n';
    line("admin", admin_text(server));
    line("daily", daily_text(server));
    line("health", families_text(server));
    line("check", check_text(server));
    line("weight", weight_text(server));
    line("tier", optional_text(server, "tier"));
    line("why", optional_text(server, "reason"));
  }
}

}  // namespace xdplb
