// SPDX-License-Identifier: GPL-2.0-only
// One overload a request: the counterpart of the route table in request_decode.cpp. request_encode.cpp has the others.
#pragma once

#include "control/request_json.h"

#include <nlohmann/json_fwd.hpp>

#include <string>
#include <string_view>

namespace xdplb {

std::string query(std::string_view key, std::string_view value);  // "?path=web/443"
HttpCall get(std::string target);
HttpCall remove(std::string target);
HttpCall send(std::string method, std::string target, const nlohmann::json& body);

// ---- request_encode_advisors.cpp
struct AdvisorEncoder {
  HttpCall operator()(const AdvisorListRequest& request) const;
  HttpCall operator()(const AdvisorSetRequest& request) const;
  HttpCall operator()(const AdvisorPatchRequest& request) const;
  HttpCall operator()(const AdvisorRemoveRequest& request) const;
  HttpCall operator()(const AdvisorRunRequest& request) const;
  HttpCall operator()(const ManagerReportRequest& request) const;
  HttpCall operator()(const ManagerSetRequest& request) const;
  HttpCall operator()(const ExitListRequest& request) const;
};

}  // namespace xdplb
