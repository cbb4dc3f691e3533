// SPDX-License-Identifier: GPL-2.0-only
// Advisors, managers and user exits.
#include "control/request_decoders.h"
#include "model/advisor_json.h"

namespace xdplb {

Result<Request> decode_advisor_list(Call& call) {
  if (auto good = only_one(call, "port", "server"); !good) return good.error();
  AdvisorListRequest request;
  if (call.find("port")) {
    auto port = take_path<PortPath>(call, "port");
    if (!port) return port.error();
    request.port = std::move(*port);
  }
  if (call.find("server")) {
    auto server = take_path<ServerPath>(call, "server");
    if (!server) return server.error();
    request.server = std::move(*server);
  }
  return request;
}

Result<Request> decode_advisor_set(Call& call) {
  auto path = take_path<PortPath>(call, "port");
  if (!path) return path.error();
  auto advisor = decode_advisor(call.body, "advisor", path->protocol);
  if (!advisor) return advisor.error();
  return AdvisorSetRequest{.path = std::move(*path), .advisor = std::move(*advisor)};
}

// What the keys may be depends on the advisor there is, so the rest is change_advisor's.
Result<Request> decode_advisor_patch(Call& call) {
  auto path = take_path<PortPath>(call, "port");
  if (!path) return path.error();
  if (call.body.empty()) return bad_body("advisor", "at least one key must be given");
  return AdvisorPatchRequest{.path = std::move(*path), .changes = std::move(call.body)};
}

Result<Request> decode_advisor_remove(Call& call) {
  auto path = take_path<PortPath>(call, "port");
  if (!path) return path.error();
  return AdvisorRemoveRequest{.path = std::move(*path)};
}

Result<Request> decode_advisor_run(Call& call) {
  auto path = take_path<ServerPath>(call, "server");
  if (!path) return path.error();
  if (!call.body.empty()) return bad_body(call.body.begin().key(), "unknown key; there are none");
  return AdvisorRunRequest{.path = std::move(*path)};
}

Result<Request> decode_manager_report(Call& call) { return ManagerReportRequest{.cluster = call.find("cluster")}; }

Result<Request> decode_manager_set(Call& call) {
  const auto changes = decode_manager_changes(call.body, "manager");
  if (!changes) return changes.error();
  if (changes->is_empty()) return bad_body("manager", "at least one key must be given");
  return ManagerSetRequest{.cluster = call.find("cluster"), .changes = *changes};
}

}  // namespace xdplb
