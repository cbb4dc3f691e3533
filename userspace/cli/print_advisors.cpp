// SPDX-License-Identifier: GPL-2.0-only
// Advisors, their checks, one probe step by step, and the user exits.
#include "cli/cells.h"
#include "cli/print.h"
#include "cli/sparkline.h"

#include <fmt/format.h>

#include <algorithm>
#include <ostream>

namespace xdplb {
namespace {

using nlohmann::json;

Colour health_colour(const std::string& health) {
  if (health == "up") return Colour::kGreen;
  return health == "down" ? Colour::kRed : Colour::kYellow;
}

// As a CheckCode is written: L7OK, L7OKC, PROCOK.
bool is_success_code(const std::string& code) { return code.ends_with("OK") || code == "L7OKC"; }

// A time of the configuration: a text, or a number of seconds.
std::string time_text(const json& object, const char* key, const char* usual) {
  const std::string text = optional_text(object, key);
  if (text.empty()) return usual;
  return member(object, key).is_number() ? text + "s" : text;
}

std::string destination_text(const json& object) {
  std::string address = text_of(object, "destination");
  const auto port = count_of(object, "port");
  if (port == 0) return address;
  return address.find(':') == std::string::npos ? fmt::format("{}:{}", address, port)
                                                : fmt::format("[{}]:{}", address, port);
}

// "L7STS 503 Service Unavailable".
std::string result_text(const json& result) {
  const std::string text = optional_text(result, "text");
  return text_of(result, "code") + (text.empty() ? "" : " " + text);
}

std::vector<Sample> samples_of(const json& check) {
  std::vector<Sample> samples;
  for (const json& entry : list_of(check, "history")) {
    samples.push_back(
        {.latency_us = count_of(entry, "latency_us"), .is_failure = !is_success_code(optional_text(entry, "code"))});
  }
  return samples;
}

// "going down, 2 of 3 failures", for results that contradict the state.
std::string change_text(const json& check) {
  const auto contradicting = count_of(check, "contradicting");
  if (contradicting == 0) return "";
  const bool is_up = text_of(check, "health") == "up";
  return fmt::format(", going {}: {} of {} {}", is_up ? "down" : "up", contradicting, count_of(check, "needed"),
                     is_up ? "failures" : "successes");
}

// The newest failure that is kept, when the last result is none.
std::string failure_text(const json& check) {
  if (!is_success_code(optional_text(check, "code"))) return "";
  const json& history = list_of(check, "history");
  for (auto entry = history.rbegin(); entry != history.rend(); ++entry) {
    if (!is_success_code(optional_text(*entry, "code"))) return text_of(*entry, "at") + " " + result_text(*entry);
  }
  return "";
}

void print_check(const Page& page, const json& check) {
  const auto line = [&page](const char* name, const std::string& value) {
    if (!value.empty()) page.out << fmt::format("  {:<12} {}\n", name, value);
  };
  const std::string health = text_of(check, "health");
  const std::string since = optional_text(check, "since");
  page.out << paint(text_of(check, "server"), Colour::kBold, page.has_colour) << "  " << destination_text(check) << "  "
           << text_of(check, "way") << '\n';
  line("health", paint(health, health_colour(health), page.has_colour) + (since.empty() ? "" : " since " + since) +
                     change_text(check) + (is_true(check, "frozen") ? ", frozen: too much failed at once" : ""));
  line("last", fmt::format("{}, {}", result_text(check), latency_text(count_of(check, "latency_us"))));
  const auto samples = samples_of(check);
  if (!samples.empty()) {
    line("history", sparkline(samples, page.has_utf8, page.has_colour) + "  " + latency_summary(samples));
  }
  line("last failure", failure_text(check));
  line("load", optional_text(check, "load"));
  line("certificate",
       optional_text(check, "certificate_end").empty() ? "" : "ends " + optional_text(check, "certificate_end"));
  if (const json& sharers = list_of(check, "shared_by"); sharers.size() > 1) line("shared by", joined(sharers, " "));
}

// The larger, the worse: down, unknown, about to go down, up; then by latency.
std::pair<int, std::uint64_t> badness(const json& check) {
  const std::string health = text_of(check, "health");
  const int level = health == "down" ? 3 : health != "up" ? 2 : count_of(check, "contradicting") != 0 ? 1 : 0;
  return {level, count_of(check, "latency_us")};
}

Cell worst_cell(const json& advisor) {
  const json& checks = list_of(advisor, "checks");
  const auto worst = std::max_element(checks.begin(), checks.end(),
                                      [](const json& a, const json& b) { return badness(a) < badness(b); });
  if (worst == checks.end()) return {.text = "-"};
  const int level = badness(*worst).first;
  const std::string server = text_of(*worst, "server");
  const std::string name = server.substr(server.rfind('/') + 1);
  if (level == 0) return {.text = fmt::format("{} {}", name, latency_text(badness(*worst).second))};
  return {.text = fmt::format("{} {}{}: {}", name, text_of(*worst, "health"), change_text(*worst), result_text(*worst)),
          .colour = level == 3 ? Colour::kRed : Colour::kYellow};
}

Cell up_cell(const json& advisor) {
  const auto up = count_of(advisor, "up");
  const auto all = count_of(advisor, "servers");
  return {.text = fmt::format("{}/{}", up, all),
          .colour = up == all ? Colour::kGreen
                    : up == 0 ? Colour::kRed
                              : Colour::kYellow,
          .is_number = true};
}

std::string interval_text(const json& advisor) { return time_text(member(advisor, "advisor"), "interval", "2s"); }

}  // namespace

void print_advisor_list(const Page& page, const json& advisors) {
  Table table({"PORT", "TYPE", "VIA", "INTERVAL", "UP/ALL", "WORST"});
  for (const json& advisor : as_list(advisors)) {
    table.add({text_cell(advisor, "port"),
               text_cell(advisor, "type"),
               text_cell(advisor, "via"),
               {.text = interval_text(advisor)},
               up_cell(advisor),
               worst_cell(advisor)});
  }
  if (table.is_empty()) {
    page.out << "no advisor\n";
  } else {
    table.print(page.out, "", page.has_colour);
  }
}

void print_advisors(const Page& page, const json& advisors) {
  const json list = as_list(advisors);
  if (list.empty()) page.out << "no advisor\n";
  for (const json& advisor : list) {
    page.out << fmt::format("advisor {}: {} by way {} every {}, {} of {} servers up\n", text_of(advisor, "port"),
                            text_of(advisor, "type"), text_of(advisor, "via"), interval_text(advisor),
                            count_of(advisor, "up"), count_of(advisor, "servers"));
    for (const json& check : list_of(advisor, "checks")) {
      page.out << '\n';
      print_check(page, check);
    }
  }
}

void print_advisor_run(const Page& page, const json& run) {
  for (const json& probe : list_of(run, "probes")) {
    page.out << fmt::format("{} by way {}\n", text_of(probe, "destination"), text_of(probe, "way"));
    for (const json& step : list_of(probe, "steps")) {
      page.out << fmt::format("  {:>10}  {}\n", latency_text(count_of(step, "at_us")), text_of(step, "text"));
    }
    const bool is_good = is_success_code(optional_text(probe, "code"));
    page.out << fmt::format("  {:>10}  ", latency_text(count_of(probe, "latency_us")))
             << paint(result_text(probe), is_good ? Colour::kGreen : Colour::kRed, page.has_colour) << "\n\n";
  }
  const bool is_ok = is_true(run, "ok");
  page.out << "server " << text_of(run, "server") << ' '
           << paint(is_ok ? "answers as it should" : "fails", is_ok ? Colour::kGreen : Colour::kRed, page.has_colour)
           << '\n';
}

void print_exits(const Page& page, const json& exits) {
  Table table({"EVENT", "COMMAND", "USER", "TIMEOUT", "RUNS", "FAILURES", "LAST", "RESULT"});
  for (const json& entry : as_list(exits)) {
    const std::string result = optional_text(entry, "last_result");
    const bool has_failed = !result.empty() && result != "exit 0";
    table.add({text_cell(entry, "event"),
               {.text = joined(list_of(entry, "command"), " ")},
               text_cell(entry, "user"),
               {.text = human_seconds(count_of(entry, "timeout_s"))},
               count_cell(entry, "runs"),
               count_cell(entry, "failures"),
               {.text = optional_text(entry, "last_at").empty() ? "never" : optional_text(entry, "last_at")},
               {.text = result, .colour = has_failed ? Colour::kRed : Colour::kNone}});
  }
  if (table.is_empty()) {
    page.out << "no user exit\n";
  } else {
    table.print(page.out, "", page.has_colour);
  }
}

}  // namespace xdplb
