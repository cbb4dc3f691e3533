// SPDX-License-Identifier: GPL-2.0-only
#include "doctor/doctor_task.h"

#include "model/config_json.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <limits>
#include <string_view>

namespace xdplb {
namespace {

using nlohmann::json;

Error wrong(std::string_view key, std::string_view what) {
  return fail(ErrorCode::kInvalidConfig, fmt::format("task: {}: {}", key, what));
}

Result<void> read_names(const json& value, std::vector<std::string>& into) {
  if (!value.is_array()) return wrong("interfaces", "it is a list of names");
  for (const auto& one : value) {
    if (!one.is_string()) return wrong("interfaces", "it is a list of names");
    into.push_back(one.get<std::string>());
  }
  return {};
}

Result<void> read_addresses(std::string_view key, const json& value, std::vector<IpAddress>& into) {
  if (!value.is_array()) return wrong(key, "it is a list of addresses");
  for (const auto& one : value) {
    const auto address = IpAddress::parse(one.is_string() ? one.get<std::string>() : std::string());
    if (!address) return wrong(key, address.error().message);
    into.push_back(*address);
  }
  return {};
}

Result<void> read_config(const json& value, Config& into) {
  if (value.is_object() && value.empty()) return {};
  auto config = decode_config(value, "task");
  if (!config) return config.error();
  into = std::move(*config);
  return {};
}

Result<void> read_key(const std::string& key, const json& value, DoctorTask& task) {
  if (key == "config") return read_config(value, task.config);
  if (key == "interfaces") return read_names(value, task.interfaces);
  if (key == "vipas") return read_addresses(key, value, task.vipas);
  if (key == "own_vipas") return read_addresses(key, value, task.own_vipas);
  if (key == "instance") {
    if (!value.is_string()) return wrong(key, "it is a name");
    task.instance = value.get<std::string>();
    return {};
  }
  if (key != "daemon") return wrong(key, "unknown key");
  const auto number = value.is_number_integer() ? value.get<std::int64_t>() : -1;
  if (number < 0 || number > std::numeric_limits<int>::max()) return wrong(key, "it is a process's number, or 0");
  task.daemon = static_cast<int>(number);
  return {};
}

std::string_view verdict_name(Verdict verdict) {
  if (verdict == Verdict::kOk) return "ok";
  return verdict == Verdict::kWarning ? "warn" : "fail";
}

}  // namespace

Result<DoctorTask> decode_doctor_task(const json& document) {
  if (!document.is_object()) return fail(ErrorCode::kInvalidConfig, "task: it is no JSON object");
  DoctorTask task;
  for (const auto& [key, value] : document.items())
    if (auto read = read_key(key, value, task); !read) return read.error();
  return task;
}

bool DoctorReport::ok() const {
  return std::none_of(checks.begin(), checks.end(),
                      [](const Check& check) { return check.verdict == Verdict::kFailure; });
}

json encode_doctor_report(const DoctorReport& report) {
  json checks = json::array();
  for (const auto& check : report.checks)
    checks.push_back({{"code", check.code},
                      {"object", check.object},
                      {"verdict", verdict_name(check.verdict)},
                      {"text", check.text},
                      {"remedy", check.remedy}});
  return {{"ok", report.ok()}, {"checks", std::move(checks)}};
}

}  // namespace xdplb
