// SPDX-License-Identifier: GPL-2.0-only
#include "control/problem_json.h"

#include <fmt/format.h>

#include <array>
#include <nlohmann/json.hpp>

namespace xdplb {
namespace {

using nlohmann::json;

constexpr std::string_view kTypePrefix = "urn:xdplb:error:";

struct Kind {
  ErrorCode code;
  int status;
  std::string_view slug;
  std::string_view title;
};

constexpr std::array<Kind, 8> kKinds = {{
    {.code = ErrorCode::kFailed, .status = 500, .slug = "failed", .title = "failed"},
    {.code = ErrorCode::kUsage, .status = 400, .slug = "usage", .title = "usage"},
    {.code = ErrorCode::kNotFound, .status = 404, .slug = "not-found", .title = "not found"},
    {.code = ErrorCode::kUnreachable, .status = 503, .slug = "unreachable", .title = "daemon not reachable"},
    {.code = ErrorCode::kPermission, .status = 403, .slug = "permission", .title = "permission denied"},
    {.code = ErrorCode::kInvalidConfig, .status = 422, .slug = "invalid-config", .title = "invalid configuration"},
    {.code = ErrorCode::kConflict, .status = 409, .slug = "conflict", .title = "conflict"},
    {.code = ErrorCode::kTimedOut, .status = 504, .slug = "timed-out", .title = "timed out"},
}};

const Kind& kind_of(ErrorCode code) {
  for (const Kind& kind : kKinds) {
    if (kind.code == code) return kind;
  }
  return kKinds.front();
}

ErrorCode code_of(const json& document, int status) {
  const auto number = document.find("exit_code");
  const auto type = document.find("type");
  for (const Kind& kind : kKinds) {
    if (number != document.end() && *number == static_cast<int>(kind.code)) return kind.code;
  }
  for (const Kind& kind : kKinds) {
    if (type != document.end() && *type == std::string(kTypePrefix).append(kind.slug)) return kind.code;
  }
  for (const Kind& kind : kKinds) {
    if (kind.status == status) return kind.code;
  }
  return status >= 400 && status < 500 ? ErrorCode::kUsage : ErrorCode::kFailed;
}

}  // namespace

int http_status(ErrorCode code) { return kind_of(code).status; }

json encode_problem(const Error& error, int status) {
  const Kind& kind = kind_of(error.code);
  return {{"type", std::string(kTypePrefix).append(kind.slug)},
          {"title", kind.title},
          {"status", status == 0 ? kind.status : status},
          {"detail", error.message},
          {"exit_code", static_cast<int>(error.code)}};
}

Error decode_problem(const json& document, int status) {
  if (!document.is_object()) return fail(code_of(json::object(), status), fmt::format("HTTP status {}", status));
  const auto detail = document.find("detail");
  const bool has_text = detail != document.end() && detail->is_string();
  return fail(code_of(document, status),
              has_text ? detail->get<std::string>() : fmt::format("HTTP status {} without a detail", status));
}

std::string dump_json(const json& document) { return document.dump(-1, ' ', false, json::error_handler_t::replace); }

std::string dump_json_pretty(const json& document) {
  return document.dump(2, ' ', false, json::error_handler_t::replace);
}

}  // namespace xdplb
