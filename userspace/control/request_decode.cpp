// SPDX-License-Identifier: GPL-2.0-only
#include "control/request_decoders.h"
#include "control/request_json.h"
#include "control/uri.h"
#include "model/json_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <set>

namespace xdplb {
namespace {

using nlohmann::json;

enum class Body { kNone, kObject };

struct Route {
  std::string_view method;
  std::string_view path;  // '*' stands for one segment
  Body body;
  std::array<std::string_view, 3> keys;  // of the query; one that ends in '*' may repeat
  Result<Request> (*decode)(Call& call);
};

constexpr std::array<Route, 44> kRoutes = {{
    {"GET", "/v1/interfaces", Body::kNone, {}, decode_plain<InterfaceListRequest>},
    {"POST", "/v1/interfaces", Body::kObject, {}, decode_load},
    {"DELETE", "/v1/interfaces", Body::kNone, {"name*"}, decode_unload},
    {"PUT", "/v1/interfaces/*/admin", Body::kObject, {}, decode_interface_admin},
    {"GET", "/v1/status", Body::kNone, {}, decode_plain<StatusRequest>},
    {"GET", "/v1/stats", Body::kNone, {}, decode_plain<StatsRequest>},
    {"GET", "/v1/drops", Body::kNone, {}, decode_plain<DropsRequest>},
    {"GET", "/v1/flows", Body::kNone, {"port", "server", "limit"}, decode_flows},
    {"GET", "/v1/events", Body::kNone, {"after"}, decode_events},
    {"GET", "/v1/trace", Body::kNone, {"after", "outcomes", "sample"}, decode_trace},
    {"GET", "/v1/explain", Body::kNone, {"source", "destination", "protocol"}, decode_explain},
    {"GET", "/v1/clusters", Body::kNone, {}, decode_plain<ClusterListRequest>},
    {"POST", "/v1/clusters", Body::kObject, {}, decode_cluster_add},
    {"GET", "/v1/clusters/*", Body::kNone, {}, decode_cluster_show},
    {"PATCH", "/v1/clusters/*", Body::kObject, {}, decode_cluster_set},
    {"DELETE", "/v1/clusters/*", Body::kNone, {}, decode_cluster_remove},
    {"GET", "/v1/ports", Body::kNone, {"cluster", "path"}, decode_port_list},
    {"POST", "/v1/ports", Body::kObject, {}, decode_port_add},
    {"PATCH", "/v1/ports", Body::kObject, {"path"}, decode_port_set},
    {"DELETE", "/v1/ports", Body::kNone, {"path"}, decode_port_remove},
    {"GET", "/v1/servers", Body::kNone, {"port", "path"}, decode_server_list},
    {"POST", "/v1/servers", Body::kObject, {}, decode_server_add},
    {"PATCH", "/v1/servers", Body::kObject, {"path"}, decode_server_set},
    {"DELETE", "/v1/servers", Body::kNone, {"path"}, decode_server_remove},
    {"PUT", "/v1/servers/admin", Body::kObject, {"path"}, decode_server_admin},
    {"GET", "/v1/vipas", Body::kNone, {}, decode_plain<VipaListRequest>},
    {"GET", "/v1/vipas/*", Body::kNone, {}, decode_vipa_show},
    {"PATCH", "/v1/vipas/*", Body::kObject, {}, decode_vipa_set},
    {"DELETE", "/v1/vipas/*", Body::kNone, {}, decode_vipa_remove},
    {"PUT", "/v1/vipas/*/owner", Body::kObject, {}, decode_vipa_move},
    {"DELETE", "/v1/vipas/*/owner", Body::kNone, {}, decode_vipa_resume},
    {"PUT", "/v1/vipas/*/admin", Body::kObject, {}, decode_vipa_admin},
    {"GET", "/v1/advisors", Body::kNone, {"port", "server"}, decode_advisor_list},
    {"PUT", "/v1/advisors", Body::kObject, {"port"}, decode_advisor_set},
    {"PATCH", "/v1/advisors", Body::kObject, {"port"}, decode_advisor_patch},
    {"DELETE", "/v1/advisors", Body::kNone, {"port"}, decode_advisor_remove},
    {"POST", "/v1/advisors/run", Body::kObject, {"server"}, decode_advisor_run},
    {"GET", "/v1/managers", Body::kNone, {"cluster"}, decode_manager_report},
    {"PATCH", "/v1/managers", Body::kObject, {"cluster"}, decode_manager_set},
    {"GET", "/v1/exits", Body::kNone, {}, decode_plain<ExitListRequest>},
    {"PATCH", "/v1/settings", Body::kObject, {}, decode_settings_set},
    {"GET", "/v1/config", Body::kNone, {}, decode_plain<ConfigShowRequest>},
    {"PUT", "/v1/config", Body::kObject, {"dry_run"}, decode_config_apply},
    {"POST", "/v1/config/diff", Body::kObject, {}, decode_config_diff},
}};

// Whether the path of a target is the route's; what stands for '*' goes to `name`.
bool matches(const Route& route, const std::vector<std::string>& segments, std::string& name) {
  std::string_view rest = route.path;
  for (const std::string& segment : segments) {
    if (rest.empty()) return false;
    rest.remove_prefix(1);  // the '/'
    const std::string_view pattern = rest.substr(0, rest.find('/'));
    const bool is_wild = pattern == "*" && !segment.empty();
    if (is_wild) name = segment;
    if (!is_wild && segment != pattern) return false;
    rest.remove_prefix(pattern.size());
  }
  return rest.empty();
}

Result<void> check_query(const Route& route, const Call& call) {
  std::set<std::string_view> seen;
  for (const auto& [key, value] : call.query) {
    const auto is_key = [&key = key](std::string_view known) { return known == key || known == key + "*"; };
    const auto* known = std::find_if(route.keys.begin(), route.keys.end(), is_key);
    if (key.empty() || known == route.keys.end()) return bad_query(fmt::format("unknown key \"{}\"", key));
    if (!known->ends_with('*') && !seen.insert(key).second) return bad_query(fmt::format("{} is given twice", key));
  }
  return {};
}

Result<json> parse_body(const Route& route, std::string_view body) {
  if (route.body == Body::kNone) {
    if (body.empty()) return make_reply(json());
    return fail(ErrorCode::kUsage, fmt::format("{} {} takes no body", route.method, route.path));
  }
  if (body.size() > kMaxBodyBytes) {
    return fail(ErrorCode::kUsage, fmt::format("{}: it is larger than {} bytes", kBody, kMaxBodyBytes));
  }
  auto document = parse_json(body, kBody);
  if (document && !document->is_object()) {
    return fail(ErrorCode::kInvalidConfig, fmt::format("{}: it is not an object", kBody));
  }
  return document;
}

}  // namespace

std::vector<std::string_view> allowed_methods(std::string_view target) {
  const auto parsed = parse_target(target);
  std::vector<std::string_view> methods;
  std::string name;
  for (const Route& route : kRoutes) {
    if (parsed && matches(route, parsed->segments, name)) methods.push_back(route.method);
  }
  return methods;
}

Result<Request> decode_request(std::string_view method, std::string_view target, std::string_view body) {
  auto parsed = parse_target(target);
  if (!parsed) return parsed.error();
  Call call{.name = {}, .query = std::move(parsed->query), .body = {}};
  for (const Route& route : kRoutes) {
    if (method != route.method || !matches(route, parsed->segments, call.name)) continue;
    if (auto good = check_query(route, call); !good) return good.error();
    auto document = parse_body(route, body);
    if (!document) return document.error();
    call.body = std::move(*document);
    return route.decode(call);
  }
  const auto methods = allowed_methods(target);
  const std::string_view path = target.substr(0, target.find('?'));
  if (methods.empty()) return fail(ErrorCode::kNotFound, fmt::format("{}: there is no such resource", path));
  return fail(ErrorCode::kUsage, fmt::format("{} {}: the verbs here are {}", method, path, fmt::join(methods, ", ")));
}

}  // namespace xdplb
