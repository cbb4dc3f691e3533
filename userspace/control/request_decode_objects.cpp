// SPDX-License-Identifier: GPL-2.0-only
#include "control/request_decoders.h"
#include "model/config_json.h"
#include "model/option_text.h"
#include "model/text.h"

#include <fmt/format.h>

namespace xdplb {
namespace {

using nlohmann::json;

constexpr unsigned kLastHour = 23;

Result<unsigned> take_count(const json& value, const char* key, unsigned min, unsigned max) {
  const bool is_count = value.is_number_unsigned();
  const auto number = is_count ? value.get<std::uint64_t>() : 0;
  if (is_count && number >= min && number <= max) return static_cast<unsigned>(number);
  return bad_body(key, fmt::format("is not a whole number from {} to {}", min, max));
}

// A VLAN id, "none" or "keep", which must be there.
Result<std::optional<std::uint16_t>> take_vlan(json& body) {
  if (body["vlan"].is_string()) return take_word(body, "vlan", parse_vlan);
  const auto number = take_count(body["vlan"], "vlan", 1, kMaxVlan);
  if (!number) return bad_body("vlan", fmt::format("is neither keep nor none nor a VLAN from 1 to {}", kMaxVlan));
  return std::optional<std::uint16_t>(static_cast<std::uint16_t>(*number));
}

// "address" or "addresses"; nothing for neither.
Result<std::vector<IpAddress>> take_adapters(json& body) {
  std::vector<std::string> texts;
  const bool has_one = body.contains("address");
  if (has_one && body.contains("addresses")) return bad_body("address, addresses", "say either");
  if (has_one) {
    auto text = take_string(body, "address");
    if (!text) return text.error();
    texts.push_back(std::move(*text));
  } else if (body.contains("addresses")) {
    auto list = take_strings(body, "addresses");
    if (!list) return list.error();
    texts = std::move(*list);
  }
  std::vector<IpAddress> addresses;
  for (const std::string& text : texts) {
    const auto address = in_body(IpAddress::parse(text), has_one ? "address" : "addresses");
    if (!address) return address.error();
    addresses.push_back(*address);
  }
  return addresses;
}

// Whose word it can be that comes through the API.
Result<AdminSource> parse_source(std::string_view text) {
  for (const AdminSource source : {AdminSource::kOperator, AdminSource::kHook}) {
    if (text == admin_source_name(source)) return source;
  }
  return fail(ErrorCode::kUsage, fmt::format("{} is neither operator nor hook", quote(text)));
}

// The first and the last hour of a day.
Result<DailyHours> take_hours(const json& value) {
  if (!value.is_array() || value.size() != 2) return bad_body("daily", "is not a list of two hours");
  const auto first = take_count(value[0], "daily", 0, kLastHour);
  if (!first) return first.error();
  const auto last = take_count(value[1], "daily", 0, kLastHour);
  if (!last) return last.error();
  return DailyHours{.first = *first, .last = *last};
}

}  // namespace

Result<Request> decode_cluster_show(Call& call) { return ClusterListRequest{.name = std::move(call.name)}; }

Result<Request> decode_cluster_add(Call& call) {
  auto cluster = without_conflict(decode_cluster(call.body, "cluster"));
  if (!cluster) return cluster.error();
  return ClusterAddRequest{.cluster = std::move(*cluster)};
}

Result<Request> decode_cluster_set(Call& call) {
  if (auto known = only_keys(call.body, {"addresses", "echo"}); !known) return known.error();
  ClusterSetRequest request{.name = std::move(call.name)};
  if (call.body.contains("addresses")) {
    const auto texts = take_strings(call.body, "addresses");
    if (!texts) return texts.error();
    request.addresses.emplace();
    for (const std::string& text : *texts) {
      const auto added = in_body(add_cluster_address(text, *request.addresses, request.prefixes), "addresses");
      if (!added) return added.error();
    }
  }
  if (call.body.contains("echo")) {
    const auto echo = take_word(call.body, "echo", parse_echo);
    if (!echo) return echo.error();
    request.echo = *echo;
  }
  if (!request.addresses && !request.echo) return bad_body("addresses, echo", "at least one must be given");
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

Result<Request> decode_port_set(Call& call) {
  auto path = take_path<PortPath>(call, "path");
  if (!path) return path.error();
  auto changes = decode_port_changes(call.body, "port");
  if (!changes) return changes.error();
  if (changes->is_empty()) return bad_body("options", "at least one must be given");
  return PortSetRequest{.path = std::move(*path), .changes = *changes};
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
  if (call.body.empty()) {
    return bad_body("weight, address, addresses, vlan, tier, fixed_weight, admin", "at least one must be given");
  }
  if (auto known = only_keys(call.body, {"weight", "address", "addresses", "vlan", "tier", "fixed_weight", "admin"});
      !known) {
    return known.error();
  }
  ServerSetRequest request{.path = std::move(*path), .weight = std::nullopt};
  if (const auto weight = call.body.find("weight"); weight != call.body.end()) {
    const auto number = take_count(*weight, "weight", 0, kMaxWeight);
    if (!number) return number.error();
    request.weight = *number;
  }
  auto addresses = take_adapters(call.body);
  if (!addresses) return addresses.error();
  request.addresses = std::move(*addresses);
  if (call.body.contains("vlan")) {
    const auto vlan = take_vlan(call.body);
    if (!vlan) return vlan.error();
    request.vlan = *vlan;
  }
  if (const auto tier = call.body.find("tier"); tier != call.body.end()) {
    const auto number = take_count(*tier, "tier", 0, kMaxTier);
    if (!number) return number.error();
    request.tier = *number;
  }
  if (auto good = take_truth(call.body, "fixed_weight", request.has_fixed_weight); !good) return good.error();
  if (call.body.contains("admin")) {
    const auto admin = take_word(call.body, "admin", parse_admin);
    if (!admin) return admin.error();
    request.admin = *admin;
  }
  return request;
}

Result<Request> decode_server_admin(Call& call) {
  auto path = take_path<ServerPath>(call, "path");
  if (!path) return path.error();
  if (auto known = only_keys(call.body, {"admin", "deadline_s", "source", "daily"}); !known) return known.error();
  ServerAdminRequest request{.path = std::move(*path)};
  const auto admin = take_word(call.body, "admin", parse_admin);
  if (!admin) return admin.error();
  request.admin = *admin;
  if (call.body.contains("source")) {
    const auto source = take_word(call.body, "source", parse_source);
    if (!source) return source.error();
    request.source = *source;
  }
  const bool is_drain = request.admin == Admin::kDrain || request.admin == Admin::kDrainNow;
  for (const char* key : {"deadline_s", "daily"}) {
    if (is_drain || !call.body.contains(key)) continue;
    return bad_body(key, fmt::format("goes with drain and drain-now, not with {}", admin_name(*admin)));
  }
  if (const auto deadline = call.body.find("deadline_s"); deadline != call.body.end()) {
    const auto seconds = take_count(*deadline, "deadline_s", 1, kMaxTimeout);
    if (!seconds) return seconds.error();
    request.deadline_s = *seconds;
  }
  if (const auto daily = call.body.find("daily"); daily != call.body.end()) {
    const auto hours = take_hours(*daily);
    if (!hours) return hours.error();
    request.daily = *hours;
  }
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

}  // namespace xdplb
