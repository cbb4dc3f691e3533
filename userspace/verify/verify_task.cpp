// SPDX-License-Identifier: GPL-2.0-only
#include "verify/verify_task.h"

#include "model/config_json.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string_view>

namespace xdplb {
namespace {

using nlohmann::json;

constexpr std::int64_t kMinWait = 50;     // milliseconds
constexpr std::int64_t kMaxWait = 60000;  // milliseconds
constexpr std::array<std::string_view, 6> kKeys = {"config", "made_up", "interface", "owner", "own_vipas", "wait_ms"};

Error wrong(std::string_view key, std::string_view what) {
  return fail(ErrorCode::kInvalidConfig, fmt::format("task: {}: {}", key, what));
}

Result<void> read_owner(const json& value, VerifyTask& task) {
  if (value.is_null()) return {};
  if (!value.is_string()) return wrong("owner", "it is a MAC, \"none\" or null");
  const auto text = value.get<std::string>();
  task.expects_no_owner = text == "none";
  if (task.expects_no_owner) return {};
  const auto mac = MacAddress::parse(text);
  if (!mac) return wrong("owner", mac.error().message);
  task.owner = *mac;
  return {};
}

Result<void> read_own_vipas(const json& value, VerifyTask& task) {
  if (!value.is_array()) return wrong("own_vipas", "it is a list of addresses");
  for (const auto& one : value) {
    const auto address = IpAddress::parse(one.is_string() ? one.get<std::string>() : std::string());
    if (!address) return wrong("own_vipas", address.error().message);
    task.own_vipas.push_back(*address);
  }
  return {};
}

Result<void> read_key(const std::string& key, const json& value, VerifyTask& task) {
  if (key == "config") {
    auto config = decode_config(value, "task");
    if (!config) return config.error();
    task.config = std::move(*config);
    return {};
  }
  if (key == "owner") return read_owner(value, task);
  if (key == "own_vipas") return read_own_vipas(value, task);
  if (key == "made_up") {
    if (!value.is_boolean()) return wrong(key, "it is true or false");
    task.is_made_up = value.get<bool>();
  } else if (key == "interface") {
    if (!value.is_string()) return wrong(key, "it is a name, or empty");
    task.interface = value.get<std::string>();
  } else {
    const auto wait = value.is_number_integer() ? value.get<std::int64_t>() : 0;
    if (wait < kMinWait || wait > kMaxWait) return wrong(key, fmt::format("it is in {}..{}", kMinWait, kMaxWait));
    task.wait = std::chrono::milliseconds(wait);
  }
  return {};
}

const char* mark_name(StepMark mark) {
  switch (mark) {
    case StepMark::kOk:
      return "ok";
    case StepMark::kWarning:
      return "warning";
    case StepMark::kFault:
      return "fault";
    case StepMark::kSkipped:
      break;
  }
  return "skipped";
}

json row_json(const VerifyRow& row) {
  json ports = json::array();
  for (const auto& port : row.port_results)
    ports.push_back({{"path", port.path.to_string()},
                     {"mark", mark_name(port.mark)},
                     {"code", check_code_name(port.code)},
                     {"text", port.text}});
  return {{"cluster", row.cluster},
          {"server", row.server},
          {"address", row.address.to_string()},
          {"vipa", row.vipa.to_string()},
          {"interface", row.interface},
          {"mac", row.mac ? json(row.mac->to_string()) : json(nullptr)},
          {"steps",
           {{"silent_before", mark_name(row.silent_before)},
            {"mac", mark_name(row.resolved)},
            {"echo", mark_name(row.echo)},
            {"ports", mark_name(row.ports)},
            {"silent_after", mark_name(row.silent_after)}}},
          {"ports", std::move(ports)}};
}

}  // namespace

bool VerifyReport::ok() const {
  return std::all_of(faults.begin(), faults.end(), [](const VerifyFault& fault) { return fault.is_warning; });
}

Result<VerifyTask> decode_verify_task(const json& document) {
  if (!document.is_object()) return fail(ErrorCode::kInvalidConfig, "task: it is no JSON object");
  if (!document.contains("config")) return wrong("config", "is missing");
  VerifyTask task;
  for (const auto& [key, value] : document.items()) {
    if (std::find(kKeys.begin(), kKeys.end(), key) == kKeys.end()) return wrong(key, "unknown key");
    if (auto read = read_key(key, value, task); !read) return read.error();
  }
  return task;
}

json encode_verify_task(const VerifyTask& task) {
  json own = json::array();
  for (const auto& vipa : task.own_vipas) own.push_back(vipa.to_string());
  json owner;
  if (task.expects_no_owner) owner = "none";
  if (task.owner) owner = task.owner->to_string();
  return {{"config", encode_config(task.config)}, {"made_up", task.is_made_up},
          {"interface", task.interface},          {"owner", std::move(owner)},
          {"own_vipas", std::move(own)},          {"wait_ms", task.wait.count()}};
}

json encode_verify_report(const VerifyReport& report) {
  json servers = json::array();
  for (const auto& row : report.rows) servers.push_back(row_json(row));
  json faults = json::array();
  for (const auto& fault : report.faults)
    faults.push_back({{"code", fault.code},
                      {"object", fault.object},
                      {"text", fault.text},
                      {"remedy", fault.remedy},
                      {"severity", fault.is_warning ? "warning" : "fault"}});
  return {{"ok", report.ok()}, {"servers", std::move(servers)}, {"faults", std::move(faults)}, {"notes", report.notes}};
}

}  // namespace xdplb
