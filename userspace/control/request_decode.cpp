// SPDX-License-Identifier: GPL-2.0-only
#include "control/request_fields.h"
#include "control/request_json.h"
#include "control/uri.h"
#include "model/config_json.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <set>

namespace xdplb {
namespace {

using nlohmann::json;

constexpr std::string_view kBody = "request body";

enum class Body { kNone, kObject };

struct Route {
  std::string_view method;
  std::string_view path;  // '*' stands for one segment
  Body body;
  std::array<std::string_view, 3> keys;  // of the query; one that ends in '*' may repeat
  Result<Request> (*decode)(Call& call);
};

// An interface name, or an address that stands for the interface that has it.
Result<void> check_interfaces(const std::vector<std::string>& names) {
  std::set<std::string_view> seen;
  for (const std::string& name : names) {
    const bool is_plain = std::all_of(name.begin(), name.end(), [](char c) { return c > ' ' && c < 0x7f && c != '/'; });
    if (name.empty() || name.size() > 63 || !is_plain) {
      return fail(ErrorCode::kUsage, fmt::format("interface \"{}\": this is no interface name and no address", name));
    }
    if (!seen.insert(name).second) return fail(ErrorCode::kUsage, fmt::format("interface {}: is named twice", name));
  }
  return {};
}

Result<Request> decode_load(Call& call) {
  if (auto known = only_keys(call.body, {"interfaces", "mode", "chain"}); !known) return known.error();
  LoadRequest request;
  auto names = take_strings(call.body, "interfaces");
  if (!names) return names.error();
  if (auto good = check_interfaces(*names); !good) return good.error();
  request.interfaces = std::move(*names);
  if (call.body.contains("mode")) {
    auto text = take_string(call.body, "mode");
    if (!text) return text.error();
    auto mode = in_body(parse_attach_mode(*text), "mode");
    if (!mode) return mode.error();
    request.mode = *mode;
  }
  if (const auto chain = call.body.find("chain"); chain != call.body.end()) {
    if (!chain->is_boolean()) return bad_body("chain", "is not true or false");
    request.chain = chain->get<bool>();
  }
  return request;
}

Result<Request> decode_unload(Call& call) {
  UnloadRequest request;
  for (auto& [key, value] : call.query) request.interfaces.push_back(std::move(value));
  if (auto good = check_interfaces(request.interfaces); !good) return good.error();
  return request;
}

template <typename T>
Result<Request> decode_plain(Call&) {
  return T{};
}

Result<Endpoint> take_endpoint(const Call& call, std::string_view key) {
  const auto text = call.find(key);
  if (!text) return bad_query(fmt::format("{}=ADDRESS:PORT is missing", key));
  return Endpoint::parse(*text);
}

Result<Request> decode_explain(Call& call) {
  const auto source = take_endpoint(call, "source");
  if (!source) return source.error();
  const auto destination = take_endpoint(call, "destination");
  if (!destination) return destination.error();
  const auto protocol = parse_protocol(call.find("protocol").value_or("tcp"));
  if (!protocol) return protocol.error();
  if (source->address.family() != destination->address.family()) {
    return fail(ErrorCode::kUsage, fmt::format("flow {} to {}: one is IPv4, the other IPv6", source->to_string(),
                                               destination->to_string()));
  }
  return ExplainRequest{.source = *source, .destination = *destination, .protocol = *protocol};
}

Result<Request> decode_cluster_show(Call& call) { return ClusterListRequest{.name = std::move(call.name)}; }

Result<Request> decode_cluster_add(Call& call) {
  auto cluster = without_conflict(decode_cluster(call.body, "cluster"));
  if (!cluster) return cluster.error();
  return ClusterAddRequest{.cluster = std::move(*cluster)};
}

Result<Request> decode_cluster_set(Call& call) {
  if (auto known = only_keys(call.body, {"addresses"}); !known) return known.error();
  const auto texts = take_strings(call.body, "addresses");
  if (!texts) return texts.error();
  ClusterSetRequest request{.name = std::move(call.name), .addresses = {}};
  for (const std::string& text : *texts) {
    const auto address = in_body(IpAddress::parse(text), "addresses");
    if (!address) return address.error();
    request.addresses.push_back(*address);
  }
  return request;
}

Result<Request> decode_cluster_remove(Call& call) { return ClusterRemoveRequest{.name = std::move(call.name)}; }

Result<Request> decode_port_list(Call& call) {
  if (auto good = only_one(call, "cluster", "path"); !good) return good.error();
  PortListRequest request{.cluster = call.find("cluster"), .path = std::nullopt};
  if (!call.find("path")) return request;
  auto path = take_path<PortPath>(call, "path");
  if (!path) return path.error();
  request.path = std::move(*path);
  return request;
}

Result<Request> decode_port_add(Call& call) {
  auto cluster = take_string(call.body, "cluster");
  if (!cluster) return cluster.error();
  auto port = without_conflict(decode_port(call.body, "port"));
  if (!port) return port.error();
  return PortAddRequest{.cluster = std::move(*cluster), .port = std::move(*port)};
}

Result<Request> decode_port_remove(Call& call) {
  auto path = take_path<PortPath>(call, "path");
  if (!path) return path.error();
  return PortRemoveRequest{.path = std::move(*path)};
}

Result<Request> decode_server_list(Call& call) {
  if (auto good = only_one(call, "port", "path"); !good) return good.error();
  ServerListRequest request;
  if (call.find("port")) {
    auto port = take_path<PortPath>(call, "port");
    if (!port) return port.error();
    request.port = std::move(*port);
  }
  if (call.find("path")) {
    auto path = take_path<ServerPath>(call, "path");
    if (!path) return path.error();
    request.path = std::move(*path);
  }
  return request;
}

Result<Request> decode_server_add(Call& call) {
  const auto text = take_string(call.body, "port");
  if (!text) return text.error();
  auto port = in_body(PortPath::parse(*text), "port");
  if (!port) return port.error();
  auto server = without_conflict(decode_server(call.body, "server"));
  if (!server) return server.error();
  return ServerAddRequest{.port = std::move(*port), .server = std::move(*server)};
}

Result<Request> decode_server_set(Call& call) {
  auto path = take_path<ServerPath>(call, "path");
  if (!path) return path.error();
  if (auto known = only_keys(call.body, {"weight", "address"}); !known) return known.error();
  ServerSetRequest request{.path = std::move(*path), .weight = std::nullopt, .address = std::nullopt};
  if (const auto weight = call.body.find("weight"); weight != call.body.end()) {
    const bool good = weight->is_number_unsigned() && weight->get<std::uint64_t>() <= kMaxWeight;
    if (!good) return bad_body("weight", fmt::format("is not a whole number from 0 to {}", kMaxWeight));
    request.weight = weight->get<unsigned>();
  }
  if (call.body.contains("address")) {
    const auto text = take_string(call.body, "address");
    if (!text) return text.error();
    const auto address = in_body(IpAddress::parse(*text), "address");
    if (!address) return address.error();
    request.address = *address;
  }
  if (!request.weight && !request.address) return bad_body("weight, address", "at least one must be given");
  return request;
}

Result<Request> decode_server_remove(Call& call) {
  auto path = take_path<ServerPath>(call, "path");
  if (!path) return path.error();
  return ServerRemoveRequest{.path = std::move(*path)};
}

Result<Request> decode_config_diff(Call& call) {
  auto config = without_conflict(decode_config(call.body, kBody));
  if (!config) return config.error();
  return ConfigDiffRequest{.config = std::move(*config)};
}

Result<Request> decode_config_apply(Call& call) {
  const std::string dry_run = call.find("dry_run").value_or("0");
  if (dry_run != "0" && dry_run != "1") return bad_query("dry_run is 0 or 1");
  auto config = without_conflict(decode_config(call.body, kBody));
  if (!config) return config.error();
  return ConfigApplyRequest{.config = std::move(*config), .dry_run = dry_run == "1"};
}

constexpr std::array<Route, 21> kRoutes = {{
    {"POST", "/v1/interfaces", Body::kObject, {}, decode_load},
    {"DELETE", "/v1/interfaces", Body::kNone, {"name*"}, decode_unload},
    {"GET", "/v1/status", Body::kNone, {}, decode_plain<StatusRequest>},
    {"GET", "/v1/stats", Body::kNone, {}, decode_plain<StatsRequest>},
    {"GET", "/v1/drops", Body::kNone, {}, decode_plain<DropsRequest>},
    {"GET", "/v1/explain", Body::kNone, {"source", "destination", "protocol"}, decode_explain},
    {"GET", "/v1/clusters", Body::kNone, {}, decode_plain<ClusterListRequest>},
    {"POST", "/v1/clusters", Body::kObject, {}, decode_cluster_add},
    {"GET", "/v1/clusters/*", Body::kNone, {}, decode_cluster_show},
    {"PATCH", "/v1/clusters/*", Body::kObject, {}, decode_cluster_set},
    {"DELETE", "/v1/clusters/*", Body::kNone, {}, decode_cluster_remove},
    {"GET", "/v1/ports", Body::kNone, {"cluster", "path"}, decode_port_list},
    {"POST", "/v1/ports", Body::kObject, {}, decode_port_add},
    {"DELETE", "/v1/ports", Body::kNone, {"path"}, decode_port_remove},
    {"GET", "/v1/servers", Body::kNone, {"port", "path"}, decode_server_list},
    {"POST", "/v1/servers", Body::kObject, {}, decode_server_add},
    {"PATCH", "/v1/servers", Body::kObject, {"path"}, decode_server_set},
    {"DELETE", "/v1/servers", Body::kNone, {"path"}, decode_server_remove},
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
