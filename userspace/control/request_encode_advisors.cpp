// SPDX-License-Identifier: GPL-2.0-only
// Advisors, managers and user exits.
#include "control/request_encoders.h"
#include "model/advisor_json.h"

#include <nlohmann/json.hpp>

namespace xdplb {
namespace {

std::string advisor_target(const PortPath& path) { return "/v1/advisors" + query("port", path.to_string()); }

std::string manager_target(const std::optional<std::string>& cluster) {
  return cluster ? "/v1/managers" + query("cluster", *cluster) : "/v1/managers";
}

}  // namespace

HttpCall AdvisorEncoder::operator()(const AdvisorListRequest& request) const {
  if (request.server) return get("/v1/advisors" + query("server", request.server->to_string()));
  return get(request.port ? advisor_target(*request.port) : "/v1/advisors");
}

HttpCall AdvisorEncoder::operator()(const AdvisorSetRequest& request) const {
  return send("PUT", advisor_target(request.path), encode_advisor(request.advisor));
}

HttpCall AdvisorEncoder::operator()(const AdvisorPatchRequest& request) const {
  return send("PATCH", advisor_target(request.path), request.changes);
}

HttpCall AdvisorEncoder::operator()(const AdvisorRemoveRequest& request) const {
  return remove(advisor_target(request.path));
}

HttpCall AdvisorEncoder::operator()(const AdvisorRunRequest& request) const {
  return send("POST", "/v1/advisors/run" + query("server", request.path.to_string()), nlohmann::json::object());
}

HttpCall AdvisorEncoder::operator()(const ManagerReportRequest& request) const {
  return get(manager_target(request.cluster));
}

HttpCall AdvisorEncoder::operator()(const ManagerSetRequest& request) const {
  return send("PATCH", manager_target(request.cluster), encode_manager_changes(request.changes));
}

HttpCall AdvisorEncoder::operator()(const ExitListRequest&) const { return get("/v1/exits"); }

}  // namespace xdplb
