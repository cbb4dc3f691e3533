// SPDX-License-Identifier: GPL-2.0-only
// Advisors, managers and user exits in one line.
#include "model/advisor_json.h"
#include "model/advisor_keys.h"
#include "model/option_text.h"
#include "model/text.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

namespace xdplb {
namespace {

using nlohmann::json;

bool is_plain(std::string_view text) {
  constexpr std::size_t kMaxPlain = 64;
  const auto is_good = [](char letter) { return letter > ' ' && letter <= '~' && letter != '"'; };
  return !text.empty() && text.size() <= kMaxPlain && std::all_of(text.begin(), text.end(), is_good);
}

std::string words_text(std::string_view text) { return is_plain(text) ? std::string(text) : quote(text); }

// Of what may hold secrets only the names, types or the number are told.
std::string value_text(std::string_view key, const json& value) {
  if (value.is_string()) return words_text(value.get_ref<const std::string&>());
  if (value.is_boolean()) return value.get<bool>() ? "on" : "off";
  if (key == "steps") return std::to_string(value.size());
  if (key != "headers" && key != "checks") return words_text(value.dump());
  std::string names;
  for (const auto& item : value.items()) {
    const std::string name = key == "checks" ? item.value()["type"].get<std::string>() : item.key();
    names += (names.empty() ? "" : ",") + name;
  }
  return words_text(names);
}

}  // namespace

std::string advisor_text(const AdvisorConfig& advisor) {
  const json object = encode_advisor(advisor);
  std::string text(advisor_type_name(advisor.type));
  if (advisor.type == AdvisorType::kHttp || advisor.type == AdvisorType::kHttps) {
    text += " " + words_text(advisor.http.path);
  }
  text += " interval " + milliseconds_text(advisor.interval_ms);
  for (const AdvisorKey& key : kAdvisorKeys) {
    const bool is_said = key.name == "type" || key.name == "path" || key.name == "interval";
    const auto value = object.find(std::string(key.name));
    if (is_said || value == object.end()) continue;
    text += fmt::format(" {} {}", key.name, value_text(key.name, *value));
  }
  return text;
}

std::string manager_text(const ManagerConfig& manager) {
  const ManagerConfig usual;
  std::string text = manager.is_on ? "on" : "off";
  if (manager.proportions) text += " " + proportions_text(manager.proportions);
  if (manager.interval_s != usual.interval_s) text += " interval " + duration_text(manager.interval_s);
  const auto note = [&](std::string_view name, unsigned value, unsigned usual_value) {
    if (value != usual_value) text += fmt::format(" {} {}", name, value);
  };
  note("refresh", manager.refresh, usual.refresh);
  note("sensitivity", manager.sensitivity, usual.sensitivity);
  if (manager.smoothing_tenths != usual.smoothing_tenths) {
    text += " smoothing " + smoothing_text(manager.smoothing_tenths);
  }
  note("weight_bound", manager.weight_bound, usual.weight_bound);
  return text;
}

std::string exit_text(const ExitConfig& exit) {
  const ExitConfig usual;
  std::string text;
  for (const std::string& word : exit.command) text += (text.empty() ? "" : " ") + words_text(word);
  if (exit.user != usual.user) text += " user " + exit.user;
  if (exit.timeout_s != usual.timeout_s) text += " timeout " + duration_text(exit.timeout_s);
  return text;
}

}  // namespace xdplb
