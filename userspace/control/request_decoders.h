// SPDX-License-Identifier: GPL-2.0-only
// One function a route: what a call of it asks for. request_decode.cpp has the table of routes.
// Errors: kUsage for the query, kInvalidConfig for the body.
#pragma once

#include "control/request.h"
#include "control/request_fields.h"

namespace xdplb {

inline constexpr std::string_view kBody = "request body";

template <typename T>
Result<Request> decode_plain(Call&) {
  return T{};
}

// ---- request_decode_views.cpp
Result<Request> decode_load(Call& call);
Result<Request> decode_unload(Call& call);
Result<Request> decode_flows(Call& call);
Result<Request> decode_events(Call& call);
Result<Request> decode_trace(Call& call);
Result<Request> decode_explain(Call& call);

// ---- request_decode_objects.cpp
Result<Request> decode_cluster_show(Call& call);
Result<Request> decode_cluster_add(Call& call);
Result<Request> decode_cluster_set(Call& call);
Result<Request> decode_cluster_remove(Call& call);
Result<Request> decode_port_list(Call& call);
Result<Request> decode_port_add(Call& call);
Result<Request> decode_port_set(Call& call);
Result<Request> decode_port_remove(Call& call);
Result<Request> decode_server_list(Call& call);
Result<Request> decode_server_add(Call& call);
Result<Request> decode_server_set(Call& call);
Result<Request> decode_server_admin(Call& call);
Result<Request> decode_server_remove(Call& call);
Result<Request> decode_config_diff(Call& call);
Result<Request> decode_config_apply(Call& call);

// ---- request_decode_vipas.cpp
Result<Request> decode_interface_admin(Call& call);
Result<Request> decode_vipa_show(Call& call);
Result<Request> decode_vipa_set(Call& call);
Result<Request> decode_vipa_remove(Call& call);
Result<Request> decode_vipa_move(Call& call);
Result<Request> decode_vipa_resume(Call& call);
Result<Request> decode_vipa_admin(Call& call);
Result<Request> decode_settings_set(Call& call);

// ---- request_decode_advisors.cpp
Result<Request> decode_advisor_list(Call& call);
Result<Request> decode_advisor_set(Call& call);
Result<Request> decode_advisor_patch(Call& call);
Result<Request> decode_advisor_remove(Call& call);
Result<Request> decode_advisor_run(Call& call);
Result<Request> decode_manager_report(Call& call);
Result<Request> decode_manager_set(Call& call);

}  // namespace xdplb
