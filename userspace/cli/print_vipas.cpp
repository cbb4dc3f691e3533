// SPDX-License-Identifier: GPL-2.0-only
// VIPAs and the interfaces that may own them.
#include "cli/cells.h"
#include "cli/print.h"

#include <fmt/format.h>

#include <ostream>

namespace xdplb {
namespace {

using nlohmann::json;

Cell state_cell(const json& vipa) {
  const std::string state = text_of(vipa, "state");
  if (state == "owned") return {.text = state, .colour = Colour::kGreen};
  if (state == "silent" || state == "conflict") return {.text = state, .colour = Colour::kRed};
  return {.text = state, .colour = Colour::kYellow};
}

// "eth0* eth1": those with a '*' are not healthy.
std::string list_cell_text(const json& vipa) {
  std::string text;
  for (const json& entry : list_of(vipa, "preferred")) {
    if (!text.empty()) text += ' ';
    text += text_of(entry, "name") + (is_true(entry, "healthy") ? "" : "*");
  }
  return text.empty() ? "none" : text;
}

std::string ago(const json& object, const char* key) { return human_seconds(count_of(object, key)) + " ago"; }

// "02:00:00:00:00:21, server web/443/s1", "02:00:00:00:00:09, unknown".
std::string machine_text(const json& machine) {
  if (!machine.is_object()) return "";
  const std::string object = optional_text(machine, "object");
  return fmt::format("{}, {}", text_of(machine, "mac"), object.empty() ? text_of(machine, "class") : object);
}

std::string owner_text(const json& vipa) {
  const std::string owner = optional_text(vipa, "owner");
  const std::string entry = optional_text(vipa, "owner_entry");
  return entry.empty() || entry == owner ? owner : fmt::format("{} ({})", owner, entry);
}

std::string last_move_text(const json& vipa) {
  const json& move = member(vipa, "last_move");
  if (!move.is_object()) return "";
  return fmt::format("{} -> {}, {}, {}", text_of(move, "from"), text_of(move, "to"), text_of(move, "cause"),
                     ago(move, "ago_s"));
}

std::string failback_text(const json& vipa) {
  const std::string way = text_of(vipa, "failback");
  std::string text = way == "delayed" ? fmt::format("delayed by {}", human_seconds(count_of(vipa, "hold_s"))) : way;
  const std::string goal = optional_text(vipa, "failback_to");
  if (goal.empty()) return text;
  text += fmt::format(", {} is better", goal);
  if (!member(vipa, "failback_in_s").is_number()) return text;
  return text + fmt::format(": in {}", human_seconds(count_of(vipa, "failback_in_s")));
}

std::string announced_text(const json& vipa) {
  if (!member(vipa, "last_announcement_s").is_number()) return "";
  std::string text = ago(vipa, "last_announcement_s");
  const json& delay = member(vipa, "event_to_announcement_ms");
  if (!delay.is_number()) return text;
  return text + fmt::format("; the first {:.2f} ms after what caused it", delay.get<double>());
}

std::string role_text(const json& vipa) {
  const bool is_local = is_true(vipa, "local");
  if (is_true(vipa, "backup")) return is_local ? "local, backup" : "backup";
  return is_local ? "local" : "";
}

void print_facts(const Page& page, const json& vipa) {
  const auto line = [&page](const char* name, const std::string& value) {
    if (!value.empty()) page.out << fmt::format("{:<12} {}\n", name, value);
  };
  const Cell state = state_cell(vipa);
  line("vipa", text_of(vipa, "address"));
  line("state", fmt::format("{} for {}", paint(state.text, state.colour, page.has_colour),
                            human_seconds(count_of(vipa, "since_s"))));
  line("owner", owner_text(vipa));
  line("why", optional_text(vipa, "reason"));
  line("clusters", joined(list_of(vipa, "clusters"), " "));
  line("role", role_text(vipa));
  line("failback", failback_text(vipa));
  line("moved to", optional_text(vipa, "pinned"));
  if (member(vipa, "retry_in_s").is_number()) line("tried again", "in " + human_seconds(count_of(vipa, "retry_in_s")));
  line("proxy", optional_text(vipa, "proxy"));
  line("answered by", machine_text(member(vipa, "answered_by")));
  line("moves", human_count(count_of(vipa, "moves")));
  line("last move", last_move_text(vipa));
  line("announced", announced_text(vipa));
  line("frames", fmt::format("{} requests, {} answers, {} announcements, {} defences",
                             human_count(count_of(vipa, "requests")), human_count(count_of(vipa, "answers")),
                             human_count(count_of(vipa, "announcements")), human_count(count_of(vipa, "defences"))));
}

// Nothing for no rows.
void print_below(const Page& page, const Table& table) {
  if (table.is_empty()) return;
  page.out << '\n';
  table.print(page.out, "", page.has_colour);
}

// "192.0.2.1, 192.0.2.2 (missed 2)".
std::string reach_text(const json& interface) {
  std::string text;
  for (const json& target : list_of(interface, "reach")) {
    const auto missed = count_of(target, "missed");
    if (!text.empty()) text += ", ";
    text += text_of(target, "target") + (missed == 0 ? "" : fmt::format(" (missed {})", missed));
  }
  return text;
}

}  // namespace

void print_vipas(const Page& page, const json& vipas) {
  Table table({"VIPA", "CLUSTER", "STATE", "OWNER", "SINCE", "LIST", "REASON"});
  for (const json& vipa : as_list(vipas)) {
    table.add({text_cell(vipa, "address"),
               {.text = joined(list_of(vipa, "clusters"), " ")},
               state_cell(vipa),
               text_cell(vipa, "owner"),
               {.text = human_seconds(count_of(vipa, "since_s"))},
               {.text = list_cell_text(vipa)},
               {.text = optional_text(vipa, "reason")}});
  }
  if (table.is_empty()) {
    page.out << "no VIPA\n";
  } else {
    table.print(page.out, "", page.has_colour);
  }
}

void print_vipa(const Page& page, const json& vipa) {
  for (const json& each : as_list(vipa)) {
    print_facts(page, each);
    Table entries({"ENTRY", "INTERFACE", "STATE", "REASON"});
    for (const json& entry : list_of(each, "preferred")) {
      entries.add({text_cell(entry, "name"),
                   text_cell(entry, "interface"),
                   interface_health_cell(entry),
                   {.text = optional_text(entry, "reason")}});
    }
    print_below(page, entries);
    Table claims({"CLAIMED BY", "CLASS", "OBJECT", "INTERFACE", "CLAIMS", "LAST"});
    for (const json& claim : list_of(each, "conflicts")) {
      claims.add({text_cell(claim, "mac"),
                  text_cell(claim, "class"),
                  {.text = optional_text(claim, "object")},
                  text_cell(claim, "interface"),
                  count_cell(claim, "count"),
                  {.text = ago(claim, "last_s")}});
    }
    print_below(page, claims);
  }
}

void print_interface_list(const Page& page, const json& interfaces) {
  Table table({"INTERFACE", "HEALTH", "SINCE", "LOADED", "MODE", "ATTACHED BY", "MAC", "REACH", "VIPAS", "REASON"});
  for (const json& interface : as_list(interfaces)) {
    const bool is_loaded = is_true(interface, "loaded");
    table.add({text_cell(interface, "name"),
               interface_health_cell(interface),
               {.text = human_seconds(count_of(interface, "since_s"))},
               {.text = is_loaded ? "yes" : "no"},
               {.text = optional_text(interface, "mode")},
               is_loaded ? attach_cell(interface) : Cell{},
               text_cell(interface, "mac"),
               {.text = reach_text(interface)},
               {.text = joined(list_of(interface, "vipas"), " ")},
               {.text = optional_text(interface, "reason")}});
  }
  if (table.is_empty()) {
    page.out << "no interface is loaded or may own a VIPA\n";
  } else {
    table.print(page.out, "", page.has_colour);
  }
}

}  // namespace xdplb
